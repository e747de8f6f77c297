import Failure
import Foundation
import LinuxSystem
import Networks
import Synchronization
import Testing

@Suite struct StoreNetworkTests {
    let root: StoreRoot
    let store: NetworkStore

    init() throws {
        root = try StoreRoot()
        store = try root.store
    }

    private func prefix(_ text: String) -> IPPrefix {
        do { return try IPPrefix(text) } catch { fatalError("\(text) is no prefix") }
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @discardableResult
    private func create(
        _ name: String, _ subnets: [String] = [], wantsIPv6: Bool = false, used: [PrefixInUse] = []
    ) throws -> Network {
        try store.create(
            try NetworkSpecification(name: name, subnets: subnets.map(prefix), wantsIPv6: wantsIPv6),
            used: used)
    }

    @Test func aNetworkIsReadAsItWasMade() throws {
        let specification = try NetworkSpecification(
            name: "back.end-1", subnets: [prefix("fd12::/64"), prefix("10.1.2.0/24")],
            gateways: [try address("10.1.2.254")], ranges: [prefix("10.1.2.128/25")], isInternal: true,
            options: [.init("mtu", "1400"), .init("x", "a=b\nc")],
            labels: [.init("team", "x"), .init("e", "")])
        let made = try store.create(specification, used: [])
        #expect(try store.find(named: "back.end-1") == made)
        #expect(made.id.count == 64 && made.bridgeName == "ctr-" + made.id.prefix(11))
        #expect(
            made.subnets == [
                .init(
                    prefix: prefix("10.1.2.0/24"), gateway: try address("10.1.2.254"),
                    range: prefix("10.1.2.128/25")),
                .init(prefix: prefix("fd12::/64"), gateway: try address("fd12::1")),
            ])
        #expect(made.isInternal && made.hasIPv6 && made.option("x") == "a=b\nc" && made.label("e") == "")
        #expect(try store.resolve(String(made.id.prefix(5))) == made && store.resolve(made.id) == made)
        #expect(StoreRoot.failure { _ = try store.resolve("none-such") }?.code == .notFound)
        #expect(try store.list().networks == [made])
        #expect(try store.all().map(\.name) == ["back.end-1", "host", "none"])
        try store.remove("back.end-1") { _, _ in true }
        #expect(try store.find(named: "back.end-1") == nil)
        #expect(root.networks == [".lock"])
        #expect(StoreRoot.failure { try store.remove("back.end-1") { _, _ in true } }?.code == .notFound)
    }

    @Test(arguments: [
        "", ".a", "-a", "a/b", "a b", "..", "é", "a\n", String(repeating: "a", count: 129), "bridge", "host",
        "none", "default", String(repeating: "0123456789abcdef", count: 4), "container:x",
    ])
    func namesThatNoNetworkHas(_ name: String) throws {
        #expect(StoreRoot.failure { try create(name) }?.code == .invalidArgument)
        let removal = StoreRoot.failure { try store.remove(name) { _, _ in true } }
        #expect(removal?.code == (NetworkName.predefined.contains(name) ? .invalidArgument : .notFound))
    }

