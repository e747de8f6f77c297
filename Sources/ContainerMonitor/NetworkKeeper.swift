internal import Failure
internal import LinuxSystem

/// `ctr-monitor network`: keeps an ordinary user's pasta or slirp4netns beside a container (docs/networks.md).
///
/// It is the first process of a process namespace, so that the kernel ends the program with it, however it ends. It ends
/// when the container's first process has; a program that ends by itself is started again.
struct NetworkKeeper: ~Copyable {
    /// Descriptors by their numbers, as `ctr` puts them.
    private enum Number {
        static let starter: Int32 = 3
        static let namespace: Int32 = 4
        static let process: Int32 = 5
    }

    private enum Token {
        static let signals: UInt64 = 1
        static let process: UInt64 = 2
        static let words: UInt64 = 3
    }

    private let program: UserModeProgram
    private let signals: FileDescriptor
    private let queue: EventQueue
    private var backOff = BackOff()

    /// - Parameter words: kind and path of the program, the path of the network namespace, how many orders there are, the
    ///   orders, and the program's own arguments.
    static func run(_ words: [String]) -> Never {
        let starter = SharedFileDescriptor(FileDescriptor(owning: Number.starter))
        do throws(Failure) {
            guard words.count > 4, let orders = Int(words[3]), orders >= 0, words.count > 4 + orders else {
                throw Failure(.invalidArgument, "ctr-monitor network is for ctr alone")
            }
            let program = UserModeProgram(
                isDaemon: words[0] == "pasta", path: words[1], namespacePath: words[2],
                orders: Array(words[4..<4 + orders]), arguments: Array(words[(4 + orders)...]))
            try during("make namespaces") { () throws(SystemError) in
                // systemd's services ignore it, and pasta takes what was ignored before for a failure.
                try Launching.restoreDefault(of: Signal.pipe)
                try program.showNamespace(Number.namespace)
                try Launching.makeProcessNamespace()
                let child = try Launching.fork()
                if child > 0 {
                    try UnixSocket.sendAll(Array("k\(child)".utf8), to: starter.raw)
                    Process.exit(0)
                }
            }
            let keeper = try during("watch the container") { () throws(SystemError) in
                try NetworkKeeper(program)
            }
            try keeper.keep(starter)
        } catch {
            try? UnixSocket.sendAll(Array("f\(error.message)".utf8.prefix(8000)), to: starter.raw)
        }
        Process.exit(1)
    }

    private init(_ program: UserModeProgram) throws(SystemError) {
        Launching.setProcessName("ctr-network")
        // SIGTERM too: an init hears of no signal that it does not ask for.
        let signals = try FileDescriptor.signals([Signal.child, Signal.terminate])
        let queue = try EventQueue()
        try queue.add(signals.raw, [.read], token: Token.signals)
        try queue.add(Number.process, [.read], token: Token.process)
        self.program = program
        self.signals = signals
        self.queue = queue
    }

    private consuming func keep(_ starter: SharedFileDescriptor) throws(Failure) {
        var words: SharedFileDescriptor? = try program.start()
        try during("tell ctr") { () throws(SystemError) in
            try UnixSocket.sendAll([UInt8(ascii: "r")], to: starter.raw)
            try queue.add(words?.raw ?? -1, [.read, .hangUp], token: Token.words)
        }
        var startedAt = monotonicNanoseconds()
        var isRunning = true
        var patience: Int32 = -1
        while true {
            let events = try during("watch the container") { () throws(SystemError) in
                try queue.wait(milliseconds: patience)
            }
            for event in events {
                switch event.token {
                case Token.signals: if heardTheEnd() { return }
                case Token.process: return
                default: drain(&words)
                }
            }
            if isRunning, !program.isRunning() {
                isRunning = false
                drain(&words)
                words = nil
                patience = backOff.next(afterRunOf: monotonicNanoseconds() - startedAt)
                continue
            }
            guard !isRunning, events.isEmpty else { continue }
            startedAt = monotonicNanoseconds()
            guard let started = try? program.start() else {
                patience = backOff.next(afterRunOf: 0)
                continue
            }
            words = started
            try? queue.add(started.raw, [.read, .hangUp], token: Token.words)
            isRunning = true
            patience = -1
        }
    }

    /// Of SIGCHLD there is nothing to do but to look.
    private borrowing func heardTheEnd() -> Bool {
        while let signal = (try? signals.nextSignal()) ?? nil {
            if signal == Signal.terminate { return true }
        }
        return false
    }

    /// What a program says that is not asked: it must not wait for a reader.
    private borrowing func drain(_ words: inout SharedFileDescriptor?) {
        guard let open = words else { return }
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while let size = try? Launching.readAvailable(
                open.raw, into: UnsafeMutableRawBufferPointer(buffer))
            {
                if size == 0 {
                    try? queue.remove(open.raw)
                    return
                }
            }
        }
    }
}
