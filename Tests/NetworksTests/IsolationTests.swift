import Failure
import LinuxSystem
import Networks
import Testing

extension KernelTests {
    @Suite("What must not be reached") struct IsolationTests {
        let world: World
        let first: BridgeNetwork
        let second: BridgeNetwork
        let closed: BridgeNetwork
        let one: Container
        let two: Container
        let inner: Container

        init() throws {
            world = try World()
            first = try World.network("tb-a")
            second = try World.network("tb-b", ["10.12.0.1/24", "fd00:12::1/64"])
            closed = try World.network("tb-c", ["10.13.0.1/24", "fd00:13::1/64"], isInternal: true)
            try world.start(first, second, closed)
            one = try world.add(2, to: first)
            two = try world.add(2, to: second)
            inner = try world.add(2, to: closed)
            // Someone in an internal network who makes himself a way out.
            for family in IPFamily.allCases { try openDoor(family) }
        }

        private func openDoor(_ family: IPFamily) throws {
            let gateway = try #require(closed.gateways.first { $0.address.family == family }?.address)
            try world.inside(inner.namespace) {
                var routes = try RouteSocket()
                let index = try routes.index(of: "eth0")
                try routes.add(.byDefault(through: gateway, index: index))
            }
        }

        private static let outer = [IPFamily.v4: "192.0.2.2", .v6: "2001:db8:1::2"]
        private static let host = [IPFamily.v4: "192.0.2.1", .v6: "2001:db8:1::1"]

