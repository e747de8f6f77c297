internal import Failure
internal import LinuxSystem
internal import Synchronization

/// A socket that a step may use as its agent's: what comes is passed on to the user's own, which the step's user could
/// not open.
final class AgentProxy: Sendable {
    let path: String
    private let thread: Thread

    init(to agent: String, in directory: String, mode: UInt32, uid: UInt32, gid: UInt32) throws(Failure) {
        let path = "\(directory)/agent"
        self.path = path
        let over = Flag()
        flag = over
        do throws(SystemError) {
            let place = try Directory.open(directory)
            let listener = SharedFileDescriptor(try UnixSocket.listen("agent", in: place.raw, .stream))
            try Directory.changeMode("agent", in: place.raw, mode: mode)
            try Directory.changeOwner("agent", in: place.raw, uid: uid, gid: gid)
            thread = try Thread("ssh agent") { AgentProxy.serve(listener, agent, over) }
        } catch {
            throw error.failure("forward the ssh agent \(agent)")
        }
    }

    private final class Flag: Sendable {
        let isOver = Atomic<Bool>(false)
    }

    private let flag: Flag

    deinit {
        flag.isOver.store(true, ordering: .relaxed)
        thread.join()
    }

    private static func serve(_ listener: SharedFileDescriptor, _ agent: String, _ flag: Flag) {
        var connections: [Thread] = []
        while !flag.isOver.load(ordering: .relaxed) {
            guard (try? FileDescriptor.wait(for: listener.raw, milliseconds: 50)) == true else { continue }
            let accepted = try? FileDescriptor.withBorrowed(listener.raw) {
                (socket) throws(SystemError) -> SharedFileDescriptor? in
                guard let connection = try UnixSocket.accept(socket) else { return nil }
                return SharedFileDescriptor(connection)
            }
            guard let client = accepted ?? nil else { continue }
            if let thread = try? Thread("ssh agent", { relay(client, agent, flag) }) {
                connections.append(thread)
            }
        }
        for connection in connections { connection.join() }
    }

    /// Both ways, until one side ends or the step is over.
    private static func relay(_ client: SharedFileDescriptor, _ agent: String, _ flag: Flag) {
        let cut = agent.lastIndex(of: "/") ?? agent.startIndex
        let parent = cut == agent.startIndex ? "/" : String(agent[..<cut])
        guard let directory = try? FileDescriptor.open(parent, [.pathOnly, .directory]),
            let server = try? UnixSocket.connect(
                String(agent[agent.index(after: cut)...]), in: directory.raw, .stream)
        else { return }
        guard let queue = try? EventQueue(), (try? queue.add(client.raw, .read, token: 1)) != nil,
            (try? queue.add(server.raw, .read, token: 2)) != nil
        else { return }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
        defer { room.deallocate() }
        while !flag.isOver.load(ordering: .relaxed) {
            guard let events = try? queue.wait(milliseconds: 50) else { return }
            for event in events {
                let (from, to) = event.token == 1 ? (client.raw, server.raw) : (server.raw, client.raw)
                guard let got = try? Launching.readAvailable(from, into: room) else { continue }
                if got == 0 { return }
                let bytes = Array(UnsafeRawBufferPointer(rebasing: room[..<got]))
                guard (try? UnixSocket.sendAll(bytes, to: to)) != nil else { return }
            }
        }
    }
}
