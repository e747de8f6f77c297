package import Failure
package import LinuxSystem

extension HostNetwork {
    /// Joins a network namespace to a bridge: the rules first, so that nothing is sent that they do not cover, then a veth
    /// pair, then the container's end with its addresses and routes. lo is brought up too.
    ///
    /// The bridge must be there (`ensure`), and the tables (`HostRules.areIntact`, `replaceAll`). A port of the same name,
    /// of an attach that was killed, is replaced: the caller gives each endpoint a name of its own. After a failure nothing
    /// of the endpoint is left.
    /// - Parameter namespace: the container's, open; it is entered by this thread for a moment.
    package mutating func attach(
        _ endpoint: Endpoint, to network: BridgeNetwork, namespace: borrowing FileDescriptor
    ) throws(Failure) {
        precondition(endpoint.port.hasPrefix(names.portPrefix))
        let inside = namespace.raw
        try networking("attach \(endpoint.interface) to bridge \(network.bridge)") { () throws(SystemError) in
            guard let bridge = try routes.link(named: network.bridge) else {
                throw SystemError.noDevice(network.bridge)
            }
            try rules.add(network, [endpoint])
            do throws(SystemError) {
                try plug(endpoint, network, bridge, inside)
            } catch {
                try? routes.delete(endpoint.port)
                try? rules.remove([endpoint])
                throw error
            }
        }
    }

    private mutating func plug(
        _ endpoint: Endpoint, _ network: BridgeNetwork, _ bridge: Link, _ namespace: Int32
    ) throws(SystemError) {
        let veth = RouteSocket.veth(
            VethEnd(name: endpoint.port), peer: VethEnd(name: endpoint.interface, mac: endpoint.mac),
            in: namespace, bridge: bridge.index, mtu: network.mtu)
        do throws(SystemError) {
            try routes.netlink.requestAll([veth])
        } catch {
            guard error.isExists, try routes.link(named: endpoint.port) != nil else { throw error }
            try routes.delete(endpoint.port)
            try routes.netlink.requestAll([veth])
        }
        try routes.netlink.requestAll([
            RouteSocket.port(endpoint.port, BridgePort(isHairpin: true))
        ])
        // A port has no use for an address of its own. A host without IPv6 does not know what that is.
        try? routes.netlink.requestAll([RouteSocket.withoutOwnIPv6(endpoint.port)])
        var there = try configure(endpoint, namespace, router: bridge.mac)
        try routes.waitForCarrier(endpoint.port)
        try routes.waitForCarrier(network.bridge)
        // After the carrier: a bridge that is seen without one forgets its neighbours. An earlier owner of the address is
        // forgotten, and of IPv6 it is told who has it: the container would miss a question that comes within moments, and
        // the next is a second later. Where the kernel's table is full nothing is lost but that.
        try? routes.netlink.requestAll(
            endpoint.addresses.map {
                RouteSocket.neighbour(
                    $0.address, is: endpoint.mac, on: bridge.index, isNew: $0.address.family == .v6)
            })
        // The same for its neighbours, which ask by themselves.
        try? there.waitForNeighbourGroups(
            of: endpoint.addresses.map(\.address), on: try there.index(of: endpoint.interface))
    }

    /// The container's side of an interface that is in its namespace, down.
    /// - Parameter router: the gateways' MAC where it is known: of a bridge that is new the first question for an IPv6
    ///   address would be lost, and repeated after a second.
    /// - Returns: a socket of that namespace.
    @discardableResult
    private borrowing func configure(_ endpoint: Endpoint, _ namespace: Int32, router: MACAddress?)
        throws(SystemError) -> RouteSocket
    {
        let name = endpoint.interface
        // Files of /proc/sys/net are found among those of all namespaces: with 500 of them each costs more than all the
        // rest here. So the link-local address is given, instead of letting it be made and asked for; and routers are not
        // heard because the guard of the ports lets none speak.
        var there = try NetworkNamespace.inside(namespace) { () throws(SystemError) in
            let socket = try RouteSocket()
            try set(endpoint.sysctls)
            return socket
        }
        let index = try there.index(of: name)
        // A host without IPv6 does not know what this is.
        try? there.netlink.requestAll([RouteSocket.withoutOwnIPv6(name)])
        var requests = [RouteSocket.up("lo")]
        if endpoint.addresses.contains(where: { $0.address.family == .v6 }) {
            let own = InterfaceAddress(.v6(endpoint.mac.linkLocal), length: 64)
            requests.append(RouteSocket.address(own, of: index))
        }
        for address in endpoint.addresses { requests.append(RouteSocket.address(address, of: index)) }
        requests.append(RouteSocket.up(name))
        for gateway in endpoint.gateways {
            requests.append(RouteSocket.route(.byDefault(through: gateway, index: index)))
        }
        try there.netlink.requestAll(requests)
        if let router {
            try? there.netlink.requestAll(
                endpoint.gateways.filter { $0.family == .v6 }.map {
                    RouteSocket.neighbour($0, is: router, on: index, isNew: true)
                })
        }
        return there
    }

    /// The interface of a container's former run has the same MAC, and goes moments after that run, with its namespace.
    private borrowing func configureMacvlan(_ endpoint: Endpoint, _ namespace: Int32) throws(SystemError) {
        let deadline = monotonicNanoseconds() + 3_000_000_000
        while true {
            do throws(SystemError) {
                try configure(endpoint, namespace, router: nil)
                return
            } catch {
                guard error.errno == Errno.addressInUse, monotonicNanoseconds() < deadline else {
                    throw error
                }
                Process.sleep(microseconds: 5000)
            }
        }
    }

    /// The endpoints' rules go. Their interfaces go with their namespaces; with `deletingPorts` they go now, which takes
    /// a grace period of RCU each (about 30 ms): for a container that goes on without this network.
    package mutating func detach(_ endpoints: [Endpoint], deletingPorts: Bool = false) throws(Failure) {
        try networking("detach \(endpoints.map(\.port).joined(separator: ", "))") { () throws(SystemError) in
            if deletingPorts {
                for endpoint in endpoints {
                    do throws(SystemError) {
                        try routes.delete(endpoint.port)
                    } catch {
                        guard error.isNoDevice else { throw error }
                    }
                }
            }
            try rules.remove(endpoints)
        }
    }

    /// Gives a network namespace an interface of its own on a device of the host's: no rule of the host's is between it
    /// and that device's network. The host itself does not reach it, as macvlan is made.
    package mutating func attachMacvlan(
        _ endpoint: Endpoint, parent: String, mode: MacvlanMode = .bridge, mtu: UInt32? = nil,
        namespace: borrowing FileDescriptor
    ) throws(Failure) {
        let inside = namespace.raw
        try networking("attach \(endpoint.interface) to device \(parent)") { () throws(SystemError) in
            try routes.addMacvlan(
                endpoint.interface, of: parent, mode: mode, in: inside, mac: endpoint.mac, mtu: mtu)
            do throws(SystemError) {
                // Here others may be routers.
                var listening = endpoint
                listening.sysctls.append(NetworkSysctl("ipv6/conf/\(endpoint.interface)/accept_ra", "0"))
                try configureMacvlan(listening, inside)
            } catch {
                if var there = try? RouteSocket(inside: inside) { try? there.delete(endpoint.interface) }
                throw error
            }
        }
    }
}
