internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import Runtime

/// What a container uses at one moment; bytes, nanoseconds.
package struct ContainerUsage: Sendable, Equatable {
    /// Of the clock that only goes forwards.
    package var time: Int64 = 0
    package var processor: UInt64 = 0
    package var memory: UInt64 = 0
    /// The machine's where there is no smaller one.
    package var memoryLimit: UInt64 = 0
    package var received: UInt64 = 0
    package var sent: UInt64 = 0
    package var read: UInt64 = 0
    package var written: UInt64 = 0
    package var processes: UInt64 = 0

    package init() {}
}

extension Engine {
    /// nil where the container does not run.
    ///
    /// The network's counters are those of its first process's namespace, without loopback; with the host's network there
    /// are none, as in docker. Blocks are those of the io controller; a container that is in none (it has no limit of
    /// that) tells those of the processes that live.
    package func usage(of record: ContainerRecord) throws(Failure) -> ContainerUsage? {
        guard let run = try runState(of: record), run.isAlive, run.status == .running else { return nil }
        let location = try location(of: run, record.id)
        var usage = ContainerUsage()
        usage.time = monotonicNanoseconds()
        usage.processor = Engine.processorTime(location)
        (usage.memory, usage.memoryLimit) = Engine.memory(location)
        let pids = location.processes
        usage.processes =
            location.pidsFile.flatMap { CgroupChange.content(of: $0) }.flatMap { UInt64($0) }
            ?? UInt64(pids.count)
        (usage.read, usage.written) = location.blockCounters ?? Engine.blocks(of: pids)
        if record.settings.network != "host" {
            (usage.received, usage.sent) = Engine.network(of: run.process.pid)
        }
        return usage
    }

    private static func processorTime(_ location: CgroupLocation) -> UInt64 {
        guard let file = location.cpuUsageFile, let text = CgroupChange.content(of: file) else { return 0 }
        if let number = UInt64(text) { return number }
        return (text.value(of: "usage_usec") ?? 0) * 1000
    }

    /// Without what is only cached and not in use, as docker counts.
    private static func memory(_ location: CgroupLocation) -> (used: UInt64, limit: UInt64) {
        let machine = ProcessClock().totalMemory
        guard let file = location.memoryUsageFile,
            let used = CgroupChange.content(of: file).flatMap({ UInt64($0) })
        else {
            return (0, machine)
        }
        let directory = file[..<(file.utf8.lastIndex(of: UInt8(ascii: "/")) ?? file.endIndex)]
        let isLegacy = file.hasSuffix("usage_in_bytes")
        let statistics = CgroupChange.content(of: "\(directory)/memory.stat") ?? ""
        let cached = statistics.value(of: isLegacy ? "total_inactive_file" : "inactive_file") ?? 0
        let limit =
            CgroupChange.content(
                of: "\(directory)/\(isLegacy ? "memory.limit_in_bytes" : "memory.max")"
            ).flatMap { UInt64($0) } ?? machine
        return (used - min(cached, used), limit > machine && machine > 0 ? machine : limit)
    }

    /// proc(5): `read_bytes: N` and `write_bytes: N` of /proc/PID/io.
    private static func blocks(of pids: [Int32]) -> (read: UInt64, written: UInt64) {
        var sum: (read: UInt64, written: UInt64) = (0, 0)
        for pid in pids {
            guard let text = CgroupChange.content(of: "/proc/\(pid)/io") else { continue }
            sum.read += text.value(of: "read_bytes:") ?? 0
            sum.written += text.value(of: "write_bytes:") ?? 0
        }
        return sum
    }

    /// `  eth0: RECEIVED … SENT …`: the first and the ninth number.
    private static func network(of pid: Int32) -> (received: UInt64, sent: UInt64) {
        var sum: (received: UInt64, sent: UInt64) = (0, 0)
        for line in (CgroupChange.content(of: "/proc/\(pid)/net/dev") ?? "").split(separator: "\n").dropFirst(
            2)
        {
            guard let colon = line.lastIndex(of: ":") else { continue }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " ").map { UInt64($0) ?? 0 }
            guard name != "lo", numbers.count > 8 else { continue }
            sum.received += numbers[0]
            sum.sent += numbers[8]
        }
        return sum
    }
}

extension String {
    /// The number after a word at a line's beginning.
    fileprivate func value(of key: String) -> UInt64? {
        for line in split(separator: "\n") where line.hasPrefix("\(key) ") {
            return UInt64(line.dropFirst(key.count + 1))
        }
        return nil
    }
}
