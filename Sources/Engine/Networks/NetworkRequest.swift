package import Failure
package import Networks

/// The flags of `run` and `create` about networks, each read by itself. Together they become settings.
package struct NetworkRequest: Sendable {
    /// `--network`; none: the default network.
    package var words: [NetworkWord] = []
    package var aliases: [String] = []
    package var ip: IPAddress?
    package var ip6: IPAddress?
    package var mac: MACAddress?
    package var linkLocal: [IPAddress] = []
    package var ports: [PortRequest] = []
    package var publishesAll = false
    package var exposed: [ExposedPorts] = []
    package var dns: [IPAddress] = []
    package var dnsSearch: [String] = []
    package var dnsOptions: [String] = []
    package var balance: Balance?
    /// What is meant where there is no `--network`.
    package var defaultWord = NetworkWord.network(NetworkAttachment(NetworkStore.defaultName))

    package init() {}

    /// Fills `network` and `networking` of settings whose names and extra hosts are there.
    ///
    /// - Returns: what the caller is to be warned of, a line each.
    /// - Throws: `invalidArgument`, with the flags that do not go together; docker's lines where it has one.
    package func fill(_ settings: inout ContainerSettings) throws(Failure) -> [String] {
        var networking = NetworkSettings()
        networking.dns = dns.map(\.description)
        networking.dnsSearch = dnsSearch
        networking.dnsOptions = dnsOptions
        networking.exposed = exposed
        networking.publishesAll = publishesAll
        networking.ports = try portsOnce()
        let words = words.isEmpty ? [defaultWord] : words
        var warnings: [String] = []
        if case .mode(let mode) = words[0], words.count == 1 {
            try check(mode, settings)
            if mode == "host" || mode == "none", !ports.isEmpty || publishesAll {
                networking.ports = []
                networking.publishesAll = false
                let network = mode == "host" ? "host network mode" : "network mode none"
                warnings.append("WARNING: Published ports are discarded when using \(network)")
            }
            settings.network = mode
            settings.networking = networking
            return warnings
        }
        for word in words {
            guard case .network(var attachment) = word else {
                throw Failure(
                    .invalidArgument,
                    "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
                    hint: "--network none, host, container:NAME and ns:PATH stand alone")
            }
            guard !networking.attachments.contains(where: { $0.network == attachment.network }) else {
                throw Failure(
                    .invalidArgument, "network \"\(attachment.network)\" is specified multiple times")
            }
            if networking.attachments.isEmpty { try addOwnFlags(to: &attachment) }
            networking.attachments.append(attachment)
        }
        let interfaces = networking.attachments.map(\.interface).filter { !$0.isEmpty }
        guard Set(interfaces).count == interfaces.count else {
            throw Failure(
                .invalidArgument, "--network: two interfaces are named \(interfaces.joined(separator: ", "))")
        }
        settings.network = networking.attachments[0].network
        settings.networking = networking
        return warnings
    }

    /// `--ip` and its kin are the first network's, which must not have its own.
    private func addOwnFlags(to attachment: inout NetworkAttachment) throws(Failure) {
        func conflict(_ flag: String, _ what: String) -> Failure {
            Failure(
                .invalidArgument, "conflicting options: cannot specify both \(flag) and per-network \(what)")
        }
        if !aliases.isEmpty {
            guard attachment.aliases.isEmpty else { throw conflict("--network-alias", "alias") }
            attachment.aliases = aliases
        }
        for (address, flag) in [(ip, "--ip"), (ip6, "--ip6")] {
            guard let address else { continue }
            guard !attachment.addresses.contains(where: { $0.family == address.family }) else {
                throw conflict(flag, address.family == .v4 ? "IPv4 address" : "IPv6 address")
            }
            attachment.addresses.append(address)
        }
        attachment.addresses.sort()
        if let mac {
            guard attachment.mac == nil else { throw conflict("--mac-address", "MAC address") }
            attachment.mac = mac
        }
        if !linkLocal.isEmpty {
            guard attachment.linkLocal.isEmpty else {
                throw conflict("--link-local-ip", "link-local IP addresses")
            }
            attachment.linkLocal = linkLocal
        }
    }

    /// What cannot be without a network of the container's own.
    private func check(_ mode: String, _ settings: ContainerSettings) throws(Failure) {
        func conflict(_ text: String) -> Failure {
            Failure(
                .invalidArgument, "conflicting options: \(text)", hint: "that is with --network \(mode)")
        }
        if ip != nil || ip6 != nil || !linkLocal.isEmpty {
            throw Failure(
                .invalidArgument, "user specified IP address is not possible with --network \(mode)",
                hint: "it has no address of its own to give")
        }
        if !aliases.isEmpty {
            throw Failure(
                .invalidArgument, "network-scoped alias is not possible with --network \(mode)",
                hint: "nobody asks there for names of containers")
        }
        if mac != nil { throw conflict("mac-address and the network mode") }
        let isJoined = mode.contains(":")
        guard isJoined else { return }
        if !ports.isEmpty || publishesAll {
            throw conflict("port publishing and the container type network mode")
        }
        if !exposed.isEmpty { throw conflict("port exposing and the container type network mode") }
        guard mode.hasPrefix("container:") else { return }
        if !settings.hostname.isEmpty { throw conflict("hostname and the network mode") }
        if !(dns.isEmpty && dnsSearch.isEmpty && dnsOptions.isEmpty) {
            throw conflict("dns and the network mode")
        }
        if !settings.extraHosts.isEmpty {
            throw conflict("custom host-to-IP mapping and the network mode")
        }
    }

    /// With the way to balance, and without those that are there twice.
    private func portsOnce() throws(Failure) -> [PortRequest] {
        var list: [PortRequest] = []
        for port in ports {
            var port = port
            if let balance, port.hostPorts != nil { port.balance = balance }
            if list.contains(port) { continue }
            if let other = list.first(where: { $0.clashes(with: port) }) {
                throw Failure(
                    .invalidArgument,
                    "--publish \(other) and --publish \(port) want the same port of the host")
            }
            list.append(port)
        }
        if balance != nil, !list.contains(where: { $0.balance != nil }) {
            throw Failure(
                .invalidArgument, "--balance: there is no port of the host to spread",
                hint: "give one with -p, such as -p 80:8080")
        }
        return list
    }
}

