internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Networks
internal import Rootless

/// The host's ports of a start: each is held by a socket of the container's monitor, so that nobody else gets it while the
/// rules lead it to the container.
extension Engine {
    /// Of more ports than these no socket is held: only the rules are theirs.
    private static let mostHeldPorts = 512

    /// Where ports are published that name no address, when neither they nor the network say: every address.
    private static let addressVariable = "CTR_PUBLISH_ADDRESS"

    func choosePorts(of record: ContainerRecord, _ prepared: inout PreparedNetworks) throws(Failure) {
        let asked = record.settings.networking
        var requests = asked.ports
        if asked.publishesAll {
            for exposed in asked.exposed {
                for port in exposed.ports
                where !requests.contains(where: {
                    $0.transport == exposed.transport && $0.containerPorts.contains(port)
                }) {
                    requests.append(PortRequest(port...port, exposed.transport))
                }
            }
        }
        guard !requests.isEmpty else { return }
        let byDefault = try defaultAddress(prepared)
        for request in requests {
            let address = request.hostAddress ?? byDefault
            let families = try families(of: request, address, prepared)
            do throws(Failure) {
                try choose(request, address, families, &prepared)
            } catch {
                throw error.within("publish \(request)")
            }
        }
    }

    private func defaultAddress(_ prepared: PreparedNetworks) throws(Failure) -> IPAddress? {
        if let address = prepared.networks.lazy.compactMap(\.bindingAddress).first { return address }
        guard let text = Process.environmentValue(Engine.addressVariable), !text.isEmpty else { return nil }
        guard let address = IPAddress(text) else {
            throw Failure(.invalidArgument, "\(Engine.addressVariable): \"\(text)\" is not an IP address")
        }
        return address
    }

    private func families(
        of request: PortRequest, _ address: IPAddress?, _ prepared: PreparedNetworks
    ) throws(Failure) -> [IPFamily] {
        let reachable = [IPFamily.v4, .v6].filter { prepared.state.publishedTarget($0) != nil }
        guard !reachable.isEmpty else {
            throw Failure(
                .invalidArgument,
                "publish \(request): no network of the container lets anything in from outside",
                hint: "internal and macvlan networks publish nothing: add another --network, or leave -p out")
        }
        guard let address else { return reachable }
        guard reachable.contains(address.family) else {
            let word = address.family == .v4 ? "IPv4" : "IPv6"
            throw Failure(
                .invalidArgument, "publish \(request): the container has no \(word) address",
                hint: address.family == .v6
                    ? "\"ctr network create --ipv6\" makes networks that give one" : nil)
        }
        return [address.family]
    }

    private func choose(
        _ request: PortRequest, _ address: IPAddress?, _ families: [IPFamily],
        _ prepared: inout PreparedNetworks
    ) throws(Failure) {
        let inside = request.containerPorts
        guard let wanted = request.hostPorts else {
            for port in inside {
                let chosen = try holdFree(request, address, families, &prepared)
                prepared.state.ports.append(
                    NetworkState.Port(
                        request.transport, hostAddress: address, hostPorts: chosen...chosen,
                        containerPort: port,
                        balance: request.balance))
            }
            return
        }
        if wanted.count == inside.count {
            for port in wanted { try hold(port, request, address, families, &prepared) }
            prepared.state.ports.append(
                NetworkState.Port(
                    request.transport, hostAddress: address, hostPorts: wanted,
                    containerPort: inside.lowerBound,
                    balance: request.balance))
            return
        }
        // One of several: the first that is free.
        var failure: Failure?
        for port in wanted {
            do throws(Failure) {
                try hold(port, request, address, families, &prepared)
            } catch {
                guard error.code == .conflict else { throw error }
                failure = error
                continue
            }
            prepared.state.ports.append(
                NetworkState.Port(
                    request.transport, hostAddress: address, hostPorts: port...port,
                    containerPort: inside.lowerBound, balance: request.balance))
            return
        }
        if let failure { throw failure }
    }

    /// A port that is free in all families.
    private func holdFree(
        _ request: PortRequest, _ address: IPAddress?, _ families: [IPFamily],
        _ prepared: inout PreparedNetworks
    ) throws(Failure) -> UInt16 {
        var failure: Failure?
        for _ in 0..<64 {
            let first = try during("find a free port") { () throws(SystemError) in
                let socket = try InternetSocket.hold(
                    request.transport == .udp ? .datagram : .stream,
                    InternetEndpoint(address: Engine.anyAddress(address, families[0]), port: 0),
                    isShared: false)
                return try InternetSocket.localEndpoint(of: socket.raw).port
            }
            do throws(Failure) {
                try hold(first, request, address, families, &prepared)
                return first
            } catch {
                guard error.code == .conflict else { throw error }
                failure = error
            }
        }
        throw failure ?? Failure(.resourceExhausted, "the host has no free port")
    }

