internal import Failure
internal import LaunchPlan
internal import LinuxSystem

extension ResidentMonitor {
    func writeLog(_ bytes: UnsafeRawBufferPointer, _ stream: LogStream) {
        if log == nil {
            guard plan.log != .none else { return }
            do throws(SystemError) {
                try openLog()
            } catch {
                // Tried again at each output: a full disk may have room again.
                lostBeforeLog += UInt64(bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) })
                tellLosses(lostBeforeLog, error.reason)
                return
            }
        }
        guard let log else { return }
        log.write(bytes, from: stream, at: Timestamp.now())
        if log.droppedLines != toldLosses { tellLosses(log.droppedLines, log.dropReason) }
    }

    private func openLog() throws(SystemError) {
        switch plan.log {
        case .none: break
        case .json(let size, let files, let attributes):
            try openFiles(.json(attributes: LogLine.object(attributes)), size, files)
        case .kubernetes(let size, let files): try openFiles(.kubernetes, size, files)
        case .journal(let fields): log = JournalLog(fields: fields)
        }
    }

    private func openFiles(_ format: LogWriter.Format, _ size: UInt64, _ files: UInt32) throws(SystemError) {
        try Directory.ensure("logs", in: containerDirectory.raw)
        let writer = try LogWriter(
            directory: try Directory.open("logs", in: containerDirectory.raw), format: format,
            maximumSize: size, maximumFiles: files)
        if lostBeforeLog > 0 {
            writer.drop(lostBeforeLog, "no room for the log")
            lostBeforeLog = 0
        }
        log = writer
    }

    /// For `inspect` and `logs`: in the run directory, which is not on the disk that is full.
    private func tellLosses(_ lines: UInt64, _ reason: String) {
        toldLosses = lines
        var record = LogLosses.record
        record.add("lines", String(lines))
        record.add("reason", reason)
        try? AtomicFile.write(record.bytes, to: LogLosses.fileName, in: runDirectory.raw, durable: false)
    }
}

/// How much of a container's output could not be kept since it was started: `log-lost` in the run directory.
package struct LogLosses: Sendable, Equatable {
    package let lines: UInt64
    package let reason: String

    package static let fileName = "log-lost"
    private static let kind = "ctr-log-lost 1"
    static var record: FlatRecord { FlatRecord(kind: kind) }

    /// nil where nothing was lost.
    package static func read(_ runDirectory: String) -> LogLosses? {
        guard let bytes = (try? AtomicFile.read("\(runDirectory)/\(fileName)", limit: 4096)) ?? nil,
            let record = try? FlatRecord(kind: kind, parsing: bytes, name: fileName),
            let lines = UInt64(record.first("lines") ?? "")
        else { return nil }
        return LogLosses(lines: lines, reason: record.first("reason") ?? "")
    }
}
