internal import Failure
internal import LaunchPlan

extension MonitorPlan {
    /// While the child waits, its mounts made: what becomes the container's, then the hooks that look at it.
    func actOnAwaiting(_ pid: Int32) throws(Failure) {
        try NetworkDeviceMove.move(netDevices, to: pid)
        for kind in [Hook.Kind.prestart, .createRuntime] { try runHooks(kind, pid: pid) }
    }

    /// The first that fails ends it.
    func runHooks(_ kind: Hook.Kind, pid: Int32) throws(Failure) {
        for hook in hooks where hook.kind == kind {
            do throws(Failure) { try hook.run(pid: pid) } catch {
                throw error.within("hooks.\(kind).\(hook.index)")
            }
        }
    }

    /// The container has ended: each gets its turn.
    func runLastHooks() {
        for hook in hooks where hook.kind == .poststop { try? hook.run(pid: 0) }
    }
}

extension Hook {
    fileprivate func run(pid: Int32) throws(Failure) {
        try HookProgram.run(
            path, arguments: arguments, environment: environment,
            input: Array("\(state.0)\(pid)\(state.1)".utf8),
            milliseconds: milliseconds)
    }
}
