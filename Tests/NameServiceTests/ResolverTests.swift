import Foundation
import LinuxSystem
import NameService
import Networks
import Testing

/// Names of the network: nothing of them goes upstream.
@Suite struct LocalNameTests {
    private static let a = 1
    private static let aaaa = 28
    private static let ptr = 12
    private static let srv = 33
    private static let any = 255
    private static let mx = 15

    private func world() throws -> ResolverWorld {
        let world = try ResolverWorld(
            hosts: [.init(name: "Extra", address: .v4(IPv4Address(value: 0xc000_0209)))])
        try world.network.register(
            .numbered(1, name: "db", ports: [.init(5432, .tcp, published: 15432, service: "postgresql")]))
        try world.network.register(.numbered(2, name: "web-1", aliases: ["web"], both: true, weight: 3))
        return world
    }

    private func ask(_ world: ResolverWorld, _ name: String, _ type: Int) throws -> ReadMessage {
        let message = try #require(try world.ask(Messages.query(name, type, datagramSize: 1232)))
        #expect(world.upstream[0].questions.isEmpty, "\(name) went upstream")
        return message
    }

    @Test func addresses() throws {
        let world = try world()
        for name in [
            "db", "DB", "db.backend", "Db.Backend", "host-1", String(NamedEndpoint.id(1).prefix(12)),
        ] {
            let reply = try ask(world, name, Self.a)
            #expect(reply.code == 0 && reply.texts == ["10.9.0.1"] && reply.isAuthoritative, "\(name)")
            #expect(reply.answers[0].name == name)
        }
        #expect(try ask(world, "web", Self.aaaa).texts == ["fd00::2"])
        #expect(try ask(world, "extra", Self.a).texts == ["192.0.2.9"])
        #expect(try ask(world, "localhost", Self.aaaa).texts == ["::1"])
        #expect(try ask(world, "web", Self.any).texts == ["10.9.0.2"])
    }

    /// A name that has no record of the type is there all the same.
    @Test func anEmptyAnswerIsNotNXDOMAIN() throws {
        let world = try world()
        for (name, type) in [
            ("db", Self.aaaa), ("db", Self.mx), ("web", 65), ("extra", Self.aaaa), ("db", Self.ptr),
        ] {
            let reply = try ask(world, name, type)
            #expect(reply.code == 0 && reply.answers.isEmpty && reply.authorities.isEmpty, "\(name) \(type)")
        }
    }

    @Test func namesOfAddresses() throws {
        let world = try world()
        #expect(try ask(world, "1.0.9.10.in-addr.arpa", Self.ptr).texts == ["db.backend"])
        let v6 = ReverseName.name(of: .v6(IPv6Address(high: 0xfd00 << 48, low: 2)))
        #expect(v6.hasPrefix("2.0.0.0.") && v6.hasSuffix("0.0.d.f.ip6.arpa"))
        #expect(try ask(world, v6, Self.ptr).texts == ["web-1.backend"])
        // Of the subnet, and nobody's.
        #expect(try ask(world, "99.0.9.10.in-addr.arpa", Self.ptr).code == 3)
        // Of an extra host.
        #expect(try ask(world, "9.2.0.192.in-addr.arpa", Self.ptr).texts == ["Extra"])
        // Elsewhere, and the name of a whole range: upstream.
        for name in ["1.0.0.127.in-addr.arpa", "9.10.in-addr.arpa"] {
            _ = try world.ask(Messages.query(name, Self.ptr))
        }
        #expect(world.upstream[0].questions.count == 2)
    }

    @Test(arguments: [
        "_postgresql._tcp.db", "_5432._tcp.db", "_15432._tcp.db.backend", "_PostgreSQL._TCP.db",
    ])
    func services(_ name: String) throws {
        let reply = try ask(try world(), name, Self.srv)
        #expect(reply.code == 0 && reply.texts == ["0 1 5432 db.backend"])
        #expect(reply.additional.filter { $0.type == 1 }.map(\.text) == ["10.9.0.1"])
        #expect(reply.additional.first?.name == "db.backend")
    }

    @Test func servicesThatAreNotThere() throws {
        let world = try world()
        for name in ["_http._tcp.db", "_5432._udp.db", "_5433._tcp.db"] {
            #expect(try ask(world, name, Self.srv).code == 3, "\(name)")
        }
        #expect(try ask(world, "_5432._tcp.db", Self.a).texts == [])
        _ = try world.ask(Messages.query("_5432._tcp.elsewhere", Self.srv))
        #expect(world.upstream[0].questions.count == 1)
    }

