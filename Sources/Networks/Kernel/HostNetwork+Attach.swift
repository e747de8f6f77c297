package import Failure
package import LinuxSystem

extension HostNetwork {
    /// Joins a network namespace to a bridge: the rules first, so that nothing is sent that they do not cover, then a veth
    /// pair, then the container's end with its addresses and routes. lo is brought up too.
    ///
    /// The bridge must be there (`ensure`). After a failure nothing of the endpoint is left.
    /// - Parameter namespace: the container's, open; it is entered by this thread for a moment.
    package mutating func attach(
        _ endpoint: Endpoint, to network: BridgeNetwork, namespace: borrowing FileDescriptor
    ) throws(Failure) {
        precondition(endpoint.port.hasPrefix(names.portPrefix))
        let inside = namespace.raw
        try during("attach \(endpoint.interface) to bridge \(network.bridge)") { () throws(SystemError) in
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
        var here = [
            RouteSocket.veth(
                VethEnd(name: endpoint.port), peer: VethEnd(name: endpoint.interface, mac: endpoint.mac),
                in: namespace, bridge: bridge.index, mtu: network.mtu),
            // Without an IPv6 address of its own, which a port of a bridge has no use for.
            RouteSocket.port(endpoint.port, BridgePort(isHairpin: true), withoutIPv6: true),
            RouteSocket.up(endpoint.port),
        ]
        for address in endpoint.addresses {
            here.append(RouteSocket.neighbour(address.address, is: endpoint.mac, on: bridge.index))
        }
        try routes.netlink.requestAll(here)
        try configure(endpoint, namespace, router: bridge.mac)
        try routes.waitForCarrier(endpoint.port)
        try routes.waitForCarrier(network.bridge)
    }

    /// The container's side of an interface that is in its namespace, down.
    /// - Parameter router: the gateways' MAC where it is known. The first packet need not ask for it; of a bridge that is
    ///   new a question for an IPv6 address would be lost, and repeated after a second.
    private borrowing func configure(_ endpoint: Endpoint, _ namespace: Int32, router: MACAddress?)
        throws(SystemError)
    {
        let name = endpoint.interface
        let hasSix = endpoint.addresses.contains { $0.address.family == .v6 }
        var settings = endpoint.sysctls
        // Others may know its address with an earlier owner's MAC; and it takes routes from ctr alone.
        settings.append(NetworkSysctl("ipv4/conf/\(name)/arp_notify", "1"))
        if hasSix {
            settings.append(NetworkSysctl("ipv6/conf/\(name)/ndisc_notify", "1"))
            settings.append(NetworkSysctl("ipv6/conf/\(name)/accept_ra", "0"))
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
            if let router { requests.append(RouteSocket.neighbour(gateway, is: router, on: index)) }
            requests.append(RouteSocket.route(.byDefault(through: gateway, index: index)))
        }
        try there.netlink.requestAll(requests)
    }

    /// The endpoints' rules go. Their interfaces go with their namespaces; with `deletingPorts` they go now, which takes
    /// a grace period of RCU each (about 30 ms): for a container that goes on without this network.
    package mutating func detach(_ endpoints: [Endpoint], deletingPorts: Bool = false) throws(Failure) {
        try during("detach \(endpoints.map(\.port).joined(separator: ", "))") { () throws(SystemError) in
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
        try during("attach \(endpoint.interface) to device \(parent)") { () throws(SystemError) in
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
