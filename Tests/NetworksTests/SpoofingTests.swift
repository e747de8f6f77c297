import LinuxSystem
import Networks
import Testing

extension KernelTests {
    /// Each attack is tried with the rules and without: what never works anyway would prove nothing.
    @Suite("No container is taken for another") struct SpoofingTests {
        let world: World
        let network: BridgeNetwork
        let evil: Container
        let neighbour: Container
        let victim: Container

        init() throws {
            world = try World()
            network = try World.network("tb-a")
            try world.start(network)
            evil = try world.add(2, to: network)
            neighbour = try world.add(3, to: network)
            victim = try world.add(4, to: network)
        }

        private func dropGuard() throws {
            try world.inHost {
                var socket = try NftSocket()
                try socket.commit([NftTable(.bridge, World.names.table).delete()])
            }
        }

        @Test(arguments: IPFamily.allCases, [true, false]) func addresses(
            _ family: IPFamily, _ isGuarded: Bool
        )
            throws
        {
            if !isGuarded { try dropGuard() }
            let listener = try Socket.bound(world, victim.namespace, .udp, victim.address(family), 7)
            let own = evil.endpoint.mac
            let other = neighbour.endpoint.mac
            let gateway = try #require(network.gateways.first { $0.address.family == family }?.address)
            let tries: [(String, MACAddress, IPAddress, Bool)] = [
                ("honest", own, evil.address(family), true),
                ("address", own, neighbour.address(family), false),
                ("mac", other, evil.address(family), false),
                ("both", other, neighbour.address(family), false),
                ("gateway", own, gateway, false),
                ("stranger", own, try ip(family == .v4 ? "10.11.0.77" : "fd00:11::77"), false),
            ]
            for (name, mac, address, isHonest) in tries {
                try Frames.send(
                    Frames.datagram(mac, address, to: victim, port: 7, name), world, from: evil)
                let got = listener.received(wait: isHonest || !isGuarded ? 400 : 60)
                if isHonest || !isGuarded {
                    #expect(got?.text == name)
                } else {
                    #expect(got == nil, "\(name)")
                }
            }
        }

        /// What the victim takes the neighbour's MAC to be.
        private func known(_ address: IPAddress) throws -> MACAddress? {
            try world.inside(victim.namespace) {
                var socket = try NetlinkSocket()
                // RTM_GETNEIGH; struct ndmsg, NDA_DST, NDA_LLADDR.
                let answers = try socket.request(
                    30, [UInt8](repeating: 0, count: 12), doing: "list neighbours", dump: true)
                for answer in answers {
                    let attributes = NetlinkAttributes.parse(answer.body, from: 12)
                    if attributes[1] == address.bytes {
                        return attributes[2].flatMap { MACAddress(bytes: $0) }
                    }
                }
                return nil
            }
        }

        @Test(arguments: IPFamily.allCases, [true, false]) func neighbours(
            _ family: IPFamily, _ isGuarded: Bool
        )
            throws
        {
            let listener = try Socket.listening(world, neighbour.namespace, neighbour.address(family), 80)
            try world.inside(victim.namespace) {
                // The first answer would be kept for a second.
                try World.write("0", "/proc/sys/net/ipv4/neigh/eth0/locktime")
            }
            var isKnown = false
            for _ in 0..<8 where !isKnown {
                isKnown = try world.reaches(victim.namespace, neighbour.address(family), 80, listener) != nil
            }
            #expect(try known(neighbour.address(family)) == neighbour.endpoint.mac)
            if !isGuarded { try dropGuard() }
            let mac = evil.endpoint.mac
            let lie = neighbour.address(family)
            if family == .v4 {
                try Frames.send(Frames.arpReply(lie, isAt: mac, sentBy: mac, to: victim), world, from: evil)
                // The frame has the neighbour's MAC, as does half of the lie.
                if isGuarded {
                    try Frames.send(
                        Frames.arpReply(lie, isAt: mac, sentBy: neighbour.endpoint.mac, to: victim), world,
                        from: evil)
                }
            } else {
                try Frames.send(
                    Frames.neighbourAdvertisement(lie, isAt: mac, from: evil.v6, sentBy: mac, to: victim),
                    world,
                    from: evil)
                if isGuarded {
                    try Frames.send(
                        Frames.neighbourAdvertisement(lie, isAt: mac, from: lie, sentBy: mac, to: victim),
                        world,
                        from: evil)
                }
            }
            Process.sleep(microseconds: 50_000)
            #expect(try known(lie) == (isGuarded ? neighbour.endpoint.mac : mac))
        }

        @Test(arguments: [true, false]) func routers(_ isGuarded: Bool) throws {
            if !isGuarded { try dropGuard() }
            try world.inside(victim.namespace) {
                try World.write("1", "/proc/sys/net/ipv6/conf/eth0/accept_ra")
            }
            try Frames.send(Frames.routerAdvertisement(sentBy: evil.endpoint.mac), world, from: evil)
            Process.sleep(microseconds: 50_000)
            let routes = try world.inside(victim.namespace) {
                var socket = try RouteSocket()
                return try socket.routes()
            }
            let isFooled = routes.contains { $0.gateway == .v6(evil.endpoint.mac.linkLocal) }
            #expect(isFooled == !isGuarded)
        }

        /// How many more frames a container got while the frame was sent a hundred times; a few others come by themselves.
        private func received(_ frame: [UInt8], by container: Container) throws -> Int {
            let before = try world.framesReceived(by: container)
            for _ in 0..<100 { try Frames.send(frame, world, from: evil) }
            Process.sleep(microseconds: 20_000)
            return try world.framesReceived(by: container) - before
        }

        @Test func otherProtocolsDoNotPass() throws {
            let frame = Frames.ethernet(
                evil.endpoint.mac, victim.endpoint.mac, 0x88b5, [UInt8](repeating: 1, count: 50))
            #expect(try received(frame, by: victim) < 100)
            try dropGuard()
            #expect(try received(frame, by: victim) >= 100)
        }

        /// Ports are hairpins; a broadcast of its own must not come back to a container.
        @Test func broadcastsDoNotComeBack() throws {
            let question: [UInt8] =
                [0, 1, 8, 0, 6, 4, 0, 1] + evil.endpoint.mac.bytes + evil.v4.bytes + [
                    0, 0, 0, 0, 0, 0, 10, 11, 0, 99,
                ]
            let frame = Frames.ethernet(
                evil.endpoint.mac, MACAddress(value: 0xffff_ffff_ffff), 0x0806, question)
            #expect(try received(frame, by: evil) < 100)
            #expect(try received(frame, by: victim) >= 100)
            try dropGuard()
            #expect(try received(frame, by: evil) >= 100)
        }
    }
}

extension World {
    /// Frames that eth0 of a container has received.
    func framesReceived(by container: Container) throws -> Int {
        try inside(container.namespace) {
            let lines = String(
                decoding: try FileDescriptor.open("/proc/thread-self/net/dev").readAll(limit: 1 << 16),
                as: UTF8.self
            ).split(separator: "\n")
            let line = try #require(lines.first { $0.contains("eth0:") })
            return try #require(Int(line.split(separator: ":")[1].split(separator: " ")[1]))
        }
    }
}
