internal import LinuxSystem

/// One process as the host's /proc tells of it (proc(5)). What a process says of itself (its name, its arguments) is a
/// stranger's text.
package struct ProcessEntry: Sendable {
    package let pid: Int32
    package let ppid: Int32
    package let pgid: Int32
    package let state: String
    /// Device number; 0 for none.
    package let terminal: UInt64
    /// Clock ticks.
    package let userTicks, systemTicks, startTicks: UInt64
    package let nice: Int64
    package let threads: Int64
    /// Bytes.
    package let virtualSize: UInt64
    package let residentPages: UInt64
    package let name: String
    package let arguments: [String]
    /// Effective ids in the host's numbers.
    package let uid, gid: UInt32
    /// In the pid namespace of the process itself.
    package let pidInside: Int32
    package let isSessionLeader: Bool

    /// nil where there is no such process any more.
    init?(_ pid: Int32) {
        guard let stat = ProcessEntry.text("/proc/\(pid)/stat"),
            let status = ProcessEntry.text("/proc/\(pid)/status"),
            let open = stat.firstIndex(of: UInt8(ascii: "(")),
            let close = stat.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else {
            return nil
        }
        let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " ")).map {
            String(decoding: $0.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        guard fields.count > 21 else { return nil }
        self.pid = pid
        name = String(decoding: stat[(open + 1)..<close], as: UTF8.self)
        // fields[0] is field 3 of proc(5).
        func number(_ field: Int) -> UInt64 { UInt64(fields[field - 3]) ?? 0 }
        state = fields[0]
        ppid = Int32(fields[1]) ?? 0
        pgid = Int32(fields[2]) ?? 0
        isSessionLeader = Int32(fields[3]) == pid
        terminal = UInt64(UInt32(bitPattern: Int32(fields[4]) ?? 0))
        userTicks = number(14)
        systemTicks = number(15)
        nice = Int64(fields[16]) ?? 0
        threads = Int64(fields[17]) ?? 1
        startTicks = number(22)
        virtualSize = number(23)
        residentPages = number(24)
        func words(_ key: String) -> [UInt32] {
            for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: key.utf8) {
                return line.dropFirst(key.utf8.count).split(separator: UInt8(ascii: "\t")).compactMap {
                    UInt32(String(decoding: $0, as: UTF8.self))
                }
            }
            return []
        }
        let uids = words("Uid:")
        let gids = words("Gid:")
        uid = uids.count > 1 ? uids[1] : 0
        gid = gids.count > 1 ? gids[1] : 0
        pidInside = words("NSpid:").last.map { Int32(bitPattern: $0) } ?? pid
        arguments = (ProcessEntry.text("/proc/\(pid)/cmdline") ?? []).split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private static func text(_ path: String) -> [UInt8]? {
        (try? AtomicFile.read(path, limit: 4 << 20)) ?? nil
    }

    /// Number of the parent in the parent's own pid namespace; 0 where that is outside.
    func ppidInside(among all: [ProcessEntry]) -> Int32 {
        all.first { $0.pid == ppid }?.pidInside ?? 0
    }
}

/// What times of processes are counted from.
package struct ProcessClock: Sendable {
    /// Linux has told /proc's times in hundredths of a second on all architectures of ours.
    package static let ticksPerSecond: UInt64 = 100
    /// Seconds since 1970.
    package let bootTime: Int64
    package let now: Int64
    package let uptimeTicks: UInt64
    /// Bytes.
    package let totalMemory: UInt64

    package init() {
        let uptime = (try? AtomicFile.read("/proc/uptime", limit: 256)) ?? nil
        let seconds =
            Double(
                String(decoding: (uptime ?? []).prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)) ?? 0
        now = Timestamp.now().seconds
        bootTime = now - Int64(seconds)
        uptimeTicks = UInt64(seconds * 100)
        totalMemory = ProcessClock.memory()
    }

    /// `MemTotal:       24689760 kB`
    private static func memory() -> UInt64 {
        let bytes = ((try? AtomicFile.read("/proc/meminfo", limit: 1 << 16)) ?? nil) ?? []
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let digits = line.filter { (0x30...0x39).contains($0) }
        return (UInt64(String(decoding: digits, as: UTF8.self)) ?? 0) << 10
    }
}
