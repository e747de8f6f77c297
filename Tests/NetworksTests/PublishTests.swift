import LinuxSystem
import Networks
import Testing

extension KernelTests {
    @Suite("Published ports") struct PublishTests {
        let world: World
        let network: BridgeNetwork
        let server: Container

        init() throws {
            world = try World()
            network = try World.network("tb-a")
            try world.start(network)
            server = try world.add(2, to: network)
        }

        static let host = [IPFamily.v4: "192.0.2.1", .v6: "2001:db8:1::1"]
        static let outer = [IPFamily.v4: "192.0.2.2", .v6: "2001:db8:1::2"]
        static let loopback = [IPFamily.v4: "127.0.0.1", .v6: "::1"]

        private func port(
            _ family: IPFamily, _ ports: ClosedRange<UInt16>, to target: UInt16,
            _ transport: Transport = .tcp,
            at host: String? = nil, of container: Container? = nil
        ) throws -> PublishedPort {
            PublishedPort(
                transport, hostAddress: try host.map { try ip($0) }, hostPorts: ports,
                target: (container ?? server).address(family), targetPort: target,
                gateway: network.gateways.first { $0.address.family == family }?.address, owner: "c0ffee")
        }

        private func publish(_ ports: PublishedPort...) throws {
            try world.onHost { try $0.rules.publish(ports) }
        }

