package import Failure
package import LinuxSystem

/// What a container's checks have found, in the run directory (`health`), written by the monitor after each check.
package struct HealthRecord: Sendable, Equatable {
    package enum Status: String, Sendable { case starting, healthy, unhealthy }

    package struct Result: Sendable, Equatable {
        /// Nanoseconds since 1970.
        package var start: Int64
        package var end: Int64
        /// -1: it could not be run, or took too long.
        package var exitCode: Int32
        /// The first 4096 bytes of what it wrote.
        package var output: String

        package init(start: Int64, end: Int64, exitCode: Int32, output: String) {
            self.start = start
            self.end = end
            self.exitCode = exitCode
            self.output = output
        }
    }

    package var status: Status
    package var failingStreak: UInt32
    /// The last five, the newest last.
    package private(set) var log: [Result]

    package init(status: Status = .starting, failingStreak: UInt32 = 0, log: [Result] = []) {
        self.status = status
        self.failingStreak = failingStreak
        self.log = log
    }

    static let mostResults = 5
    static let mostOutput = 4096

    /// - Parameter counts: a failure adds to the streak (it does not in the start period).
    mutating func add(_ result: Result, retries: UInt32, counts: Bool) {
        log.append(result)
        if log.count > HealthRecord.mostResults { log.removeFirst(log.count - HealthRecord.mostResults) }
        if result.exitCode == 0 {
            failingStreak = 0
            status = .healthy
        } else if counts {
            failingStreak += 1
            if failingStreak >= retries { status = .unhealthy }
        }
    }
}

extension HealthRecord {
    private static let kind = "ctr-health 1"
    package static let fileName = "health"

    package func write(in runDirectory: Int32) throws(SystemError) {
        var record = FlatRecord(kind: HealthRecord.kind)
        record.add("status", status.rawValue)
        record.add("streak", String(failingStreak))
        for result in log {
            record.add("check", "\(result.start) \(result.end) \(result.exitCode) \(result.output)")
        }
        try AtomicFile.write(record.bytes, to: HealthRecord.fileName, in: runDirectory, durable: false)
    }

    /// nil where no run with a check was started in this boot.
    package static func read(_ runDirectory: String) throws(Failure) -> HealthRecord? {
        let bytes = try during("read \(runDirectory)/health") { () throws(SystemError) in
            try AtomicFile.read("\(runDirectory)/health", limit: 1 << 20)
        }
        guard let bytes else { return nil }
        let record = try FlatRecord(kind: kind, parsing: bytes, name: "\(runDirectory)/health")
        let results = record.all("check").compactMap { line -> Result? in
            let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, let start = Int64(parts[0]), let end = Int64(parts[1]),
                let code = Int32(parts[2])
            else { return nil }
            return Result(start: start, end: end, exitCode: code, output: String(parts[3]))
        }
        return HealthRecord(
            status: Status(rawValue: record.first("status") ?? "") ?? .starting,
            failingStreak: UInt32(record.first("streak") ?? "") ?? 0, log: results)
    }
}
