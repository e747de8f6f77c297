package import LinuxSystem

/// A way into a container, as the kernel has it.
package struct ExposedPort: Sendable, Equatable {
    package let transport: UInt8
    package let family: IPFamily
    /// nil: every address of the host.
    package let hostAddress: IPAddress?
    package let hostPorts: ClosedRange<UInt16>
    /// One, or of a balanced port all; the port is that of the first of the host's.
    package let targets: [Target]
    package let owner: String?

    package init(
        transport: UInt8, family: IPFamily, hostAddress: IPAddress?, hostPorts: ClosedRange<UInt16>,
        targets: [Target], owner: String?
    ) {
        self.transport = transport
        self.family = family
        self.hostAddress = hostAddress
        self.hostPorts = hostPorts
        self.targets = targets
        self.owner = owner
    }

    package struct Target: Sendable, Hashable {
        package let address: IPAddress
        package let port: UInt16

        package init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }
}

extension HostRules {
    /// What the rules let in at this moment, whatever the records say.
    package mutating func exposedPorts() throws(SystemError) -> [ExposedPort] {
        var found: [ExposedPort] = []
        for sets in Ruleset.families {
            for set in [
                sets.published, sets.publishedAnywhere, sets.publishedRanges, sets.balanced,
                sets.balancedAnywhere,
            ] {
                for element in try socket.elements(of: set.name, in: rules.inet) {
                    if let port = try exposed(element, set, sets) { found.append(port) }
                }
            }
        }
        return found
    }

    private mutating func exposed(_ element: NftElement, _ set: NftSet, _ sets: Ruleset.PerFamily)
        throws(SystemError) -> ExposedPort?
    {
        let hasAddress = set.key.count == 3
        let portAt = hasAddress ? 4 + sets.size : 4
        guard let first = HostRules.port(element.key, at: portAt) else { return nil }
        let last = element.last.flatMap { HostRules.port($0, at: portAt) } ?? first
        guard first <= last else { return nil }
        var host = hasAddress ? IPAddress(bytes: Array(element.key[4..<4 + sets.size])) : nil
        if let end = element.last, hasAddress, Array(end[4..<4 + sets.size]) != host?.bytes { host = nil }
        var targets: [ExposedPort.Target] = []
        switch element.value {
        case .none: return nil
        case .bytes(let bytes):
            if let target = HostRules.target(bytes, sets, first) { targets.append(target) }
        case .verdict(.goto(let chain)):
            for slot in try socket.elements(of: "to_\(chain)", in: rules.inet) {
                guard case .bytes(let bytes) = slot.value, let target = HostRules.target(bytes, sets, first),
                    !targets.contains(target)
                else { continue }
                targets.append(target)
            }
        case .verdict: return nil
        }
        return ExposedPort(
            transport: element.key[0], family: sets.family, hostAddress: host, hostPorts: first...last,
            targets: targets, owner: element.comment)
    }

    private static func port(_ bytes: [UInt8], at offset: Int) -> UInt16? {
        bytes.count >= offset + 2 ? UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) : nil
    }

    /// A range's value is the address alone.
    private static func target(_ bytes: [UInt8], _ sets: Ruleset.PerFamily, _ first: UInt16)
        -> ExposedPort.Target?
    {
        guard bytes.count >= sets.size, let address = IPAddress(bytes: Array(bytes[..<sets.size])) else {
            return nil
        }
        return ExposedPort.Target(address: address, port: port(bytes, at: sets.size) ?? first)
    }
}
