import Failure
import Foundation
import LinuxSystem
import NameService
import Networks
import Synchronization
import Testing

@Suite struct EndpointDirectoryTests {
    let temporary = TemporaryDirectory()

    private var directory: EndpointDirectory { get throws { try EndpointDirectory(path: temporary.path) } }

    private func ids(_ directory: EndpointDirectory, _ name: String) throws -> [String] {
        try directory.endpoints(named: name).filter(\.isAnswering).map(\.endpoint.name)
    }

    @Test func anEndpointIsFoundByEachOfItsNames() throws {
        let directory = try directory
        var endpoint = NamedEndpoint.numbered(
            1, name: "Web_1.x", aliases: ["WEB", "www.example"], both: true,
            ports: [.init(80, .tcp, published: 8080, service: "http"), .init(53, .udp)], weight: 7)
        endpoint.aliases += ["two..dots", "end.", "a b"]
        try directory.register(endpoint)
        for name in ["web_1.x", "web", "www.example", NamedEndpoint.id(1).prefix(12).description, "host-1"] {
            let found = try directory.endpoints(named: name)
            #expect(found.count == 1 && found[0].endpoint == endpoint && found[0].isAnswering, "\(name)")
        }
        #expect(temporary.names("names") == ["c0000001eeee", "host-1", "web", "web_1.x", "www.example"])
        for address in endpoint.addresses { #expect(try directory.endpoint(at: address) == endpoint) }
        #expect(try directory.endpoint(at: .v4(IPv4Address(value: 1))) == nil)
        #expect(try directory.endpoints(named: "nobody").isEmpty)
        #expect(try EndpointDirectory(existing: temporary.path + "/none") == nil)
    }

    @Test(arguments: ["", ".", "..", "../endpoints", "a/b", "/etc", String(repeating: "a", count: 300)])
    func namesThatLeadNowhere(_ name: String) throws {
        let directory = try directory
        try directory.register(.numbered(1))
        #expect(try directory.endpoints(named: name).isEmpty)
    }

    @Test func registeringAnewTakesWhatIsNoLongerSo() throws {
        let directory = try directory
        try directory.register(.numbered(1, name: "web", aliases: ["old"]))
        try directory.set(.unhealthy, true, of: NamedEndpoint.id(1))
        var moved = NamedEndpoint.numbered(1, name: "web", aliases: ["new"])
        moved.addresses = NamedEndpoint.numbered(2).addresses
        try directory.register(moved)
        #expect(try directory.endpoints(named: "old").isEmpty)
        #expect(try ids(directory, "new") == ["web"] && ids(directory, "web") == ["web"])
        #expect(try directory.endpoint(at: NamedEndpoint.numbered(1).addresses[0]) == nil)
        #expect(try directory.endpoint(at: moved.addresses[0]) == moved)
        try directory.unregister(NamedEndpoint.id(1))
        for part in ["endpoints", "names", "addresses", "away"] { #expect(temporary.names(part) == []) }
        try directory.unregister(NamedEndpoint.id(1))
    }

    @Test func anAddressThatAnotherHasNow() throws {
        let directory = try directory
        try directory.register(.numbered(1))
        var second = NamedEndpoint.numbered(2)
        second.addresses = NamedEndpoint.numbered(1).addresses
        try directory.register(second)
        try directory.unregister(NamedEndpoint.id(1))
        #expect(try directory.endpoint(at: second.addresses[0]) == second)
    }

    @Test func whatIsHeldAgainstOne() throws {
        let directory = try directory
        for n in 1...2 { try directory.register(.numbered(n, aliases: ["web"])) }
        let id = NamedEndpoint.id(1)
        try directory.set(.unhealthy, true, of: id)
        try directory.set(.stopping, true, of: id)
        #expect(try ids(directory, "web") == ["box-2"])
        // Healthy again, and still being stopped.
        try directory.set(.unhealthy, false, of: id)
        #expect(try ids(directory, "web") == ["box-2"])
        #expect(try directory.endpoints(named: "web").count == 2)
        try directory.set(.stopping, false, of: id)
        #expect(try ids(directory, "web") == ["box-1", "box-2"])
        try directory.set(.paused, true, of: NamedEndpoint.id(3))
        #expect(temporary.names("away") == [])
    }

    @Test func theSweepTakesTheDead() throws {
        let directory = try directory
        for n in 1...3 { try directory.register(.numbered(n, aliases: ["web"])) }
        try directory.set(.unhealthy, true, of: NamedEndpoint.id(2))
        // What killed processes leave: links without an endpoint, a write that was begun.
        let manager = FileManager.default
        let lost = NamedEndpoint.id(9)
        try manager.createDirectory(
            atPath: temporary.path + "/names/lost", withIntermediateDirectories: true)
        for link in ["names/lost/\(lost)", "names/web/\(lost)"] {
            try manager.createSymbolicLink(
                atPath: "\(temporary.path)/\(link)", withDestinationPath: "../../endpoints/\(lost)")
        }
        for link in ["addresses/10.9.0.9", "addresses/.10.9.0.9.123456"] {
            try manager.createSymbolicLink(
                atPath: "\(temporary.path)/\(link)", withDestinationPath: "../endpoints/\(lost)")
        }
        manager.createFile(atPath: "\(temporary.path)/endpoints/.\(lost).123456", contents: nil)
        manager.createFile(atPath: "\(temporary.path)/away/\(lost).stopping", contents: nil)
        #expect(try directory.endpoints(named: "lost").isEmpty)
        let removed = try directory.sweep { $0 != NamedEndpoint.id(2) }
        #expect(removed == [NamedEndpoint.id(2)])
        #expect(try ids(directory, "web") == ["box-1", "box-3"])
        #expect(temporary.names("endpoints") == [NamedEndpoint.id(1), NamedEndpoint.id(3)])
        #expect(temporary.names("addresses") == ["10.9.0.1", "10.9.0.3"])
        #expect(temporary.names("away") == [])
        #expect(temporary.names("names").contains("web") && !temporary.names("names").contains("lost"))
        try directory.sweep { _ in false }
        for part in ["endpoints", "names", "addresses", "away"] { #expect(temporary.names(part) == []) }
    }

    @Test func aDamagedEndpointIsToldAndCanBeRemoved() throws {
        let directory = try directory
        try directory.register(.numbered(1))
        try Data("nonsense".utf8).write(
            to: URL(fileURLWithPath: "\(temporary.path)/endpoints/\(NamedEndpoint.id(1))"))
        let failure = #expect(throws: Failure.self) { try directory.endpoints(named: "box-1") }
        #expect(failure?.code == .dataLoss)
        try directory.unregister(NamedEndpoint.id(1))
        #expect(try directory.endpoints(named: "box-1").isEmpty)
    }

    /// Names come and go in several threads, beside the sweep: whoever is registered is found by each name.
    @Test func manyAtOnce() throws {
        let directory = try directory
        let failures = Mutex<[String]>([])
        let threads = try (0..<8).map { worker in
            try Thread("names") {
                do {
                    for round in 0..<40 {
                        let n = worker * 100 + 1
                        try directory.register(.numbered(n, aliases: ["web", "round-\(round % 3)"]))
                        for name in ["web", "round-\(round % 3)", "box-\(n)"] {
                            let found = try directory.endpoints(named: name)
                            if !found.contains(where: { $0.endpoint.containerID == NamedEndpoint.id(n) }) {
                                failures.withLock { $0.append("\(name) of \(n) in round \(round)") }
                            }
                        }
                        if worker == 0 { try directory.sweep { _ in true } }
                        try directory.unregister(NamedEndpoint.id(n))
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        for part in ["endpoints", "names", "addresses"] { #expect(temporary.names(part) == []) }
    }

    @Test func fiveHundred() throws {
        let directory = try directory
        for n in 1...500 { try directory.register(.numbered(n, aliases: ["web"])) }
        #expect(try directory.endpoints(named: "web").count == 500)
        #expect(try ids(directory, "box-377") == ["box-377"])
        #expect(try directory.all().count == 500)
        for n in 1...500 { try directory.unregister(NamedEndpoint.id(n)) }
        for part in ["endpoints", "names", "addresses"] { #expect(temporary.names(part) == []) }
    }
}

#if DEBUG
    /// A process that is killed at each step leaves a directory that the next one goes on with.
    @Suite struct KilledEndpointTests {
        @Test(arguments: ["names.linked", "atomic.rename", "names.registered"])
        func killedWhileItRegisters(_ point: String) async throws {
            let temporary = TemporaryDirectory()
            let directory = try EndpointDirectory(path: temporary.path)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = temporary.path as String, point = point as String] in
                setenv("CTR_FAILPOINT", "\(point):kill", 1)
                try EndpointDirectory(path: path).register(.numbered(1, aliases: ["web"]))
            }
            // Whole or absent.
            let isThere = point == "names.registered"
            let endpoint = NamedEndpoint.numbered(1, aliases: ["web"])
            #expect(try directory.endpoints(named: "web").map(\.endpoint) == (isThere ? [endpoint] : []))
            #expect(try directory.endpoint(at: endpoint.addresses[0]) == (isThere ? endpoint : nil))
            try directory.register(endpoint)
            #expect(try directory.endpoints(named: "web").map(\.endpoint) == [endpoint])
            try directory.sweep { _ in false }
            for part in ["endpoints", "names", "addresses", "away"] { #expect(temporary.names(part) == []) }
        }

        @Test func killedWhileItUnregisters() async throws {
            let temporary = TemporaryDirectory()
            let directory = try EndpointDirectory(path: temporary.path)
            try directory.register(.numbered(1, aliases: ["web"]))
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = temporary.path as String] in
                setenv("CTR_FAILPOINT", "names.removed:kill", 1)
                try EndpointDirectory(path: path).unregister(NamedEndpoint.id(1))
            }
            #expect(try directory.endpoints(named: "web").isEmpty)
            #expect(try directory.endpoint(at: NamedEndpoint.numbered(1).addresses[0]) == nil)
            try directory.sweep { _ in true }
            for part in ["endpoints", "names", "addresses"] { #expect(temporary.names(part) == []) }
        }
    }
#endif
