internal import ContainerMonitor
package import Failure
internal import LinuxSystem

/// What `logs` asks for. Times in nanoseconds since 1970.
package struct LogRequest: Sendable {
    package var follow = false
    /// nil: everything.
    package var tail: Int?
    package var since: Int64?
    package var until: Int64?
    package var timestamps = false

    package init() {}
}

extension Engine {
    /// Prints the log on stdout and stderr, as the container wrote to them.
    package func logs(_ record: ContainerRecord, _ request: LogRequest) throws(Failure) {
        guard record.settings.logDriver != "none" else {
            throw Failure(
                .unsupported, "container \(record.name) keeps no log",
                hint: "it was made with --log-driver none")
        }
        guard record.settings.logDriver != "journald" else {
            throw Failure(
                .unsupported, "the output of \(record.name) is in the journal, which ctr does not read",
                hint: "\"journalctl CONTAINER_ID_FULL=\(record.id)\" shows it")
        }
        let path = path(of: record, "logs")
        try during("read the log of \(record.name)") { () throws(SystemError) in
            try Directory.ensure(path, mode: 0o700)
            let reader = LogReader(directory: try Directory.open(path))
            // Before the first read: nothing that is written meanwhile is missed.
            let watch = try DirectoryWatch(path)
            try reader.start(tail: request.tail)
            while true {
                // Asked before reading: what is written after the end of the read is seen in the next round.
                let hasEnded = !isLive(record)
                var isOver = false
                try reader.read { line in
                    isOver = !show(line, request)
                    return !isOver
                }
                guard Console.flush(), !isOver, request.follow, !hasEnded else { return }
                try wait(for: record, watch)
            }
        }
    }

    private func isLive(_ record: ContainerRecord) -> Bool { ((try? state(of: record))?.isRunning) ?? false }

    /// False when no later line can be wanted.
    private func show(_ line: LogLine, _ request: LogRequest) -> Bool {
        let time = line.time.nanosecondsSinceEpoch
        if let until = request.until, time > until { return false }
        if let since = request.since, time < since { return true }
        var bytes = request.timestamps ? Array("\(LogTime.text(line.time)) ".utf8) : []
        bytes += line.log
        if line.isStderr { Console.error(bytes) } else { Console.out(bytes) }
        return true
    }

    /// Until something is written, or the container's monitor ends.
    private func wait(for record: ContainerRecord, _ watch: borrowing DirectoryWatch) throws(SystemError) {
        let run = (try? runState(of: record)) ?? nil
        let monitor = try (run?.monitor.isAlive ?? false ? run?.monitor : run?.process)?.open()
        guard let monitor else { return }
        let queue = try EventQueue()
        try queue.add(watch.raw, .read, token: 0)
        try queue.add(monitor.raw, .read, token: 1)
        _ = try queue.wait()
        try watch.drain()
    }
}
