package import Failure
package import Networks

/// `-p [[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL]`, with ranges of the same length on both sides.
package struct PortRequest: Sendable, Equatable {
    /// nil: every address of the host, or what the network says.
    package var hostAddress: IPAddress?
    /// nil: those that are free, chosen at each start. A longer range than the container's: one of them.
    package var hostPorts: ClosedRange<UInt16>?
    package var containerPorts: ClosedRange<UInt16>
    package var transport: Transport
    package var balance: Balance?

    package init(
        _ containerPorts: ClosedRange<UInt16>, _ transport: Transport, hostAddress: IPAddress? = nil,
        hostPorts: ClosedRange<UInt16>? = nil
    ) {
        self.hostAddress = hostAddress
        self.hostPorts = hostPorts
        self.containerPorts = containerPorts
        self.transport = transport
    }

    /// - Throws: `invalidArgument`, without the flag's name.
    package init(parsing text: String) throws(Failure) {
        var (word, balance) = (text[...], Balance?.none)
        if let place = text.firstIndex(of: "~") {
            balance = try Balance(parsing: String(text[text.index(after: place)...]))
            word = text[..<place]
        }
        let wrong = Failure(
            .invalidArgument, "\"\(text)\" is no port to publish",
            hint: "it is [[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL], such as 8080:80 or 127.0.0.1:53:53/udp")
        var address: String?
        if word.hasPrefix("[") {
            // An IPv6 address has brackets; docker wants them too.
            guard let end = word.firstIndex(of: "]") else { throw wrong }
            address = String(word[word.index(after: word.startIndex)..<end])
            word = word[word.index(after: end)...]
            guard word.first == ":" else { throw wrong }
            word = word.dropFirst()
        }
        var parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.popLast(), parts.count <= (address == nil ? 2 : 1) else { throw wrong }
        let inside = try ExposedPorts(parsing: String(last))
        let host = parts.popLast() ?? ""
        if let first = parts.first { address = String(first) }
        self.init(inside.ports, inside.transport)
        self.balance = balance
        if let address, !address.isEmpty {
            guard let parsed = IPAddress(address) else {
                throw Failure(.invalidArgument, "\"\(address)\" in \"\(text)\" is not an IP address")
            }
            hostAddress = parsed
        }
        // docker: 0 is one that is free, as none is.
        guard !host.isEmpty, host != "0" else { return }
        let range = try ExposedPorts.range(host, of: text)
        // docker: several of the host's for one of the container's are tried one after the other.
        guard range.count == containerPorts.count || containerPorts.count == 1 else {
            throw Failure(
                .invalidArgument,
                "\"\(text)\": \(range.count) ports of the host for \(containerPorts.count) of the container")
        }
        hostPorts = range
    }
}

extension PortRequest: CustomStringConvertible {
    /// As ``init(parsing:)`` reads it.
    package var description: String {
        var text = ""
        if let hostAddress {
            text = hostAddress.family == .v6 ? "[\(hostAddress)]:" : "\(hostAddress):"
        }
        if let hostPorts { text += "\(ExposedPorts.text(hostPorts)):" } else if !text.isEmpty { text += ":" }
        text += ExposedPorts(containerPorts, transport).description
        if let balance { text += "~\(balance)" }
        return text
    }
}

/// `--expose 8000-8010/udp`: ports that the container's program listens on.
package struct ExposedPorts: Sendable, Equatable, Hashable {
    package var ports: ClosedRange<UInt16>
    package var transport: Transport

    package init(_ ports: ClosedRange<UInt16>, _ transport: Transport) {
        self.ports = ports
        self.transport = transport
    }

    /// - Throws: `invalidArgument`, without the flag's name.
    package init(parsing text: String) throws(Failure) {
        let ports = text.prefix { $0 != "/" }
        let word = text.dropFirst(ports.count + 1)
        guard ports.count == text.count || !word.isEmpty,
            let transport = ports.count == text.count ? .tcp : Transport(word: word.lowercased())
        else {
            throw Failure(
                .invalidArgument, "\"\(word)\" in \"\(text)\" is no protocol", hint: "it is tcp, udp or sctp")
        }
        self.init(try ExposedPorts.range(ports, of: text), transport)
    }

    static func range(_ text: Substring, of whole: String) throws(Failure) -> ClosedRange<UInt16> {
        func number(_ text: Substring) -> UInt16? {
            guard let first = text.utf8.first, (0x30...0x39).contains(first), let port = UInt16(text),
                port > 0
            else { return nil }
            return port
        }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = number(ends[0]), let last = ends.count == 2 ? number(ends[1]) : first, first <= last
        else {
            throw Failure(
                .invalidArgument, "\"\(text)\" in \"\(whole)\" is no port",
                hint: "a port is 1 to 65535, a range FIRST-LAST")
        }
        return first...last
    }

    static func text(_ range: ClosedRange<UInt16>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}

extension ExposedPorts: CustomStringConvertible {
    package var description: String { "\(ExposedPorts.text(ports))/\(transport.word)" }
}

extension Transport {
    package var word: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        case .sctp: "sctp"
        }
    }

    package init?(word: String) {
        guard let found = Transport.allCases.first(where: { $0.word == word }) else { return nil }
        self = found
    }
}

/// All containers of an alias behind one published port: `--balance ALIAS[:MODE]`.
package struct Balance: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        case random
        case roundRobin = "round-robin"
        case sourceHash = "source-hash"
    }

    package var alias: String
    package var mode: Mode

    package init(alias: String, mode: Mode) {
        self.alias = alias
        self.mode = mode
    }

    /// - Throws: `invalidArgument`, without the flag's name.
    package init(parsing text: String) throws(Failure) {
        let alias = text.prefix { $0 != ":" }
        let word = text.dropFirst(alias.count + 1)
        guard !alias.isEmpty, let mode = alias.count == text.count ? .random : Mode(rawValue: String(word))
        else {
            throw Failure(
                .invalidArgument, "\"\(text)\" is no way to balance",
                hint: "it is ALIAS or ALIAS:MODE; MODE is random, round-robin or source-hash")
        }
        self.init(alias: try NetworkRequest.alias(String(alias)), mode: mode)
    }
}

extension Balance: CustomStringConvertible {
    package var description: String { "\(alias):\(mode.rawValue)" }
}
