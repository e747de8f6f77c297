internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// `ctr exec`, after `ctr` has become this program: launches into the running container with the caller's own stdio, or
/// relays a terminal, and ends with the process's exit code.
enum ExecMonitor {
    private enum Token {
        static let signals: UInt64 = 1
        static let master: UInt64 = 2
    }

    static func run(_ received: ReceivedPlan) -> Never {
        let plan = received.plan
        let launched: Launcher.Launched
        // -i is needed to give it this process's input.
        let null = plan.openStdin ? nil : (try? FileDescriptor.open("/dev/null", [.readOnly]))?.release()
        // Held from before there is a command: a signal in between would end this process and leave the command.
        let signals = (try? forwarded(unless: plan.terminal)) ?? nil
        do throws(LaunchFailure) {
            launched = try received.launch(
                own: [(.standardInput, null ?? 0), (.standardOutput, 1), (.standardError, 2)])
        } catch {
            let hint = error.failure.hint.map { "hint: \($0)\n" } ?? ""
            Console.error("ctr: \(error.failure.message)\n\(hint)")
            Process.exit(error.exitCode)
        }
        let pid = launched.pid
        if let master = launched.terminal {
            TerminalRelay(
                master: SharedFileDescriptor(master), detachKeys: plan.detachKeys, reads: plan.openStdin
            ).run()
        } else if let signals {
            forward(signals, to: launched.pidfd)
        }
        let ended = (try? Process.reap(pid)) ?? nil
        Process.exit(ended.map { Process.exitCode(ofStatus: $0.status) } ?? 255)
    }

    /// nil for a terminal: what is typed there becomes signals on the other side.
    private static func forwarded(unless terminal: Bool) throws(SystemError) -> SharedFileDescriptor? {
        if terminal { return nil }
        return SharedFileDescriptor(
            try FileDescriptor.signals([Signal.hangUp, Signal.interrupt, Signal.quit, Signal.terminate]))
    }

    /// Until the process has ended. Who ends an exec means its command, which hears of nothing else: it is in a
    /// session of its own.
    private static func forward(_ signals: SharedFileDescriptor, to pidfd: borrowing FileDescriptor) {
        do throws(SystemError) {
            let queue = try EventQueue()
            try queue.add(signals.raw, .read, token: Token.signals)
            try queue.add(pidfd.raw, .read, token: Token.master)
            while true {
                for event in try queue.wait() {
                    if event.token == Token.master { return }
                    while let signal = try FileDescriptor.withBorrowed(
                        signals.raw, { (held) throws(SystemError) in try held.nextSignal() })
                    {
                        try Process.signal(signal, to: pidfd)
                    }
                }
            }
        } catch {
            // Reaping waits as well, without the forwarding.
            return
        }
    }
}
