import Failure
import LinuxSystem
import Networks
import Testing

extension KernelTests {
    @Suite("The host's side") struct HostTests {
        let world: World
        let network: BridgeNetwork

        init() throws {
            world = try World()
            network = try World.network("tb-a")
            try world.start(network)
        }

        private func links() throws -> [Link] {
            try world.inHost {
                var routes = try RouteSocket()
                return try routes.links()
            }
        }

        private func elements() throws -> Int {
            try world.inHost {
                var socket = try NftSocket()
                let inet = NftTable(.inet, World.names.table)
                let bridge = NftTable(.bridge, World.names.table)
                var count = 0
                for set in ["bridges", "internals", "same", "masquerade4", "masquerade6", "own4", "own6"] {
                    count += try socket.elements(of: set, in: inet).count
                }
                for set in ["macs", "senders4", "senders6"] {
                    count += try socket.elements(of: set, in: bridge).count
                }
                return count
            }
        }

        /// Else a neighbour's first packet over IPv6 would wait for a second.
        @Test func neighboursCanAskForAContainerAtOnce() throws {
            let network = try World.network("tb-a")
            try world.start(network)
            for number in 2...12 {
                let container = try world.add(UInt64(number), to: network)
                let groups = try world.inside(container.namespace) {
                    try World.read("/proc/thread-self/net/igmp6")
                }
                let group = "ff0200000000000000000001ff" + String(0x1000000 + number, radix: 16).dropFirst()
                #expect(groups.contains(group), "\(number): \(groups)")
            }
        }

        @Test func ensuringTwiceIsOnce() throws {
            var wide = network
            wide.mtu = 1400
            try world.onHost { host in
                try host.ensure(network)
                try host.ensure(wide)
            }
            let bridge = try #require(links().first { $0.name == "tb-a" })
            #expect(bridge.kind == "bridge" && bridge.isUp && bridge.mtu == 1400)
            let addresses = try world.inHost {
                var routes = try RouteSocket()
                return try routes.addresses(of: bridge.index).filter { !$0.address.isLinkLocal }
            }
            #expect(Set(addresses) == Set(network.gateways))
        }

        /// What somebody took away is there again.
        @Test func ensuringMends() throws {
            try world.inHost {
                var routes = try RouteSocket()
                try routes.remove(network.gateways[0], from: routes.index(of: "tb-a"))
                try routes.setUp("tb-a", false)
            }
            try world.onHost { try $0.ensure(network) }
            let one = try world.add(2, to: network)
            let listener = try Socket.listening(world, one.namespace, one.v4, 80)
            #expect(try world.reaches(world.host, one.v4, 80, listener) != nil)
        }

        @Test func aDeviceThatIsNoBridgeIsNamed() throws {
            let other = try World.network("uplink")
            let failure = #expect(throws: Failure.self) { try world.onHost { try $0.ensure(other) } }
            #expect(failure?.code == .conflict)
            #expect(failure?.message.contains("uplink") == true)
        }

        /// A network without a way out switches nothing on, one with IPv4 alone not IPv6's forwarding; and a host that gets its
        /// routes from routers keeps on listening.
        @Test func onlyWhatIsNeededIsSwitchedOn() throws {
            let fresh = SharedFileDescriptor(try NetworkNamespace.make())
            let conf = "/proc/sys/net"
            try world.inside(fresh) {
                var routes = try RouteSocket()
                try routes.addBridge("wan")
                try World.write("0", "\(conf)/ipv4/ip_forward")
                try World.write("0", "\(conf)/ipv6/conf/all/forwarding")
                try World.write("1", "\(conf)/ipv6/conf/wan/accept_ra")
                var host = try HostNetwork(World.names, proc: world.proc.raw)
                try host.ensure(World.network("tb-x", isInternal: true))
                #expect(try World.read("\(conf)/ipv4/ip_forward") == "0")
                try host.ensure(World.network("tb-y", ["10.99.0.1/24"]))
                #expect(try World.read("\(conf)/ipv4/ip_forward") == "1")
                #expect(try World.read("\(conf)/ipv6/conf/all/forwarding") == "0")
                #expect(try World.read("\(conf)/ipv6/conf/tb-y/disable_ipv6") == "1")
                try host.ensure(World.network("tb-z", ["10.98.0.1/24", "fd00:98::1/64"]))
                #expect(try World.read("\(conf)/ipv6/conf/all/forwarding") == "1")
                #expect(try World.read("\(conf)/ipv6/conf/wan/accept_ra") == "2")
                #expect(try World.read("\(conf)/ipv4/conf/all/route_localnet") == "0")
                #expect(try World.read("\(conf)/ipv4/conf/tb-z/route_localnet") == "0")
            }
        }

