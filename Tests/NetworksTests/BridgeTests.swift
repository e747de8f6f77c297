import LinuxSystem
import Networks
import Testing

extension KernelTests {
    @Suite("A bridge network") struct BridgeTests {
        @Test(arguments: IPFamily.allCases) func containersReachEachOther(_ family: IPFamily) throws {
            let world = try World()
            let network = try World.network("tb-a")
            try world.start(network)
            let one = try world.add(2, to: network)
            let two = try world.add(3, to: network)
            let server = try Socket.listening(world, two.namespace, two.address(family), 80)
            #expect(try world.reaches(one.namespace, two.address(family), 80, server) == one.address(family))
        }

        @Test(arguments: IPFamily.allCases) func theOutsideSeesTheHostsAddress(_ family: IPFamily) throws {
            let world = try World()
            let network = try World.network("tb-a")
            try world.start(network)
            let one = try world.add(2, to: network)
            let (host, peer) =
                try family == .v4
                ? (ip("192.0.2.1"), ip("192.0.2.2")) : (ip("2001:db8:1::1"), ip("2001:db8:1::2"))
            let server = try Socket.listening(world, world.outside, peer, 80)
            #expect(try world.reaches(one.namespace, peer, 80, server) == host)
            let datagrams = try Socket.bound(world, world.outside, .udp, peer, 53)
            #expect(try world.reachesByUDP(one.namespace, peer, 53, datagrams) == host)
        }
    }
}
