internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Networks
internal import Rootless

/// An ordinary user's containers: their bridges are in a network namespace of the user's own that leads nowhere, and each
/// has a user-mode network beside them. Root's need nothing of this.
extension Engine {
    private func needsWayOut(_ state: NetworkState) -> Bool {
        RootlessSession.current != nil && state.endpoints.contains { !$0.isInternal }
    }

    /// What cannot be is refused before there is a process.
    func checkWayOut(_ state: NetworkState) throws(Failure) {
        guard needsWayOut(state) else { return }
        let network = try UserModeNetwork.require()
        if let alias = state.ports.lazy.compactMap(\.balance?.alias).first {
            throw Failure(
                .unsupported, "balance \(alias): only root's containers share a port",
                hint: "names share the load too: several containers with one --network-alias answer in turn")
        }
        try network.refuse(Engine.ways(in: state))
    }

    /// In the machine's network namespace. The note of it is written: whoever gives the networks back ends it.
    @discardableResult
    func openWayOut(_ state: NetworkState, of id: String, process: Int32) throws(Failure) -> NetworkState {
        guard needsWayOut(state) else { return state }
        let network = try UserModeNetwork.require()
        let keeper = UserModeNetwork.Keeper(try Engine.monitorProgram())
        let (namespace, beside) = try during("open the network of \(id.prefix(12))") {
            () throws(SystemError) in
            // The process first: it is no other's when the namespace is opened and it still is there.
            let beside = try Launching.openProcess(process)
            return (SharedFileDescriptor(try FileDescriptor.open("/proc/\(process)/ns/net")), beside)
        }
        let starting = try FileDescriptor.withBorrowed(namespace.raw) { (namespace) throws(Failure) in
            try FileDescriptor.withBorrowed(beside.raw) { (beside) throws(Failure) in
                try network.start(
                    in: namespace, beside: beside, ports: Engine.ways(in: state), keeper: keeper)
            }
        }
        var noted = state
        noted.keeper = try starting.wait()
        try write(noted, of: id)
        return noted
    }

    /// Of a container that is on internal networks alone from now on.
    func closeWayOut(_ state: NetworkState, of id: String) throws(Failure) -> NetworkState {
        guard let keeper = state.keeper, !needsWayOut(state) else { return state }
        try UserModeNetwork.stop(keeper)
        var noted = state
        noted.keeper = nil
        try write(noted, of: id)
        return noted
    }

    /// Where somebody killed the keeper.
    func mendWaysOut() throws(Failure) {
        guard RootlessSession.current != nil else { return }
        for (id, state) in try networkStates() where needsWayOut(state) && state.keeper?.isAlive == false {
            guard let record = try containerStore.record(of: id) else { continue }
            // Who has it starts or ends the container, or does just this.
            guard let lock = try containerStore.attemptLock(record) else { continue }
            defer { lock.letGo() }
            guard let run = try runState(of: record), run.process.isAlive,
                let now = try networkState(of: id), now.keeper?.isAlive == false
            else { continue }
            try openWayOut(now, of: id, process: run.process.pid)
        }
    }

    /// By which an ordinary user's containers reach the machine: their gateway is nobody, and the machine's loopback is closed
    /// to them. nil for root, and on a machine without a network.
    func machineOfUser() -> IPAddress? {
        guard RootlessSession.current != nil else { return nil }
        // The kernel chooses the address by the routes; nothing is sent. (The place is in a block for documentation.)
        let anywhere = InternetEndpoint(address: [198, 51, 100, 1], port: 9)
        guard let socket = try? InternetSocket.open(.datagram, addressSize: 4),
            (try? InternetSocket.connect(socket.raw, to: anywhere)) != nil,
            let own = try? InternetSocket.localEndpoint(of: socket.raw)
        else { return nil }
        return IPAddress(bytes: own.address)
    }

    /// What the programs that live have open.
    func exposedByPrograms() throws(Failure) -> [ExposedPort] {
        var found: [ExposedPort] = []
        for (id, state) in try networkStates() where state.keeper?.isAlive == true {
            for port in state.ports {
                guard let target = (state.publishedTarget(.v4) ?? state.publishedTarget(.v6))?.target else {
                    continue
                }
                for family in [IPFamily.v4, .v6] where port.hostAddress.map({ $0.family == family }) ?? true {
                    found.append(
                        ExposedPort(
                            transport: port.transport.rawValue, family: family, hostAddress: port.hostAddress,
                            hostPorts: port.hostPorts,
                            targets: [ExposedPort.Target(address: target, port: port.containerPort)],
                            owner: id))
                }
            }
        }
        return found
    }

    private static func ways(in state: NetworkState) -> [UserModeNetwork.Port] {
        state.ports.flatMap { port in
            port.hostPorts.enumerated().map { offset, number in
                UserModeNetwork.Port(
                    port.transport, hostAddress: port.hostAddress, hostPort: number,
                    containerPort: port.containerPort + UInt16(offset))
            }
        }
    }
}
