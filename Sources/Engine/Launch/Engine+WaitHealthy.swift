internal import ContainerMonitor
package import Failure
internal import LinuxSystem

extension Engine {
    /// What the wait for a healthy container came to.
    package enum HealthOutcome: Sendable, Equatable {
        case healthy
        /// With the last check's output, in one line.
        case unhealthy(String)
        case ended(exitCode: Int32)
        case timedOut
    }

    /// Waits until the container is healthy, or will not be.
    ///
    /// - Parameter timeout: nanoseconds; nil: for ever.
    package func waitUntilHealthy(_ record: ContainerRecord, timeout: Int64?) throws(Failure) -> HealthOutcome
    {
        let directory = runDirectory(of: record.id)
        let deadline = timeout.map { monotonicNanoseconds() + $0 }
        return try during("wait for \(record.name)") { () throws(SystemError) in
            // Before the first look: nothing that is written meanwhile is missed.
            let watch = try DirectoryWatch(directory)
            let queue = try EventQueue()
            try queue.add(watch.raw, .read, token: 0)
            while true {
                try watch.drain()
                let state = try? state(of: record)
                guard let state, state.isRunning else {
                    return .ended(exitCode: state?.exitCode ?? 255)
                }
                switch (try? health(of: record, isRunning: true))??.status {
                case "healthy": return .healthy
                case "unhealthy":
                    let last = (try? health(of: record, isRunning: true))??.log.last
                    return .unhealthy(Engine.line(last))
                default: break
                }
                // The end of a run is no event of the directory at once: looked for once a second as well.
                var patience: Int32 = 1000
                if let deadline {
                    let left = deadline - monotonicNanoseconds()
                    if left <= 0 { return .timedOut }
                    patience = min(patience, Int32(clamping: left / 1_000_000 + 1))
                }
                _ = try queue.wait(milliseconds: patience)
            }
        }
    }

    private static func line(_ result: ContainerHealth.Result?) -> String {
        guard let result else { return "no check was run" }
        let first = result.output.split(separator: "\n").first.map { ": \($0)" } ?? ""
        return result.exitCode < 0 ? String(first.dropFirst(2)) : "exit code \(result.exitCode)\(first)"
    }
}
