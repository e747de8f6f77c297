internal import LaunchPlan
internal import LinuxSystem

extension ResidentMonitor {
    private static let chunk = 16 << 10
    /// What may wait for the container's stdin before its clients are not read any more.
    private static let mostInput = 64 << 10
    /// A client other than the launcher that takes nothing for so long, while the container waits for it, is cut off.
    static let longestStall: Int64 = 60_000_000_000

    /// The launcher has neither said hello nor gone: whether it wants the output is not known yet.
    var launcherIsUndecided: Bool {
        clients.values.contains { $0.isLauncher && !$0.isAttached && !$0.isGone }
    }

    private var isHeldBack: Bool {
        launcherIsUndecided || clients.values.contains { $0.isAttached && $0.isFull }
    }

    /// Tells the queue what is waited for now.
    func updateInterest() {
        let wantsOutput = !isHeldBack
        if wantsOutput != outputIsWatched {
            for output in outputs where !output.isAtEnd {
                if wantsOutput {
                    try? queue.add(output.descriptor.raw, .read, token: output.token)
                } else {
                    try? queue.remove(output.descriptor.raw)
                }
            }
            outputIsWatched = wantsOutput
        }
        watchInput(!pendingInput.isEmpty)
        let readsClients = pendingInput.count < ResidentMonitor.mostInput
        for (token, client) in clients {
            var interest: EventQueue.Interest = readsClients ? .read : []
            if client.hasPending { interest.insert(.write) }
            if watched[token] != interest {
                try? queue.change(client.socket.raw, interest, token: token)
                watched[token] = interest
            }
        }
    }

    private func watchInput(_ wanted: Bool) {
        guard wanted != inputIsWatched, let input else { return }
        // A terminal is one descriptor for both directions and the queue takes it once: a copy is watched.
        if wanted {
            if terminal != nil {
                inputWatch = try? Launching.duplicate(input.raw)
                try? queue.add(inputWatch?.raw ?? -1, .write, token: Token.stdin)
            } else {
                try? queue.add(input.raw, .write, token: Token.stdin)
            }
        } else {
            try? queue.remove(inputWatch?.raw ?? input.raw)
            inputWatch = nil
        }
        inputIsWatched = wanted
    }

    /// How long to sleep: for ever, unless a client holds the container back or something is due.
    func timeout() -> Int32 {
        let patience = isHeldBack ? Int32(1000) : -1
        guard let nextDeadline else { return patience }
        let left = Int32(clamping: max(0, (nextDeadline - monotonicNanoseconds() + 999_999) / 1_000_000))
        return patience < 0 ? left : min(left, patience)
    }

    // MARK: - from the container

    func readOutput(_ token: UInt64) {
        guard let index = outputs.firstIndex(where: { $0.token == token }), !outputs[index].isAtEnd else {
            return
        }
        _ = readOnce(index)
    }

