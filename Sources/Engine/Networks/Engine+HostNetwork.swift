internal import ContainerMonitor
internal import EventJournal
package import Failure
internal import ImageStore
internal import LinuxSystem
package import Networks
internal import Rootless

/// The host's side of networks, as this root has it.
extension Engine {
    /// The root that everybody has gets plain names; others (of users, of tests) have their hash in all of theirs.
    package var hostNames: HostNames {
        guard !hasPlainNames else { return HostNames(table: "ctr", bridgePrefix: "ctr-", portPrefix: "ctrv") }
        let hash = Engine.hash(rootPath)
        return HostNames(
            table: "ctr-\(hash.prefix(8))", bridgePrefix: "c\(hash.prefix(4))-",
            portPrefix: "c\(hash.prefix(4))v")
    }

    private var hasPlainNames: Bool { rootPath == "/var/lib/ctr" }

    package func networkStore() throws(Failure) -> NetworkStore {
        let runtime = try during("make \(runPath)") { () throws(SystemError) in
            try Directory.ensurePath("\(runPath)/networks")
            return SharedFileDescriptor(try Directory.open(runPath))
        }
        let store = try during("open \(rootPath)") { () throws(SystemError) in
            SharedFileDescriptor(try Directory.open(".", in: root.descriptor.raw))
        }
        let names = hostNames
        return NetworkStore(
            root: store, runtime: runtime, bridgePrefix: names.bridgePrefix,
            defaultBridge: hasPlainNames ? "ctr0" : "\(names.bridgePrefix)0")
    }

    /// Bridges, ports and rules are those of the network namespace in which the body runs: the machine's, or an ordinary
    /// user's own.
    package func withHostNetwork<Value>(
        _ body: (inout HostNetwork) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let proc = try during("open /proc") { () throws(SystemError) in
            try FileDescriptor.open("/proc", [.readOnly, .directory])
        }
        return try inHostNetwork { () throws(Failure) in
            var host = try HostNetwork(hostNames, proc: proc.raw)
            return try body(&host)
        }
    }

    private func inHostNetwork<Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        guard let session = RootlessSession.current else { return try body() }
        let namespace = try session.networkNamespace()
        var outcome: Result<Value, Failure>?
        try during("enter the user's network namespace") { () throws(SystemError) in
            try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
                do throws(Failure) { outcome = .success(try body()) } catch { outcome = .failure(error) }
            }
        }
        guard let outcome else {
            throw Failure(.internal, "nothing was done in the user's network namespace")
        }
        return try outcome.get()
    }

    /// What has addresses on this host: its routes and its own addresses. A user's containers must not hide the machine's
    /// either.
    package func usedPrefixes() throws(Failure) -> [PrefixInUse] {
        let own = try during("look at the host's routes") { () throws(SystemError) in
            var machine = try RouteSocket()
            return try Engine.prefixes(&machine)
        }
        guard RootlessSession.current != nil else { return own }
        let users = try withHostNetwork { (host) throws(Failure) in
            do throws(SystemError) { return try Engine.prefixes(&host.routes) } catch {
                throw error.failure("look at the user's routes")
            }
        }
        return own + users
    }

    private static func prefixes(_ socket: inout RouteSocket) throws(SystemError) -> [PrefixInUse] {
        let names = try socket.links().reduce(into: [UInt32: String]()) { $0[$1.index] = $1.name }
        let routes = try socket.routes().map { route in
            PrefixInUse(
                route.destination,
                owner: "the route of \(route.index.flatMap { names[$0] } ?? "this host")")
        }
        let addresses = try socket.addresses().map { assigned in
            PrefixInUse(
                assigned.address.subnet,
                owner: "the address of \(names[assigned.index] ?? "this host")")
        }
        return routes + addresses
    }

    /// Where the names of a network's containers are.
    func namesPath(of network: String) -> String { "\(runPath)/networks/\(network)/names" }

    /// nil where the container has no networks now.
    package func networkState(of id: String) throws(Failure) -> NetworkState? {
        let bytes = try during("read the networks of \(id.prefix(12))") { () throws(SystemError) in
            try AtomicFile.read("\(runDirectory(of: id))/\(NetworkNote.fileName)", limit: 1 << 20)
        }
        return try bytes.map { (bytes) throws(Failure) in try NetworkState(parsing: bytes) }
    }

    func write(_ state: NetworkState, of id: String) throws(Failure) {
        try during("write the networks of \(id.prefix(12))") { () throws(SystemError) in
            let directory = try Directory.open(runDirectory(of: id))
            try AtomicFile.write(
                state.bytes, to: NetworkNote.fileName, in: directory.raw, mode: 0o600, durable: false)
        }
    }

    /// Every container that has networks now; looks at all of them.
    func networkStates() throws(Failure) -> [(id: String, state: NetworkState)] {
        let names = try during("list \(runPath)") { () throws(SystemError) -> [String] in
            do throws(SystemError) {
                return try Directory.names(in: try Directory.open(runPath))
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
        var found: [(id: String, state: NetworkState)] = []
        for name in names where name.utf8.count == 64 {
            // One that is damaged is in nobody else's way.
            if let state = (try? networkState(of: name)) ?? nil { found.append((name, state)) }
        }
        return found
    }
}

extension Network {
    /// Its bridge; nil for what has none.
    var bridge: BridgeNetwork? {
        guard driver == .bridge else { return nil }
        return BridgeNetwork(
            bridge: bridgeName,
            gateways: subnets.compactMap { subnet in
                subnet.gateway.map { InterfaceAddress($0, length: subnet.prefix.length) }
            },
            isInternal: isInternal,
            masquerades: !["false", "0"].contains(option(NetworkOption.masquerade) ?? ""),
            mtu: mtu)
    }

    /// docker's, of a container that comes or goes.
    func eventAttributes(of container: String) -> [Event.Attribute] {
        [.init("container", container), .init("name", name), .init("type", driver.rawValue)]
    }

    var mtu: UInt32? {
        NetworkOption.mtu.lazy.compactMap { self.option($0) }.first.flatMap { UInt32($0) }
    }

    /// Where ports are published that name no address.
    var bindingAddress: IPAddress? {
        option(NetworkOption.hostBinding).flatMap { IPAddress($0) }
    }
}