    @Test func theWeightsOfServices() throws {
        let world = try world()
        for n in 3...4 {
            try world.network.register(
                .numbered(n, aliases: ["api"], ports: [.init(80, .tcp)], weight: UInt16(n)))
        }
        #expect(
            try ask(world, "_80._tcp.api", Self.srv).texts.sorted() == [
                "0 3 80 box-3.backend", "0 4 80 box-4.backend",
            ])
    }

    /// Each is first as often as the others, also for a client that always asks for both families, or for two names.
    @Test func severalAnswerInTurn() throws {
        let world = try world()
        for n in 3...5 { try world.network.register(.numbered(n, aliases: ["api", "two"], both: true)) }
        var first: [String: Int] = [:]
        for _ in 0..<6 {
            for name in ["api", "two"] {
                for type in [Self.a, Self.aaaa] {
                    let texts = try ask(world, name, type).texts
                    #expect(Set(texts).count == 3)
                    first["\(name) \(texts[0])", default: 0] += 1
                }
            }
        }
        #expect(first.count == 12 && first.values.allSatisfy { $0 == 2 })
    }

    @Test func whoIsUnhealthyLeavesTheAnswers() throws {
        let world = try world()
        for n in 3...4 {
            try world.network.register(.numbered(n, aliases: ["api"], ports: [.init(80, .tcp)]))
        }
        try world.network.set(.unhealthy, true, of: NamedEndpoint.id(3))
        #expect(try ask(world, "api", Self.a).texts == ["10.9.0.4"])
        #expect(try ask(world, "_80._tcp.api", Self.srv).texts == ["0 1 80 box-4.backend"])
        // The last one: the name is there, without an address, and stays here.
        try world.network.set(.stopping, true, of: NamedEndpoint.id(4))
        for (name, type) in [("api", Self.a), ("_80._tcp.api", Self.srv)] {
            let reply = try ask(world, name, type)
            #expect(reply.code == 0 && reply.texts == [])
        }
        // What the address is called does not change with that.
        #expect(try ask(world, "3.0.9.10.in-addr.arpa", Self.ptr).texts == ["box-3.backend"])
        try world.network.set(.unhealthy, false, of: NamedEndpoint.id(3))
        #expect(try ask(world, "api", Self.a).texts == ["10.9.0.3"])
    }

    /// Too many for a datagram: cut, said so, and whole over TCP.
    @Test func fiveHundredUnderOneName() throws {
        let world = try world()
        for n in 10..<510 { try world.network.register(.numbered(n, aliases: ["many"])) }
        let cut = try #require(try world.ask(Messages.query("many")))
        #expect(cut.isTruncated && cut.answers.count == 30)
        let socket = try world.connect()
        let query = Messages.query("many")
        _ = try InternetSocket.send((Messages.big(query.count) + query)[...], over: socket.raw)
        let whole = try ReadMessage(try #require(try world.receive(1, over: socket).first))
        #expect(!whole.isTruncated && Set(whole.texts).count == 500)
    }

    @Test func aNetworkWhoseNamesComeLater() throws {
        let world = try ResolverWorld()
        let path = world.temporary.path + "/later"
        var configuration = ResolverConfiguration(
            networks: [.init(name: "later", path: path, subnets: [])], upstream: [])
        world.resolver.reload(configuration)
        #expect(try world.ask(Messages.query("db"))?.code == 3)
        try EndpointDirectory(path: path).register(.numbered(1, name: "db"))
        #expect(try world.ask(Messages.query("db"))?.texts == ["10.9.0.1"])
        // The first network that has the name.
        configuration.networks.insert(
            .init(name: "backend", path: world.temporary.path, subnets: []), at: 0)
        try world.network.register(.numbered(2, name: "db"))
        world.resolver.reload(configuration)
        #expect(try world.ask(Messages.query("db"))?.texts == ["10.9.0.2"])
        #expect(try world.ask(Messages.query("db.later"))?.texts == ["10.9.0.1"])
    }

    /// CVE-2024-29018: data leaves an internal network by questions for names.
    @Test func cve2024_29018_nothingOfAnInternalNetworkGoesUpstream() throws {
        let world = try world()
        var configuration = ResolverConfiguration(
            networks: [.init(name: "backend", path: world.temporary.path, subnets: [])], upstream: [])
        configuration.attempts = 3
        world.resolver.reload(configuration)
        for (name, type) in [
            ("secret.attacker.example", Self.a), ("secret.attacker.example", 16),
            ("8.8.8.8.in-addr.arpa", Self.ptr),
            ("_x._tcp.attacker.example", Self.srv), ("a b.example", Self.a),
        ] {
            let reply = try ask(world, name, type)
            #expect(reply.code == 3 && reply.answers.isEmpty && !reply.isAuthoritative, "\(name)")
        }
        #expect(try ask(world, "db", Self.a).texts == ["10.9.0.1"])
        let socket = try world.connect()
        let query = Messages.query("secret.attacker.example")
        _ = try InternetSocket.send((Messages.big(query.count) + query)[...], over: socket.raw)
        let reply = try ReadMessage(try #require(try world.receive(1, over: socket).first))
        #expect(reply.code == 3 && world.upstream[0].streamQuestions.isEmpty)
    }

    @Test func directoriesThatCannotBeRead() throws {
        let world = try world()
        try Data("nonsense".utf8).write(
            to: URL(fileURLWithPath: "\(world.temporary.path)/endpoints/\(NamedEndpoint.id(1))"))
        #expect(try ask(world, "db", Self.a).code == 2)
        #expect(try ask(world, "web", Self.a).texts == ["10.9.0.2"])
    }

    @Test func theConfigurationAsARecord() throws {
        let configuration = ResolverConfiguration(
            networks: [
                .init(
                    name: "a", path: "/run/x y/a",
                    subnets: [try IPPrefix("10.0.0.0/8"), try IPPrefix("fd00::/64")]),
                .init(name: "b", path: "/b", subnets: []),
            ],
            hosts: [.init(name: "db", address: .v6(IPv6Address(high: 1, low: 2)))],
            upstream: [
                InternetEndpoint(address: [1, 2, 3, 4], port: 53),
                InternetEndpoint(address: [UInt8](repeating: 9, count: 16), port: 5353, scope: 3),
            ], patience: 7, attempts: 2)
        #expect(try ResolverConfiguration(parsing: configuration.record.bytes) == configuration)
        #expect(throws: (any Error).self) { try ResolverConfiguration(parsing: Array("x".utf8)) }
    }
}
