internal import EventJournal
package import Failure
internal import LinuxSystem
package import Networks
internal import Rootless

/// A container's place on a network, as listings and `inspect` show it.
package struct NetworkMember: Sendable {
    package let container: ContainerRecord
    package let isRunning: Bool
    package let network: String
    /// nil where the container does not run, or has no address there.
    package let endpoint: NetworkState.Endpoint?
}

extension Engine {
    /// - Returns: its id.
    /// - Throws: `alreadyExists`; `conflict` with what a subnet overlaps with.
    package func createNetwork(_ request: NetworkCreation) throws(Failure) -> String {
        let specification = try request.specification()
        let store = try networkStore()
        if specification.driver == .macvlan { try checkParent(specification) }
        // The default network's subnet is nobody else's, whichever is made first.
        _ = try defaultNetwork(store)
        let network = try store.create(specification, used: try usedPrefixes())
        tell("create", network)
        return network.id
    }

    /// All of them, the predefined ones too, by name.
    package func networks() throws(Failure) -> [Network] {
        let store = try networkStore()
        _ = try defaultNetwork(store)
        return try store.all()
    }

    /// By its name, its id, or the beginning of an id. `notFound` where there is none.
    package func network(_ word: String) throws(Failure) -> Network {
        let store = try networkStore()
        let name = word == "default" ? NetworkStore.defaultName : word
        _ = try defaultNetwork(store)
        return try store.resolve(name)
    }

    /// Whoever is on a network, running or not, once for each of its networks; by the container's name.
    package func networkMembers() throws(Failure) -> [NetworkMember] {
        var members: [NetworkMember] = []
        for record in try containerStore.all() {
            let settings = record.settings
            var names = settings.networking.attachments.map(\.network)
            if names.isEmpty, settings.network == "host" || settings.network == "none" {
                names = [settings.network]
            }
            guard !names.isEmpty else { continue }
            let isRunning = try state(of: record).isRunning
            let endpoints = isRunning ? try networkState(of: record.id)?.endpoints ?? [] : []
            for name in names {
                members.append(
                    NetworkMember(
                        container: record, isRunning: isRunning, network: name,
                        endpoint: endpoints.first { $0.network == name }))
            }
        }
        return members.sorted { ($0.container.name, $0.network) < ($1.container.name, $1.network) }
    }

    /// Removes the network with its bridge and rules.
    ///
    /// - Returns: its name.
    /// - Throws: `conflict` with the containers that are on it, running or not.
    @discardableResult
    package func removeNetwork(_ word: String) throws(Failure) -> String {
        let network = try network(word)
        let users = try networkMembers().filter { $0.network == network.name }
        guard users.isEmpty || NetworkName.predefined.contains(network.name) else {
            let names = users.map { $0.isRunning ? "\($0.container.name) (running)" : $0.container.name }
            throw Failure(
                .conflict, "network \(network.name) is in use by \(names.joined(separator: ", "))",
                hint: "remove these containers, or take them off with \"ctr network disconnect\"")
        }
        let store = try networkStore()
        try store.remove(network.name) { (id, _) in (try? self.containerStore.record(of: id)) ?? nil != nil }
        tell("destroy", network)
        do throws(Failure) {
            try removeDevices(of: network)
        } catch {
            throw error.within("network \(network.name) is removed, but not all that the host has of it")
        }
        return network.name
    }

    /// Networks that nobody is on, without the predefined ones.
    package func prunableNetworks() throws(Failure) -> [Network] {
        let used = Set(try networkMembers().map(\.network))
        return try networks().filter {
            !used.contains($0.name) && !NetworkName.predefined.contains($0.name)
        }
    }

    /// One that a container is on by now stays.
    ///
    /// - Returns: the names of those that went.
    package func pruneNetworks(_ doomed: [Network]) throws(Failure) -> [String] {
        var gone: [String] = []
        for network in doomed {
            do throws(Failure) {
                gone.append(try removeNetwork(network.id))
            } catch {
                guard error.code == .conflict || error.code == .notFound else { throw error }
            }
        }
        return gone
    }

    /// What the host's rules let in at this moment, with the container's record where it is known whose it is.
    package func exposedPorts() throws(Failure) -> [(port: ExposedPort, container: ContainerRecord?)] {
        try mendRules()
        let ports = try RootlessSession.current == nil ? exposedByRules() : exposedByPrograms()
        let records = try containerStore.all()
        return ports.map { port in
            (port, records.first { port.owner.map($0.id.hasPrefix) ?? false })
        }
    }

    private func exposedByRules() throws(Failure) -> [ExposedPort] {
        try withHostNetwork { (host) throws(Failure) -> [ExposedPort] in
            do throws(SystemError) {
                return try host.rules.exposedPorts()
            } catch {
                // Before the first published port there is no table.
                guard error.isMissing else { throw error.failure("read the rules of published ports") }
                return []
            }
        }
    }

    /// The same each time for one container on one network: ctr has no use for such an id, programs that read docker's
    /// output have.
    package static func endpointID(container: String, networkID: String) -> String {
        (0..<4).map { hash("\($0) \(container) \(networkID)") }.joined()
    }

    private func defaultNetwork(_ store: NetworkStore) throws(Failure) -> Network {
        try store.ensureDefault(used: { () throws(Failure) in try self.usedPrefixes() })
    }

    private func tell(_ action: String, _ network: Network) {
        tell(
            .network, action, network.id,
            [Event.Attribute("name", network.name), Event.Attribute("type", network.driver.rawValue)])
    }

    private func checkParent(_ specification: NetworkSpecification) throws(Failure) {
        guard let name = specification.options.last(where: { $0.key == NetworkOption.parent })?.value else {
            return
        }
        let link = try during("find the device \(name)") { () throws(SystemError) in
            var socket = try RouteSocket()
            return try socket.link(named: name)
        }
        guard link != nil else {
            throw Failure(.notFound, "--opt parent=\(name): this host has no network device of that name")
        }
    }

    private func removeDevices(of network: Network) throws(Failure) {
        guard let bridge = network.bridge else { return }
        try withHostNetwork { (host) throws(Failure) in
            let prefix = host.names.portPrefix
            let hasOtherPorts = try during("look at bridge \(bridge.bridge)") { () throws(SystemError) in
                let links = try host.routes.links()
                guard let own = links.first(where: { $0.name == bridge.bridge }) else { return false }
                return own.kind != "bridge"
                    || links.contains { $0.master == own.index && !$0.name.hasPrefix(prefix) }
            }
            // A bridge that was the administrator's before, with the host's own devices on it, stays.
            guard hasOtherPorts else { return try host.remove(bridge) }
            do throws(SystemError) {
                try host.rules.remove(bridge)
            } catch {
                guard error.isMissing else { throw error.failure("remove the rules of \(bridge.bridge)") }
            }
        }
    }
}
