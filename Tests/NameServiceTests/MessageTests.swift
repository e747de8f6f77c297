import Foundation
import LinuxSystem
import Networks
import Testing

@testable import NameService

@Suite struct MessageTests {
    private func error(_ bytes: [UInt8]) -> MessageError? {
        do {
            _ = try Query(parsing: bytes)
            return nil
        } catch { return error }
    }

    @Test func aQuestionAsItIsSent() throws {
        // RFC 1035, section 4.1: id, RD, one question.
        let query = try Query(parsing: Messages.query("Web.Example", 28))
        #expect(query.id == 0x1234 && query.question.type == .aaaa && query.options == nil)
        #expect(query.question.name.hostName == "web.example")
        #expect(query.question.name.labels.map { String(decoding: $0, as: UTF8.self) } == ["Web", "Example"])
        #expect(query.datagramLimit == 512)
    }

    @Test(arguments: [(100, 512), (512, 512), (1232, 1232), (65_535, 65_507)])
    func theSizeOfEDNS(_ told: Int, _ taken: Int) throws {
        #expect(try Query(parsing: Messages.query("a", datagramSize: told)).datagramLimit == taken)
    }

    @Test func namesAreEqualWhateverTheirCase() throws {
        let name = try #require(DomainName("Web.example."))
        #expect(name == DomainName("wEB.Example"))
        #expect(name != DomainName("web.examplf") && name != DomainName("web"))
        // [ and { differ by the same bit as letters do, and are none.
        #expect(DomainName("a[") != DomainName("a{"))
    }

