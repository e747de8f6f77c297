internal import ContainerMonitor
internal import EventJournal
package import Failure
internal import LinuxSystem
internal import NameService
internal import Networks
internal import Rootless

/// `network connect` and `disconnect`: of a container that runs at once, of another one from its next start on.
extension Engine {
    /// - Parameters:
    ///   - word: the container's name or id.
    ///   - network: its name or id; that of the attachment is passed over.
    package func connect(
        container word: String, network: String, attachment: NetworkAttachment
    ) throws(Failure) {
        let record = try container(word)
        let network = try self.network(network)
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        guard var changed = try containerStore.record(of: record.id) else { return }
        try checkHasOwnNetwork(changed)
        try check(attachment, on: network, besides: record.id)
        let store = try networkStore()
        var attachment = attachment
        guard network.driver == .bridge || network.driver == .macvlan else {
            throw Failure(
                .invalidArgument, "container \(record.name) cannot be connected to network \(network.name)",
                hint: "\"--network \(network.name)\" of run and create is the only way to it")
        }
        attachment.network = network.name
        if changed.settings.networking.attachments.contains(where: { $0.network == network.name }) {
            throw Failure(.conflict, "container \(record.name) is on network \(network.name) already")
        }
        let run = try runState(of: changed)
        let isRunning = run.map { $0.status == .running && $0.process.isAlive } ?? false
        if isRunning, let run {
            try connectNow(changed, attachment, network, run)
        } else if attachment.keepsAddress {
            _ = try assign(attachment, on: network, of: record.id, store)
        }
        changed.settings.networking.attachments.append(attachment)
        if changed.settings.network == "none" { changed.settings.network = network.name }
        try containerStore.update(changed)
        tellConnection("connect", changed, network)
    }

    private func checkHasOwnNetwork(_ record: ContainerRecord) throws(Failure) {
        let mode = record.settings.network
        guard mode == "host" || mode.hasPrefix("container:") || mode.hasPrefix("ns:") else { return }
        throw Failure(
            .conflict,
            "container \(record.name) has the network of \(mode): it cannot be connected to any other")
    }

    private func connectNow(
        _ record: ContainerRecord, _ attachment: NetworkAttachment, _ network: Network, _ run: RunState
    ) throws(Failure) {
        let id = record.id
        let former = try networkState(of: id) ?? NetworkState()
        let place = (0...).first { index in
            !former.endpoints.contains { $0.port == portName(of: id, index) || $0.interface == "eth\(index)" }
        }
        var prepared = PreparedNetworks()
        let store = try networkStore()
        try take(attachment, place ?? 0, of: record, store, &prepared)
        for endpoint in former.endpoints where !endpoint.isInternal {
            for gateway in endpoint.gateways { prepared.routers[gateway.family] = nil }
        }
        var state = former
        state.endpoints += prepared.state.endpoints
        do throws(Failure) {
            try write(state, of: id)
            let namespace = try openNetwork(of: record, run)
            try withRules { (host) throws(Failure) in
                if let bridge = network.bridge { try host.ensure(bridge) }
                try attach(prepared, 0, &host, namespace)
                // The way in may have opened only now.
                try publish(state, of: id, &host)
            }
            if state.keeper == nil { state = try openWayOut(state, of: id, process: run.process.pid) }
            try EndpointDirectory(path: namesPath(of: network.name)).register(
                names(of: record, state, state.endpoints.count - 1))
            try balance(state, of: id)
        } catch {
            try? write(former, of: id)
            try? store.release(id, on: network.name)
            throw error
        }
        try tellMonitor(record, run, state)
    }

    /// - Parameter force: also from a network that is gone.
    package func disconnect(_ container: String, from word: String, force: Bool) throws(Failure) {
        let record = try self.container(container)
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        guard var changed = try containerStore.record(of: record.id) else { return }
        let store = try networkStore()
        var name = word
        if try store.find(named: word) == nil, !force { name = try store.resolve(word).name }
        guard changed.settings.networking.attachments.contains(where: { $0.network == name }) else {
            throw Failure(.notFound, "container \(record.name) is not on network \(name)")
        }
        changed.settings.networking.attachments.removeAll { $0.network == name }
        if changed.settings.networking.attachments.isEmpty { changed.settings.network = "none" }
        if let run = try runState(of: changed), run.process.isAlive,
            let state = try networkState(of: record.id)
        {
            try disconnectNow(changed, name, state, run)
        }
        try store.release(record.id, on: name)
        try containerStore.update(changed)
        if let network = try store.find(named: name) { tellConnection("disconnect", changed, network) }
    }

