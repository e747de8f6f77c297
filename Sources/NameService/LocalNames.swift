internal import Failure
internal import LinuxSystem
package import Networks

/// What is answered without asking anybody: the endpoints of a container's networks and its extra hosts.
///
/// A name that is known here never goes upstream, whatever is asked of it: a type that it has no record of is an empty
/// answer, not NXDOMAIN, or a client that asks for AAAA first would give the name up.
package struct LocalNames {
    private let configuration: ResolverConfiguration
    /// Opened when the first question needs them: a network may have no names yet.
    private var directories: [EndpointDirectory?]
    /// Several endpoints of one name are told in turn, from anywhere at first. By type and name: were it one number, a
    /// client that always asks for two things would always hear the same of each.
    private var turns: [String: UInt32] = [:]
    private static let mostTurns = 256

    package init(_ configuration: ResolverConfiguration) {
        self.configuration = configuration
        directories = Array(repeating: nil, count: configuration.networks.count)
    }

    /// nil: the name is nobody's here. SERVFAIL where the directories cannot be read.
    package mutating func answer(_ question: Question) -> Reply? {
        guard question.questionClass == Question.internet || question.questionClass == Question.anyClass,
            let name = question.name.hostName
        else { return nil }
        do throws(Failure) {
            if let address = ReverseName.address(of: name) {
                return try reverse(address, question.type)
            }
            if let service = ServiceName(name) { return try services(service, question.type) }
            return try addresses(of: name, question.type).map { found in
                Self.reply(found.addresses, question.type)
            }
        } catch {
            return Reply(.serverFailure)
        }
    }

    // MARK: addresses

    private struct Found {
        var endpoints: [NamedEndpoint]
        var addresses: [IPAddress]
        /// The network's name; empty: an extra host.
        var network: String
    }

    private static func reply(_ addresses: [IPAddress], _ type: RecordType) -> Reply {
        var reply = Reply(.noError)
        let v4 = addresses.filter { $0.family == .v4 }
        let v6 = addresses.filter { $0.family == .v6 }
        let wanted: [IPAddress] =
            switch type {
            case .a: v4
            case .aaaa: v6
            // RFC 8482: one type is enough.
            case .any: v4.isEmpty ? v6 : v4
            default: []
            }
        reply.answers = wanted.map { .address($0) }
        return reply
    }

    private mutating func addresses(of name: String, _ type: RecordType) throws(Failure) -> Found? {
        if name == "localhost" || name.hasSuffix(".localhost") {
            // RFC 6761, section 6.3.
            let loopback: [IPAddress] = [
                .v4(IPv4Address(value: 0x7f00_0001)), .v6(IPv6Address(high: 0, low: 1)),
            ]
            return Found(endpoints: [], addresses: loopback, network: "")
        }
        let hosts = configuration.hosts.filter { $0.name.lowercased() == name }
        if !hosts.isEmpty {
            return Found(endpoints: [], addresses: hosts.map(\.address), network: "")
        }
        for i in configuration.networks.indices {
            if let found = try endpoints(named: name, type, inNetwork: i) { return found }
        }
        // web.backend: the name on that network alone.
        for i in configuration.networks.indices {
            let suffix = "." + configuration.networks[i].name.lowercased()
            guard name.hasSuffix(suffix) else { continue }
            if let found = try endpoints(
                named: String(name.dropLast(suffix.count)), type, inNetwork: i)
            {
                return found
            }
        }
        return nil
    }

    private mutating func endpoints(named name: String, _ type: RecordType, inNetwork i: Int) throws(Failure)
        -> Found?
    {
        guard let directory = try directory(i) else { return nil }
        let all = try directory.endpoints(named: name)
        if all.isEmpty { return nil }
        var answering = all.filter(\.isAnswering).map(\.endpoint)
        if answering.count > 1 {
            let first = nextTurn("\(type.rawValue) \(name)", of: answering.count)
            answering = Array(answering[first...] + answering[..<first])
        }
        return Found(
            endpoints: answering, addresses: answering.flatMap(\.addresses),
            network: configuration.networks[i].name)
    }

    private mutating func nextTurn(_ key: String, of count: Int) -> Int {
        if turns.count >= Self.mostTurns, turns[key] == nil { turns.removeAll() }
        let turn = turns[key] ?? UInt32.random(in: 0..<1 << 16)
        turns[key] = turn &+ 1
        return Int(turn) % count
    }

    private mutating func directory(_ i: Int) throws(Failure) -> EndpointDirectory? {
        if directories[i] == nil {
            directories[i] = try EndpointDirectory(existing: configuration.networks[i].path)
        }
        return directories[i]
    }

    // MARK: names of addresses

    private mutating func reverse(_ address: IPAddress, _ type: RecordType) throws(Failure) -> Reply? {
        var name = configuration.hosts.first { $0.address == address }.flatMap { DomainName($0.name) }
        for i in configuration.networks.indices where name == nil {
            name = try directory(i)?.endpoint(at: address)?
                .canonicalName(network: configuration.networks[i].name)
        }
        if let name {
            var reply = Reply(.noError)
            if type == .pointer || type == .any { reply.answers = [.pointer(name)] }
            return reply
        }
        let isOurs = configuration.networks.contains { $0.subnets.contains { $0.contains(address) } }
        return isOurs ? Reply(.nameError) : nil
    }

    // MARK: services

    /// Priority is the same for all; who of them is chosen, their weights say.
    private mutating func services(_ service: ServiceName, _ type: RecordType) throws(Failure) -> Reply? {
        guard let found = try addresses(of: service.owner, .service), !found.network.isEmpty else {
            return nil
        }
        var reply = Reply(.noError)
        var isKnown = found.endpoints.isEmpty
        for endpoint in found.endpoints {
            guard let target = endpoint.canonicalName(network: found.network) else { continue }
            for port in endpoint.ports where service.matches(port) {
                isKnown = true
                guard type == .service || type == .any else { continue }
                reply.answers.append(
                    .service(priority: 0, weight: endpoint.weight, port: port.number, target: target))
                reply.additional += endpoint.addresses.map { (target, .address($0)) }
            }
        }
        return isKnown ? reply : Reply(.nameError)
    }
}