    @Test func theDefaultNetworkIsMadeOnce() throws {
        let network = try store.ensureDefault(used: { [] })
        #expect(network.name == "bridge" && network.bridgeName == "ctr0")
        #expect(network.subnets.map(\.prefix) == [prefix("10.208.0.0/20")])
        #expect(network.subnets[0].gateway == (try address("10.208.0.1")))
        #expect(
            try store.ensureDefault(used: {
                Issue.record("asked again"); return []
            }) == network)
        #expect(StoreRoot.failure { try store.remove("bridge") { _, _ in true } }?.code == .invalidArgument)
        #expect(try store.resolve("host").driver == .host && store.resolve("none").driver == .none)
        let taken = StoreRoot.failure {
            _ = try store.create(
                try NetworkSpecification(
                    name: "a", options: [.init("com.docker.network.bridge.name", "ctr0")]),
                used: [])
        }
        #expect(taken?.code == .conflict && taken?.message.contains("network bridge") == true)
    }

    @Test func subnetsThatAreInUseAreNotChosen() throws {
        let used = [
            PrefixInUse(prefix("10.208.0.0/14"), owner: "the route of tun0"),
            PrefixInUse(prefix("0.0.0.0/0"), owner: "the route of eth0"),
            PrefixInUse(prefix("10.212.16.9/32"), owner: "the route of tun1"),
        ]
        #expect(try create("a", used: used).subnets[0].prefix == prefix("10.212.0.0/20"))
        #expect(try create("b", used: used).subnets[0].prefix == prefix("10.212.32.0/20"))
        // The first pool is full: the second.
        let all = [PrefixInUse(prefix("10.208.0.0/12"), owner: "x")]
        #expect(try create("c", used: all).subnets[0].prefix == prefix("10.192.0.0/24"))
        let none = StoreRoot.failure {
            try create("d", used: [PrefixInUse(prefix("10.0.0.0/8"), owner: "the route of vpn0")])
        }
        #expect(
            none?.code == .resourceExhausted
                && none?.message.contains("10.0.0.0/8, the route of vpn0") == true)
        let pool = try SubnetPool(prefix("192.168.4.0/22"), length: 24)
        let own = try store.create(
            try NetworkSpecification(name: "e"),
            used: [PrefixInUse(prefix("192.168.4.0/25"), owner: "x")], pools: [pool])
        #expect(own.subnets[0].prefix == prefix("192.168.5.0/24"))
        #expect(
            StoreRoot.failure { _ = try SubnetPool(prefix("10.0.0.0/8"), length: 31) }?.code
                == .invalidArgument)
        #expect(
            StoreRoot.failure { _ = try SubnetPool(prefix("10.0.0.0/8"), length: 7) }?.code
                == .invalidArgument)
    }

    @Test func aClashIsToldByName() throws {
        try create("first", ["10.1.0.0/16"])
        let own = StoreRoot.failure { try create("second", ["10.1.2.0/24"]) }
        #expect(own?.code == .conflict)
        #expect(own?.message == "subnet 10.1.2.0/24 overlaps with 10.1.0.0/16, network first")
        let route = StoreRoot.failure {
            try create(
                "second", ["172.16.0.0/12"],
                used: [PrefixInUse(prefix("172.20.1.0/24"), owner: "the route of tun0")])
        }
        #expect(route?.message == "subnet 172.16.0.0/12 overlaps with 172.20.1.0/24, the route of tun0")
        #expect(StoreRoot.failure { try create("first") }?.code == .alreadyExists)
        #expect(try store.list().networks.map(\.name) == ["first"])
    }

    @Test func bothFamilies() throws {
        let network = try create("six", wantsIPv6: true)
        #expect(network.subnets.count == 2 && network.subnets[1].prefix.length == 64)
        #expect(prefix("fd00::/8").contains(network.subnets[1].prefix))
        let only = try create("only", ["fd12::/64"])
        #expect(only.subnets.count == 1)
        #expect(try create("other", wantsIPv6: true).subnets[1] != network.subnets[1])
    }

    @Test func whatNoNetworkCanBe() throws {
        let wrong: [(String, () throws -> NetworkSpecification)] = [
            (
                "is in no subnet",
                {
                    try NetworkSpecification(
                        name: "a", subnets: [prefix("10.1.0.0/24")], gateways: [try address("10.2.0.1")])
                }
            ),
            (
                "is in no subnet",
                {
                    try NetworkSpecification(
                        name: "a", subnets: [prefix("10.1.0.0/24")], ranges: [prefix("10.1.0.0/16")])
                }
            ),
            ("is in no subnet", { try NetworkSpecification(name: "a", gateways: [try address("10.2.0.1")]) }),
            (
                "no address of a host",
                {
                    try NetworkSpecification(
                        name: "a", subnets: [prefix("10.1.0.0/24")], gateways: [try address("10.1.0.255")])
                }
            ),
            (
                "two gateways",
                {
                    try NetworkSpecification(
                        name: "a", subnets: [prefix("10.1.0.0/24")],
                        gateways: [try address("10.1.0.1"), try address("10.1.0.2")])
                }
            ),
            (
                "two subnets",
                {
                    try NetworkSpecification(
                        name: "a", subnets: [prefix("10.1.0.0/24"), prefix("10.2.0.0/24")])
                }
            ),
            (
                "cannot be the subnet",
                { try NetworkSpecification(name: "a", subnets: [prefix("10.1.0.0/31")]) }
            ),
            (
                "cannot be the subnet",
                { try NetworkSpecification(name: "a", subnets: [prefix("127.0.0.0/8")]) }
            ),
            ("cannot be the subnet", { try NetworkSpecification(name: "a", subnets: [prefix("0.0.0.0/0")]) }),
            (
                "cannot be the subnet",
                { try NetworkSpecification(name: "a", subnets: [prefix("224.0.0.0/24")]) }
            ),
            ("is there already", { try NetworkSpecification(name: "a", driver: .host) }),
            (
                "name of a bridge",
                {
                    try NetworkSpecification(
                        name: "a",
                        options: [.init("com.docker.network.bridge.name", "a-name-too-long-for-it")])
                }
            ),
        ]
        for (words, make) in wrong {
            let failure = StoreRoot.failure { _ = try make() }
            #expect(failure?.message.contains(words) == true, "\(words): \(String(describing: failure))")
        }
    }

    @Test func aDamagedRecordHidesNoOther() throws {
        try create("good")
        try create("bad")
        try Data("ctr-network 1\nname bad\n".utf8).write(
            to: URL(fileURLWithPath: root.path + "/networks/bad/record"))
        let list = try store.list()
        #expect(list.networks.map(\.name) == ["good"] && list.damaged == ["bad"])
        #expect(StoreRoot.failure { _ = try store.resolve("bad") }?.code == .dataLoss)
        try store.remove("bad") { _, _ in true }
        #expect(try store.list().damaged == [])
    }

    @Test func twentyAtOnceGetSubnetsOfTheirOwn() throws {
        let failures = Mutex<[String]>([])
        let threads = try (0..<20).map { n in
            try Thread("networks") { [path = root.path] in
                do {
                    let store = try StoreRoot.store(path)
                    _ = try store.create(try NetworkSpecification(name: "n\(n / 2)"), used: [])
                } catch let error as Failure where error.code == .alreadyExists {
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        let networks = try store.list().networks
        #expect(networks.count == 10 && Set(networks.flatMap(\.subnets).map(\.prefix)).count == 10)
        #expect(Set(networks.map(\.bridgeName)).count == 10)
    }
}

#if DEBUG
    @Suite struct StoreKilledTests {
        static func create(_ path: String) throws -> Network {
            try StoreRoot.store(path).create(try NetworkSpecification(name: "backend"), used: [])
        }

        @Test(arguments: ["network.rename", "atomic.rename"])
        func killedWhileANetworkIsMade(_ point: String) async throws {
            let root = try StoreRoot()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = root.path as String, point = point as String] in
                setenv("CTR_FAILPOINT", "\(point):kill", 1)
                _ = try StoreKilledTests.create(path)
            }
            #expect(try root.store.list().networks.isEmpty)
            _ = try StoreKilledTests.create(root.path)
            #expect(root.networks == [".lock", "backend"])
        }

        @Test func killedWhileANetworkIsRemoved() async throws {
            let root = try StoreRoot()
            _ = try StoreKilledTests.create(root.path)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = root.path as String] in
                setenv("CTR_FAILPOINT", "network.removed:kill", 1)
                try StoreRoot.store(path).remove("backend") { _, _ in true }
            }
            #expect(try root.store.list().networks.isEmpty)
            _ = try StoreKilledTests.create(root.path)
            #expect(root.networks == [".lock", "backend"])
        }

        @Test(arguments: ["address.taken", "atomic.rename"])
        func killedWhileAnAddressIsTaken(_ point: String) async throws {
            let root = try StoreRoot()
            let network = try StoreKilledTests.create(root.path)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = root.path as String, point = point as String] in
                setenv("CTR_FAILPOINT", "\(point):kill", 1)
                let store = try StoreRoot.store(path)
                _ = try store.assign(
                    AddressRequest(containerID: "dead"), on: try store.resolve("backend"),
                    isAlive: { _, _ in true })
            }
            let store = try root.store
            let isAlive: AddressOwner.Check = { id, _ in id != "dead" }
            let wanted = try #require(IPAddress("10.208.0.2"))
            // Nobody has to sweep before the address can be had again.
            let got = try store.assign(
                AddressRequest(containerID: "live", wanted: [wanted]), on: network, isAlive: isAlive)
            #expect(got.addresses.map(\.address) == [wanted])
            try store.sweepAddresses(of: "backend", isAlive: isAlive)
            #expect(root.names("backend/addresses") == ["10.208.0.2"])
            #expect(root.names("backend/holders") == ["live"])
            try store.release("live", on: "backend")
            for part in ["addresses", "macs", "holders"] { #expect(root.names("backend/\(part)") == []) }
        }

        @Test func killedWhileAnAddressIsReleased() async throws {
            let root = try StoreRoot()
            let network = try StoreKilledTests.create(root.path)
            _ = try root.store.assign(
                AddressRequest(containerID: "dead"), on: network, isAlive: { _, _ in true })
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = root.path as String] in
                setenv("CTR_FAILPOINT", "address.released:kill", 1)
                try StoreRoot.store(path).release("dead", on: "backend")
            }
            #expect(try root.store.assignment(of: "dead", on: "backend") == nil)
            try root.store.sweepAddresses(of: "backend") { _, _ in false }
            for part in ["addresses", "macs", "holders"] { #expect(root.names("backend/\(part)") == []) }
        }
    }
#endif
