/// What a container does now, told from the kernel and its small files; nothing is asked of its monitor.
package struct ContainerState: Sendable, Equatable {
    package enum Status: String, Sendable {
        case created, running, restarting, exited
    }

    package var status: Status
    /// Of the container's first process, in the host's numbers; 0 when it does not run.
    package var pid: Int32 = 0
    package var exitCode: Int32 = 0
    package var oomKilled = false
    /// Its processes are frozen; it counts as running.
    package var isPaused = false
    /// Why it could not be started or how its end became unknown; empty otherwise.
    package var error = ""
    /// Nanoseconds since 1970; 0 for never.
    package var startedAt: Int64 = 0
    package var finishedAt: Int64 = 0
    package var restartCount: UInt32 = 0
    package var health: ContainerHealth?

    package init(status: Status) { self.status = status }

    /// docker's word: `paused` too.
    package var word: String { isPaused ? "paused" : status.rawValue }

    package var isRunning: Bool { status == .running || status == .restarting }
}
