package import Failure
package import LinuxSystem

/// The networks below ctr's root directory, and who has which of their addresses.
///
/// ```
/// networks/.lock               exclusive: who makes or removes a network
/// networks/.new-<random>/      a network that is being made, under that lock
/// networks/<name>/record       what it was made as; never changed
///                 lock         shared: who assigns an address; exclusive: who takes one back, or removes the network
///                 addresses/<address>   a symbolic link whose text is who has it
///                 macs/<address>        the same
///                 holders/<id>          what a container has
/// ```
///
/// That is for addresses that are kept over reboots. Those of a run are in the run directory, in the same shape, with the
/// address that was given last as the text of a link, `next.4` or `next.6`: a start waits for no disk.
///
/// `host` and `none` have no directory. `bridge`, the default network, gets one when it is first needed.
package struct NetworkStore: Sendable {
    let root: SharedFileDescriptor
    let runtime: SharedFileDescriptor
    let bridgePrefix: String
    let defaultBridge: String

    /// - Parameters:
    ///   - root: ctr's root directory, open.
    ///   - runtime: its run directory, open, which a reboot empties.
    ///   - bridgePrefix: what the names of bridges that nobody chose begin with: `HostNames`.
    ///   - defaultBridge: the default network's.
    package init(
        root: SharedFileDescriptor, runtime: SharedFileDescriptor, bridgePrefix: String = "ctr-",
        defaultBridge: String = "ctr0"
    ) {
        self.root = root
        self.runtime = runtime
        self.bridgePrefix = bridgePrefix
        self.defaultBridge = defaultBridge
    }

    package static let defaultName = "bridge"
}

extension NetworkStore {
    /// Makes a network; `.alreadyExists` where one of the name is there.
    ///
    /// - Parameters:
    ///   - used: what has addresses on this host: its routes; the store's own networks are added here.
    ///   - pools: where a subnet comes from when none is asked for.
    /// - Throws: `.conflict` where a subnet that was asked for overlaps, with the name of what it overlaps with.
    package func create(
        _ specification: NetworkSpecification, used: [PrefixInUse],
        pools: [SubnetPool] = SubnetPool.standard
    ) throws(Failure) -> Network {
        let lock = try makingLock()
        defer { _ = lock.raw }
        let others = try list().networks
        if others.contains(where: { $0.name == specification.name }) {
            throw Failure(.alreadyExists, "network \(specification.name) exists already")
        }
        let network = try network(specification, id: randomHex(bytes: 32), others, used, pools)
        try make(network)
        return network
    }

    /// The default network, made if it is not there yet.
    ///
    /// - Parameter subnets: of the configuration; empty: chosen from the pools.
    package func ensureDefault(
        subnets: [Network.Subnet] = [], wantsIPv6: Bool = false, used: () throws(Failure) -> [PrefixInUse],
        pools: [SubnetPool] = SubnetPool.standard
    ) throws(Failure) -> Network {
        if let network = try find(named: Self.defaultName) { return network }
        let lock = try makingLock()
        defer { _ = lock.raw }
        if let network = try find(named: Self.defaultName) { return network }
        let others = try list().networks
        let network = Network(
            name: Self.defaultName, id: randomHex(bytes: 32), driver: .bridge, created: .now(),
            subnets: try complete(subnets, wantsIPv6: wantsIPv6, others, try used(), pools),
            isInternal: false,
            options: [], labels: [], bridgeName: defaultBridge)
        try make(network)
        return network
    }

    /// The network of this name, or nil.
    package func find(named name: String) throws(Failure) -> Network? {
        if name == Network.host.name { return Network.host }
        if name == Network.none.name { return Network.none }
        guard NetworkName.isValid(name) else { return nil }
        let bytes = try during("read network \(name)") { () throws(SystemError) in
            try AtomicFile.read("networks/\(name)/record", in: root.raw, limit: 1 << 20)
        }
        return try bytes.map { bytes throws(Failure) in try Network(name: name, parsing: bytes) }
    }

    /// By its name, its id, or the beginning of an id that only one has. `.notFound` where there is none.
    package func resolve(_ word: String) throws(Failure) -> Network {
        if let network = try find(named: word) { return network }
        let isPrefix = (1...64).contains(word.utf8.count) && NetworkName.isHex(word)
        let matches = isPrefix ? try all().filter { $0.id.hasPrefix(word) } : []
        guard let network = matches.first else { throw Failure(.notFound, "no such network: \(word)") }
        guard matches.count == 1 else {
            throw Failure(
                .conflict, "\"\(word)\" is the beginning of \(matches.count) networks' ids",
                hint: "give more digits of the id, or the name")
        }
        return network
    }

