internal import LinuxSystem
package import Networks

/// A container's networks and ports as they were asked for: part of its settings.
package struct NetworkSettings: Sendable, Equatable {
    /// In this order; the first that is not internal has the default route. Empty with the network of the host, of nobody
    /// (`none`) or of another container.
    package var attachments: [NetworkAttachment] = []
    /// `-p`
    package var ports: [PortRequest] = []
    /// `-P`: every exposed port, at a free one of the host.
    package var publishesAll = false
    /// The image's and `--expose`'s.
    package var exposed: [ExposedPorts] = []
    /// `--dns` and the like; empty: the host's.
    package var dns: [String] = []
    package var dnsSearch: [String] = []
    package var dnsOptions: [String] = []

    package init() {}

    func write(to record: inout FlatRecord) {
        for attachment in attachments { attachment.write(to: &record) }
        record.add("publish", all: ports.map(\.description))
        if publishesAll { record.add("publish-all", "1") }
        record.add("expose", all: exposed.map(\.description))
        record.add("dns", all: dns)
        record.add("dns-search", all: dnsSearch)
        record.add("dns-option", all: dnsOptions)
    }

    /// False where the key is none of these.
    mutating func read(_ key: String, _ value: String) -> Bool {
        switch key {
        case "publish": if let port = try? PortRequest(parsing: value) { ports.append(port) }
        case "publish-all": publishesAll = true
        case "expose": if let ports = try? ExposedPorts(parsing: value) { exposed.append(ports) }
        case "dns": dns.append(value)
        case "dns-search": dnsSearch.append(value)
        case "dns-option": dnsOptions.append(value)
        default: return NetworkAttachment.read(key, value, into: &attachments)
        }
        return true
    }
}

/// A network that a container is to be on.
package struct NetworkAttachment: Sendable, Equatable {
    package var network: String
    /// Further names on this network.
    package var aliases: [String] = []
    /// `--ip` and `--ip6`: at most one a family.
    package var addresses: [IPAddress] = []
    package var mac: MACAddress?
    /// `--link-local-ip`
    package var linkLocal: [IPAddress] = []
    /// The device's name in the container; empty: the next `eth`.
    package var interface = ""

    package init(_ network: String) { self.network = network }

    /// What was asked for is the container's from its creation to its removal.
    package var keepsAddress: Bool { !addresses.isEmpty || mac != nil }

    fileprivate func write(to record: inout FlatRecord) {
        record.add("attachment", network)
        record.add("attachment-alias", all: aliases)
        record.add("attachment-address", all: addresses.map(\.description))
        record.add("attachment-mac", ifPresent: mac?.description)
        record.add("attachment-link-local", all: linkLocal.map(\.description))
        if !interface.isEmpty { record.add("attachment-interface", interface) }
    }

    /// What follows `attachment` belongs to it.
    fileprivate static func read(
        _ key: String, _ value: String, into attachments: inout [NetworkAttachment]
    ) -> Bool {
        if key == "attachment" {
            attachments.append(NetworkAttachment(value))
            return true
        }
        guard key.hasPrefix("attachment-"), let last = attachments.indices.last else { return false }
        switch key {
        case "attachment-alias": attachments[last].aliases.append(value)
        case "attachment-address":
            if let address = IPAddress(value) { attachments[last].addresses.append(address) }
        case "attachment-mac": attachments[last].mac = MACAddress(value)
        case "attachment-link-local":
            if let address = IPAddress(value) { attachments[last].linkLocal.append(address) }
        case "attachment-interface": attachments[last].interface = value
        default: return false
        }
        return true
    }
}