    /// Answers whether there was something.
    private func readOnce(_ index: Int) -> Bool {
        let output = outputs[index]
        return withUnsafeTemporaryAllocation(byteCount: ResidentMonitor.chunk, alignment: 8) { buffer in
            let size = (try? Launching.readAvailable(output.descriptor.raw, into: buffer)) ?? nil
            guard let size else { return false }
            guard size > 0 else {
                // A terminal that nobody has open any more.
                try? queue.remove(output.descriptor.raw)
                outputs[index].isAtEnd = true
                return false
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<size])
            writeLog(bytes, output.stream)
            if clients.values.contains(where: \.isAttached) {
                let frame =
                    output.stream == .stdout ? AttachFrame.stdout(Array(bytes)) : .stderr(Array(bytes))
                for client in clients.values where client.isAttached { client.send(frame) }
            }
            return true
        }
    }

    /// What is left in the pipes when everybody who could write is gone.
    func drain() {
        for index in outputs.indices where !outputs[index].isAtEnd {
            while readOnce(index) {}
        }
        for output in outputs where outputIsWatched && !output.isAtEnd {
            try? queue.remove(output.descriptor.raw)
        }
        if inputIsWatched { watchInput(false) }
        outputs = []
        outputIsWatched = true
        input = nil
        terminal = nil
        pendingInput = []
    }

    // MARK: - to the container

    private func takeInput(_ bytes: [UInt8]) {
        guard input != nil, plan.openStdin else { return }
        pendingInput.append(contentsOf: bytes)
        writeInput()
    }

    func writeInput() {
        guard let input else { return }
        var done = 0
        var isBroken = false
        while done < pendingInput.count {
            let taken: Int? = pendingInput.withUnsafeBytes { bytes in
                do throws(SystemError) {
                    return try Launching.writeAvailable(
                        input.raw, UnsafeRawBufferPointer(rebasing: bytes[done...]))
                } catch {
                    isBroken = true
                    return nil
                }
            }
            guard let taken else { break }
            done += taken
        }
        // Nobody reads any more (EPIPE): what is left goes nowhere, as in a shell's pipe.
        if isBroken { done = pendingInput.count }
        pendingInput.removeFirst(done)
        if pendingInput.isEmpty { pendingInput = [] }
        if inputEnds, pendingInput.isEmpty { closeInput() }
    }

    /// The container sees the end of its input, after what is still to be written.
    private func endInput() {
        guard input != nil, terminal == nil, plan.stdinOnce else { return }
        inputEnds = true
        if pendingInput.isEmpty { closeInput() }
    }

    private func closeInput() {
        watchInput(false)
        input = nil
        inputEnds = false
    }

    // MARK: - clients

    func add(_ client: AttachedClient) {
        try? Launching.setNonBlocking(client.socket.raw)
        let token = nextClient
        nextClient += 1
        guard (try? queue.add(client.socket.raw, .read, token: token)) != nil else { return }
        clients[token] = client
        watched[token] = .read
    }

    func acceptClients() {
        guard let listener else { return }
        while let (socket, uid) = (try? Launching.accept(listener.raw)) ?? nil {
            // The directory's mode keeps others out; this holds even where it was changed.
            guard uid == 0 || uid == Process.effectiveUID else { continue }
            let client = AttachedClient(socket: socket, isLauncher: false)
            add(client)
            if let process, exitCode == nil { client.send(.started(pid: process.pid)) }
        }
    }

    func serveClient(_ token: UInt64, _ ready: EventQueue.Interest) {
        guard let client = clients[token] else { return }
        if ready.contains(.write) { client.flush() }
        if ready.contains(.read) || ready.contains(.hangUp) || ready.contains(.error) {
            for frame in client.receive() { act(on: frame, from: client) }
        }
    }

    private func act(on frame: AttachFrame, from client: AttachedClient) {
        switch frame {
        case .hello(let version, let rows, let columns):
            if version > AttachFrame.version { client.leave() }
            resize(rows, columns)
        case .stdin(let bytes): takeInput(bytes)
        case .stdinEnd: endInput()
        case .resize(let rows, let columns): resize(rows, columns)
        case .signal(let number):
            guard let process, exitCode == nil, number > 0, number <= 64 else { break }
            // The process is this one's child and not waited for yet: its number is its own.
            _ = Launching.kill(process.pid, number)
        case .check: runCheck(for: client)
        case .started, .stdout, .stderr, .failed, .exited, .checked, .made, .attached: client.leave()
        }
    }

    private func resize(_ rows: UInt16, _ columns: UInt16) {
        guard let terminal, rows > 0, columns > 0 else { return }
        try? Terminal.setSize(Terminal.Size(rows: rows, columns: columns), of: terminal.raw)
    }

    func tellClients(_ frame: AttachFrame) {
        for client in clients.values { client.send(frame) }
    }

    /// Lets go of who is gone, and of who holds the container back for too long.
    func dropClients() {
        let now = monotonicNanoseconds()
        for (token, client) in clients {
            if client.isFull, !client.isLauncher, now - client.stalledSince > ResidentMonitor.longestStall {
                client.leave()
            }
            guard client.isGone else { continue }
            if client.isAttached { endInput() }
            try? queue.remove(client.socket.raw)
            clients[token] = nil
            watched[token] = nil
        }
    }
}
