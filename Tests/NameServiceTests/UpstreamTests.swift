import Foundation
import LinuxSystem
import NameService
import Networks
import Testing

/// What is not of the network, and servers that fail, cut, lie or say nothing.
@Suite struct UpstreamTests {
    @Test func everythingElsePassesAsItIs() throws {
        // An unknown type, an unknown option of EDNS, DO, AD and CD: the server hears what was asked, but for the id.
        var query = Messages.query("WwW.Example.org", 65_280, datagramSize: 1400)
        query[3] |= 0x30
        query[query.count - 4] = 0x80
        query.removeLast(2)
        query += [0, 5, 0xfd, 0xe9, 0, 1, 7]
        let data: [UInt8] = [0xde, 0xad]
        let world = try ResolverWorld([
            { asked in
                var answer = Messages.answer(to: asked, addresses: [])
                answer[7] = 1
                return [answer + [0xc0, 12, 0xff, 0x00, 0, 1, 0, 0, 0, 9, 0, 2] + data]
            }
        ])
        try world.send(query)
        let reply = try #require(try world.receive())
        #expect(Array(reply.suffix(2)) == data && Array(reply[..<2]) == Array(query[..<2]))
        let asked = try #require(world.upstream[0].questions.first)
        #expect(asked[2...] == query[2...])
    }