        @Test func theContainersSide() throws {
            let container = SharedFileDescriptor(try NetworkNamespace.make())
            var small = network
            small.mtu = 1380
            var endpoint = try World.endpoint(9, on: network, "lan0")
            endpoint.sysctls = [NetworkSysctl("ipv4/conf/lan0/log_martians", "1")]
            let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
            try world.onHost { try $0.attach(endpoint, to: small, namespace: copy) }
            try world.inside(container) {
                var routes = try RouteSocket()
                let found = try routes.link(named: "lan0")
                let link = try #require(found)
                #expect(link.isUp && link.kind == "veth" && link.mtu == 1380 && link.mac == endpoint.mac)
                let loopback = try routes.link(named: "lo")
                #expect(loopback?.isUp == true)
                let addresses = try routes.addresses(of: link.index).filter { !$0.address.isLinkLocal }
                #expect(Set(addresses) == Set(endpoint.addresses))
                let own = try routes.addresses(of: link.index).filter { $0.address.isLinkLocal }
                #expect(own.map(\.address) == [.v6(endpoint.mac.linkLocal)])
                let defaults = try routes.routes().filter { $0.destination.length == 0 }
                #expect(Set(defaults.compactMap(\.gateway)) == Set(endpoint.gateways))
                #expect(try World.read("/proc/sys/net/ipv4/conf/lan0/log_martians") == "1")
            }
            let port = try #require(links().first { $0.name == endpoint.port })
            #expect(port.isUp && port.mtu == 1380 && port.port?.isHairpin == true && port.master != nil)
            // Of IPv4 alone there is no IPv6 address.
            let four = try World.network("tb-4", ["10.44.0.1/24"])
            try world.onHost { host in
                try host.ensure(four)
                try host.attach(World.endpoint(2, on: four), to: four, namespace: copy)
            }
            let addresses = try world.inside(container) {
                var routes = try RouteSocket()
                return try routes.addresses(of: routes.index(of: "eth0"))
            }
            #expect(addresses.map(\.description) == ["10.44.0.2/24"])
        }

        /// A second network's interface, and gone again while the container lives.
        @Test func connectAndDisconnect() throws {
            let one = try world.add(2, to: network)
            let second = try World.network("tb-b", ["10.12.0.1/24"])
            var endpoint = try World.endpoint(7, on: second, "eth1")
            endpoint.gateways = []
            let copy = try FileDescriptor.open("/proc/self/fd/\(one.namespace.raw)")
            let before = try elements()
            try world.onHost { host in
                try host.ensure(second)
                try host.attach(endpoint, to: second, namespace: copy)
            }
            let listener = try Socket.listening(world, one.namespace, ip("10.12.0.7"), 80)
            #expect(try world.reaches(world.host, ip("10.12.0.7"), 80, listener) != nil)
            try world.onHost { host in
                try host.detach([endpoint], deletingPorts: true)
                try host.detach([endpoint], deletingPorts: true)
                try host.remove(second)
                try host.remove(second)
            }
            let names = try links().map(\.name)
            #expect(!names.contains(endpoint.port) && !names.contains("tb-b"))
            #expect(try elements() == before)
            #expect(try Socket.connected(world, world.outside, ip("192.0.2.1"), 9) == nil)
        }

