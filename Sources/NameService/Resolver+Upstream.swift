internal import Failure
internal import LinuxSystem

/// A question on its way upstream: over a socket of its own, so that its port is the kernel's random choice and only that
/// server can answer (RFC 5452, sections 4 and 9).
final class Exchange {
    let token: UInt64
    let asker: Resolver.Asker
    let query: Query
    /// As it came, but for the id.
    var message: [UInt8]
    var kind: InternetSocket.Kind
    /// The questions sent so far.
    var attempts = 0
    /// The server that is asked now.
    var server = 0
    var socket: SharedFileDescriptor?
    var deadline: Int64 = 0
    /// Over TCP: what is not sent and what is come, with the length before each message.
    var unsent: ArraySlice<UInt8> = []
    var received: ArraySlice<UInt8> = []
    /// What is said when nobody has a better answer: one that was cut, or a server's failure.
    var fallback: [UInt8]?

    init(_ token: UInt64, _ asker: Resolver.Asker, _ query: Query, _ message: [UInt8]) {
        self.token = token
        self.asker = asker
        self.query = query
        self.message = message
        // Who asks over TCP can take an answer that no datagram can.
        if case .connection = asker { kind = .stream } else { kind = .datagram }
    }
}

extension Resolver {
    func ask(_ bytes: [UInt8], _ query: Query, for asker: Asker) {
        if case .connection(let token) = asker { connections[token]?.waiting += 1 }
        let exchange = Exchange(nextToken(), asker, query, bytes)
        guard exchanges.count < Limit.exchanges else { return finish(exchange, with: nil) }
        exchanges[exchange.token] = exchange
        send(exchange)
    }

    /// To the next server, until one takes it or all attempts are over.
    private func send(_ exchange: Exchange) {
        while exchange.attempts < max(1, configuration.attempts), !configuration.upstream.isEmpty {
            exchange.server = exchange.attempts % configuration.upstream.count
            exchange.attempts += 1
            if (try? begin(exchange)) != nil { return }
        }
        finish(exchange, with: exchange.fallback)
    }

    private func begin(_ exchange: Exchange) throws(SystemError) {
        drop(exchange)
        let server = configuration.upstream[exchange.server]
        exchange.message.set(network: UInt16.random(in: 0 ... .max), at: 0)
        let socket = SharedFileDescriptor(try openSocket(exchange.kind, server.address.count))
        exchange.socket = socket
        exchange.received = []
        exchange.deadline = monotonicNanoseconds() + configuration.patience * 1_000_000
        let isConnected = try InternetSocket.connect(socket.raw, to: server)
        switch exchange.kind {
        case .datagram:
            _ = try InternetSocket.send(exchange.message[...], over: socket.raw)
            try queue.add(socket.raw, .read, token: exchange.token)
        case .stream:
            exchange.unsent = exchange.message.withLength[...]
            try queue.add(socket.raw, isConnected ? [.read, .write] : .write, token: exchange.token)
        }
    }

    /// Its socket, and with it every answer that comes late.
    private func drop(_ exchange: Exchange) {
        if let socket = exchange.socket { try? queue.remove(socket.raw) }
        exchange.socket = nil
    }

    func giveUpWaiting(_ exchange: Exchange) { send(exchange) }

    func go(on exchange: Exchange, _ ready: EventQueue.Interest) {
        guard let socket = exchange.socket else { return }
        do throws(SystemError) {
            switch exchange.kind {
            case .datagram:
                // What is no answer to this question is passed over: the right one may still come.
                while let datagram = try InternetSocket.receive(from: socket.raw) {
                    if take(datagram, for: exchange) { return }
                }
            case .stream: try goOnStreaming(exchange, socket.raw, ready)
            }
        } catch {
            // The server's host says that nobody is there, or the connection broke.
            send(exchange)
        }
    }

    private func goOnStreaming(_ exchange: Exchange, _ socket: Int32, _ ready: EventQueue.Interest)
        throws(SystemError)
    {
        if !exchange.unsent.isEmpty, !ready.isDisjoint(with: [.write, .error, .hangUp]) {
            try InternetSocket.checkError(of: socket)
            exchange.unsent = exchange.unsent.dropFirst(
                try InternetSocket.send(exchange.unsent, over: socket))
            if exchange.unsent.isEmpty { try queue.change(socket, .read, token: exchange.token) }
            return
        }
        while let bytes = try InternetSocket.receive(from: socket) {
            if bytes.isEmpty { throw SystemError(call: "recv", path: nil, errno: Errno.connectionReset) }
            exchange.received += bytes
            while let message = exchange.received.takeMessage() {
                if take(message, for: exchange) { return }
            }
        }
    }

    /// Answers whether the bytes were the answer to what was asked, by id and question.
    private func take(_ bytes: [UInt8], for exchange: Exchange) -> Bool {
        guard let answer = UpstreamAnswer(parsing: bytes), answer.question == exchange.query.question,
            bytes[0] == exchange.message[0], bytes[1] == exchange.message[1]
        else { return false }
        if answer.isTruncated, exchange.kind == .datagram, case .datagram = exchange.asker,
            exchange.query.datagramLimit > max(512, bytes.count)
        {
            // There is room for more than came: the server's limit was lower than the asker's. Over TCP, from the same one.
            exchange.fallback = bytes
            exchange.kind = .stream
            exchange.attempts -= 1
            send(exchange)
            return true
        }
        if answer.code == .serverFailure || answer.code == .refused || answer.code == .notImplemented,
            configuration.upstream.count > 1, exchange.attempts < configuration.upstream.count
        {
            if exchange.fallback == nil { exchange.fallback = bytes }
            send(exchange)
            return true
        }
        finish(exchange, with: bytes)
        return true
    }

    /// - Parameter answer: nil: SERVFAIL.
    private func finish(_ exchange: Exchange, with answer: [UInt8]?) {
        drop(exchange)
        exchanges[exchange.token] = nil
        if case .connection(let token) = exchange.asker { connections[token]?.waiting -= 1 }
        guard var answer else {
            var reply = Reply(.serverFailure)
            reply.isAuthoritative = false
            return send(reply, for: exchange.query, to: exchange.asker)
        }
        if case .datagram = exchange.asker, answer.count > exchange.query.datagramLimit {
            // By TCP, and too long for the asker.
            answer = exchange.fallback ?? answer
        }
        answer.set(network: exchange.query.id, at: 0)
        send(answer, to: exchange.asker)
    }
}

extension Array where Element == UInt8 {
    /// As a stream has it (RFC 1035, section 4.2.2).
    var withLength: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 2)
        bytes.append(network: UInt16(truncatingIfNeeded: count))
        return bytes + self
    }
}

extension ArraySlice where Element == UInt8 {
    /// The first whole message of a stream's bytes, which loses it; nil while there is none.
    mutating func takeMessage() -> [UInt8]? {
        guard count >= 2 else { return nil }
        let size = Int(self[startIndex]) << 8 | Int(self[startIndex + 1])
        guard count >= 2 + size else { return nil }
        defer { self = dropFirst(2 + size) }
        return Array(dropFirst(2).prefix(size))
    }
}