        private func checkWalls(_ family: IPFamily) throws {
            let outer = try ip(#require(Self.outer[family]))
            let inOne = try Socket.listening(world, one.namespace, one.address(family), 80)
            let inTwo = try Socket.listening(world, two.namespace, two.address(family), 80)
            let inInner = try Socket.listening(world, inner.namespace, inner.address(family), 80)
            let outside = try Socket.listening(world, world.outside, outer, 80)
            // Between networks, both ways.
            #expect(try world.reaches(one.namespace, two.address(family), 80, inTwo) == nil)
            #expect(try world.reaches(two.namespace, one.address(family), 80, inOne) == nil)
            // Internal: in and out.
            #expect(try world.reaches(inner.namespace, outer, 80, outside) == nil)
            #expect(try world.reaches(inner.namespace, one.address(family), 80, inOne) == nil)
            #expect(try world.reaches(one.namespace, inner.address(family), 80, inInner) == nil)
            // From a neighbour of the host's who knows the way, past the published ports.
            #expect(try world.reaches(world.outside, one.address(family), 80, inOne) == nil)
            #expect(try world.reaches(world.outside, inner.address(family), 80, inInner) == nil)
            // What is open stays open.
            #expect(try world.reaches(one.namespace, outer, 80, outside) != nil)
            #expect(try world.reaches(world.host, one.address(family), 80, inOne) != nil)
        }

        private func letOutsideKnowTheWay() throws {
            try world.inside(world.outside) {
                var routes = try RouteSocket()
                let wire = try routes.index(of: "wire")
                for network in [first, second, closed] {
                    for gateway in network.gateways {
                        try routes.add(
                            RouteSocket.Route(
                                to: gateway.subnet, gateway: ip(#require(Self.host[gateway.address.family])),
                                index: wire))
                    }
                }
            }
        }

        @Test(arguments: IPFamily.allCases) func walls(_ family: IPFamily) throws {
            try letOutsideKnowTheWay()
            try checkWalls(family)
        }

        /// CVE-2025-54410: after a reload of the firewall the walls between networks were gone. The same attacks, while the
        /// rules are gone, and when they are back.
        @Test(arguments: [0, 1, 2]) func theWallsComeBackAfterAFlush(_ way: Int) throws {
            try letOutsideKnowTheWay()
            let contents = HostRules.Contents(
                networks: [first, second, closed], endpoints: [one.endpoint, two.endpoint, inner.endpoint])
            try world.inHost {
                var rules = try HostRules(World.names)
                #expect(try rules.areIntact())
                var socket = try NftSocket()
                let inet = NftTable(.inet, World.names.table)
                switch way {
                case 0: try socket.commit([inet.delete()])
                case 1: try socket.commit([inet.flush(chain: "forward")])
                default: try socket.commit([NftTable(.bridge, World.names.table).flush(chain: "prerouting")])
                }
                #expect(try !rules.areIntact())
            }
            if way < 2 {
                let inTwo = try Socket.listening(world, two.namespace, two.v4, 81)
                #expect(try world.reaches(one.namespace, two.v4, 81, inTwo) != nil)
            }
            try world.inHost {
                var rules = try HostRules(World.names)
                try rules.replaceAll(contents)
                #expect(try rules.areIntact())
            }
            try checkWalls(.v4)
        }

        /// CVE-2024-29018: an internal network's questions left by the host. Nothing of the host answers it, and it gets to no
        /// published port.
        @Test(arguments: IPFamily.allCases) func theHostIsClosedToInternalNetworks(_ family: IPFamily) throws
        {
            let gateway = try #require(closed.gateways.first { $0.address.family == family }?.address)
            let host = try ip(#require(Self.host[family]))
            let any = try ip(family == .v4 ? "0.0.0.0" : "::")
            let resolver = try Socket.bound(world, world.host, .udp, any, 53)
            let service = try Socket.listening(world, world.host, any, 22)
            let listener = try Socket.listening(world, one.namespace, one.address(family), 80)
            try world.onHost {
                try $0.rules.publish([
                    PublishedPort(.tcp, hostPorts: 8080...8080, target: one.address(family), targetPort: 80)
                ])
            }
            for address in [gateway, host] {
                #expect(try world.reachesByUDP(inner.namespace, address, 53, resolver) == nil)
                #expect(try world.reaches(inner.namespace, address, 22, service) == nil)
                #expect(try world.reaches(inner.namespace, address, 8080, listener) == nil)
            }
            // Those of another network do get there.
            #expect(try world.reaches(one.namespace, host, 22, service) != nil)
            // And the host gets in.
            let inside = try Socket.listening(world, inner.namespace, inner.address(family), 80)
            #expect(try world.reaches(world.host, inner.address(family), 80, inside) == gateway)
        }

        @Test(arguments: IPFamily.allCases) func nothingIsPublishedOfAnInternalNetwork(_ family: IPFamily)
            throws
        {
            let listener = try Socket.listening(world, inner.namespace, inner.address(family), 80)
            try world.onHost {
                try $0.rules.publish([
                    PublishedPort(.tcp, hostPorts: 8080...8080, target: inner.address(family), targetPort: 80)
                ])
            }
            #expect(try world.reaches(world.outside, ip(#require(Self.host[family])), 8080, listener) == nil)
        }

        @Test(arguments: IPFamily.allCases) func containersOfAnInternalNetworkReachEachOther(
            _ family: IPFamily
        )
            throws
        {
            let other = try world.add(3, to: closed)
            let listener = try Socket.listening(world, inner.namespace, inner.address(family), 80)
            var peer: IPAddress?
            for _ in 0..<8 where peer == nil {
                peer = try world.reaches(other.namespace, inner.address(family), 80, listener)
            }
            #expect(peer == other.address(family))
        }

        @Test func aFirewallThatDropsForwardedPacketsIsFound() throws {
            try world.inHost {
                var rules = try HostRules(World.names)
                #expect(try rules.foreignForwardDrops().isEmpty)
                let other = NftTable(.inet, "firewall")
                var socket = try NftSocket()
                var drop = other.add(chain: "FORWARD", "filter", .forward, priority: 0, comment: "x").body
                // NFTA_CHAIN_POLICY: NF_DROP.
                drop += [8, 0, 5, 0, 0, 0, 0, 0]
                try socket.commit([
                    other.add(), NetlinkRequest(10 << 8 | 3, flags: 0x400, drop, doing: "make a firewall"),
                ])
                let found = try rules.foreignForwardDrops()
                #expect(found.map(\.table) == ["firewall"] && found.map(\.name) == ["FORWARD"])
                #expect(found.map(\.familyName) == ["inet"])
            }
        }
    }
}
