internal import CommandTable
internal import ContainerMonitor
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import NameService
internal import Networks
internal import Rootless

/// What a start takes of its networks before there is a process: addresses, ports of the host, and the note of both in the
/// run directory, by which whoever comes after a kill gives them back.
extension Engine {
    /// nil where the container has no networks of its own. Under the container's lock; the run directory is there.
    ///
    /// - Parameter isRestart: the container's monitor goes on and keeps the ports that it has.
    func prepareNetworks(of record: ContainerRecord, isRestart: Bool) throws(Failure) -> PreparedNetworks? {
        let former = try networkState(of: record.id)
        let attachments = record.settings.networking.attachments
        if let former { try giveBack(former, of: record.id, isRestart: isRestart) }
        guard !attachments.isEmpty else { return nil }
        var prepared = PreparedNetworks()
        do throws(Failure) {
            let store = try networkStore()
            for (index, attachment) in attachments.enumerated() {
                try take(attachment, index, of: record, store, &prepared)
            }
            if isRestart, let former {
                prepared.state.ports = former.ports
            } else {
                try choosePorts(of: record, &prepared)
            }
            try checkWayOut(prepared.state)
            prepared.names = prepared.networks.indices.map { names(of: record, prepared.state, $0) }
            prepared.resolver = try resolver(of: record, prepared.networks)
            try write(prepared.state, of: record.id)
        } catch {
            // What was asked for stays the container's.
            for (network, attachment) in zip(prepared.networks, attachments) where !attachment.keepsAddress {
                try? networkStore().release(record.id, on: network.name)
            }
            throw error
        }
        return prepared
    }

    func take(
        _ attachment: NetworkAttachment, _ index: Int, of record: ContainerRecord, _ store: NetworkStore,
        _ prepared: inout PreparedNetworks
    ) throws(Failure) {
        let network = try network(of: attachment, store)
        let assignment = try assign(attachment, on: network, of: record.id, store)
        let gateways = network.subnets.compactMap(\.gateway)
        var addresses = assignment.addresses
        for address in attachment.linkLocal {
            addresses.append(InterfaceAddress(address, length: address.family == .v4 ? 16 : 64))
        }
        let endpoint = NetworkState.Endpoint(
            network: network.name, networkID: network.id,
            port: network.driver == .bridge ? portName(of: record.id, index) : "",
            interface: attachment.interface.isEmpty ? "eth\(index)" : attachment.interface,
            mac: assignment.mac, addresses: addresses, gateways: gateways, aliases: attachment.aliases,
            isInternal: network.isInternal)
        prepared.networks.append(network)
        prepared.state.endpoints.append(endpoint)
        // An ordinary user's bridges lead nowhere else.
        guard !network.isInternal, RootlessSession.current == nil else { return }
        for gateway in gateways where prepared.routers[gateway.family] == nil {
            prepared.routers[gateway.family] = index
        }
    }

    /// The default network is made when it is first needed.
    func network(of attachment: NetworkAttachment, _ store: NetworkStore) throws(Failure) -> Network {
        if attachment.network == NetworkStore.defaultName {
            return try store.ensureDefault(used: { () throws(Failure) in try usedPrefixes() })
        }
        guard let network = try store.find(named: attachment.network) else {
            throw Failure(
                .notFound, "network \(attachment.network) not found",
                hint: "\"ctr network create \(attachment.network)\" makes it")
        }
        return network
    }

    /// What the container has there already, if that is what is asked for.
    func assign(
        _ attachment: NetworkAttachment, on network: Network, of id: String, _ store: NetworkStore
    ) throws(Failure) -> AddressAssignment {
        let request = AddressRequest(
            containerID: id, wanted: attachment.addresses, mac: attachment.mac,
            isKept: attachment.keepsAddress)
        return try store.assign(request, on: network) { other, isKept in
            other == id || self.isAlive(other, isKept: isKept)
        }
    }

    /// At most 15 bytes; the same for each start.
    func portName(of id: String, _ index: Int) -> String {
        let prefix = hostNames.portPrefix
        let place = String(index, radix: 36)
        return prefix + id.prefix(15 - prefix.utf8.count - place.utf8.count) + place
    }

    /// Of a network's addresses: whether they still are somebody's. What was asked for stays the container's while that is
    /// there; the rest while it runs, or somebody starts it.
    func isAlive(_ id: String, isKept: Bool) -> Bool {
        if isKept { return (try? FileDescriptor.exists("containers/\(id)", in: root.descriptor.raw)) ?? true }
        guard (try? FileDescriptor.exists("containers/\(id)", in: root.descriptor.raw)) ?? true else {
            return isStep(id)
        }
        if let run = (try? RunState.read(runDirectory(of: id))) ?? nil, run.isAlive || run.monitor.isAlive {
            return true
        }
        guard let directory = try? containerStore.directory(of: id) else { return true }
        // Who starts a container holds its lock until its state tells of the process.
        do throws(SystemError) {
            guard let lock = try FileLock.attempt("lock", in: directory.raw, .shared) else { return true }
            _ = consume lock
            return false
        } catch {
            return true
        }
    }