    /// Those with a record, by name. `damaged` are those whose record cannot be read; no others suffer.
    package func list() throws(Failure) -> (networks: [Network], damaged: [String]) {
        let names = try during("list the networks") { () throws(SystemError) -> [String] in
            do throws(SystemError) {
                return try Directory.names(in: try Directory.open("networks", in: root.raw))
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
        var networks: [Network] = []
        var damaged: [String] = []
        for name in names where NetworkName.isValid(name) {
            do {
                if let network = try find(named: name) { networks.append(network) }
            } catch {
                guard error.code == .dataLoss else { throw error }
                damaged.append(name)
            }
        }
        return (networks, damaged)
    }

    /// With the two that are always there.
    package func all() throws(Failure) -> [Network] {
        (try list().networks + [Network.host, Network.none]).sorted { $0.name < $1.name }
    }

    /// Removes a network that nobody holds an address of.
    ///
    /// - Parameter isAlive: as of ``assign(_:on:isAlive:)``.
    /// - Throws: `.conflict` with the ids of who does; `.notFound`.
    package func remove(_ name: String, isAlive: AddressOwner.Check) throws(Failure) {
        guard !NetworkName.predefined.contains(name) else {
            throw Failure(.invalidArgument, "network \(name) cannot be removed: it is always there")
        }
        let lock = try makingLock()
        defer { _ = lock.raw }
        guard NetworkName.isValid(name), let own = try self.lock(name, .exclusive) else {
            throw Failure(.notFound, "no such network: \(name)")
        }
        defer { _ = own.raw }
        let holders = try holders(of: name, isAlive: isAlive)
        guard holders.isEmpty else {
            let ids = holders.map { String($0.containerID.prefix(12)) }.joined(separator: ", ")
            throw Failure(
                .conflict, "network \(name) is in use by \(ids)",
                hint: "remove these containers, or \"ctr network disconnect\" them")
        }
        try during("remove network \(name)") { () throws(SystemError) in
            try Directory.removeTree("networks/\(name)", in: runtime.raw)
            let networks = try Directory.open("networks", in: root.raw)
            let gone = "\(Self.unfinishedPrefix)\(randomHex(bytes: 6))"
            try Directory.rename("networks/\(name)", in: root.raw, to: gone, in: networks.raw)
            try AtomicFile.synchronize(directory: networks.raw)
            failpoint("network.removed")
            try Directory.removeTree(gone, in: networks.raw)
        }
    }

    // MARK: making

    private static let unfinishedPrefix = ".new-"

    private func makingLock() throws(Failure) -> FileLock {
        try during("lock the networks") { () throws(SystemError) in
            if try Directory.ensure("networks", in: root.raw) {
                try AtomicFile.synchronize(directory: root.raw)
            }
            return try FileLock("networks/.lock", in: root.raw, .exclusive)
        }
    }

    private func network(
        _ specification: NetworkSpecification, id: String, _ others: [Network], _ used: [PrefixInUse],
        _ pools: [SubnetPool]
    ) throws(Failure) -> Network {
        var bridge = ""
        if specification.driver == .bridge {
            bridge = specification.bridgeName ?? bridgePrefix + id.prefix(15 - bridgePrefix.utf8.count)
            if let other = others.first(where: { $0.bridgeName == bridge }) {
                throw Failure(.conflict, "the bridge \(bridge) is that of network \(other.name)")
            }
            guard bridge != defaultBridge else {
                throw Failure(.conflict, "the bridge \(bridge) is that of network \(Self.defaultName)")
            }
        }
        return Network(
            name: specification.name, id: id, driver: specification.driver, created: .now(),
            subnets: try complete(
                specification.subnets, wantsIPv6: specification.wantsIPv6, others, used, pools),
            isInternal: specification.isInternal, options: specification.options,
            labels: specification.labels, bridgeName: bridge)
    }

    /// With an IPv4 subnet unless only IPv6 was given, an IPv6 one where it is wanted, and gateways.
    private func complete(
        _ asked: [Network.Subnet], wantsIPv6: Bool, _ others: [Network], _ used: [PrefixInUse],
        _ pools: [SubnetPool]
    ) throws(Failure) -> [Network.Subnet] {
        // The store's own first: a route over its bridge is told by the network's name.
        let all =
            others.flatMap { network in
                network.subnets.map { PrefixInUse($0.prefix, owner: "network \(network.name)") }
            } + used
        for subnet in asked {
            guard let clash = SubnetChoice.overlap(subnet.prefix, all) else { continue }
            throw Failure(
                .conflict, "subnet \(subnet.prefix) overlaps with \(clash.prefix), \(clash.owner)",
                hint: "choose another, or leave --subnet out")
        }
        var subnets = asked
        if subnets.isEmpty {
            let prefix = try SubnetChoice.first(of: pools, notIn: all)
            subnets = [Network.Subnet(prefix: prefix, gateway: nil)]
        }
        if wantsIPv6, !subnets.contains(where: { $0.prefix.family == .v6 }) {
            subnets.append(Network.Subnet(prefix: SubnetChoice.randomIPv6(notIn: all), gateway: nil))
        }
        return subnets.map { subnet in
            Network.Subnet(
                prefix: subnet.prefix, gateway: subnet.gateway ?? subnet.prefix.hosts.lowerBound,
                range: subnet.range)
        }
    }

    private func make(_ network: Network) throws(Failure) {
        try during("make network \(network.name)") { () throws(SystemError) in
            let networks = try Directory.open("networks", in: root.raw)
            // Under the lock of all: what is unfinished belongs to a process that was killed.
            for entry in try Directory.entries(of: networks)
            where entry.name.bytes.starts(with: Self.unfinishedPrefix.utf8) {
                try Directory.removeTree(entry.name, in: networks.raw)
            }
            let fresh = "\(Self.unfinishedPrefix)\(randomHex(bytes: 6))"
            try Directory.make(fresh, in: networks.raw)
            do throws(SystemError) {
                let directory = try Directory.open(fresh, in: networks.raw)
                for part in ["addresses", "macs", "holders"] {
                    try Directory.make(part, in: directory.raw)
                }
                try AtomicFile.write(network.record.bytes, to: "record", in: directory.raw)
                failpoint("network.rename")
                try Directory.rename(
                    fresh, in: networks.raw, to: network.name, in: networks.raw, replace: false)
            } catch {
                try? Directory.removeTree(fresh, in: networks.raw)
                throw error
            }
            try AtomicFile.synchronize(directory: networks.raw)
        }
    }

    /// nil where the network is gone.
    func lock(_ name: String, _ mode: FileLock.Mode) throws(Failure) -> FileLock? {
        do throws(SystemError) {
            return try FileLock("networks/\(name)/lock", in: root.raw, mode)
        } catch {
            if error.isMissing { return nil }
            throw error.failure("lock network \(name)")
        }
    }
}
