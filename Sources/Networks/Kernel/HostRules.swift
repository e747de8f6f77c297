package import LinuxSystem

/// ctr's own nftables tables in one network namespace. Several processes may change them at once: each change is one
/// transaction of the kernel's. Only `replaceAll` must not run beside another change, for it writes what its caller knows.
package struct HostRules: ~Copyable {
    package let names: HostNames
    let rules: Ruleset
    var socket: NftSocket

    /// Of the namespace that this thread is in.
    package init(_ names: HostNames) throws(SystemError) {
        self.names = names
        rules = Ruleset(names)
        socket = try NftSocket()
    }

    /// Keeps the socket open beyond this. After elements were removed by it, the close of its last descriptor waits for a
    /// grace period of RCU, 10 to 20 ms: who is waited for gives it to a process that is not.
    package borrowing func keepingOpen() throws(SystemError) -> SharedFileDescriptor {
        try socket.netlink.duplicate()
    }

    /// What there should be.
    package struct Contents: Sendable {
        package var networks: [BridgeNetwork]
        package var endpoints: [Endpoint]
        package var published: [PublishedPort]
        package var balanced: [BalancedPort]

        package init(
            networks: [BridgeNetwork] = [], endpoints: [Endpoint] = [], published: [PublishedPort] = [],
            balanced: [BalancedPort] = []
        ) {
            self.networks = networks
            self.endpoints = endpoints
            self.published = published
            self.balanced = balanced
        }
    }

    /// Whether the tables are there and all chains that the kernel calls have their rules, of this version: a few
    /// questions that each find one chain. What somebody did to single elements is not seen.
    package mutating func areIntact() throws(SystemError) -> Bool {
        for (table, chains) in [(rules.inet, rules.inetChains), (rules.bridge, rules.bridgeChains)] {
            for chain in chains where chain.base != nil {
                guard let state = try socket.state(of: chain.name, in: table),
                    state.uses == UInt32(chain.rules.count), state.comment == Ruleset.version
                else { return false }
            }
        }
        return true
    }

    /// Both tables anew, with this and nothing else, in one transaction: connections go on.
    package mutating func replaceAll(_ contents: Contents) throws(SystemError) {
        var elements = Elements()
        for network in contents.networks { elements.add(network) }
        for endpoint in contents.endpoints { elements.add(endpoint) }
        for port in contents.published { elements.add(port) }
        var changes = rules.replacement
        for port in contents.balanced { changes += balancing(port, &elements) }
        try socket.commit(changes + additions(elements))
    }

    /// Both tables go.
    package mutating func removeAll() throws(SystemError) {
        try socket.commit([
            rules.inet.add(), rules.inet.delete(), rules.bridge.add(), rules.bridge.delete(),
        ])
    }

    /// Rules of a network, and of endpoints on it; those that are there stay.
    package mutating func add(_ network: BridgeNetwork, _ endpoints: [Endpoint] = []) throws(SystemError) {
        var elements = Elements()
        elements.add(network)
        for endpoint in endpoints { elements.add(endpoint) }
        try socket.commit(additions(elements))
    }

    /// What is gone already is no error.
    package mutating func remove(_ network: BridgeNetwork) throws(SystemError) {
        var elements = Elements()
        elements.add(network)
        try remove(elements)
    }

    /// What is gone already is no error.
    package mutating func remove(_ endpoints: [Endpoint]) throws(SystemError) {
        var elements = Elements()
        for endpoint in endpoints { elements.add(endpoint) }
        try remove(elements)
    }

    /// Forward chains of other tables whose policy is to drop, as firewalls have them: no rule of ctr's can let its
    /// packets through there. Those of the old iptables modules are not seen by nftables.
    package mutating func foreignForwardDrops() throws(SystemError) -> [NftSocket.BaseChain] {
        // inet, ip and ip6.
        try socket.baseChains().filter {
            $0.hook == NftTable.Hook.forward.rawValue && $0.dropsByPolicy && $0.table != names.table
                && ($0.family == 1 || $0.family == 2 || $0.family == 10)
        }
    }

    // MARK: - Elements

    private func table(_ set: NftSet) -> NftTable {
        set.key.contains(.ether) ? rules.bridge : rules.inet
    }

    func additions(_ elements: Elements) -> [NetlinkRequest] {
        elements.lists.flatMap { table($0.set).add($0.entries.flatMap { $0 }, to: $0.set.name) }
    }

    func removals(_ elements: Elements) -> [NetlinkRequest] {
        elements.lists.flatMap { table($0.set).remove($0.entries.flatMap { $0 }, from: $0.set.name) }
    }

    /// In one transaction where all are there, else each that is.
    mutating func remove(_ elements: Elements) throws(SystemError) {
        do throws(SystemError) {
            return try socket.commit(removals(elements))
        } catch {
            guard error.isMissing else { throw error }
        }
        for list in elements.lists {
            for entry in list.entries {
                do throws(SystemError) {
                    try socket.commit(table(list.set).remove(entry, from: list.set.name))
                } catch {
                    guard error.isMissing else { throw error }
                }
            }
        }
    }
}
