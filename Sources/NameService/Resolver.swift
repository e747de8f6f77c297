internal import Failure
package import LinuxSystem

/// The DNS server of a container: answers names of its networks, passes everything else upstream as it came.
///
/// It has no thread and never waits: its owner watches ``descriptor`` for reading, and calls ``serve()`` when that is
/// ready or ``nextDeadline`` has come. UDP and TCP (RFC 1035, 6891, 7766). What it holds at once is bounded; beyond that
/// askers hear SERVFAIL or wait.
package final class Resolver {
    enum Limit {
        /// Questions that wait for upstream, each with a socket of its own.
        static let exchanges = 256
        static let connections = 32
        /// Of one connection, before no more is read from it.
        static let questionsOfOneConnection = 64
        /// Of one connection, before it is closed for not reading its answers.
        static let unsentBytes = 256 << 10
        /// Datagrams in one go.
        static let burst = 32
        /// Of a connection on which nothing is asked (RFC 7766, section 6.2.3).
        static let idle: Int64 = 10_000_000_000
    }

    /// Makes a socket for a question upstream, in the network namespace that it is to be asked from.
    package typealias SocketMaker = (_ kind: InternetSocket.Kind, _ addressSize: Int) throws(SystemError) ->
        FileDescriptor

    /// Who asked, and hears the answer.
    enum Asker {
        case datagram(listener: Int32, sender: InternetEndpoint)
        case connection(UInt64)
    }

    var configuration: ResolverConfiguration
    var names: LocalNames
    let queue: EventQueue
    let openSocket: SocketMaker
    private var listeners: [UInt64: (socket: SharedFileDescriptor, kind: InternetSocket.Kind)] = [:]
    var exchanges: [UInt64: Exchange] = [:]
    var connections: [UInt64: AskerConnection] = [:]
    private var lastToken: UInt64 = 0

    /// - Parameter openSocket: by default in the network namespace of the calling thread.
    package init(
        _ configuration: ResolverConfiguration,
        openSocket: @escaping SocketMaker = { kind, size throws(SystemError) in
            try InternetSocket.open(kind, addressSize: size)
        }
    ) throws(SystemError) {
        self.configuration = configuration
        self.openSocket = openSocket
        names = LocalNames(configuration)
        queue = try EventQueue()
    }

    /// Answers on this socket from now on: one of ``InternetSocket/listen(_:at:)``, made in the container's namespace.
    package func listen(on socket: SharedFileDescriptor, _ kind: InternetSocket.Kind) throws(SystemError) {
        let token = nextToken()
        try queue.add(socket.raw, .read, token: token)
        listeners[token] = (socket, kind)
    }

    /// For all questions from now on, e.g. when the container has been connected to another network.
    package func reload(_ configuration: ResolverConfiguration) {
        self.configuration = configuration
        names = LocalNames(configuration)
    }

    /// An epoll instance: readable when there is something to do.
    package var descriptor: Int32 { queue.raw }

    /// Of ``monotonicNanoseconds()``; nil: there is nothing to wait for but events.
    package var nextDeadline: Int64? {
        var next: Int64?
        for exchange in exchanges.values { next = min(next ?? .max, exchange.deadline) }
        for connection in connections.values { next = min(next ?? .max, connection.deadline) }
        return next
    }

    /// Does what there is to do, and returns without waiting.
    package func serve() {
        for event in (try? queue.wait(milliseconds: 0)) ?? [] {
            if let listener = listeners[event.token] {
                switch listener.kind {
                case .datagram: takeDatagrams(listener.socket.raw)
                case .stream: acceptConnections(listener.socket.raw)
                }
            } else if let exchange = exchanges[event.token] {
                go(on: exchange, event.ready)
            } else if let connection = connections[event.token] {
                serve(connection, event.ready)
            }
        }
        let now = monotonicNanoseconds()
        for exchange in exchanges.values where exchange.deadline <= now { giveUpWaiting(exchange) }
        for connection in connections.values where connection.deadline <= now {
            if connection.waiting == 0 { close(connection) } else { connection.deadline = now + Limit.idle }
        }
    }

    func nextToken() -> UInt64 {
        lastToken += 1
        return lastToken
    }

    private func takeDatagrams(_ listener: Int32) {
        for _ in 0..<Limit.burst {
            // An error of an earlier answer, told here: the next datagram comes all the same.
            guard let datagram = try? InternetSocket.receiveDatagram(from: listener) else { return }
            take(datagram.bytes, from: .datagram(listener: listener, sender: datagram.sender))
        }
    }

    /// A message from an asker.
    func take(_ bytes: [UInt8], from asker: Asker) {
        let query: Query
        do throws(MessageError) {
            query = try Query(parsing: bytes)
        } catch {
            if let reply = Reply.refusing(bytes, error) { send(reply, to: asker) }
            return
        }
        if let reply = names.answer(query.question) {
            send(reply, for: query, to: asker)
        } else if configuration.upstream.isEmpty {
            // Not REFUSED: musl would wait for a better answer until its time is over, glibc would say "try again". On this
            // network there is no such name.
            var reply = Reply(.nameError)
            reply.isAuthoritative = false
            send(reply, for: query, to: asker)
        } else {
            ask(bytes, query, for: asker)
        }
    }

    func send(_ reply: Reply, for query: Query, to asker: Asker) {
        let limit =
            switch asker {
            case .datagram: query.datagramLimit
            case .connection: Int(UInt16.max)
            }
        send(reply.encoded(for: query, limit: limit), to: asker)
    }

    /// Who does not take it over UDP asks again.
    func send(_ message: [UInt8], to asker: Asker) {
        switch asker {
        case .datagram(let listener, let sender):
            try? InternetSocket.send(message, to: sender, over: listener)
        case .connection(let token):
            guard let connection = connections[token] else { return }
            queueReply(message, on: connection)
        }
    }
}
