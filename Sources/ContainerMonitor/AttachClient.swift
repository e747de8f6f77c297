package import LinuxSystem

/// The client of a monitor: relays a terminal or streams, forwards signals, and ends with the container or by the
/// detach keys. It may die at any moment and the container does not notice.
package struct AttachClient: ~Copyable {
    package struct Options: Sendable {
        package var stdin: Bool
        package var stdout: Bool
        package var stderr: Bool
        /// The container has a terminal: raw mode, sizes, detach keys.
        package var terminal: Bool
        /// Empty: none.
        package var detachKeys: [UInt8]
        /// Signals that this process gets go to the container's process.
        package var proxiesSignals: Bool

        package init(
            stdin: Bool, stdout: Bool = true, stderr: Bool = true, terminal: Bool, detachKeys: [UInt8],
            proxiesSignals: Bool
        ) {
            self.stdin = stdin
            self.stdout = stdout
            self.stderr = stderr
            self.terminal = terminal
            self.detachKeys = detachKeys
            self.proxiesSignals = proxiesSignals
        }
    }

    package enum End: Sendable, Equatable {
        case exited(Int32)
        case failed(exitCode: Int32, code: String, message: String)
        case detached
        /// The monitor is gone without a word.
        case lost
    }

    private enum Token {
        static let socket: UInt64 = 1
        static let stdin: UInt64 = 2
        static let signals: UInt64 = 3
    }

    private let socket: FileDescriptor
    private let options: Options
    private var reader = AttachFrameReader()
    /// How many of the detach keys were typed.
    private var matchedKeys = 0

    package init(socket: consuming FileDescriptor, options: Options) {
        self.socket = socket
        self.options = options
    }

    /// Waits until the container runs. What it writes meanwhile is relayed.
    package mutating func waitForStart() throws(SystemError) -> End? {
        while true {
            if let frame = try nextFrame() {
                if case .started = frame { return nil }
                if let end = relay(frame) { return end }
                continue
            }
            if try !receive() { return .lost }
        }
    }

    /// Relays until the end.
    package mutating func run() throws(SystemError) -> End {
        let saved: Terminal.Saved? =
            options.terminal && options.stdin && Terminal.isTerminal(0) ? try Terminal.makeRaw(0) : nil
        defer { if let saved { Terminal.restore(0, saved) } }
        let size = AttachClient.terminalSize()
        try send(.hello(version: AttachFrame.version, rows: size?.rows ?? 0, columns: size?.columns ?? 0))
        let queue = try EventQueue()
        try queue.add(socket.raw, .read, token: Token.socket)
        let signals = try FileDescriptor.signals(options.proxiesSignals ? AttachClient.proxied : [28 /* SIGWINCH */])
        try queue.add(signals.raw, .read, token: Token.signals)
        var stdinIsPolled = options.stdin
        if options.stdin {
            do throws(SystemError) {
                try queue.add(0, .read, token: Token.stdin)
            } catch {
                // A regular file cannot be polled: it is always ready.
                guard error.errno == 1 /* EPERM */ else { throw error }
                stdinIsPolled = false
                try sendWholeInput()
            }
        }
        // Frames that came with "started" wait in the reader.
        while true {
            while let frame = try nextFrame() {
                if let end = relay(frame) { return end }
            }
            for event in try queue.wait() {
                switch event.token {
                case Token.socket: if try !receive() { return .lost }
                case Token.signals: try forwardSignals(signals)
                case Token.stdin where stdinIsPolled:
                    switch try relayInput() {
                    case .more: break
                    case .ended:
                        try queue.remove(0)
                        stdinIsPolled = false
                    case .detach: return .detached
                    }
                default: break
                }
            }
        }
    }

    /// All that can be asked to be forwarded, but those that tell of this process's own children or terminal.
    private static let proxied: [Int32] = [1, 2, 3, 10, 12, 15, 18, 28]

    package static func terminalSize() -> Terminal.Size? { try? Terminal.size(Terminal.isTerminal(0) ? 0 : 1) }

    private mutating func receive() throws(SystemError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: AttachFrame.mostBytes, alignment: 1)
        defer { buffer.deallocate() }
        let n: Int
        do throws(SystemError) {
            n = try socket.read(into: buffer)
        } catch {
            if error.errno == 104 /* ECONNRESET */ { return false }
            throw error
        }
        reader.append(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
        return n > 0
    }

    private mutating func nextFrame() throws(SystemError) -> AttachFrame? {
        do {
            return try reader.next()
        } catch {
            throw SystemError(call: "read", path: "the monitor's socket", errno: 71 /* EPROTO */)
        }
    }

    private func relay(_ frame: AttachFrame) -> End? {
        switch frame {
        case .stdout(let bytes): if options.stdout { AttachClient.write(bytes, to: 1) }
        case .stderr(let bytes): if options.stderr { AttachClient.write(bytes, to: 2) }
        case .exited(let code): return .exited(code)
        case .failed(let exitCode, let code, let message):
            return .failed(exitCode: exitCode, code: code, message: message)
        case .started, .hello, .stdin, .stdinEnd, .resize, .signal: break
        }
        return nil
    }

    /// A reader of ours that went away does not end the container.
    private static func write(_ bytes: [UInt8], to number: Int32) {
        let output = FileDescriptor(owning: number)
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                try output.write(Array(rest))
                rest = []
            } catch {
                guard error.errno == 11 /* EAGAIN */, (try? FileDescriptor.wait(for: number, write: true)) == true else {
                    break
                }
            }
        }
        _ = output.release()
    }

    private func send(_ frame: AttachFrame) throws(SystemError) {
        do throws(SystemError) {
            try UnixSocket.sendAll(frame.bytes, to: socket.raw)
        } catch {
            // The end is read from the socket, with the exit code.
            guard error.errno == 32 /* EPIPE */ || error.errno == 104 else { throw error }
        }
    }

    private func forwardSignals(_ signals: borrowing FileDescriptor) throws(SystemError) {
        while let signal = try signals.nextSignal() {
            if signal == 28 {
                if options.terminal, let size = AttachClient.terminalSize() {
                    try send(.resize(rows: size.rows, columns: size.columns))
                }
            } else {
                try send(.signal(signal))
            }
        }
    }

    private enum Input { case more, ended, detach }

    private mutating func relayInput() throws(SystemError) -> Input {
        let input = FileDescriptor(owning: 0)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 1)
        defer { buffer.deallocate() }
        let n: Int
        do throws(SystemError) {
            n = try input.read(into: buffer)
            _ = input.release()
        } catch {
            _ = input.release()
            if error.errno == 11 { return .more }
            n = 0
        }
        if n == 0 {
            try send(.stdinEnd)
            return .ended
        }
        let bytes = Array(buffer[..<n])
        guard options.terminal, !options.detachKeys.isEmpty else {
            try send(.stdin(bytes))
            return .more
        }
        return try relayKeys(bytes)
    }

    /// Keys of the detach sequence are held back until it is clear that they are not it.
    private mutating func relayKeys(_ bytes: [UInt8]) throws(SystemError) -> Input {
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == options.detachKeys[matchedKeys] {
                matchedKeys += 1
                if matchedKeys == options.detachKeys.count {
                    if !passed.isEmpty { try send(.stdin(passed)) }
                    return .detach
                }
                continue
            }
            passed += options.detachKeys[..<matchedKeys]
            matchedKeys = byte == options.detachKeys[0] ? 1 : 0
            if matchedKeys == 0 { passed.append(byte) }
        }
        if !passed.isEmpty { try send(.stdin(passed)) }
        return .more
    }

    private mutating func sendWholeInput() throws(SystemError) {
        while case .more = try relayInput() {
            while let frame = try nextFrame() { _ = relay(frame) }
        }
    }
}
