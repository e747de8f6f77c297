internal import EventJournal
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
                own: [(.standardInput, null ?? 0), (.standardOutput, 1), (.standardError, 2)],
                made: { _ in tellMonitor(of: plan) })
        } catch {
            if !plan.ownCgroup.isEmpty { try? Directory.removeEmpty(cgroup(of: plan)) }
            let hint = error.failure.hint.map { "hint: \($0)\n" } ?? ""
            Console.error("ctr: \(error.failure.message)\n\(hint)")
            Process.exit(error.exitCode)
        }
        let pid = launched.pid
        if let master = launched.terminal {
            TerminalRelay(
                master: SharedFileDescriptor(master), detachKeys: plan.detachKeys, reads: plan.openStdin,
                leaving: { keepCgroup(of: plan) }
            ).run()
        } else if let signals {
            forward(signals, to: launched.pidfd)
        }
        let ended = (try? Process.reap(pid)) ?? nil
        leaveCgroup(of: plan)
        let code = ended.map { Process.exitCode(ofStatus: $0.status) } ?? 255
        EventJournal(containerDirectory: plan.containerDirectory).append(
            Event(
                time: Timestamp.now().nanosecondsSinceEpoch, kind: .container, action: "exec_die",
                id: plan.containerID,
                attributes: Event.attributes(plan.eventAttributes[...]) + [.init("exitCode", String(code))]))
        Process.exit(code)
    }

    // MARK: - its cgroup

    private static func cgroup(of plan: MonitorPlan) -> String { "\(plan.childCgroups)/\(plan.ownCgroup)" }

    /// The container's monitor kills what is in it when this process is killed. It hears of it before the command is
    /// executed, and nobody waits for that.
    private static func tellMonitor(of plan: MonitorPlan) {
        guard plan.residentMonitor > 0 else { return }
        let monitor = ProcessIdentity(pid: plan.residentMonitor, startTime: plan.residentMonitorStart)
        guard let pidfd = (try? monitor.open()) ?? nil else { return }
        _ = try? Process.signal(Signal.hangUp, to: pidfd)
    }

    /// What the command has left in the background goes on.
    private static func leaveCgroup(of plan: MonitorPlan) {
        guard !plan.ownCgroup.isEmpty else { return }
        // The monitor removes it when this process has ended; of an exec in the background it knows nothing.
        if plan.residentMonitor == 0 { try? Directory.removeEmpty(cgroup(of: plan)) }
        if ChildCgroup.isPopulated(cgroup(of: plan)) { keepCgroup(of: plan) }
    }

    private static func keepCgroup(of plan: MonitorPlan) {
        guard plan.residentMonitor > 0 else { return }
        let mark = "\(plan.runDirectory)/\(ExecCgroup.keptMark(plan.ownCgroup))"
        _ = try? FileDescriptor.open(mark, [.writeOnly, .create, .noFollow])
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
