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
        // Without an IPv6 address of its own, which a port of a bridge has no use for.
        try routes.netlink.requestAll([
            RouteSocket.port(endpoint.port, BridgePort(isHairpin: true), withoutIPv6: true)
        ])
        // An earlier owner of the address is forgotten, and IPv6 needs no question: the container would miss one that
        // comes within moments, and the next is a second later. The kernel has room for 1024 neighbours in all
        // namespaces together: one that it does not take is asked for.
        try? routes.netlink.requestAll(
            endpoint.addresses.map {
                RouteSocket.neighbour(
                    $0.address, is: endpoint.mac, on: bridge.index,
                    isNew: $0.address.family == .v6)
            })
        try configure(endpoint, namespace, router: bridge.mac)
        try routes.waitForCarrier(endpoint.port)
        try routes.waitForCarrier(network.bridge)
    }

    /// The container's side of an interface that is in its namespace, down.
    /// - Parameter router: the gateways' MAC where it is known: of a bridge that is new the first question for an IPv6
    ///   address would be lost, and repeated after a second.
    private borrowing func configure(_ endpoint: Endpoint, _ namespace: Int32, router: MACAddress?)
        throws(SystemError)
    {
        let name = endpoint.interface
        let hasSix = endpoint.addresses.contains { $0.address.family == .v6 }
        var settings = endpoint.sysctls
        if hasSix {
            // It takes routes from ctr alone. And it asks nobody whether its addresses are taken: the guard of the ports
            // sees to that, and with 500 ports each question is 500 frames.
            settings.append(NetworkSysctl("ipv6/conf/\(name)/accept_ra", "0"))
            settings.append(NetworkSysctl("ipv6/conf/\(name)/accept_dad", "0"))
        } else {
            settings.append(NetworkSysctl("ipv6/conf/\(name)/disable_ipv6", "1"))
        }
        var there = try NetworkNamespace.inside(namespace) { () throws(SystemError) in
            let socket = try RouteSocket()
            try set(settings)
            return socket
        }
        let index = try there.index(of: name)
        var requests = [RouteSocket.up("lo")]
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
                try configure(endpoint, inside, router: nil)
            } catch {
                if var there = try? RouteSocket(inside: inside) { try? there.delete(endpoint.interface) }
                throw error
            }
        }
    }
}
