internal import Runtime

/// What a container uses, from its cgroups; nanoseconds and bytes.
package struct ContainerStatistics: Encodable, Sendable {
    package struct Processor: Encodable, Sendable {
        package struct Usage: Encodable, Sendable {
            package var total: UInt64 = 0
            package var kernel: UInt64 = 0
            package var user: UInt64 = 0
        }

        package struct Throttling: Encodable, Sendable {
            package var periods: UInt64 = 0
            package var throttledPeriods: UInt64 = 0
            package var throttledTime: UInt64 = 0
        }

        package var usage = Usage()
        package var throttling = Throttling()
    }

    package struct Memory: Encodable, Sendable {
        package struct Entry: Encodable, Sendable {
            package var limit: UInt64 = 0
            package var usage: UInt64 = 0
            package var max: UInt64 = 0
            package var failcnt: UInt64 = 0
        }

        package var cache: UInt64 = 0
        package var usage = Entry()
        package var swap = Entry()
        /// memory.stat as it is.
        package var raw: [String: UInt64] = [:]
    }

    package struct Processes: Encodable, Sendable {
        package var current: UInt64 = 0
        /// 0: none.
        package var limit: UInt64 = 0
    }

    package struct BlockIO: Encodable, Sendable {
        package struct Entry: Encodable, Sendable {
            package let op: String
            package let value: UInt64
        }

        package var ioServiceBytesRecursive: [Entry] = []
    }

    package var cpu = Processor()
    package var memory = Memory()
    package var pids = Processes()
    package var blkio = BlockIO()

    init(_ location: CgroupLocation) {
        let legacyMemory = location.directory(holding: "memory")
        if let directory = location.unified {
            let stat = CgroupFile.pairs("\(directory)/cpu.stat")
            cpu.usage.total = (stat["usage_usec"] ?? 0) * 1000
            cpu.usage.kernel = (stat["system_usec"] ?? 0) * 1000
            cpu.usage.user = (stat["user_usec"] ?? 0) * 1000
            cpu.throttling.periods = stat["nr_periods"] ?? 0
            cpu.throttling.throttledPeriods = stat["nr_throttled"] ?? 0
            cpu.throttling.throttledTime = (stat["throttled_usec"] ?? 0) * 1000
        }
        if let directory = legacyMemory {
            memory.usage = CgroupFile.entry("\(directory)/memory")
            memory.swap = CgroupFile.entry("\(directory)/memory.memsw")
            memory.raw = CgroupFile.pairs("\(directory)/memory.stat")
            memory.cache = memory.raw["cache"] ?? 0
        } else if let directory = location.unified {
            memory.usage.usage = CgroupFile.number("\(directory)/memory.current")
            memory.usage.limit = CgroupFile.number("\(directory)/memory.max")
            memory.usage.max = CgroupFile.number("\(directory)/memory.peak")
            memory.swap.usage = CgroupFile.number("\(directory)/memory.swap.current")
            memory.swap.limit = CgroupFile.number("\(directory)/memory.swap.max")
            memory.raw = CgroupFile.pairs("\(directory)/memory.stat")
            memory.cache = memory.raw["file"] ?? 0
        }
        if let directory = location.directory(holding: "pids") ?? location.unified {
            pids.current = CgroupFile.number("\(directory)/pids.current")
            let limit = CgroupFile.number("\(directory)/pids.max")
            pids.limit = limit == UInt64.max ? 0 : limit
        }
        if let blocks = location.blockCounters {
            blkio.ioServiceBytesRecursive = [
                BlockIO.Entry(op: "Read", value: blocks.read),
                BlockIO.Entry(op: "Write", value: blocks.written),
            ]
        }
    }

    /// How often the kernel has ended a process for want of memory.
    static func kills(_ location: CgroupLocation) -> UInt64 {
        location.oomFile.map { CgroupFile.pairs($0)["oom_kill"] ?? 0 } ?? 0
    }
}

/// Small files of cgroups; what is not there is 0.
enum CgroupFile {
    static func number(_ path: String) -> UInt64 {
        guard let text = CgroupChange.content(of: path) else { return 0 }
        return text == "max" ? UInt64.max : UInt64(text) ?? 0
    }

    /// Lines of `NAME NUMBER`.
    static func pairs(_ path: String) -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        for line in (CgroupChange.content(of: path) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = UInt64(words[1]) { found[String(words[0])] = value }
        }
        return found
    }

    static func entry(_ prefix: String) -> ContainerStatistics.Memory.Entry {
        var entry = ContainerStatistics.Memory.Entry()
        entry.limit = number("\(prefix).limit_in_bytes")
        entry.usage = number("\(prefix).usage_in_bytes")
        entry.max = number("\(prefix).max_usage_in_bytes")
        entry.failcnt = number("\(prefix).failcnt")
        return entry
    }
}
