internal import LinuxSystem
internal import NameService
internal import Networks
internal import Rootless

/// The networks of a start, before there is anything of them but addresses and ports that are taken.
struct PreparedNetworks: Sendable {
    var state = NetworkState()
    /// Of the endpoints, in their order.
    var networks: [Network] = []
    /// Which of the endpoints has the default route of a family.
    var routers: [IPFamily: Int] = [:]
    /// On the host's ports, for the monitor to keep.
    var sockets: [SharedFileDescriptor] = []
    var names: [NamedEndpoint] = []
    var resolver: ResolverConfiguration?

    func endpoint(_ index: Int) -> Endpoint {
        let own = state.endpoints[index]
        return Endpoint(
            port: own.port, interface: own.interface, mac: own.mac, addresses: own.addresses,
            gateways: own.gateways.filter { routers[$0.family] == index })
    }
}

extension NetworkState.Endpoint {
    /// As the rules know it.
    var rulesEndpoint: Endpoint {
        Endpoint(port: port, interface: interface, mac: mac, addresses: addresses, gateways: [])
    }
}

extension NetworkState {
    /// The ways from the host's ports to this container, by rules. Balanced ones are nobody's alone; an ordinary user's are
    /// the user-mode network's.
    ///
    /// - Parameter owner: what `HostRules.exposedPorts` tells of each.
    func publishedPorts(owner: String) -> [PublishedPort] {
        guard RootlessSession.current == nil else { return [] }
        var found: [PublishedPort] = []
        for port in ports where port.balance == nil {
            for family in [IPFamily.v4, .v6] where port.hostAddress.map({ $0.family == family }) ?? true {
                guard let (target, gateway) = publishedTarget(family) else { continue }
                found.append(
                    PublishedPort(
                        port.transport, hostAddress: port.hostAddress, hostPorts: port.hostPorts,
                        target: target,
                        targetPort: port.containerPort, gateway: gateway, owner: owner))
            }
        }
        return found
    }

    /// The first endpoint on a bridge that the world may come to.
    func publishedTarget(_ family: IPFamily) -> (target: IPAddress, gateway: IPAddress?)? {
        for endpoint in endpoints where !endpoint.port.isEmpty && !endpoint.isInternal {
            let routed = endpoint.addresses.first { $0.address.family == family && !$0.address.isLinkLocal }
            guard let address = routed else { continue }
            return (address.address, endpoint.gateways.first { $0.family == family })
        }
        return nil
    }
}
