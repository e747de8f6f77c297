import Foundation
import LinuxSystem
import NameService
import Networks
import Testing

private let canRun = geteuid() == 0 && (try? NetworkNamespace.make()) != nil

/// The resolver in a container's network namespace, beside a DNS server of the container's own.
@Suite(.enabled(if: canRun, "not run: needs root and network namespaces"))
struct NamespaceTests {
    private let namespace: SharedFileDescriptor
    private let world: ResolverWorld
    private let listeners: NameListeners

    init() throws {
        namespace = SharedFileDescriptor(try NetworkNamespace.make())
        world = try ResolverWorld()
        for n in 1...300 { try world.network.register(.numbered(n, aliases: ["many"])) }
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
            var routes = try RouteSocket()
            try routes.setUp("lo")
        }
        listeners = try NameListeners.open(inside: namespace.raw)
        try world.resolver.listen(on: listeners.datagram, .datagram)
        try world.resolver.listen(on: listeners.stream, .stream)
    }

    private func listen(_ kind: InternetSocket.Kind, _ address: [UInt8]) throws -> SharedFileDescriptor {
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
            SharedFileDescriptor(
                try InternetSocket.listen(kind, at: InternetEndpoint(address: address, port: 53)))
        }
    }

    private func connect(_ kind: InternetSocket.Kind, _ address: [UInt8]) throws -> SharedFileDescriptor {
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
            let socket = SharedFileDescriptor(try InternetSocket.open(kind, addressSize: 4))
            _ = try InternetSocket.connect(socket.raw, to: InternetEndpoint(address: address, port: 53))
            return socket
        }
    }

    private func ask(_ query: [UInt8]) throws -> ReadMessage? {
        let socket = try connect(.datagram, NameListeners.address)
        _ = try InternetSocket.send(query[...], over: socket.raw)
        return try world.run { try InternetSocket.receive(from: socket.raw) }.map { try ReadMessage($0) }
    }

    @Test func port53IsTheResolvers() throws {
        #expect(listeners.port != 53)
        #expect(try ask(Messages.query("box-7"))?.texts == ["10.9.0.7"])
        // 4 KB and more in one datagram.
        #expect(try ask(Messages.query("many", datagramSize: 8192))?.answers.count == 300)
        #expect(try ask(Messages.query("www.example"))?.texts == ["192.0.2.1"])
        let socket = try connect(.stream, NameListeners.address)
        let query = Messages.query("many")
        let bytes = Messages.big(query.count) + query
        _ = world.run(milliseconds: 1000) {
            (try? FileDescriptor.wait(for: socket.raw, write: true, milliseconds: 0)) == true ? true : nil
        }
        _ = try InternetSocket.send((0..<20).flatMap { _ in bytes }[...], over: socket.raw)
        let replies = try world.receive(20, over: socket)
        #expect(replies.count == 20)
        for reply in replies { #expect(try ReadMessage(reply).answers.count == 300) }
    }

    /// A container that is a DNS server itself has port 53 of all its addresses but that one, whoever is first.
    @Test(arguments: [[0, 0, 0, 0], [UInt8](repeating: 0, count: 16)] as [[UInt8]])
    func theContainersOwnServer(_ any: [UInt8]) throws {
        let datagram = try listen(.datagram, any)
        let stream = try listen(.stream, any)
        let again = try NameListeners.open(inside: namespace.raw)
        try world.resolver.listen(on: again.datagram, .datagram)
        #expect(try ask(Messages.query("box-7"))?.texts == ["10.9.0.7"])
        let own = try connect(.datagram, [127, 0, 0, 1])
        _ = try InternetSocket.send([1, 2, 3], over: own.raw)
        #expect(try InternetSocket.receiveDatagram(from: datagram.raw)?.bytes == [1, 2, 3])
        let connection = try connect(.stream, [127, 0, 0, 1])
        let accepted = FileDescriptor.withBorrowed(stream.raw) { listener -> SharedFileDescriptor? in
            guard let socket = try? UnixSocket.accept(listener) else { return nil }
            return SharedFileDescriptor(socket)
        }
        _ = try InternetSocket.send([9], over: connection.raw)
        #expect(try InternetSocket.receive(from: try #require(accepted).raw) == [9])
    }

    /// Nobody outside of the container's namespace gets to it.
    @Test func noOtherNamespaceReachesIt() throws {
        let socket = SharedFileDescriptor(try InternetSocket.open(.datagram, addressSize: 4))
        let other = InternetEndpoint(address: NameListeners.address, port: listeners.port)
        _ = try InternetSocket.connect(socket.raw, to: other)
        _ = try InternetSocket.send(Messages.query("box-7")[...], over: socket.raw)
        let answer = world.run(milliseconds: 100) { (try? InternetSocket.receive(from: socket.raw)) ?? nil }
        #expect(answer == nil)
    }
}
