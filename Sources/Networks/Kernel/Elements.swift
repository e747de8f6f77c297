/// Elements by their set, in the order of first use. An entry is one element, or a range's two ends.
struct Elements {
    private(set) var lists: [(set: NftSet, entries: [[NftElement]])] = []

    mutating func add(_ element: NftElement, _ set: NftSet) { add([element], set) }

    private mutating func add(_ entry: [NftElement], _ set: NftSet) {
        for i in lists.indices where lists[i].set.name == set.name {
            lists[i].entries.append(entry)
            return
        }
        lists.append((set, [entry]))
    }

    mutating func add(_ network: BridgeNetwork) {
        let bridge = NftKey.interface(network.bridge)
        add(NftElement(bridge), Ruleset.bridges)
        add(NftElement(bridge + bridge), Ruleset.same)
        if network.isInternal { add(NftElement(bridge), Ruleset.internals) }
        for gateway in network.gateways {
            let sets = Ruleset.of(gateway.address.family)
            let subnet = gateway.subnet
            var own = NftElement(subnet.first.bytes + bridge)
            own.last = subnet.last.bytes + bridge
            add(own, sets.own)
            guard network.masquerades, !network.isInternal else { continue }
            var range = [NftElement(subnet.first.bytes)]
            // The address behind the last one; the last of all has none.
            if let end = subnet.last.advanced(by: 1) {
                var element = NftElement(end.bytes)
                element.isEnd = true
                range.append(element)
            }
            add(range, sets.masquerade)
        }
    }

    mutating func add(_ endpoint: Endpoint) {
        var port = NftKey()
        port.add(interface: endpoint.port)
        port.add(endpoint.mac.bytes)
        add(NftElement(port.bytes), Ruleset.macs)
        var addresses = endpoint.addresses.map { $0.address }
        if addresses.contains(where: { $0.family == .v6 }) { addresses.append(.v6(endpoint.mac.linkLocal)) }
        for address in addresses {
            add(NftElement(port.bytes + address.bytes), Ruleset.of(address.family).senders)
        }
    }

    mutating func add(_ port: PublishedPort) {
        let sets = Ruleset.of(port.target.family)
        let host = port.hostAddress.flatMap { $0.isUnspecified ? nil : $0 }
        let isShifted = port.targetPort != port.hostPorts.lowerBound
        if port.hostPorts.count > 1, !isShifted {
            addRange(port, host, sets)
        } else {
            for number in port.hostPorts {
                var value = NftKey()
                value.add(port.target.bytes)
                value.add(port: port.targetPort + (number - port.hostPorts.lowerBound))
                let key = Elements.key(port.transport, host, number)
                add(
                    NftElement(key, to: .bytes(value.bytes), comment: port.owner),
                    host == nil ? sets.publishedAnywhere : sets.published)
            }
        }
        addLoopback(port.transport, host, port.hostPorts, port.gateway, sets)
    }

    private mutating func addRange(_ port: PublishedPort, _ host: IPAddress?, _ sets: Ruleset.PerFamily) {
        let lowest = host ?? port.target.filled(after: 0, with: false)
        let highest = host ?? port.target.filled(after: 0, with: true)
        var element = NftElement(
            Elements.key(port.transport, lowest, port.hostPorts.lowerBound), to: .bytes(port.target.bytes),
            comment: port.owner)
        element.last = Elements.key(port.transport, highest, port.hostPorts.upperBound)
        add(element, sets.publishedRanges)
    }

    /// The host's own way by 127.0.0.1 or ::1.
    mutating func addLoopback(
        _ transport: Transport, _ host: IPAddress?, _ ports: ClosedRange<UInt16>, _ gateway: IPAddress?,
        _ sets: Ruleset.PerFamily
    ) {
        guard let gateway, host == nil || host == sets.loopbackAddress else { return }
        let first = Elements.key(transport, nil, ports.lowerBound)
        guard ports.count > 1 else {
            return add(NftElement(first, to: .bytes(gateway.bytes)), sets.loopback)
        }
        var element = NftElement(first, to: .bytes(gateway.bytes))
        element.last = Elements.key(transport, nil, ports.upperBound)
        add(element, sets.loopbackRanges)
    }

    static func key(_ transport: Transport, _ host: IPAddress?, _ port: UInt16) -> [UInt8] {
        var key = NftKey()
        key.add([transport.rawValue])
        if let host { key.add(host.bytes) }
        key.add(port: port)
        return key.bytes
    }
}
