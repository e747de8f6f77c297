internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import NameService
internal import Networks
internal import Rootless

extension Engine {
    /// Attaches a container that is being launched to its networks, over the launch socket: while its monitor and its first
    /// process do their part, the host's side is made ready; then the ends go into the namespace of that process.
    ///
    /// A failure is told to the monitor, which ends the process and tells everybody.
    func attachNetworks(_ prepared: PreparedNetworks, of record: ContainerRecord, over socket: Int32) {
        do throws(Failure) {
            try withHostNetwork { (host) throws(Failure) in
                for network in prepared.networks {
                    if let bridge = network.bridge { try host.ensure(bridge) }
                }
            }
            // Before the rules' lock: nobody is to wait for a container that does not come to this.
            let child = try during("start the monitor of \(record.name)") { () throws(SystemError) in
                try LaunchTalk.awaitChild(socket)
            }
            // It has failed before, and tells how.
            guard let child else { return }
            let namespace = try during("open the network of \(record.name)") { () throws(SystemError) in
                try FileDescriptor.open("/proc/\(child)/ns/net")
            }
            // What another container's end removed may keep its close waiting: not before the container goes on.
            let rules = try withRules { (host) throws(Failure) -> SharedFileDescriptor? in
                for index in prepared.networks.indices {
                    try attach(prepared, index, &host, namespace)
                }
                try publish(prepared.state, of: record.id, &host)
                failpoint("network.attached")
                return try? host.rules.keepingOpen()
            }
            try openWayOut(prepared.state, of: record.id, process: child)
            // A build's step has no names.
            for (network, names) in zip(prepared.networks, prepared.names) {
                try EndpointDirectory(path: namesPath(of: network.name)).register(names)
            }
            try balance(prepared.state, of: record.id)
            LaunchTalk.tell(.attached, to: socket)
            withExtendedLifetime(rules) {}
            if !prepared.names.isEmpty { tellNetworks("connect", prepared.state, record.id) }
        } catch {
            let hint = error.hint.map { "\n\($0)" } ?? ""
            LaunchTalk.tell(
                .failed(exitCode: 125, code: error.code.description, message: error.message + hint),
                to: socket)
        }
    }

    func attach(
        _ prepared: PreparedNetworks, _ index: Int, _ host: inout HostNetwork,
        _ namespace: borrowing FileDescriptor
    ) throws(Failure) {
        let network = prepared.networks[index]
        let endpoint = prepared.endpoint(index)
        if let bridge = network.bridge {
            return try host.attach(endpoint, to: bridge, namespace: namespace)
        }
        try host.attachMacvlan(
            endpoint, parent: network.option(NetworkOption.parent) ?? "",
            mode: NetworkOption.mode(network.option(NetworkOption.macvlanMode) ?? "") ?? .bridge,
            mtu: network.mtu,
            namespace: namespace)
    }

    func publish(_ state: NetworkState, of id: String, _ host: inout HostNetwork) throws(Failure) {
        let ports = state.publishedPorts(owner: id)
        guard !ports.isEmpty else { return }
        do throws(SystemError) { try host.rules.publish(ports) } catch {
            throw error.failure("publish ports")
        }
    }

    // MARK: - While it runs

    /// Its names leave the answers, or come back; and it is no longer, or again, one of several behind a port.
    func setAway(_ absence: EndpointDirectory.Absence, _ isAway: Bool, of id: String) throws(Failure) {
        guard let state = try networkState(of: id) else { return }
        for endpoint in state.endpoints {
            try EndpointDirectory(existing: namesPath(of: endpoint.network))?.set(absence, isAway, of: id)
        }
        try rebalance(id)
    }

    func renameOnNetworks(_ record: ContainerRecord) throws(Failure) {
        guard let state = try networkState(of: record.id) else { return }
        for (index, endpoint) in state.endpoints.enumerated() {
            try EndpointDirectory(existing: namesPath(of: endpoint.network))?.register(
                names(of: record, state, index), keepingAbsences: true)
        }
    }
}