    private static func anyAddress(_ address: IPAddress?, _ family: IPFamily) -> [UInt8] {
        address?.bytes ?? [UInt8](repeating: 0, count: family == .v4 ? 4 : 16)
    }

    private func hold(
        _ port: UInt16, _ request: PortRequest, _ address: IPAddress?, _ families: [IPFamily],
        _ prepared: inout PreparedNetworks
    ) throws(Failure) {
        // Of SCTP no socket is made: the kernel's module for it would be loaded.
        guard request.transport != .sctp, prepared.sockets.count < Engine.mostHeldPorts else { return }
        var held: [SharedFileDescriptor] = []
        for family in families {
            let endpoint = InternetEndpoint(address: Engine.anyAddress(address, family), port: port)
            held.append(try hold(endpoint, request))
        }
        // An ordinary user's are the user-mode network's, which takes them itself.
        if RootlessSession.current == nil { prepared.sockets += held }
    }

    private func hold(_ endpoint: InternetEndpoint, _ request: PortRequest) throws(Failure)
        -> SharedFileDescriptor
    {
        let kind: InternetSocket.Kind = request.transport == .udp ? .datagram : .stream
        // The monitor of a container that has just ended may still be on its way out.
        let patience = monotonicNanoseconds() + 2_000_000_000
        while true {
            do throws(SystemError) {
                // A user-mode network's ended connections are sockets on the port, and in nobody's way.
                if RootlessSession.current != nil {
                    return SharedFileDescriptor(try InternetSocket.listen(kind, at: endpoint))
                }
                return SharedFileDescriptor(
                    try InternetSocket.hold(kind, endpoint, isShared: request.balance != nil))
            } catch {
                let shown =
                    IPAddress(bytes: endpoint.address).map { $0.family == .v6 ? "[\($0)]" : "\($0)" } ?? ""
                let place = "\(shown):\(endpoint.port)"
                switch error.errno {
                case Errno.addressInUse:
                    let holder = PortHolder(endpoint.port, request.transport)
                    // Nobody: it has gone since. (What holds an ordinary user's ports lets nobody look into it.)
                    let mayGo = holder.isMonitor || holder.name == nil
                    if mayGo, try publisher(of: endpoint, request.transport) == nil,
                        monotonicNanoseconds() < patience
                    {
                        Process.sleep(microseconds: 5000)
                        continue
                    }
                    throw try taken(place, endpoint, request.transport, holder)
                case Errno.addressNotAvailable:
                    throw Failure(
                        .invalidArgument, "\(place): this host has no such address",
                        hint: "\"ip address\" shows those that it has")
                case Errno.accessDenied:
                    throw Failure(
                        .permissionDenied, "\(place): an ordinary user may not have this port",
                        hint: "take one above the sysctl net.ipv4.ip_unprivileged_port_start")
                default: throw error.failure("have \(place)")
                }
            }
        }
    }

    private func taken(
        _ place: String, _ endpoint: InternetEndpoint, _ transport: Transport, _ holder: PortHolder
    ) throws(Failure) -> Failure {
        if let name = try publisher(of: endpoint, transport) {
            return Failure(
                .conflict, "\(place)/\(transport.word) is published by container \(name) already",
                hint: "\"ctr port \(name)\" shows it; choose another port, or stop that container")
        }
        return Failure(
            .conflict, "\(place)/\(transport.word) is taken by \(holder)",
            hint: "choose another port of the host, or end that program")
    }

    /// The container that publishes a port of the host; nil: none of ctr's.
    private func publisher(of endpoint: InternetEndpoint, _ transport: Transport) throws(Failure) -> String? {
        let address = IPAddress(bytes: endpoint.address)
        let isAny = endpoint.address.allSatisfy { $0 == 0 }
        for (id, state) in try networkStates() where isAlive(id, isKept: false) {
            // One that has ended gives it back in this moment.
            if let run = try RunState.read(runDirectory(of: id)), run.status == .running, !run.process.isAlive
            {
                continue
            }
            let meets = state.ports.contains { port in
                port.transport == transport && port.hostPorts.contains(endpoint.port)
                    && (isAny || port.hostAddress == nil || port.hostAddress == address)
            }
            if meets { return try containerStore.record(of: id)?.name ?? String(id.prefix(12)) }
        }
        return nil
    }
}