extension PortRequest {
    /// Both cannot be had: they take one port of one address. A range of which one port is to be chosen can give way.
    func clashes(with other: PortRequest) -> Bool {
        guard transport == other.transport, let own = hostPorts, let others = other.hostPorts,
            own.overlaps(others), own.count == containerPorts.count,
            others.count == other.containerPorts.count
        else { return false }
        guard let address = hostAddress, let otherAddress = other.hostAddress else { return true }
        return address == otherAddress
            || address.family == otherAddress.family && (address.isUnspecified || otherAddress.isUnspecified)
    }
}

// MARK: - words of flags

extension NetworkRequest {
    /// - Throws: `invalidArgument`, without the flag's name; as the others here.
    package static func address(_ text: String, _ family: IPFamily) throws(Failure) -> IPAddress {
        guard let address = IPAddress(text), address.family == family else {
            throw Failure(
                .invalidArgument, "\"\(text)\" is not an IPv\(family == .v4 ? "4" : "6") address")
        }
        guard !address.isUnspecified, !address.isMulticast, !address.isLoopback else {
            throw Failure(.invalidArgument, "\(address) cannot be the address of a container")
        }
        return address
    }

    package static func linkLocal(_ text: String) throws(Failure) -> IPAddress {
        guard let address = IPAddress(text), address.isLinkLocal else {
            throw Failure(
                .invalidArgument, "\"\(text)\" is not a link-local address",
                hint: "it is in 169.254.0.0/16 or fe80::/10")
        }
        return address
    }

    package static func macAddress(_ text: String) throws(Failure) -> MACAddress {
        guard let mac = MACAddress(text) else {
            throw Failure(
                .invalidArgument, "\"\(text)\" is not a MAC address", hint: "it is such as 02:42:0a:01:00:05")
        }
        guard !mac.isMulticast, !mac.isZero else {
            throw Failure(.invalidArgument, "\(mac) cannot be the address of one interface")
        }
        return mac
    }

    /// A name in DNS: letters, digits, hyphens, underscores and dots, at most 63 bytes between dots and 253 in all.
    package static func alias(_ text: String) throws(Failure) -> String {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20)
                        || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
        guard isName, text.utf8.count <= 253 else {
            throw Failure(
                .invalidArgument, "\"\(text)\" cannot be a name of a container",
                hint: "a name is letters, digits, hyphens, underscores and dots, at most 63 between dots")
        }
        return text
    }

    /// dev_valid_name() of the kernel, and not the one that every namespace has.
    static func interface(_ text: String) throws(Failure) -> String {
        let isValid = text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":")
                && $0 != UInt8(ascii: "%")
        }
        guard isValid, (1...15).contains(text.utf8.count), text != ".", text != "..", text != "lo" else {
            throw Failure(
                .invalidArgument, "\"\(text)\" cannot be the name of an interface",
                hint: "a name is 1 to 15 letters, digits and signs, without / and :, and not lo")
        }
        return text
    }

    /// One word of resolv.conf: what has a space or a line's end in it would be another line there.
    package static func resolverWord(_ text: String) throws(Failure) -> String {
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Failure(.invalidArgument, "\"\(text)\" is no single word")
        }
        return text
    }

    package static func server(_ text: String) throws(Failure) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw Failure(.invalidArgument, "\"\(text)\" is not an IP address")
        }
        return address
    }
}
