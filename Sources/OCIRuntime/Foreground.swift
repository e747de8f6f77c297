internal import ContainerMonitor
internal import Failure
internal import LinuxSystem

/// The caller's side of a process that runs in the foreground: signals go to it, its exit code comes back.
enum Foreground {
    private static let passed: [Int32] = [
        Signal.hangUp, Signal.interrupt, Signal.quit, Signal.user1, Signal.user2, Signal.terminate,
        Signal.continue, 14, 23, 28,
    ]

    /// Keeps signals for `wait`, which come while the process is still being made.
    static func holdSignals() throws(Failure) {
        try during("hold signals") { () throws(SystemError) in _ = try FileDescriptor.signals(passed) }
    }

    static func wait(for pid: Int32, _ pidfd: SharedFileDescriptor, terminal: SharedFileDescriptor?)
        throws(Failure) -> Int32
    {
        try during("wait for process \(pid)") { () throws(SystemError) in
            if let terminal {
                TerminalRelay(master: terminal).run()
            } else {
                let signals = try FileDescriptor.signals(passed)
                let queue = try EventQueue()
                try queue.add(pidfd.raw, .read, token: 1)
                try queue.add(signals.raw, .read, token: 2)
                var runs = true
                while runs {
                    for event in try queue.wait() {
                        if event.token == 1 { runs = false }
                        while event.token == 2, let signal = try signals.nextSignal() {
                            Launching.signal(signal, to: pidfd.raw)
                        }
                    }
                }
            }
            guard let ended = try Process.reap(pid) else { return 255 }
            return Process.exitCode(ofStatus: ended.status)
        }
    }
}
