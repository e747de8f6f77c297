internal import ContainerMonitor
package import Failure
internal import LinuxSystem

extension Engine {
    package func summary(of record: ContainerRecord) throws(Failure) -> ContainerSummary {
        var state = try state(of: record)
        if state.status != .created {
            state.health = try health(of: record, isRunning: state.isRunning)
        }
        return ContainerSummary(record: record, state: state)
    }

    /// Lines of output that could not be kept since the last start, and why; nil where there are none.
    package func logLosses(of record: ContainerRecord) -> (lines: UInt64, reason: String)? {
        LogLosses.read(runDirectory(of: record.id)).map { ($0.lines, $0.reason) }
    }

    func runState(of record: ContainerRecord) throws(Failure) -> RunState? {
        try RunState.read(runDirectory(of: record.id))
    }

    /// From the kernel and two small files.
    func state(of record: ContainerRecord) throws(Failure) -> ContainerState {
        let run = try runState(of: record)
        if let run {
            // A process whose parent is its monitor has a monitor: one look tells both.
            let parent = run.process.parent
            let isHeld = parent == run.monitor.pid || run.monitor.isAlive
            let isAlive = run.status == .running ? parent != nil : isHeld
            if !isHeld, isAlive { adopt(record) }
            // A process that has just ended is "running" until its monitor has written how; then the monitor may still
            // be busy with a slow client.
            var isWritten = false
            if !isAlive, isHeld {
                isWritten = try ExitRecord.read(path(of: record, ""))?.startedAt == run.startedAt
            }
            if isAlive || isHeld && !isWritten {
                var state = ContainerState(status: run.status == .restarting ? .restarting : .running)
                state.pid = run.status == .running ? run.process.pid : 0
                state.startedAt = run.startedAt
                state.restartCount = run.restartCount
                state.exitCode = run.lastExitCode
                if isAlive, run.status == .running { state.isPaused = isPaused(run, record.id) }
                state.oomKilled = isOutOfMemory(record.id)
                if run.status == .restarting { state.finishedAt = Timestamp.now().nanosecondsSinceEpoch }
                return state
            }
        }
        let end = try ExitRecord.read(path(of: record, ""))
        if let run, end.map({ $0.startedAt < run.startedAt }) ?? true {
            return Engine.lost(
                startedAt: run.startedAt, restartCount: run.restartCount,
                "the container's monitor was killed: how the container ended is not known")
        }
        if run == nil, record.settings.restart != "no",
            let mark = StartMark.read(path(of: record, "")), mark.startedAt > end?.startedAt ?? 0
        {
            return Engine.lost(
                startedAt: mark.startedAt, restartCount: end?.restartCount ?? 0,
                "the machine went down while the container ran")
        }
        guard let end else { return ContainerState(status: .created) }
        var state = ContainerState(status: end.startedAt == 0 ? .created : .exited)
        state.exitCode = end.code
        state.oomKilled = end.oomKilled
        state.startedAt = end.startedAt
        state.finishedAt = end.finishedAt
        state.restartCount = end.restartCount
        state.error = end.error
        return state
    }

    /// Its monitor was killed: another one takes over its log, its clients and the record of its end. Who is second
    /// finds the monitor's lock held and goes.
    private func adopt(_ record: ContainerRecord) {
        guard let program = try? Engine.monitorProgram() else { return }
        _ = try? Process.spawn(
            program: program,
            arguments: ["ctr-monitor", "adopt", runDirectory(of: record.id), path(of: record, "")],
            environment: [])
    }

    /// Its monitor was killed, and then it ended: nobody saw how.
    private static func lost(startedAt: Int64, restartCount: UInt32, _ error: String) -> ContainerState {
        var state = ContainerState(status: .exited)
        state.exitCode = 255
        state.startedAt = startedAt
        state.finishedAt = startedAt
        state.restartCount = restartCount
        state.error = error
        return state
    }
}
