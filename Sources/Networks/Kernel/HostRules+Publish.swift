package import LinuxSystem

/// Published ports.
extension HostRules {
    /// Opens the ways, or leads them to another target. Flows of UDP that went elsewhere are forgotten, so that the next
    /// datagram of a sender takes the new way.
    package mutating func publish(_ ports: [PublishedPort]) throws(SystemError) {
        var elements = Elements()
        for port in ports { elements.add(port) }
        do throws(SystemError) {
            try socket.commit(additions(elements))
        } catch {
            // The same key with another value: EEXIST of a set that is a hash, EBUSY before 5.19.
            guard error.isExists || error.isBusy else { throw error }
            try replace(elements)
        }
        try forgetFlows(ports, isTarget: false)
    }

    private mutating func replace(_ elements: Elements) throws(SystemError) {
        do throws(SystemError) {
            try socket.commit(removals(elements) + additions(elements))
        } catch {
            guard error.isMissing else { throw error }
            try remove(elements)
            try socket.commit(additions(elements))
        }
    }

    /// Closes the ways. What is closed already is no error; flows of UDP to the targets are forgotten.
    package mutating func withdraw(_ ports: [PublishedPort]) throws(SystemError) {
        var elements = Elements()
        for port in ports { elements.add(port) }
        try remove(elements)
        try forgetFlows(ports, isTarget: true)
    }

    private borrowing func forgetFlows(_ ports: [PublishedPort], isTarget: Bool) throws(SystemError) {
        let flows = ports.filter { $0.transport == .udp }.map {
            UDPFlows(ports: $0.hostPorts, target: $0.target, isTarget: isTarget)
        }
        guard !flows.isEmpty else { return }
        var connections = try ConntrackSocket()
        try connections.forget(flows)
    }

    // MARK: - Balanced

    /// Opens the way, or changes mode and backends of one that is open: a packet sees the old ones or the new ones.
    /// Without a backend that has a weight the host itself answers.
    package mutating func balance(_ port: BalancedPort) throws(SystemError) {
        var elements = Elements()
        let changes = balancing(port, &elements)
        guard !port.slots.isEmpty else { return try unbalance(port) }
        try socket.commit(changes + additions(elements))
        guard port.transport == .udp else { return }
        // Flows of backends that left; one who stays keeps his.
        var flows = UDPFlows(ports: port.hostPort...port.hostPort, target: nil, isTarget: false)
        flows.others = port.slots.map { $0.address }
        var connections = try ConntrackSocket()
        try connections.forget([flows])
    }

    /// Closes the way; one that is closed already is no error.
    package mutating func unbalance(_ port: BalancedPort) throws(SystemError) {
        var elements = Elements()
        _ = balancing(port, &elements)
        try remove(elements)
        let name = HostRules.name(port)
        let sets = Ruleset.of(port.family)
        do throws(SystemError) {
            try socket.commit([
                rules.inet.flush(chain: name), rules.inet.delete(chain: name),
                rules.inet.delete(set: HostRules.backends(port, sets).name),
            ])
        } catch {
            guard error.isMissing else { throw error }
        }
        guard port.transport == .udp else { return }
        var connections = try ConntrackSocket()
        try connections.forget([UDPFlows(ports: port.hostPort...port.hostPort, target: nil, isTarget: false)])
    }

    /// The chain of a balanced port; its map of backends is called `to_` and so on.
    private static func name(_ port: BalancedPort) -> String {
        let host = port.hostAddress.flatMap { $0.isUnspecified ? nil : $0 }
        // The text of an address has colons, which nft's language does not take in names.
        let place = host.map { $0.bytes.map { String($0, radix: 16) }.joined(separator: "_") } ?? "any"
        return "balance\(port.family == .v4 ? 4 : 6)_\(port.transport)_\(place)_\(port.hostPort)"
    }

    private static func backends(_ port: BalancedPort, _ sets: Ruleset.PerFamily) -> NftSet {
        NftSet("to_\(name(port))", [.integer], to: .fields([.address(port.family), .port]))
    }

    /// The chain with one rule that picks a slot, the map from slots to backends, and the elements that lead there.
    func balancing(_ port: BalancedPort, _ elements: inout Elements) -> [NetlinkRequest] {
        let sets = Ruleset.of(port.family)
        let chain = HostRules.name(port)
        let map = HostRules.backends(port, sets)
        let host = port.hostAddress.flatMap { $0.isUnspecified ? nil : $0 }
        elements.add(
            NftElement(
                Elements.key(port.transport, host, port.hostPort), to: .verdict(.goto(chain)),
                comment: port.owner),
            host == nil ? sets.balancedAnywhere : sets.balanced)
        elements.addLoopback(port.transport, host, port.hostPort...port.hostPort, port.gateway, sets)

        let slots = port.slots
        guard !slots.isEmpty else { return [] }
        let count = UInt32(slots.count)
        let pick: [NftExpression] =
            switch port.mode {
            case .random: [.number(.random, below: count, to: 0)]
            case .roundRobin: [.number(.roundRobin, below: count, to: 0)]
            case .sourceHash:
                [
                    .payload(.network, offset: sets.sourceOffset, length: sets.size, to: 0),
                    .hash(0, length: sets.size, below: count, seed: 0x6374_7231, to: 0),
                ]
            }
        let values = slots.enumerated().map { i, slot in
            var number: [UInt8] = []
            number.append(littleEndian: UInt32(i))
            var value = NftKey()
            value.add(slot.address.bytes)
            value.add(port: slot.port)
            return NftElement(number, to: .bytes(value.bytes))
        }
        let rule =
            pick + [
                .map(map.name, key: 0, to: 0),
                .destination(port.family, address: 0, port: sets.words),
            ]
        return [
            rules.inet.add(chain: chain), rules.inet.flush(chain: chain), rules.inet.add(map),
            rules.inet.flush(set: map.name),
        ] + rules.inet.add(values, to: map.name) + [rules.inet.add(rule, to: chain)]
    }
}