/// `_http._tcp.web` (RFC 2782), where the service may be a port's number, the container's or the published one.
struct ServiceName {
    let service: Substring
    let transport: NamedEndpoint.Port.TransportProtocol
    let owner: String

    init?(_ name: String) {
        let labels = name.split(separator: ".", maxSplits: 2)
        guard labels.count == 3, labels[0].first == "_", labels[1].first == "_",
            let transport = NamedEndpoint.Port.TransportProtocol(rawValue: String(labels[1].dropFirst()))
        else { return nil }
        service = labels[0].dropFirst()
        self.transport = transport
        owner = String(labels[2])
    }

    func matches(_ port: NamedEndpoint.Port) -> Bool {
        guard port.transport == transport else { return false }
        if let number = UInt16(service) { return number == port.number || number == port.published }
        return !port.service.isEmpty && port.service.lowercased() == service
    }
}

/// Names below in-addr.arpa (RFC 1035, section 3.5) and ip6.arpa (RFC 3596, section 2.5).
package enum ReverseName {
    /// nil for every other name, also those of a whole range.
    package static func address(of name: String) -> IPAddress? {
        if name.hasSuffix(".in-addr.arpa") {
            let parts = name.dropLast(".in-addr.arpa".count).split(
                separator: ".", omittingEmptySubsequences: false)
            return IPv4Address(parts.reversed().joined(separator: ".")).map { .v4($0) }
        }
        guard name.hasSuffix(".ip6.arpa") else { return nil }
        let digits = name.dropLast(".ip6.arpa".count).split(separator: ".", omittingEmptySubsequences: false)
        guard digits.count == 32 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for (i, digit) in digits.reversed().enumerated() {
            guard digit.utf8.count == 1, let value = UInt64(digit, radix: 16) else { return nil }
            if i < 16 { halves.0 = halves.0 << 4 | value } else { halves.1 = halves.1 << 4 | value }
        }
        return .v6(IPv6Address(high: halves.0, low: halves.1))
    }

    package static func name(of address: IPAddress) -> String {
        switch address {
        case .v4: return address.bytes.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
        case .v6:
            let digits = address.bytes.flatMap { [$0 >> 4, $0 & 15] }.reversed()
            return digits.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        }
    }
}
