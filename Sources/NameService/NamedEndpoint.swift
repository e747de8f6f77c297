internal import Failure
internal import LinuxSystem
package import Networks

/// A container on a network, as its names are answered there.
package struct NamedEndpoint: Equatable, Sendable {
    /// 64 hex digits.
    package var containerID: String
    /// The container's.
    package var name: String
    /// Further names on this network; others may have the same.
    package var aliases: [String]
    package var hostname: String
    package var addresses: [IPAddress]
    package var ports: [Port]
    /// Of SRV records: among several, how often this one is to be chosen (RFC 2782).
    package var weight: UInt16

    /// What `_service._protocol.name` is answered by.
    package struct Port: Equatable, Sendable {
        package enum TransportProtocol: String, Sendable { case tcp, udp, sctp }
        /// In the container: what an answer gives.
        package var number: UInt16
        package var transport: TransportProtocol
        /// The host's, where it is published; asked for by this number too.
        package var published: UInt16?
        /// `http`; empty: none.
        package var service: String

        package init(
            _ number: UInt16, _ transport: TransportProtocol, published: UInt16? = nil, service: String = ""
        ) {
            self.number = number
            self.transport = transport
            self.published = published
            self.service = service
        }
    }

    package init(
        containerID: String, name: String, aliases: [String] = [], hostname: String = "",
        addresses: [IPAddress], ports: [Port] = [], weight: UInt16 = 1
    ) {
        self.containerID = containerID
        self.name = name
        self.aliases = aliases
        self.hostname = hostname
        self.addresses = addresses
        self.ports = ports
        self.weight = weight
    }

    package var shortID: String { String(containerID.prefix(12)) }

    /// Everything it is found by, in lower case; what can be no name in DNS is left out.
    package var indexedNames: [String] {
        var names: [String] = []
        for text in [name] + aliases + [shortID, hostname] {
            guard let indexed = DomainName(text)?.hostName, indexed == text.lowercased(),
                !names.contains(indexed)
            else { continue }
            names.append(indexed)
        }
        return names
    }

    /// - Parameter name: of `DomainName.hostName`.
    package func isNamed(_ name: String) -> Bool {
        if self.name.lowercased() == name || hostname.lowercased() == name || shortID == name { return true }
        return aliases.contains { $0.lowercased() == name }
    }

    /// The name that answers give: `web.backend` on the network backend.
    package func canonicalName(network: String) -> DomainName? {
        let own = DomainName(name)?.hostName ?? shortID
        return DomainName("\(own).\(network)") ?? DomainName(own)
    }
}

extension NamedEndpoint {
    private static let kind = "ctr-endpoint 1"

    var record: FlatRecord {
        var record = FlatRecord(kind: Self.kind)
        record.add("container", containerID)
        record.add("name", name)
        record.add("alias", all: aliases)
        record.add("hostname", hostname)
        record.add("address", all: addresses.map(\.description))
        record.add(
            "port",
            all: ports.map { port in
                "\(port.number) \(port.transport.rawValue) \(port.published ?? 0) \(port.service)"
            })
        record.add("weight", String(weight))
        return record
    }

    init(parsing bytes: [UInt8], id: String) throws(Failure) {
        let record = try FlatRecord(kind: Self.kind, parsing: bytes, name: "the endpoint of \(id.prefix(12))")
        guard record.first("container") == id, let name = record.first("name") else {
            throw Failure(.dataLoss, "the endpoint of \(id.prefix(12)) is damaged")
        }
        self.init(
            containerID: id, name: name, aliases: record.all("alias"),
            hostname: record.first("hostname") ?? "",
            addresses: record.all("address").compactMap { IPAddress($0) },
            ports: record.all("port").compactMap(NamedEndpoint.port),
            weight: record.first("weight").flatMap { UInt16($0) } ?? 1)
    }

    private static func port(_ text: String) -> Port? {
        let words = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, let number = UInt16(words[0]),
            let transport = Port.TransportProtocol(rawValue: String(words[1])),
            let published = UInt16(words[2])
        else { return nil }
        return Port(
            number, transport, published: published == 0 ? nil : published, service: String(words[3]))
    }
}
