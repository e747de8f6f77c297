package import Failure
internal import LinuxSystem
internal import NameService
internal import Networks

/// One published port before all containers of an alias. Who publishes it notes so in the run directory,
/// `networks/<network>/balance/<alias>/<id>`; who has the alias finds that note, and the port is led to all that answer to it
/// now. The port is there as long as one of those who published it runs.
extension Engine {
    private func balancePath(_ network: String, _ alias: String) -> String {
        // As it is asked for by DNS; a name that is none there has no containers.
        "\(runPath)/networks/\(network)/balance/\(DomainName(alias)?.hostName ?? "-")"
    }

    /// The network by which a container's ports are reached.
    private func portNetwork(of state: NetworkState) -> String? {
        state.endpoints.first { !$0.port.isEmpty && !$0.isInternal }?.network
    }

    /// After the names of a container are there: its balanced ports, and those of others that it is one behind.
    func balance(_ state: NetworkState, of id: String) throws(Failure) {
        if let network = portNetwork(of: state) {
            for alias in Set(state.ports.compactMap(\.balance?.alias)) {
                try during("note the balanced port of \(id.prefix(12))") { () throws(SystemError) in
                    let path = balancePath(network, alias)
                    try Directory.ensurePath(path)
                    _ = try FileDescriptor.open("\(path)/\(id)", [.writeOnly, .create])
                }
            }
        }
        try rebalance(state, of: id)
    }

    /// Names of the container are gone already; its own ports go, or lead to the others.
    func unbalance(_ state: NetworkState, of id: String) throws(Failure) {
        guard let network = portNetwork(of: state) else { return }
        for alias in Set(state.ports.compactMap(\.balance?.alias)) {
            try locked { () throws(Failure) in
                try? Directory.removeFile("\(balancePath(network, alias))/\(id)")
                let others = try publishers(network, alias)
                let remaining = balancedPorts(network, alias, others, [])
                let own = balancedPorts(network, alias, [state], [])
                try withHostNetwork { (host) throws(Failure) in
                    for port in own where !remaining.contains(where: { $0.isSamePlace(as: port) }) {
                        do throws(SystemError) { try host.rules.unbalance(port) } catch {
                            guard error.isMissing else { throw error.failure("close a balanced port") }
                        }
                    }
                }
                if others.isEmpty { try? Directory.removeEmpty(balancePath(network, alias)) }
            }
        }
        try rebalance(state, of: id)
    }

    /// A container became healthy or unhealthy, stops, pauses or goes on.
    package func rebalance(_ id: String) throws(Failure) {
        if let state = try networkState(of: id) { try rebalance(state, of: id) }
    }

    private func rebalance(_ state: NetworkState, of id: String) throws(Failure) {
        let name = try containerStore.record(of: id)?.name
        for endpoint in state.endpoints {
            let published = state.ports.compactMap(\.balance?.alias)
            let names = Set(endpoint.aliases + published + (name.map { [$0] } ?? []))
            for alias in names {
                guard (try? FileDescriptor.exists(balancePath(endpoint.network, alias))) ?? false else {
                    continue
                }
                try rebalance(endpoint.network, alias)
            }
        }
    }

    private func rebalance(_ network: String, _ alias: String) throws(Failure) {
        try locked { () throws(Failure) in
            let ports = balancedPorts(
                network, alias, try publishers(network, alias), try backends(network, alias))
            guard !ports.isEmpty else { return }
            try withRules { (host) throws(Failure) in
                for port in ports {
                    do throws(SystemError) { try host.rules.balance(port) } catch {
                        throw error.failure("balance port \(port.hostPort)")
                    }
                }
            }
        }
    }

    /// All of this root, for who writes all rules.
    func balancedPorts() throws(Failure) -> [BalancedPort] {
        var found: [BalancedPort] = []
        for network in try networkStore().list().networks.map(\.name) {
            let aliases =
                (try? Directory.names(in: try Directory.open("\(runPath)/networks/\(network)/balance"))) ?? []
            for alias in aliases {
                found += balancedPorts(
                    network, alias, try publishers(network, alias), try backends(network, alias))
            }
        }
        return found
    }

    private func locked(_ body: () throws(Failure) -> Void) throws(Failure) {
        let lock = try during("lock the balanced ports") { () throws(SystemError) in
            try Directory.ensurePath("\(runPath)/networks")
            return try FileLock("\(runPath)/networks/.balance", .exclusive)
        }
        defer { lock.letGo() }
        try body()
    }

    private func publishers(_ network: String, _ alias: String) throws(Failure) -> [NetworkState] {
        let ids = (try? Directory.names(in: try Directory.open(balancePath(network, alias)))) ?? []
        var states: [NetworkState] = []
        for id in ids.sorted() {
            if let state = try networkState(of: id) { states.append(state) }
        }
        return states
    }

    private func backends(_ network: String, _ alias: String) throws(Failure) -> [NamedEndpoint] {
        guard let name = DomainName(alias)?.hostName,
            let directory = try EndpointDirectory(existing: namesPath(of: network))
        else { return [] }
        return try directory.endpoints(named: name).filter(\.isAnswering).map(\.endpoint)
    }

    private func balancedPorts(
        _ network: String, _ alias: String, _ publishers: [NetworkState], _ backends: [NamedEndpoint]
    ) -> [BalancedPort] {
        var found: [BalancedPort] = []
        for state in publishers {
            for port in state.ports {
                guard let balance = port.balance, balance.alias == alias else { continue }
                for family in [IPFamily.v4, .v6] where port.hostAddress.map({ $0.family == family }) ?? true {
                    guard let gateway = state.publishedTarget(family)?.gateway else { continue }
                    for (offset, number) in port.hostPorts.enumerated() {
                        let inside = port.containerPort + UInt16(offset)
                        let way = BalancedPort(
                            port.transport, family, hostAddress: port.hostAddress, hostPort: number,
                            mode: BalancedPort.Mode(balance.mode),
                            backends: backends.flatMap { endpoint in
                                endpoint.addresses.filter { $0.family == family }.prefix(1).map {
                                    BalancedPort.Backend($0, port: inside, weight: UInt32(endpoint.weight))
                                }
                            }, gateway: gateway, owner: alias)
                        if !found.contains(where: { $0.isSamePlace(as: way) }) { found.append(way) }
                    }
                }
            }
        }
        return found
    }
}

extension BalancedPort {
    fileprivate func isSamePlace(as other: BalancedPort) -> Bool {
        transport == other.transport && family == other.family && hostAddress == other.hostAddress
            && hostPort == other.hostPort
    }
}

extension BalancedPort.Mode {
    fileprivate init(_ mode: Balance.Mode) {
        switch mode {
        case .random: self = .random
        case .roundRobin: self = .roundRobin
        case .sourceHash: self = .sourceHash
        }
    }
}