        @Test(arguments: IPFamily.allCases) func theOutsideGetsInAndKeepsItsAddress(_ family: IPFamily) throws
        {
            let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
            let host = try ip(#require(Self.host[family]))
            #expect(try world.reaches(world.outside, host, 8080, listener) == nil)
            try publish(port(family, 8080...8080, to: 80))
            #expect(try world.reaches(world.outside, host, 8080, listener)?.description == Self.outer[family])
            #expect(try world.reaches(world.outside, host, 8081, listener) == nil)
            try world.onHost { try $0.rules.withdraw([port(family, 8080...8080, to: 80)]) }
            #expect(try world.reaches(world.outside, host, 8080, listener) == nil)
        }

        /// By each of its addresses; CVE-2021-20199 was a container that saw 127.0.0.1.
        @Test(arguments: IPFamily.allCases) func theHostItselfGetsIn(_ family: IPFamily) throws {
            let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
            try publish(port(family, 8080...8080, to: 80))
            let host = try ip(#require(Self.host[family]))
            #expect(try world.reaches(world.host, host, 8080, listener) == host)
            let gateway = try #require(network.gateways.first { $0.address.family == family }?.address)
            #expect(try world.reaches(world.host, gateway, 8080, listener) == gateway)
            let loopback = try ip(#require(Self.loopback[family]))
            #expect(try world.reaches(world.host, loopback, 8080, listener) == gateway)
        }

        @Test(arguments: IPFamily.allCases) func theHostsLoopbackGetsInByUDP(_ family: IPFamily) throws {
            let listener = try Socket.bound(world, server.namespace, .udp, server.address(family), 53)
            try publish(port(family, 5353...5353, to: 53, .udp))
            let gateway = try #require(network.gateways.first { $0.address.family == family }?.address)
            let loopback = try ip(#require(Self.loopback[family]))
            #expect(try world.reachesByUDP(world.host, loopback, 5353, listener) == gateway)
        }

        /// What is not published keeps working on the host's loopback.
        @Test(arguments: IPFamily.allCases) func theHostsOwnLoopbackIsLeftAlone(_ family: IPFamily) throws {
            try publish(port(family, 8080...8080, to: 80), port(family, 9000...9010, to: 9000))
            let loopback = try ip(#require(Self.loopback[family]))
            let own = try Socket.listening(world, world.host, loopback, 22)
            #expect(try world.reaches(world.host, loopback, 22, own) == loopback)
        }

        @Test(arguments: IPFamily.allCases) func onlyTheLoopbackWhenSaidSo(_ family: IPFamily) throws {
            let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
            try publish(port(family, 8080...8080, to: 80, at: Self.loopback[family]))
            let loopback = try ip(#require(Self.loopback[family]))
            #expect(try world.reaches(world.host, loopback, 8080, listener) != nil)
            #expect(try world.reaches(world.outside, ip(#require(Self.host[family])), 8080, listener) == nil)
            #expect(try world.reaches(world.host, ip(#require(Self.host[family])), 8080, listener) == nil)
        }

        /// As in CVE-2020-8558: a neighbour on the wire sends to 127.0.0.1, on a host where somebody opened that way.
        @Test func theLoopbackIsClosedToTheWire() throws {
            try publish(port(.v4, 8080...8080, to: 80, at: "127.0.0.1"))
            let listener = try Socket.listening(world, server.namespace, server.v4, 80)
            try world.inHost {
                try World.write("1", "/proc/sys/net/ipv4/conf/uplink/route_localnet")
            }
            try world.inside(world.outside) {
                var routes = try RouteSocket()
                try World.write("1", "/proc/sys/net/ipv4/conf/wire/route_localnet")
                let lo = try routes.index(of: "lo")
                try routes.remove(InterfaceAddress("127.0.0.1/8"), from: lo)
                try routes.add(
                    RouteSocket.Route(
                        to: IPPrefix("127.0.0.0/8"), gateway: ip("192.0.2.1"), index: routes.index(of: "wire")
                    ))
            }
            #expect(try world.reaches(world.outside, ip("127.0.0.1"), 8080, listener) == nil)
            // The same packet to a port that is published everywhere is stopped for its address alone.
            try publish(port(.v4, 8081...8081, to: 80))
            #expect(try world.reaches(world.outside, ip("127.0.0.1"), 8081, listener) == nil)
            #expect(try world.reaches(world.outside, ip("192.0.2.1"), 8081, listener) != nil)
        }

        @Test(arguments: IPFamily.allCases) func containersOfTheSameNetworkGetIn(_ family: IPFamily) throws {
            let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
            let other = try world.add(3, to: network)
            try publish(port(family, 8080...8080, to: 80))
            let gateway = try #require(network.gateways.first { $0.address.family == family }?.address)
            let host = try ip(#require(Self.host[family]))
            // The answer has to come back by the host, so the host is who asks.
            #expect(try world.reaches(other.namespace, host, 8080, listener) == gateway)
            #expect(try world.reaches(server.namespace, host, 8080, listener) == gateway)
            #expect(try world.reaches(server.namespace, gateway, 8080, listener) == gateway)
        }

        /// With bridged frames going through the rules or not: net.bridge.bridge-nf-call-iptables.
        @Test(arguments: ["0", "1"]) func bridgedFramesMayGoThroughTheRules(_ setting: String) throws {
            let other = try world.add(3, to: network)
            try world.inHost {
                for name in ["iptables", "ip6tables"] {
                    try World.write(setting, "/proc/sys/net/bridge/bridge-nf-call-\(name)")
                }
            }
            for family in IPFamily.allCases {
                let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
                try publish(port(family, 8080...8080, to: 80))
                let host = try ip(#require(Self.host[family]))
                #expect(
                    try world.reaches(other.namespace, server.address(family), 80, listener)
                        == other.address(family))
                #expect(try world.reaches(other.namespace, host, 8080, listener) != nil)
                #expect(try world.reaches(server.namespace, host, 8080, listener) != nil)
                #expect(
                    try world.reaches(world.outside, host, 8080, listener)?.description == Self.outer[family])
            }
        }

        @Test(arguments: IPFamily.allCases) func containersOfOtherNetworksGetInAndKeepTheirAddress(
            _ family: IPFamily
        )
            throws
        {
            let second = try World.network("tb-b", ["10.12.0.1/24", "fd00:12::1/64"])
            try world.onHost {
                try $0.ensure(second)
                try $0.rules.add(second)
            }
            let other = try world.add(2, to: second)
            let listener = try Socket.listening(world, server.namespace, server.address(family), 80)
            try publish(port(family, 8080...8080, to: 80))
            #expect(
                try world.reaches(other.namespace, ip(#require(Self.host[family])), 8080, listener)
                    == other.address(family))
        }

        @Test(arguments: IPFamily.allCases) func rangesLeadPortByPort(_ family: IPFamily) throws {
            let host = try ip(#require(Self.host[family]))
            try publish(port(family, 9000...9100, to: 9000), port(family, 7000...7002, to: 70))
            let straight = try Socket.listening(world, server.namespace, server.address(family), 9042)
            let shifted = try Socket.listening(world, server.namespace, server.address(family), 72)
            #expect(try world.reaches(world.outside, host, 9042, straight) != nil)
            #expect(try world.reaches(world.outside, host, 7002, shifted) != nil)
            let loopback = try ip(#require(Self.loopback[family]))
            #expect(try world.reaches(world.host, loopback, 9042, straight) != nil)
            #expect(try world.reaches(world.host, loopback, 7002, shifted) != nil)
            try world.onHost {
                try $0.rules.withdraw([
                    port(family, 9000...9100, to: 9000), port(family, 7000...7002, to: 70),
                ])
                #expect(try $0.rules.exposedPorts().isEmpty)
            }
            #expect(try world.reaches(world.outside, host, 9042, straight) == nil)
        }

        /// A sender that never pauses would stay with the old target for ever.
        @Test(arguments: IPFamily.allCases) func datagramsFollowAMappingThatMoves(_ family: IPFamily) throws {
            let second = try world.add(3, to: network)
            let old = try Socket.bound(world, server.namespace, .udp, server.address(family), 53)
            let new = try Socket.bound(world, second.namespace, .udp, second.address(family), 53)
            let client = try Socket.sending(world, world.outside, to: ip(#require(Self.host[family])), 53)
            client.send("before")
            #expect(old.received(wait: 100) == nil)
            try publish(port(family, 53...53, to: 53, .udp))
            client.send("one")
            #expect(old.received()?.text == "one")
            try publish(port(family, 53...53, to: 53, .udp, of: second))
            client.send("two")
            #expect(new.received()?.text == "two")
            #expect(old.received(wait: 0) == nil)
            try world.onHost { try $0.rules.withdraw([port(family, 53...53, to: 53, .udp, of: second)]) }
            client.send("three")
            #expect(new.received(wait: 200) == nil)
        }

        /// Answers to a container's own question to somebody's port 53 come, though the host's port 53 is published now.
        @Test(arguments: IPFamily.allCases) func flowsThatPassTheHostStay(_ family: IPFamily) throws {
            let resolver = try Socket.bound(world, world.outside, .udp, ip(#require(Self.outer[family])), 53)
            let client = try Socket.sending(world, server.namespace, to: ip(#require(Self.outer[family])), 53)
            client.send("question")
            let question = try #require(resolver.received())
            try publish(port(family, 53...53, to: 53, .udp))
            try world.onHost { try $0.rules.withdraw([port(family, 53...53, to: 53, .udp)]) }
            resolver.reply("answer", to: try #require(question.peer), question.port)
            #expect(client.received()?.text == "answer")
        }

        @Test func whatIsPublishedIsToldByTheKernel() throws {
            let ports = [
                try port(.v4, 8080...8080, to: 80),
                try port(.v6, 53...53, to: 5353, .udp, at: "2001:db8:1::1"),
                try port(.v4, 9000...9100, to: 9000), try port(.v4, 9200...9300, to: 9200, at: "192.0.2.1"),
            ]
            let exposed = try world.onHost { host in
                try host.rules.publish(ports)
                // Once more is no error.
                try host.rules.publish(ports)
                try host.rules.balance(
                    BalancedPort(
                        .tcp, .v4, hostPort: 443, mode: .random,
                        backends: [.init(ip("10.11.0.2"), port: 44), .init(ip("10.11.0.3"), port: 45)],
                        owner: "web"))
                return try host.rules.exposedPorts()
            }
            #expect(exposed.count == 5)
            for port in ports {
                let found = exposed.first {
                    $0.hostPorts == port.hostPorts && $0.transport == port.transport.rawValue
                }
                #expect(found?.hostAddress == port.hostAddress)
                #expect(found?.owner == "c0ffee")
                #expect(found?.targets.map(\.address) == [port.target])
                #expect(found?.targets.map(\.port) == [port.targetPort])
            }
            let balanced = try #require(exposed.first { $0.hostPorts == 443...443 })
            #expect(Set(balanced.targets.map(\.port)) == [44, 45])
            #expect(balanced.owner == "web")
        }

        // MARK: - Balanced

        private func counts(_ balanced: BalancedPort, _ tries: Int, from: [String] = []) throws -> [Int] {
            let family = balanced.family
            try world.onHost { try $0.rules.balance(balanced) }
            let listeners = try balanced.backends.map { backend in
                try Socket.listening(
                    world, try #require(world.containers.first { has($0, backend.address) }), backend.address,
                    backend.port)
            }
            var counts = [Int](repeating: 0, count: listeners.count)
            for _ in 0..<tries {
                // A first packet that is lost comes again after a second, to the same backend.
                let client = try Socket.connected(
                    world, world.outside, ip(#require(Self.host[family])), balanced.hostPort, wait: 4000)
                guard client != nil else { continue }
                // Who connects knows it before who accepts.
                var taken: Int?
                for _ in 0..<200 where taken == nil {
                    taken = listeners.indices.first { listeners[$0].accepted(wait: 10) != nil }
                }
                counts[try #require(taken)] += 1
            }
            return counts
        }

        private func has(_ container: SharedFileDescriptor, _ address: IPAddress) -> Bool {
            let found = try? world.inside(container) {
                var routes = try RouteSocket()
                return try routes.addresses().contains { $0.address.address == address }
            }
            return found == true
        }

        private func balanced(_ family: IPFamily, _ mode: BalancedPort.Mode, _ weights: [UInt32]) throws
            -> BalancedPort
        {
            var backends: [BalancedPort.Backend] = []
            for (i, weight) in weights.enumerated() {
                let container = try world.add(UInt64(10 + i), to: network)
                backends.append(.init(container.address(family), port: 80, weight: weight))
            }
            return BalancedPort(
                .tcp, family, hostPort: 8000, mode: mode, backends: backends,
                gateway: network.gateways.first { $0.address.family == family }?.address)
        }

        @Test(arguments: IPFamily.allCases) func roundRobinTakesTurnsByWeight(_ family: IPFamily) throws {
            #expect(try counts(balanced(family, .roundRobin, [1, 1, 2]), 40) == [10, 10, 20])
        }

        @Test func randomSpreads() throws {
            let counts = try counts(balanced(.v4, .random, [1, 1]), 60)
            #expect(counts.reduce(0, +) == 60)
            // One chance in ten million to be outside.
            #expect(counts.allSatisfy { $0 >= 9 })
        }

        @Test(arguments: IPFamily.allCases) func oneSenderStaysWithItsBackend(_ family: IPFamily) throws {
            let counts = try counts(balanced(family, .sourceHash, [1, 1, 1]), 12)
            #expect(counts.sorted() == [0, 0, 12])
        }

        @Test func backendsComeAndGo() throws {
            var port = try balanced(.v4, .roundRobin, [1, 1])
            let all = port.backends
            #expect(try counts(port, 10) == [5, 5])
            port.backends[1].weight = 0
            #expect(try counts(port, 10) == [10, 0])
            port.backends = [all[1]]
            #expect(try counts(port, 4) == [4])
            port.backends = []
            try world.onHost { try $0.rules.balance(port) }
            #expect(try Socket.connected(world, world.outside, ip("192.0.2.1"), 8000) == nil)
            port.backends = all
            #expect(try counts(port, 4) == [2, 2])
            try world.onHost { try $0.rules.unbalance(port) }
            try world.onHost { try $0.rules.unbalance(port) }
            #expect(try Socket.connected(world, world.outside, ip("192.0.2.1"), 8000) == nil)
        }

        @Test func theLoopbackIsBalancedToo() throws {
            let port = try balanced(.v4, .roundRobin, [1])
            try world.onHost { try $0.rules.balance(port) }
            let listener = try Socket.listening(world, world.containers[1], port.backends[0].address, 80)
            #expect(
                try world.reaches(world.host, ip("127.0.0.1"), 8000, listener)?.description == "10.11.0.1")
        }

        @Test func weightsBecomeSlots() throws {
            func slots(_ weights: [UInt32]) throws -> [Int] {
                var backends: [BalancedPort.Backend] = []
                for (i, weight) in weights.enumerated() {
                    backends.append(.init(.v4(IPv4Address(value: UInt32(i))), port: 1, weight: weight))
                }
                let port = BalancedPort(.tcp, .v4, hostPort: 1, mode: .random, backends: backends)
                return backends.map { one in port.slots.filter { $0.address == one.address }.count }
            }
            #expect(try slots([5, 10, 0]) == [1, 2, 0])
            #expect(try slots([]) == [])
            #expect(try slots([0, 0]) == [0, 0])
            let large = try slots([1, 4_000_000_000])
            #expect(large[0] == 1 && large[1] >= 250 && large[1] <= 256)
        }
    }
}
