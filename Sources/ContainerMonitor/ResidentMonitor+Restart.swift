internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService

extension ResidentMonitor {
    /// The Engine's mark of a `stop` or `kill`: it ends the policy until the next start.
    private var isStopped: Bool {
        if isEnding, !isRestartedForHealth { return true }
        return (try? FileDescriptor.exists("stopped", in: containerDirectory.raw)) ?? false
    }

    func wantsRestart(after code: Int32) -> Bool {
        if isRestartedForHealth { return !isStopped }
        switch RestartNote.read(in: runDirectory.raw) ?? plan.restart {
        case .no: return false
        case .always, .unlessStopped: return !isStopped
        case .onFailure(let maximumTries):
            return code != 0 && (maximumTries == 0 || plan.restartCount < maximumTries) && !isStopped
        }
    }

    /// Waits as long as the policy says and gets the plan of the next run from a new `ctr`. nil where it was stopped
    /// meanwhile or there is no plan to be had.
    func restart(after code: Int32, _ backOff: inout BackOff) -> ReceivedPlan? {
        record(code)
        writeState(.restarting, lastExitCode: code)
        setAway(.stopping, true)
        let ran = Timestamp.now().nanosecondsSinceEpoch - startedAt
        let deadline = monotonicNanoseconds() + Int64(backOff.next(afterRunOf: ran)) * 1_000_000
        while true {
            let left = (deadline - monotonicNanoseconds() + 999_999) / 1_000_000
            if left <= 0 { break }
            _ = serve(milliseconds: Int32(clamping: left))
            // A stop wakes this wait by SIGTERM, and so does who ends the machine.
            if isStopped { return nil }
        }
        return isStopped ? nil : askForPlan()
    }

    private func askForPlan() -> ReceivedPlan? {
        do throws(SystemError) {
            let own = try socketToEngine()
            return (try? ReceivedPlan.receive(from: own)) ?? nil
        } catch {
            return nil
        }
    }

    /// The other end is the child's alone: if it ends without a plan, the stream ends.
    private func socketToEngine() throws(SystemError) -> SharedFileDescriptor {
        let ends = try UnixSocket.pair(.stream).shared()
        try spawnEngine("__restart", passed: [ends.second.raw])
        return ends.first
    }
}
