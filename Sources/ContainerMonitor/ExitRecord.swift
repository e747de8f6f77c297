package import Failure
package import LinuxSystem

/// How a container's last run ended: `exit` in its directory, durable, by its monitor (or by who found the monitor dead).
package struct ExitRecord: Sendable, Equatable {
    package var code: Int32
    package var oomKilled: Bool
    /// Nanoseconds since 1970; 0 where it never started.
    package var startedAt: Int64
    package var finishedAt: Int64
    package var restartCount: UInt32
    /// Why it did not start, or why the code is not known.
    package var error: String

    package init(
        code: Int32, oomKilled: Bool = false, startedAt: Int64, finishedAt: Int64, restartCount: UInt32 = 0,
        error: String = ""
    ) {
        self.code = code
        self.oomKilled = oomKilled
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.restartCount = restartCount
        self.error = error
    }

    private static let kind = "ctr-exit 1"
    package static let fileName = "exit"

    /// - Parameter durable: false for a container that goes with its end (`--rm`).
    package func write(in containerDirectory: Int32, durable: Bool = true) throws(SystemError) {
        var record = FlatRecord(kind: ExitRecord.kind)
        record.add("code", String(code))
        if oomKilled { record.add("oom-killed", "1") }
        record.add("started", String(startedAt))
        record.add("finished", String(finishedAt))
        record.add("restarts", String(restartCount))
        if !error.isEmpty { record.add("error", error) }
        try AtomicFile.write(record.bytes, to: ExitRecord.fileName, in: containerDirectory, durable: durable)
    }

    /// nil where no run has ended yet.
    package static func read(_ containerDirectory: String) throws(Failure) -> ExitRecord? {
        let bytes = try during("read \(containerDirectory)/exit") { () throws(SystemError) in
            try AtomicFile.read("\(containerDirectory)/exit", limit: 1 << 20)
        }
        guard let bytes else { return nil }
        let record = try FlatRecord(kind: kind, parsing: bytes, name: "\(containerDirectory)/exit")
        return ExitRecord(
            code: Int32(record.first("code") ?? "") ?? 0, oomKilled: record.first("oom-killed") != nil,
            startedAt: Int64(record.first("started") ?? "") ?? 0,
            finishedAt: Int64(record.first("finished") ?? "") ?? 0,
            restartCount: UInt32(record.first("restarts") ?? "") ?? 0, error: record.first("error") ?? "")
    }
}