    @Test func idsAndPortsAreNotToBeGuessed() throws {
        let world = try ResolverWorld()
        for n in 0..<40 { #expect(try world.ask(Messages.query("n\(n).example"))?.id == 0x1234) }
        let ids = Set(world.upstream[0].questions.map { [$0[0], $0[1]] })
        #expect(ids.count > 35)
        #expect(Set(world.upstream[0].senders.map(\.port)).count > 30)
    }

    @Test func answersThatAreNone() throws {
        let world = try ResolverWorld(
            patience: 2000,
            [
                { asked in
                    let otherID = Int(asked[0] ^ 1) << 8 | Int(asked[1])
                    return [
                        Messages.answer(to: asked, addresses: [[6, 6, 6, 1]], id: otherID),
                        Messages.answer(to: asked, addresses: [[6, 6, 6, 2]], question: "www.examplf"),
                        Array(Messages.answer(to: asked, addresses: [[6, 6, 6, 3]])[..<11]),
                        asked, [],
                        Messages.answer(to: asked),
                    ]
                }
            ])
        let reply = try #require(try world.ask(Messages.query("www.example")))
        #expect(reply.texts == ["192.0.2.1"])
        #expect(world.upstream[0].questions.count == 1)
    }

    /// Only the server that was asked is heard: another socket sends to the port.
    @Test func answersOfOthers() throws {
        let world = try ResolverWorld(patience: 300, attempts: 1, [{ _ in [] }])
        let stranger = SharedFileDescriptor(
            try InternetSocket.listen(
                .datagram, at: InternetEndpoint(address: ResolverWorld.loopback, port: 0)))
        try world.send(Messages.query("www.example"))
        _ = world.run { world.upstream[0].questions.isEmpty ? nil : true }
        let asked = world.upstream[0].questions[0]
        let answer = Messages.answer(to: asked, addresses: [[6, 6, 6, 6]])
        try InternetSocket.send(answer, to: world.upstream[0].senders[0], over: stranger.raw)
        #expect(try ReadMessage(try #require(try world.receive())).code == 2)
    }

    @Test func aServerThatIsSilent() throws {
        let world = try ResolverWorld(patience: 60, [{ _ in [] }, { [Messages.answer(to: $0)] }])
        #expect(try world.ask(Messages.query("www.example"))?.texts == ["192.0.2.1"])
        #expect(world.upstream.map(\.questions.count) == [1, 1])
    }

    @Test func allAreSilent() throws {
        let world = try ResolverWorld(patience: 60, [{ _ in [] }])
        let begin = monotonicNanoseconds()
        let reply = try #require(try world.ask(Messages.query("www.example")))
        #expect(reply.code == 2 && reply.id == 0x1234 && reply.question != nil && !reply.isAuthoritative)
        #expect(world.upstream[0].questions.count == 3)
        #expect(monotonicNanoseconds() - begin >= 170_000_000)
        #expect(world.resolver.nextDeadline == nil)
    }

    /// Nobody is behind the port: the host says so, and nobody waits.
    @Test func noServerIsThere() throws {
        let world = try ResolverWorld(patience: 60_000)
        let gone = try InternetSocket.listen(
            .datagram, at: InternetEndpoint(address: ResolverWorld.loopback, port: 0))
        let endpoint = try InternetSocket.localEndpoint(of: gone.raw)
        try gone.close()
        world.resolver.reload(ResolverConfiguration(networks: [], upstream: [endpoint], patience: 60_000))
        #expect(try world.ask(Messages.query("www.example"))?.code == 2)
    }

    /// The answer to an attempt that was given up is not taken for one to the next.
    @Test func anAnswerThatComesLate() throws {
        let world = try ResolverWorld(patience: 60, [{ _ in [] }])
        try world.send(Messages.query("www.example"))
        _ = world.run { world.upstream[0].questions.count == 2 ? true : nil }
        let server = world.upstream[0]
        server.send(
            Messages.answer(to: server.questions[0], addresses: [[6, 6, 6, 6]]), to: server.senders[0])
        server.send(Messages.answer(to: server.questions[1]), to: server.senders[1])
        #expect(try ReadMessage(try #require(try world.receive())).texts == ["192.0.2.1"])
    }

    @Test(arguments: [UInt8(2), 4, 5]) func aServerThatFailsIsNotTheLast(_ code: UInt8) throws {
        let world = try ResolverWorld([
            { [Messages.answer(to: $0, addresses: [], code: code)] }, { [Messages.answer(to: $0)] },
        ])
        #expect(try world.ask(Messages.query("www.example"))?.texts == ["192.0.2.1"])
        let failing = try ResolverWorld(
            patience: 60,
            [
                { [Messages.answer(to: $0, addresses: [], code: code)] }, { _ in [] },
            ])
        #expect(try failing.ask(Messages.query("www.example"))?.code == Int(code))
    }

    @Test func whatIsNotThereIsNotAskedTwice() throws {
        let world = try ResolverWorld([
            { [Messages.answer(to: $0, addresses: [], code: 3)] }, { [Messages.answer(to: $0)] },
        ])
        #expect(try world.ask(Messages.query("www.example"))?.code == 3)
        #expect(world.upstream[1].questions.isEmpty)
    }

    // MARK: cut answers

    private static let forty = (0..<40).map { [192, 0, 2, UInt8($0)] }

    @Test func aCutAnswerIsMadeWhole() throws {
        let world = try ResolverWorld([{ [Messages.answer(to: $0, addresses: [], truncated: true)] }])
        world.upstream[0].streamScript = { [Messages.answer(to: $0, addresses: Self.forty)] }
        let reply = try #require(try world.ask(Messages.query("www.example", datagramSize: 1232)))
        #expect(reply.answers.count == 40 && !reply.isTruncated)
        #expect(world.upstream[0].streamQuestions.count == 1)
    }

    /// Who can take no more hears that it was cut, and asks over TCP itself.
    @Test func aCutAnswerForWhoCanTakeNoMore() throws {
        let world = try ResolverWorld([{ [Messages.answer(to: $0, addresses: [], truncated: true)] }])
        world.upstream[0].streamScript = { [Messages.answer(to: $0, addresses: Self.forty)] }
        #expect(try world.ask(Messages.query("www.example"))?.isTruncated == true)
        #expect(world.upstream[0].streamQuestions.isEmpty)
        let long = try ResolverWorld([{ [Messages.answer(to: $0, addresses: [], truncated: true)] }])
        long.upstream[0].streamScript = {
            [Messages.answer(to: $0, addresses: Self.forty + Self.forty)]
        }
        #expect(try long.ask(Messages.query("www.example", datagramSize: 1232))?.isTruncated == true)
        #expect(long.upstream[0].streamQuestions.count == 1)
    }

    @Test func aCutAnswerOfAServerWithoutTCP() throws {
        let world = try ResolverWorld([{ [Messages.answer(to: $0, addresses: [], truncated: true)] }])
        let reply = try #require(try world.ask(Messages.query("www.example", datagramSize: 1232)))
        #expect(reply.isTruncated && reply.code == 0)
    }

    // MARK: over TCP

    @Test func severalQuestionsOverOneConnection() throws {
        let world = try ResolverWorld()
        try world.network.register(.numbered(1, name: "db"))
        world.upstream[0].streamScript = { asked in
            [
                Messages.answer(to: asked, addresses: [[6, 6, 6, 6]], id: 7, question: "www.examplf"),
                Messages.answer(to: asked, addresses: Self.forty),
            ]
        }
        let socket = try world.connect()
        var bytes: [UInt8] = []
        for n in 0..<100 {
            let query = Messages.query(n % 10 == 0 ? "www.example" : "db", id: n)
            bytes += Messages.big(query.count) + query
        }
        // In pieces that end anywhere, and one end of the connection closed before the answers are there.
        for begin in stride(from: 0, to: bytes.count, by: 700) {
            _ = try InternetSocket.send(bytes[begin..<min(begin + 700, bytes.count)], over: socket.raw)
            world.resolver.serve()
        }
        try UnixSocket.shutDownWriting(socket.raw)
        let replies = try world.receive(101, over: socket).map { try ReadMessage($0) }
        #expect(replies.map(\.id).sorted() == Array(0..<100))
        #expect(replies.allSatisfy { $0.answers.count == ($0.id % 10 == 0 ? 40 : 1) })
        #expect(world.upstream[0].questions.isEmpty && world.upstream[0].streamQuestions.count == 10)
        #expect(world.resolver.nextDeadline == nil, "the connection is still there")
    }

    @Test func thousandsOfQuestionsInOneGo() throws {
        let world = try ResolverWorld()
        try world.network.register(.numbered(1, name: "db"))
        let socket = try world.connect()
        let query = Messages.query("db")
        let all = Array(repeatElement(Messages.big(query.count) + query, count: 3000).joined())
        var rest = all[...]
        _ = try world.run { () -> Bool? in
            rest = rest.dropFirst(try InternetSocket.send(rest, over: socket.raw))
            return rest.isEmpty ? true : nil
        }
        #expect(try world.receive(3000, over: socket, milliseconds: 20_000).count == 3000)
    }

    @Test func aConnectionThatReadsNothingIsClosed() throws {
        // 63 KB an answer: the kernel's room is full after a few hundred.
        let hosts = (0..<3900).map { n in
            ResolverConfiguration.Host(name: "many", address: .v4(IPv4Address(value: UInt32(n))))
        }
        let world = try ResolverWorld(hosts: hosts)
        let socket = try world.connect()
        let query = Messages.query("many")
        let asked = Messages.big(query.count) + query
        let isClosed: Bool? = world.run(milliseconds: 20_000) {
            (try? InternetSocket.send(asked[...], over: socket.raw)) == nil ? true : nil
        }
        #expect(isClosed == true)
        #expect(world.resolver.nextDeadline == nil)
    }

    @Test func moreConnectionsThanThereMayBe() throws {
        let world = try ResolverWorld()
        try world.network.register(.numbered(1, name: "db"))
        let sockets = try (0..<40).map { _ in try world.connect() }
        let query = Messages.query("db")
        // The newest is served; the oldest, that asked nothing, was closed for it.
        _ = try InternetSocket.send((Messages.big(query.count) + query)[...], over: sockets[39].raw)
        #expect(try world.receive(1, over: sockets[39]).count == 1)
        #expect(try InternetSocket.receive(from: sockets[0].raw) == [])
    }

    @Test func junkOverAConnection() throws {
        let world = try ResolverWorld()
        let socket = try world.connect()
        _ = try InternetSocket.send(
            [0, 3, 1, 2, 3, 0, 0, 0, 12] + [UInt8](repeating: 9, count: 12), over: socket.raw)
        let replies = try world.receive(1, over: socket)
        #expect(replies.count == 1 && replies[0][3] & 15 == 4, "a question of operation 1")
    }

    // MARK: bounds

    @Test func moreQuestionsThanMayWait() throws {
        let world = try ResolverWorld(patience: 60_000, [{ _ in [] }])
        var refused = 0
        for n in 0..<300 {
            try world.send(Messages.query("n\(n).example", id: n))
            world.resolver.serve()
            world.upstream[0].serve()
            while let reply = try InternetSocket.receive(from: world.client.raw) {
                #expect(try ReadMessage(reply).code == 2)
                refused += 1
            }
        }
        #expect(refused == 300 - 256)
        #expect(world.upstream[0].questions.count == 256)
        // Names of the network are answered all the same.
        try world.network.register(.numbered(1, name: "db"))
        #expect(try world.ask(Messages.query("db"))?.texts == ["10.9.0.1"])
    }

    @Test func malformedQuestionsGoNowhere() throws {
        let world = try ResolverWorld()
        #expect(try world.ask(Messages.query("www.example") + [0])?.code == 1)
        try world.send([1, 2, 3])
        #expect(try world.receive(milliseconds: 50) == nil)
        #expect(world.upstream[0].questions.isEmpty)
    }

    @Test func theHostsFile() {
        let host = HostResolver(
            parsing: """
                # a comment
                nameserver 192.0.2.1
                nameserver fe80::1%eth7
                nameserver nonsense
                nameserver
                domain old.example
                search corp.example  example.org
                options timeout:2 rotate
                options attempts:5
                sortlist 10.0.0.0
                """)
        #expect(host.servers == ["192.0.2.1", "fe80::1%eth7"])
        #expect(host.search == ["corp.example", "example.org"])
        #expect(host.number(ofOption: "attempts") == 5 && host.number(ofOption: "timeout") == 2)
        #expect(host.number(ofOption: "ndots") == nil)
        let upstream = host.upstream { $0 == "eth7" ? 4 : nil }
        #expect(upstream.map(\.scope) == [0, 4] && upstream.map(\.port) == [53, 53])
        #expect(host.upstream { _ in nil }.count == 1)
        #expect(
            host.containerFile()
                == "nameserver 127.0.0.11\nsearch corp.example example.org\n"
                + "options timeout:2 rotate attempts:5 ndots:0\n")
        #expect(
            HostResolver(servers: [], options: ["ndots:2"]).containerFile()
                == "nameserver 127.0.0.11\noptions ndots:2\n")
    }
}