        @Test func aFailedAttachLeavesNothing() throws {
            let container = SharedFileDescriptor(try NetworkNamespace.make())
            let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
            let elements = try elements()
            let links = try links().map(\.name)
            var endpoint = try World.endpoint(2, on: network)
            // The name is taken inside; then a setting that there is not; then a gateway that cannot be reached.
            endpoint.interface = "lo"
            #expect(throws: Failure.self) {
                try world.onHost { try $0.attach(endpoint, to: network, namespace: copy) }
            }
            endpoint.interface = "eth0"
            endpoint.sysctls = [NetworkSysctl("ipv4/conf/eth0/no_such_thing", "1")]
            #expect(throws: Failure.self) {
                try world.onHost { try $0.attach(endpoint, to: network, namespace: copy) }
            }
            endpoint.sysctls = []
            endpoint.gateways = [try ip("203.0.113.1")]
            let failure = #expect(throws: Failure.self) {
                try world.onHost { try $0.attach(endpoint, to: network, namespace: copy) }
            }
            // The kernel's own words.
            #expect(
                failure?.message
                    == "attach eth0 to bridge tb-a: add the route to 0.0.0.0/0 through 203.0.113.1: "
                    + "network is unreachable (Nexthop has invalid gateway)")
            #expect(try self.elements() == elements)
            #expect(try self.links().map(\.name) == links)
        }

        @Test func sysctlsStayBelowTheirDirectory() throws {
            let container = SharedFileDescriptor(try NetworkNamespace.make())
            let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
            var endpoint = try World.endpoint(2, on: network)
            endpoint.sysctls = [NetworkSysctl("../../../1/comm", "x")]
            #expect(throws: Failure.self) {
                try world.onHost { try $0.attach(endpoint, to: network, namespace: copy) }
            }
        }

        /// A kill between any two steps: each prefix of an attach and of a publish, then a sweep by one who knows nothing of
        /// them.
        @Test(arguments: 0..<4) func aSweepFindsWhatAKillLeft(_ steps: Int) throws {
            let known = try world.add(2, to: network)
            let before = try elements()
            let lost = try World.network("tb-lost", ["10.66.0.1/24"])
            let endpoint = try World.endpoint(2, on: lost)
            let container = SharedFileDescriptor(try NetworkNamespace.make())
            let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
            try world.onHost { host in
                try host.ensure(lost)
                if steps > 0 { try host.rules.add(lost, [endpoint]) }
                if steps > 1 { try host.attach(endpoint, to: lost, namespace: copy) }
                if steps > 2 {
                    try host.rules.publish([
                        PublishedPort(.tcp, hostPorts: 80...80, target: ip("10.66.0.2"), targetPort: 80)
                    ])
                }
            }
            let gone = try world.onHost { host in
                try host.rules.replaceAll(
                    HostRules.Contents(networks: [network], endpoints: [known.endpoint]))
                return try host.sweep(knownBridges: ["tb-a"], knownPorts: [known.endpoint.port])
            }
            #expect(gone.contains("tb-lost"))
            #expect(gone.contains(endpoint.port) == (steps > 1))
            #expect(try elements() == before)
            let exposed = try world.onHost { try $0.rules.exposedPorts() }
            #expect(exposed.isEmpty)
            let names = Set(try links().map(\.name))
            #expect(names.isSuperset(of: ["tb-a", known.endpoint.port, "uplink"]))
            #expect(!names.contains("tb-lost") && !names.contains(endpoint.port))
            let listener = try Socket.listening(world, known.namespace, known.v4, 80)
            #expect(try world.reaches(world.host, known.v4, 80, listener) != nil)
        }

        /// The same start once more, after one that was killed when its veth was made.
        @Test func aPortThatWasLeftIsReplaced() throws {
            let endpoint = try World.endpoint(2, on: network)
            let first = SharedFileDescriptor(try NetworkNamespace.make())
            try world.onHost { host in
                try host.rules.add(network, [endpoint])
                try host.routes.addVeth(
                    VethEnd(name: endpoint.port), peer: VethEnd(name: "eth0"), in: first.raw)
            }
            let again = try world.add(2, to: network)
            let listener = try Socket.listening(world, again.namespace, again.v4, 80)
            #expect(try world.reaches(world.host, again.v4, 80, listener) != nil)
        }

        /// The veth goes with its namespace: what remains are the endpoint's elements.
        @Test func aDetachNeedsNoInterface() throws {
            let before = try elements()
            do {
                let container = SharedFileDescriptor(try NetworkNamespace.make())
                let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
                try world.onHost {
                    try $0.attach(World.endpoint(5, on: network), to: network, namespace: copy)
                }
            }
            try world.onHost { try $0.detach([World.endpoint(5, on: network)]) }
            #expect(try elements() == before)
            var left = 100
            while try left > 0 && links().contains(where: { $0.kind == "veth" && $0.name.hasPrefix("tp-") }) {
                Process.sleep(microseconds: 20_000)
                left -= 1
            }
            #expect(left > 0)
        }

        /// The second host is what is outside: the parent's wire leads there.
        @Test func macvlan() throws {
            let container = SharedFileDescriptor(try NetworkNamespace.make())
            let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
            let endpoint = Endpoint(
                port: "", interface: "eth0", mac: MACAddress(value: 0x0242_0000_0077),
                addresses: [
                    try InterfaceAddress("192.0.2.77/24"), try InterfaceAddress("2001:db8:1::77/64"),
                ],
                gateways: [try ip("192.0.2.2")])
            try world.onHost { try $0.attachMacvlan(endpoint, parent: "uplink", namespace: copy) }
            for (address, peer) in [("192.0.2.2", "192.0.2.77"), ("2001:db8:1::2", "2001:db8:1::77")] {
                let listener = try Socket.listening(world, world.outside, ip(address), 80)
                var found: IPAddress?
                for _ in 0..<8 where found == nil {
                    found = try world.reaches(container, ip(address), 80, listener)
                }
                #expect(found?.description == peer)
            }
            let failure = #expect(throws: Failure.self) {
                try world.onHost { try $0.attachMacvlan(endpoint, parent: "nowhere", namespace: copy) }
            }
            #expect(failure?.message.contains("nowhere") == true)
        }

        @Test func theHostsSubnetsAreSeen() throws {
            let routes = try world.inHost {
                var routes = try RouteSocket()
                return try routes.routes()
            }
            let subnets = Set(routes.map(\.destination.description))
            #expect(
                subnets.isSuperset(of: ["10.11.0.0/24", "192.0.2.0/24", "fd00:11::/64", "2001:db8:1::/64"]))
        }

        /// The tables of another root of ctr's, or of a test, are not touched.
        @Test func twoRootsDoNotMeet() throws {
            let other = HostNames(table: "ctrother", bridgePrefix: "ob-", portPrefix: "op-")
            try world.inHost {
                var rules = try HostRules(other)
                try rules.replaceAll(HostRules.Contents(networks: [World.network("ob-a", ["10.77.0.1/24"])]))
                #expect(try rules.areIntact())
                try rules.removeAll()
                #expect(try !rules.areIntact())
                try rules.removeAll()
            }
            let areIntact = try world.onHost { try $0.rules.areIntact() }
            #expect(areIntact)
        }
    }
}