    /// Of a build that goes on.
    func isStep(_ id: String) -> Bool {
        let path = "\(runDirectory(of: id))/\(StepNetworks.lockName)"
        guard (try? FileDescriptor.exists(path)) ?? false else { return false }
        do throws(SystemError) {
            guard let lock = try FileLock.attempt(path, .shared) else { return true }
            _ = consume lock
            return false
        } catch {
            return false
        }
    }

    /// - Parameter index: of the endpoint.
    func names(of record: ContainerRecord, _ state: NetworkState, _ index: Int) -> NamedEndpoint {
        let endpoint = state.endpoints[index]
        // An image may expose all there are; every question reads this.
        let most = 256
        var ports: [NamedEndpoint.Port] = []
        for exposed in record.settings.networking.exposed {
            for number in exposed.ports.prefix(most - ports.count) {
                ports.append(
                    NamedEndpoint.Port(number, NamedEndpoint.Port.TransportProtocol(exposed.transport)))
            }
        }
        for port in state.ports {
            for (offset, published) in port.hostPorts.prefix(most).enumerated() {
                let number = port.containerPort + UInt16(offset)
                let transport = NamedEndpoint.Port.TransportProtocol(port.transport)
                ports.removeAll { $0.number == number && $0.transport == transport }
                ports.append(NamedEndpoint.Port(number, transport, published: published))
            }
        }
        return NamedEndpoint(
            containerID: record.id, name: record.name, aliases: endpoint.aliases,
            hostname: record.settings.hostname,
            addresses: endpoint.addresses.map(\.address).filter { !$0.isLinkLocal },
            ports: Array(ports.suffix(most)), weight: record.balanceWeight)
    }

    func resolver(of record: ContainerRecord, _ networks: [Network]) throws(Failure) -> ResolverConfiguration
    {
        var hosts: [ResolverConfiguration.Host] = []
        for entry in record.settings.extraHosts {
            guard let (name, address) = try extraHost(entry, networks) else { continue }
            hosts.append(ResolverConfiguration.Host(name: name, address: address))
        }
        let host = try hostResolver(of: record.settings)
        let isClosed = networks.allSatisfy(\.isInternal)
        var configuration = ResolverConfiguration(
            networks: networks.map { network in
                ResolverConfiguration.Network(
                    name: network.name, path: namesPath(of: network.name),
                    subnets: network.subnets.map(\.prefix))
            },
            hosts: hosts,
            upstream: isClosed
                ? []
                : host.upstream { device in
                    // Who asks is the monitor, in the machine's network namespace.
                    var machine = try? RouteSocket()
                    return try? machine?.index(of: device)
                })
        if let seconds = host.number(ofOption: "timeout") { configuration.patience = Int64(seconds) * 1000 }
        if let attempts = host.number(ofOption: "attempts") {
            configuration.attempts = attempts * max(1, configuration.upstream.count)
        }
        return configuration
    }

    /// The host's resolv.conf with what the flags say.
    func hostResolver(of settings: ContainerSettings) throws(Failure) -> HostResolver {
        let bytes = try during("read /etc/resolv.conf") { () throws(SystemError) in
            try AtomicFile.read("/etc/resolv.conf", limit: 1 << 20)
        }
        var resolver = HostResolver(parsing: String(decoding: bytes ?? [], as: UTF8.self))
        let asked = settings.networking
        if !asked.dns.isEmpty { resolver.servers = asked.dns }
        // docker: a dot is no search domain.
        if !asked.dnsSearch.isEmpty { resolver.search = asked.dnsSearch.filter { $0 != "." } }
        if !asked.dnsOptions.isEmpty { resolver.options = asked.dnsOptions }
        return resolver
    }

    /// `NAME:ADDRESS` of `--add-host`; `host-gateway` is this host as the container's first network sees it.
    func extraHost(_ entry: String, _ networks: [Network]) throws(Failure) -> (
        name: String, address: IPAddress
    )? {
        guard let colon = entry.firstIndex(of: ":") else { return nil }
        let name = String(entry[..<colon])
        let word = String(entry[entry.index(after: colon)...])
        if word == ExtraHost.hostGateway {
            if networks.contains(where: { !$0.isInternal }), let machine = machineOfUser() {
                return (name, machine)
            }
            guard let gateway = networks.lazy.compactMap({ $0.subnets.first?.gateway }).first else {
                throw Failure(
                    .invalidArgument, "--add-host \(entry): no network of the container has a gateway",
                    hint: "give an address in its place")
            }
            return (name, gateway)
        }
        return IPAddress(word).map { (name, $0) }
    }
}

extension NamedEndpoint.Port.TransportProtocol {
    fileprivate init(_ transport: Transport) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        case .sctp: self = .sctp
        }
    }
}

extension ContainerRecord {
    /// The label by which one of several behind an alias gets more or less than the others.
    package static let weightLabel = "ctr.balance.weight"

    var balanceWeight: UInt16 {
        let label = settings.labels.last { $0.hasPrefix(ContainerRecord.weightLabel + "=") }
        return label.flatMap { UInt16($0.dropFirst(ContainerRecord.weightLabel.utf8.count + 1)) } ?? 1
    }
}
