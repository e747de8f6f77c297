package import LinuxSystem

/// The client of a monitor: relays a terminal or streams, forwards signals, and ends with the container or by the
/// detach keys. It may die at any moment and the container does not notice.
///
/// It never blocks on the monitor's socket: while the container does not read its input, its output is still shown and
/// signals still reach it (by pidfd, past what waits in the socket).
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
        /// Where what the container reads and writes comes from and goes to.
        package var input: Int32 = 0
        package var output: Int32 = 1
        package var error: Int32 = 2

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

    /// All that can be asked to be forwarded, but those that tell of this process's own children or terminal.
    private static let proxied = [
        Signal.hangUp, Signal.interrupt, Signal.quit, Signal.user1, Signal.user2, Signal.terminate,
        Signal.continue, Signal.windowChange,
    ]
    /// What may wait to be sent before stdin is not read any more.
    private static let mostPending = 64 << 10

    private let socket: FileDescriptor
    private let options: Options
    private var reader = AttachFrameReader()
    private var keys: DetachKeys
    private var pending: [UInt8] = []
    private var process: SharedFileDescriptor?
    /// The terminal is never left in raw mode, whatever way this ends.
    private var saved: Terminal.Saved?

    package init(socket: consuming FileDescriptor, options: Options) {
        self.socket = socket
        self.options = options
        keys = DetachKeys(options.terminal ? options.detachKeys : [])
    }

    deinit { if let saved { Terminal.restore(options.input, saved) } }

    /// Waits until the container runs; nil when it does. Nothing that it writes is lost to who calls `run` after it.
    package mutating func waitForStart() throws(SystemError) -> End? {
        while true {
            while let frame = try nextFrame() {
                if case .started = frame { return nil }
                if let end = relay(frame) { return end }
            }
            _ = try FileDescriptor.wait(for: socket.raw)
            if try !receive() { return .lost }
        }
    }

    /// Relays until the end.
    package mutating func run() throws(SystemError) -> End {
        let size = AttachClient.terminalSize()
        send(.hello(version: AttachFrame.version, rows: size?.rows ?? 0, columns: size?.columns ?? 0))
        if options.terminal, options.stdin, Terminal.isTerminal(options.input) {
            saved = try Terminal.makeRaw(options.input)
        }
        try Launching.setNonBlocking(socket.raw)
        let queue = try EventQueue()
        var socketInterest: EventQueue.Interest = .read
        try queue.add(socket.raw, socketInterest, token: Token.socket)
        let signals = try FileDescriptor.signals(
            options.proxiesSignals ? AttachClient.proxied : [Signal.windowChange])
        try queue.add(signals.raw, .read, token: Token.signals)
        var input = Input.State(isOpen: options.stdin)
        while true {
            while let frame = try nextFrame() {
                if let end = relay(frame) { return end }
            }
            try watch(&input, queue)
            let wanted: EventQueue.Interest = pending.isEmpty ? .read : [.read, .write]
            if wanted != socketInterest {
                try queue.change(socket.raw, wanted, token: Token.socket)
                socketInterest = wanted
            }
            let inputIsReady = input.isOpen && input.isFile && pending.count < AttachClient.mostPending
            for event in try queue.wait(milliseconds: inputIsReady ? 0 : -1) {
                switch event.token {
                case Token.socket:
                    if event.ready.contains(.write) { flush() }
                    if event.ready != .write, try !receive() { return .lost }
                case Token.signals: try forwardSignals(signals)
                default: if relayInput(&input) { return .detached }
                }
            }
            if inputIsReady, relayInput(&input) { return .detached }
        }
    }

    /// After the end: the monitor closes a descriptor in this process's place, whenever it gets to it.
    package mutating func leave(_ descriptor: Int32) {
        // A part of a frame, which no frame will be made of.
        let part: UInt8 = 0
        _ = try? withUnsafeBytes(of: part) { bytes throws(SystemError) in
            try UnixSocket.send(bytes, descriptors: [descriptor], to: socket.raw)
        }
    }

    package static func terminalSize() -> Terminal.Size? {
        for number: Int32 in [0, 1, 2] where Terminal.isTerminal(number) { return try? Terminal.size(number) }
        return nil
    }

    // MARK: - from the monitor

    /// False at the end of the stream.
    private mutating func receive() throws(SystemError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 8)
        defer { buffer.deallocate() }
        do throws(SystemError) {
            guard let size = try Launching.readAvailable(socket.raw, into: buffer) else { return true }
            reader.append(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
            return size > 0
        } catch {
            if error.errno == Errno.connectionReset { return false }
            throw error
        }
    }

    private mutating func nextFrame() throws(SystemError) -> AttachFrame? {
        do {
            return try reader.next()
        } catch {
            throw SystemError(call: "read", path: "the monitor's socket", errno: Errno.protocolError)
        }
    }

    private mutating func relay(_ frame: AttachFrame) -> End? {
        switch frame {
        case .started(let pid): process = options.proxiesSignals ? try? Launching.openProcess(pid) : nil
        case .stdout(let bytes): if options.stdout { AttachClient.write(bytes, to: options.output) }
        case .stderr(let bytes): if options.stderr { AttachClient.write(bytes, to: options.error) }
        case .exited(let code): return .exited(code)
        case .failed(let exitCode, let code, let message):
            return .failed(exitCode: exitCode, code: code, message: message)
        case .hello, .stdin, .stdinEnd, .resize, .signal, .check, .checked, .made, .attached: break
        }
        return nil
    }

    /// Output that cannot be written (a closed pipe) is dropped: the container's life does not hang on it.
    private static func write(_ bytes: [UInt8], to number: Int32) {
        var done = 0
        while done < bytes.count {
            let taken: Int? = bytes.withUnsafeBytes { buffer in
                do throws(SystemError) {
                    let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                    return try Launching.writeAvailable(number, rest) ?? 0
                } catch {
                    return nil
                }
            }
            guard let taken else { return }
            if taken == 0 { _ = try? FileDescriptor.wait(for: number, write: true) }
            done += taken
        }
    }

    // MARK: - to the monitor

    private mutating func send(_ frame: AttachFrame) {
        pending.append(contentsOf: frame.bytes)
        flush()
    }

    /// What the socket takes now. One that is broken is found by reading it: the exit code may still be in it.
    private mutating func flush() {
        guard !pending.isEmpty else { return }
        let sent: Int? = pending.withUnsafeBytes { bytes in
            do throws(SystemError) { return try Launching.sendAvailable(socket.raw, bytes) ?? 0 } catch {
                return nil
            }
        }
        if let sent { pending.removeFirst(sent) } else { pending = [] }
    }

    private mutating func forwardSignals(_ signals: borrowing FileDescriptor) throws(SystemError) {
        while let signal = try signals.nextSignal() {
            if signal == Signal.windowChange {
                if options.terminal, let size = AttachClient.terminalSize() {
                    send(.resize(rows: size.rows, columns: size.columns))
                }
            } else if let process {
                Launching.signal(signal, to: process.raw)
            } else {
                send(.signal(signal))
            }
        }
    }

    // MARK: - stdin

    private enum Input {
        struct State {
            var isOpen: Bool
            /// A regular file cannot be waited for and is always ready.
            var isFile = false
            var isWatched = false
        }
    }

    private func watch(_ input: inout Input.State, _ queue: borrowing EventQueue) throws(SystemError) {
        let wanted = input.isOpen && !input.isFile && pending.count < AttachClient.mostPending
        guard wanted != input.isWatched else { return }
        if wanted {
            do throws(SystemError) {
                try queue.add(options.input, .read, token: Token.stdin)
            } catch {
                guard error.errno == Errno.notPermitted else { throw error }
                input.isFile = true
                return
            }
        } else {
            try queue.remove(options.input)
        }
        input.isWatched = wanted
    }

    /// Answers whether the detach keys were typed.
    private mutating func relayInput(_ input: inout Input.State) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 8)
        defer { buffer.deallocate() }
        let size: Int
        do throws(SystemError) {
            guard let available = try Launching.readAvailable(options.input, into: buffer) else {
                return false
            }
            size = available
        } catch {
            size = 0
        }
        if size == 0 {
            input.isOpen = false
            send(.stdinEnd)
            return false
        }
        let typed = keys.pass(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
        if !typed.passed.isEmpty { send(.stdin(typed.passed)) }
        return typed.isComplete
    }
}