    private func disconnectNow(
        _ record: ContainerRecord, _ name: String, _ former: NetworkState, _ run: RunState
    ) throws(Failure) {
        guard let index = former.endpoints.firstIndex(where: { $0.network == name }) else { return }
        var state = former
        let endpoint = state.endpoints.remove(at: index)
        try EndpointDirectory(existing: namesPath(of: name))?.unregister(record.id)
        try unbalance(former, of: record.id)
        let namespace = try openNetwork(of: record, run)
        let inside = namespace.raw
        try withRules { (host) throws(Failure) in
            let ways = former.publishedPorts(owner: record.id)
            do throws(SystemError) {
                if !ways.isEmpty { try host.rules.withdraw(ways) }
                if endpoint.port.isEmpty {
                    var there = try RouteSocket(inside: inside)
                    try there.delete(endpoint.interface)
                }
            } catch {
                throw error.failure("disconnect \(record.name) from \(name)")
            }
            if !endpoint.port.isEmpty { try host.detach([endpoint.rulesEndpoint], deletingPorts: true) }
            try write(state, of: record.id)
            try publish(state, of: record.id, &host)
            try route(state, inside, record)
        }
        state = try closeWayOut(state, of: record.id)
        try balance(state, of: record.id)
        try tellMonitor(record, run, state)
    }

    /// The default route went with its device: the next network that leads out has it.
    private func route(_ state: NetworkState, _ namespace: Int32, _ record: ContainerRecord) throws(Failure) {
        // An ordinary user's bridges lead nowhere else.
        guard RootlessSession.current == nil else { return }
        try during("route \(record.name)") { () throws(SystemError) in
            var there = try RouteSocket(inside: namespace)
            let present = try there.routes()
            for family in [IPFamily.v4, .v6] {
                let hasRoute = present.contains {
                    $0.destination.length == 0 && $0.destination.family == family
                }
                guard !hasRoute,
                    let next = state.endpoints.first(where: { endpoint in
                        !endpoint.isInternal && endpoint.gateways.contains { $0.family == family }
                    }), let gateway = next.gateways.first(where: { $0.family == family })
                else { continue }
                try there.add(.byDefault(through: gateway, index: try there.index(of: next.interface)))
            }
        }
    }

    private func openNetwork(of record: ContainerRecord, _ run: RunState) throws(Failure) -> FileDescriptor {
        try during("open the network of \(record.name)") { () throws(SystemError) in
            guard try run.process.open() != nil else {
                throw SystemError(call: "open", path: record.name, errno: Errno.noProcess)
            }
            return try FileDescriptor.open("/proc/\(run.process.pid)/ns/net")
        }
    }

    /// The resolver answers from the networks of now, and /etc/hosts has their addresses.
    private func tellMonitor(_ record: ContainerRecord, _ run: RunState, _ state: NetworkState)
        throws(Failure)
    {
        var networks: [Network] = []
        let store = try networkStore()
        for endpoint in state.endpoints {
            if let network = try store.find(named: endpoint.network) { networks.append(network) }
        }
        let directory = try containerStore.directory(of: record.id)
        try networkFiles(of: record, networks, state).write(
            in: directory.raw, owner: try record.settings.userNamespace.maps?.outside(uid: 0, gid: 0))
        let resolver = try resolver(of: record, networks)
        try during("tell the monitor of \(record.name)") { () throws(SystemError) in
            let directory = try Directory.open(runDirectory(of: record.id))
            try AtomicFile.write(
                resolver.record.bytes, to: ResolverFile.name, in: directory.raw, mode: 0o600, durable: false)
            if let monitor = try run.monitor.open() { try Process.signal(Signal.hangUp, to: monitor) }
        }
    }

    private func tellConnection(_ action: String, _ record: ContainerRecord, _ network: Network) {
        tell(.network, action, network.id, network.eventAttributes(of: record.id))
    }
}