    @Test(arguments: [
        "a..b", ".a", String(repeating: "a", count: 64),
        Array(repeating: String(repeating: "a", count: 63), count: 4).joined(separator: "."),
    ])
    func namesThatNoMessageHas(_ text: String) { #expect(DomainName(text) == nil) }

    @Test func theLongestName() throws {
        // 63 + 63 + 63 + 61 and four lengths and the root: 255.
        let labels = [63, 63, 63, 61].map { String(repeating: "a", count: $0) }.joined(separator: ".")
        let name = try #require(DomainName(labels))
        #expect(name.wire.count == 255)
        #expect(try Query(parsing: Messages.query(labels)).question.name == name)
        #expect(DomainName(labels + "a") == nil)
        #expect(error(Messages.query(labels + "a")) == .malformed)
    }

    @Test func onlyHostNamesAreLookedFor() throws {
        #expect(DomainName("a b")?.hostName == nil)
        #expect(DomainName("a/b")?.hostName == nil)
        #expect(DomainName(checked: [2, 0x2e, 0x2e, 0]).hostName == nil)
        #expect(DomainName("")?.hostName == nil)
        #expect(DomainName("_http._tcp.Web-1")?.hostName == "_http._tcp.web-1")
    }

    @Test func compressionThatLeadsBackwards() throws {
        // Another record's name points to the question's.
        let opt: [UInt8] = [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]
        var bytes = Messages.query("web.example") + opt
        bytes[11] = 1
        #expect(error(bytes) == nil)
    }

    /// RFC 1035, section 4.1.4: to a prior occurrence.
    @Test(
        arguments: [[0xc0, 12], [0xc0, 13], [0xc0, 200], [0xc0, 0], [0xff, 0xff], [0xc0]] as [[UInt8]])
    func compressionInACircle(_ pointer: [UInt8]) {
        #expect(error(Array(Messages.query("x")[..<12]) + pointer + [0, 1, 0, 1]) == .malformed)
    }

    @Test func labelsThatGoOnAndOn() {
        // Within the message, and longer than a name may be.
        var bytes = Array(Messages.query("x")[..<12])
        bytes[11] = 2
        bytes[5] = 1
        bytes += [1, 0x61, 0, 0, 1, 0, 1]
        for _ in 0..<5 { bytes += [63] + [UInt8](repeating: 0x61, count: 63) }
        bytes += [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(error(bytes) == .malformed)
    }

    @Test func whatIsNoQuestion() {
        let query = Messages.query("web")
        #expect(error([]) == .unanswerable)
        #expect(error(Array(query[..<11])) == .unanswerable)
        var answer = query
        answer[2] |= 0x80
        #expect(error(answer) == .unanswerable)
        var update = query
        update[2] |= 5 << 3
        #expect(error(update) == .notAQuery)
        var two = query
        two[5] = 2
        #expect(error(two) == .malformed)
        var none = query
        none[5] = 0
        #expect(error(none) == .malformed)
        #expect(error(query + [0]) == .malformed)
        for count in 12..<query.count { #expect(error(Array(query[..<count])) == .malformed) }
    }

    @Test func ednsThatIsNotThatOfToday() {
        var version = Messages.query("web", datagramSize: 1232)
        version[version.count - 5] = 1
        #expect(error(version) == .badVersion)
        let twice =
            Messages.query("web", datagramSize: 1232) + [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0]
        var counted = twice
        counted[11] = 2
        #expect(error(counted) == .malformed)
        // Not the root's.
        var named = Messages.query("web") + [1, 0x61, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0]
        named[11] = 1
        #expect(error(named) == .malformed)
    }

    @Test func whatIsSaidToThem() throws {
        var update = Messages.query("web")
        update[2] |= 5 << 3
        let refused = try #require(Reply.refusing(update, .notAQuery))
        let reply = try ReadMessage(refused)
        #expect(reply.id == 0x1234 && reply.code == 4 && reply.question == nil)
        #expect(refused[2] & 0x78 == 5 << 3)
        #expect(Reply.refusing([1, 2, 3], .unanswerable) == nil)
        let version = try #require(
            Reply.refusing(Messages.query("web", datagramSize: 1232), .badVersion))
        let told = try ReadMessage(version)
        // RFC 6891, section 6.1.3: 16 is 1 in the OPT record's highest byte and 0 in the header.
        #expect(told.code == 0 && told.additional.first?.timeToLive == 1 << 24)
    }

    @Test func anAnswerKeepsTheCaseOfItsQuestion() throws {
        let query = try Query(parsing: Messages.query("WeB", datagramSize: 1232))
        var reply = Reply(.noError)
        reply.answers = [.address(.v4(IPv4Address(value: 0x0a00_0001)))]
        let bytes = reply.encoded(for: query, limit: 512)
        let read = try ReadMessage(bytes)
        #expect(
            read.texts == ["10.0.0.1"] && read.answers[0].name == "WeB" && read.answers[0].timeToLive == 0)
        #expect(read.isAuthoritative && read.recursionAvailable && !read.isTruncated && read.code == 0)
        #expect(read.additional.map(\.type) == [41])
    }

    @Test(arguments: [512, 1232])
    func whatDoesNotFitIsCut(_ limit: Int) throws {
        let query = try Query(parsing: Messages.query("web", datagramSize: limit == 512 ? nil : limit))
        var reply = Reply(.noError)
        reply.answers = (0..<200).map { .address(.v4(IPv4Address(value: $0))) }
        let bytes = reply.encoded(for: query, limit: query.datagramLimit)
        let read = try ReadMessage(bytes)
        #expect(bytes.count <= limit && bytes.count > limit - 16 && read.isTruncated)
        #expect(read.answers.count == (limit - 21 - (limit == 512 ? 0 : 11)) / 16)
        #expect(try ReadMessage(reply.encoded(for: query, limit: 65_535)).answers.count == 200)
    }

    @Test func additionalRecordsAreLeftOutWithoutAWord() throws {
        let query = try Query(parsing: Messages.query("_80._tcp.web", 33))
        var reply = Reply(.noError)
        let target = try #require(DomainName("web-1.backend"))
        reply.answers = [.service(priority: 0, weight: 1, port: 80, target: target)]
        reply.additional = (0..<100).map { (target, .address(.v4(IPv4Address(value: $0)))) }
        let read = try ReadMessage(reply.encoded(for: query, limit: 512))
        #expect(read.texts == ["0 1 80 web-1.backend"] && !read.isTruncated)
        #expect((1..<100).contains(read.additional.count))
    }

    /// Mutated bytes are read or refused, in time, and what is read is answered.
    @Test func mutatedQuestions() throws {
        var generator = SplitMix(state: 7)
        let seeds = [
            Messages.query("web"), Messages.query("_http._tcp.web.backend", 33, datagramSize: 4096),
            Messages.query("1.0.0.10.in-addr.arpa", 12, datagramSize: 512),
            Messages.query(Array(repeating: "abc", count: 60).joined(separator: ".")),
        ]
        var read = 0
        let begin = monotonicNanoseconds()
        for round in 0..<40_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...(round % 4) {
                switch UInt.random(in: 0..<5, using: &generator) {
                case 0:
                    bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                        in: 0...255, using: &generator)
                case 1: bytes[Int.random(in: bytes.indices, using: &generator)] = 0xc0
                case 2 where bytes.count > 2:
                    bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
                case 3:
                    bytes.insert(
                        .random(in: 0...255, using: &generator),
                        at: Int.random(in: 0...bytes.count, using: &generator))
                default: bytes += bytes.suffix(Int.random(in: 0...bytes.count, using: &generator))
                }
            }
            _ = UpstreamAnswer(parsing: bytes)
            do {
                let query = try Query(parsing: bytes)
                read += 1
                _ = query.question.name.hostName.flatMap(ReverseName.address)
                let reply = try ReadMessage(Reply(.nameError).encoded(for: query, limit: 512))
                #expect(reply.question == query.question)
            } catch let error as MessageError {
                if let refused = Reply.refusing(bytes, error) { _ = try ReadMessage(refused) }
            }
        }
        #expect(read > 1000 && read < 39_000)
        #expect(monotonicNanoseconds() - begin < 60_000_000_000)
    }

    @Test func pointersThatMultiplyAreReadInTime() {
        // 65,535 bytes of records whose names jump through as many pointers as they can.
        var bytes = Array(Messages.query("x")[..<12])
        (bytes[5], bytes[10], bytes[11]) = (1, 0x10, 0)
        bytes += [1, 0x61, 0, 0, 1, 0, 1]
        var last = 12
        while bytes.count < 65_500 {
            let at = bytes.count
            bytes += [0xc0 | UInt8(min(last, 0x3fff) >> 8), UInt8(min(last, 0x3fff) & 255)]
            bytes += [0, 16, 0, 1, 0, 0, 0, 0, 0, 0]
            if at < 0x3fff { last = at }
        }
        let begin = monotonicNanoseconds()
        _ = try? Query(parsing: bytes)
        #expect(monotonicNanoseconds() - begin < 2_000_000_000)
    }
}

/// Numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
