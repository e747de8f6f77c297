internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// The program `ctr-monitor`: takes a plan over its launch socket and launches it; then stays beside the container, is
/// `ctr exec`, or ends with a build's step.
package enum Monitor {
    /// The launch socket, where `ctr` puts it.
    static let launchSocket: Int32 = 3
    /// The container's lock, held by whoever starts it; not there for an exec.
    static let startLock: Int32 = 4

    package static func main() -> Never {
        if CommandLine.argc == 4, CommandLine.arguments[1] == "adopt" {
            adopt(runDirectory: CommandLine.arguments[2], containerDirectory: CommandLine.arguments[3])
        }
        if CommandLine.argc == 2, CommandLine.arguments[1] == "hold" { NamespaceHolder.run() }
        if CommandLine.argc > 2, CommandLine.arguments[1] == "network" {
            NetworkKeeper.run(Array(CommandLine.arguments.dropFirst(2)))
        }
        let socket = SharedFileDescriptor(FileDescriptor(owning: launchSocket))
        let received: ReceivedPlan?
        do throws(Failure) {
            received = try ReceivedPlan.receive(from: socket)
        } catch {
            tell(LaunchFailure(error), to: socket.raw)
        }
        guard let received else { Process.exit(125) }
        switch received.plan.mode {
        case .exec: ExecMonitor.run(received)
        case .step: StepMonitor(plan: received.plan, builder: socket).run(received)
        case .container: run(received, socket)
        }
    }

    private static func run(_ received: ReceivedPlan, _ socket: SharedFileDescriptor) -> Never {
        let monitor: ResidentMonitor
        do throws(Failure) {
            monitor = try ResidentMonitor(
                received.plan, launcher: socket,
                startLock: SharedFileDescriptor(FileDescriptor(owning: startLock)))
        } catch {
            tell(LaunchFailure(error), to: socket.raw)
        }
        monitor.run(received)
        Process.exit(0)
    }

    /// Before there is a monitor that could tell it.
    private static func tell(_ failure: LaunchFailure, to socket: Int32) -> Never {
        try? UnixSocket.sendAll(AttachFrame(failure).bytes, to: socket)
        Process.exit(failure.exitCode)
    }

    /// Takes over a container whose monitor was killed; a container that needs none is no error worth telling.
    private static func adopt(runDirectory: String, containerDirectory: String) -> Never {
        do throws(Failure) {
            try ResidentMonitor.adopt(runDirectory: runDirectory, containerDirectory: containerDirectory)
        } catch {
            Process.exit(1)
        }
        Process.exit(0)
    }
}

extension AttachFrame {
    init(_ failure: LaunchFailure) {
        let hint = failure.failure.hint.map { "\n\($0)" } ?? ""
        self = .failed(
            exitCode: failure.exitCode, code: failure.failure.code.description,
            message: failure.failure.message + hint)
    }
}
