internal import CContainerInit
package import LinuxSystem

/// Between a process's pseudo-terminal and the caller's own: raw mode, sizes, what is typed and what is written.
package struct TerminalRelay {
    private enum Token {
        static let signals: UInt64 = 1
        static let master: UInt64 = 2
        static let stdin: UInt64 = 3
    }

    private let master: SharedFileDescriptor
    private let detachKeys: [UInt8]
    private let reads: Bool
    private let leaving: () -> Void

    /// - Parameters:
    ///   - detachKeys: they leave the terminal and let the process go on; empty: none do.
    ///   - reads: whether what is typed goes to the process.
    ///   - leaving: is called when the detach keys were typed, before this process ends.
    package init(
        master: SharedFileDescriptor, detachKeys: [UInt8] = [], reads: Bool = true,
        leaving: @escaping () -> Void = {}
    ) {
        self.leaving = leaving
        self.master = master
        self.detachKeys = detachKeys
        self.reads = reads
    }

    /// Until the process has ended, or the detach keys.
    package func run() {
        let saved = reads && Terminal.isTerminal(0) ? try? Terminal.makeRaw(0) : nil
        defer { if let saved { Terminal.restore(0, saved) } }
        if let size = AttachClient.terminalSize() { try? Terminal.setSize(size, of: master.raw) }
        do throws(SystemError) {
            let queue = try EventQueue()
            let signals = try FileDescriptor.signals([Signal.child, Signal.windowChange])
            try Launching.setNonBlocking(master.raw)
            try queue.add(signals.raw, .read, token: Token.signals)
            try queue.add(master.raw, .read, token: Token.master)
            if reads { try? queue.add(0, .read, token: Token.stdin) }
            var keys = DetachKeys(detachKeys)
            while true {
                for event in try queue.wait() {
                    switch event.token {
                    case Token.master:
                        if !copyOutput(master.raw) { return }
                    case Token.stdin:
                        switch copyInput(to: master.raw, &keys) {
                        case .more: break
                        case .ended: try queue.remove(0)
                        case .detach:
                            if let saved { Terminal.restore(0, saved) }
                            leaving()
                            keepTerminal(master.raw)
                        }
                    default:
                        while let signal = try signals.nextSignal() {
                            if signal == Signal.child {
                                while copyOutput(master.raw, untilEmpty: true) {}
                                return
                            }
                            if let size = AttachClient.terminalSize() {
                                try? Terminal.setSize(size, of: master.raw)
                            }
                        }
                    }
                }
            }
        } catch {
            return
        }
    }

    /// Answers whether there may be more: false at the end, and with `untilEmpty` when nothing is there now.
    private func copyOutput(_ master: Int32, untilEmpty: Bool = false) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            let size = (try? Launching.readAvailable(master, into: buffer)) ?? nil
            guard let size else { return !untilEmpty }
            writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<size]), to: 1)
            return size > 0
        }
    }

    private enum Input { case more, ended, detach }

    private func copyInput(to master: Int32, _ keys: inout DetachKeys) -> Input {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            let size: Int?
            do throws(SystemError) { size = try Launching.readAvailable(0, into: buffer) } catch {
                return .ended
            }
            guard let size else { return .more }
            if size == 0 {
                // A terminal's end of file is a character.
                writeAll([4], to: master)
                return .ended
            }
            let typed = keys.pass(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
            typed.passed.withUnsafeBytes { writeAll($0, to: master) }
            return typed.isComplete ? .detach : .more
        }
    }

    private func writeAll(_ bytes: [UInt8], to number: Int32) {
        bytes.withUnsafeBytes { writeAll($0, to: number) }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer, to number: Int32) {
        var done = 0
        while done < bytes.count {
            let taken: Int?
            do throws(SystemError) {
                taken = try Launching.writeAvailable(number, UnsafeRawBufferPointer(rebasing: bytes[done...]))
            } catch {
                return
            }
            if let taken {
                done += taken
            } else {
                _ = try? FileDescriptor.wait(for: number, write: true)
            }
        }
    }

    /// After the detach keys the process goes on; its terminal must have somebody who reads it.
    private func keepTerminal(_ master: Int32) -> Never {
        guard ctr_init_go_on_in_background(0) == 0 else { Process.exit(0) }
        if let null = try? FileDescriptor.open("/dev/null", [.readWrite]) {
            for number: Int32 in 0...2 { try? null.becomeNumber(number) }
        }
        while (try? FileDescriptor.wait(for: master)) ?? false, copyOutput(master) {}
        Process.exit(0)
    }
}
