internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService

/// Beside a RUN step of a build: the command has this program's stdio. The launch socket tells the builder how it went,
/// by one `failed` or `exited`; when the builder closes its end, or dies, the command and all that it started is killed.
struct StepMonitor {
    private enum Token {
        static let process: UInt64 = 1
        static let builder: UInt64 = 2
        static let names: UInt64 = 3
    }

    let plan: MonitorPlan
    let builder: SharedFileDescriptor

    func run(_ received: ReceivedPlan) -> Never {
        let launched: Launcher.Launched
        var resolver: Resolver?
        do throws(LaunchFailure) {
            launched = try received.launch(
                own: [(.standardInput, 0), (.standardOutput, 1), (.standardError, 2)],
                networked: { (pid) throws(Failure) in
                    resolver = try Resolver.answering(plan.resolver, of: pid)
                })
        } catch {
            tell(AttachFrame(error))
            end()
        }
        // The step's end must be seen at the other end of the pipe: nobody here holds it open.
        if let null = try? FileDescriptor.open("/dev/null", [.readWrite]) {
            for number: Int32 in 1...2 { try? null.becomeNumber(number) }
        }
        waitOrKill(launched.pidfd, resolver)
        let ended = (try? Process.reap(launched.pid)) ?? nil
        tell(.exited(ended.map { Process.exitCode(ofStatus: $0.status) } ?? 255))
        end()
    }

    /// The command is the first process of its pid namespace: with it all others end.
    private func waitOrKill(_ pidfd: borrowing FileDescriptor, _ resolver: Resolver?) {
        do throws(SystemError) {
            let queue = try EventQueue()
            try queue.add(pidfd.raw, .read, token: Token.process)
            // The builder has nothing more to say: what can be read is the end of its words.
            try queue.add(builder.raw, .read, token: Token.builder)
            if let resolver { try queue.add(resolver.descriptor, .read, token: Token.names) }
            while true {
                let due = resolver?.nextDeadline.map {
                    Int32(clamping: max(0, ($0 - monotonicNanoseconds() + 999_999) / 1_000_000))
                }
                let events = try queue.wait(milliseconds: due ?? -1)
                resolver?.serve()
                for event in events where event.token != Token.names {
                    if event.token == Token.process { return }
                    try Process.signal(Signal.kill, to: pidfd)
                    try queue.remove(builder.raw)
                }
            }
        } catch {
            _ = try? Process.signal(Signal.kill, to: pidfd)
        }
    }

    private func tell(_ frame: AttachFrame) { try? UnixSocket.sendAll(frame.bytes, to: builder.raw) }

    /// The cgroups are busy for some milliseconds after the last process, which the next step need not wait for.
    private func end() -> Never {
        CgroupRemoval.remove(plan.cgroupsToRemove) { Process.sleep(microseconds: 5000) }
        Process.exit(0)
    }
}
