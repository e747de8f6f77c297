import Foundation
import LinuxSystem
import NameService
import Networks

/// A resolver on loopback, a server upstream that does as a test says, and who asks; all in one thread.
final class ResolverWorld {
    let temporary = TemporaryDirectory()
    let resolver: Resolver
    let network: EndpointDirectory
    let upstream: [FakeServer]
    let address: InternetEndpoint
    let client: SharedFileDescriptor

    static let loopback: [UInt8] = [127, 0, 0, 1]

    /// - Parameter servers: what each says to a question over UDP: messages, one after the other.
    init(
        hosts: [ResolverConfiguration.Host] = [], patience: Int64 = 2000, attempts: Int = 3,
        _ servers: [([UInt8]) -> [[UInt8]]] = [{ [Messages.answer(to: $0)] }]
    ) throws {
        network = try EndpointDirectory(path: temporary.path)
        upstream = try servers.map { try FakeServer($0) }
        resolver = try Resolver(
            ResolverConfiguration(
                networks: [
                    .init(
                        name: "backend", path: temporary.path,
                        subnets: [try IPPrefix("10.9.0.0/16"), try IPPrefix("fd00::/64")])
                ], hosts: hosts, upstream: upstream.map(\.endpoint), patience: patience, attempts: attempts))
        let stream = try InternetSocket.listen(
            .stream, at: InternetEndpoint(address: Self.loopback, port: 0))
        address = try InternetSocket.localEndpoint(of: stream.raw)
        let datagram = try InternetSocket.listen(.datagram, at: address)
        try resolver.listen(on: SharedFileDescriptor(stream), .stream)
        try resolver.listen(on: SharedFileDescriptor(datagram), .datagram)
        client = SharedFileDescriptor(try InternetSocket.open(.datagram, addressSize: 4))
        _ = try InternetSocket.connect(client.raw, to: address)
    }

    /// Everybody does what there is to do, until `body` has an answer or the time is over.
    func run<R>(milliseconds: Int64 = 3000, until body: () throws -> R?) rethrows -> R? {
        let end = monotonicNanoseconds() + milliseconds * 1_000_000
        while true {
            resolver.serve()
            for server in upstream { server.serve() }
            if let answer = try body() { return answer }
            if monotonicNanoseconds() >= end { return nil }
            _ = try? FileDescriptor.wait(for: resolver.descriptor, milliseconds: 1)
        }
    }

    func send(_ query: [UInt8]) throws { _ = try InternetSocket.send(query[...], over: client.raw) }

    /// The next datagram that the client gets.
    func receive(milliseconds: Int64 = 3000) throws -> [UInt8]? {
        try run(milliseconds: milliseconds) { try InternetSocket.receive(from: client.raw) }
    }

    /// Over UDP; nil: no answer.
    func ask(_ query: [UInt8], milliseconds: Int64 = 3000) throws -> ReadMessage? {
        try send(query)
        return try receive(milliseconds: milliseconds).map { try ReadMessage($0) }
    }

    func connect() throws -> SharedFileDescriptor {
        let socket = SharedFileDescriptor(try InternetSocket.open(.stream, addressSize: 4))
        _ = try InternetSocket.connect(socket.raw, to: address)
        _ = run(milliseconds: 1000) {
            (try? FileDescriptor.wait(for: socket.raw, write: true, milliseconds: 0)) == true ? true : nil
        }
        return socket
    }

    /// Whole messages that come over a connection; fewer where it ends or the time is over.
    func receive(_ count: Int, over socket: SharedFileDescriptor, milliseconds: Int64 = 3000) throws
        -> [[UInt8]]
    {
        var bytes: [UInt8] = []
        var isAtEnd = false
        func messages() -> [[UInt8]] {
            var found: [[UInt8]] = []
            var rest = bytes[...]
            while rest.count >= 2,
                case let size = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1]),
                rest.count >= 2 + size
            {
                found.append(Array(rest.dropFirst(2).prefix(size)))
                rest = rest.dropFirst(2 + size)
            }
            return found
        }
        _ = try run(milliseconds: milliseconds) { () -> Bool? in
            while let got = try InternetSocket.receive(from: socket.raw) {
                if got.isEmpty { isAtEnd = true; break }
                bytes += got
            }
            return isAtEnd || messages().count >= count ? true : nil
        }
        return messages()
    }
}

/// UDP and TCP on one port of loopback.
final class FakeServer {
    let endpoint: InternetEndpoint
    private let datagram: SharedFileDescriptor
    private let stream: SharedFileDescriptor
    private let script: ([UInt8]) -> [[UInt8]]
    /// What it says over TCP; nil: it refuses connections by closing them.
    var streamScript: (([UInt8]) -> [[UInt8]])?
    private(set) var questions: [[UInt8]] = []
    private(set) var senders: [InternetEndpoint] = []
    private(set) var streamQuestions: [[UInt8]] = []
    private var connections: [(socket: SharedFileDescriptor, bytes: [UInt8])] = []

    init(_ script: @escaping ([UInt8]) -> [[UInt8]]) throws {
        self.script = script
        let listener = try InternetSocket.listen(
            .stream, at: InternetEndpoint(address: ResolverWorld.loopback, port: 0))
        endpoint = try InternetSocket.localEndpoint(of: listener.raw)
        stream = SharedFileDescriptor(listener)
        datagram = SharedFileDescriptor(try InternetSocket.listen(.datagram, at: endpoint))
    }

    func serve() {
        while let question = (try? InternetSocket.receiveDatagram(from: datagram.raw)) ?? nil {
            questions.append(question.bytes)
            senders.append(question.sender)
            for answer in script(question.bytes) { send(answer, to: question.sender) }
        }
        while let accepted = accept() { connections.append((accepted, [])) }
        for i in connections.indices.reversed() { serveConnection(i) }
    }

    func send(_ answer: [UInt8], to sender: InternetEndpoint) {
        try? InternetSocket.send(answer, to: sender, over: datagram.raw)
    }

    private func accept() -> SharedFileDescriptor? {
        FileDescriptor.withBorrowed(stream.raw) { listener in
            guard let socket = try? UnixSocket.accept(listener) else { return nil }
            return SharedFileDescriptor(socket)
        }
    }

    private func serveConnection(_ i: Int) {
        guard let streamScript, let bytes = try? InternetSocket.receive(from: connections[i].socket.raw)
        else {
            if streamScript == nil { connections.remove(at: i) }
            return
        }
        connections[i].bytes += bytes
        let received = connections[i].bytes
        guard received.count >= 2, received.count >= 2 + Int(received[0]) << 8 + Int(received[1]) else {
            if bytes.isEmpty { connections.remove(at: i) }
            return
        }
        let question = Array(received[2...])
        streamQuestions.append(question)
        for answer in streamScript(question) {
            _ = try? InternetSocket.send(
                (Messages.big(answer.count) + answer)[...], over: connections[i].socket.raw)
        }
        connections.remove(at: i)
    }
}
