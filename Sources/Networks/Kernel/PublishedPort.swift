/// Protocols with ports, by their IP numbers.
package enum Transport: UInt8, Sendable, Hashable, CaseIterable {
    case tcp = 6
    case udp = 17
    case sctp = 132
}

/// Ports of the host that lead to a container: `-p`.
package struct PublishedPort: Sendable, Equatable {
    package var transport: Transport
    /// nil: every address of the host, of the target's family.
    package var hostAddress: IPAddress?
    package var hostPorts: ClosedRange<UInt16>
    package var target: IPAddress
    /// Where the first of the host's ports leads; the others follow.
    package var targetPort: UInt16
    /// The host's own address on the target's network. The host's programs are seen to come from it when they go by
    /// 127.0.0.1 or ::1; nil: that way is not open.
    package var gateway: IPAddress?
    /// Kept beside the rule and told by `HostRules.exposedPorts`; at most 127 bytes.
    package var owner: String?

    package init(
        _ transport: Transport, hostAddress: IPAddress? = nil, hostPorts: ClosedRange<UInt16>,
        target: IPAddress,
        targetPort: UInt16, gateway: IPAddress? = nil, owner: String? = nil
    ) {
        self.transport = transport
        self.hostAddress = hostAddress
        self.hostPorts = hostPorts
        self.target = target
        self.targetPort = targetPort
        self.gateway = gateway
        self.owner = owner
    }
}

/// One port of the host that is spread over several containers.
package struct BalancedPort: Sendable, Equatable {
    package enum Mode: Sendable, Equatable {
        case random
        case roundRobin
        /// One sender's address always leads to one backend, as long as there are the same ones.
        case sourceHash
    }

    package struct Backend: Sendable, Hashable {
        package var address: IPAddress
        package var port: UInt16
        /// How often it is taken, beside the others' weights. 0: never.
        package var weight: UInt32

        package init(_ address: IPAddress, port: UInt16, weight: UInt32 = 1) {
            self.address = address
            self.port = port
            self.weight = weight
        }
    }

    package var transport: Transport
    package var family: IPFamily
    /// nil: every address of the host, of the family.
    package var hostAddress: IPAddress?
    package var hostPort: UInt16
    package var mode: Mode
    /// All of one family.
    package var backends: [Backend]
    /// As of `PublishedPort`; all backends are on one network.
    package var gateway: IPAddress?
    package var owner: String?

    package init(
        _ transport: Transport, _ family: IPFamily, hostAddress: IPAddress? = nil, hostPort: UInt16,
        mode: Mode,
        backends: [Backend], gateway: IPAddress? = nil, owner: String? = nil
    ) {
        self.transport = transport
        self.family = family
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.mode = mode
        self.backends = backends
        self.gateway = gateway
        self.owner = owner
    }

    /// At most so many slots share a port's connections: weights are rounded to 1/256.
    static let mostSlots: UInt64 = 256

    /// The backends, each as often as its weight says. One of a weight above 0 is in it at least once.
    package var slots: [Backend] {
        let taken = backends.filter { $0.weight > 0 }
        var divisor: UInt64 = 0
        for one in taken { divisor = BalancedPort.commonDivisor(divisor, UInt64(one.weight)) }
        let sum = taken.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
        guard sum > 0 else { return [] }
        let isExact = sum / divisor <= BalancedPort.mostSlots
        var remaining = taken.map { one -> UInt64 in
            isExact
                ? UInt64(one.weight) / divisor : max(1, UInt64(one.weight) * BalancedPort.mostSlots / sum)
        }
        // In turns, so that round robin does not stay with one backend for its whole weight.
        var slots: [Backend] = []
        while remaining.contains(where: { $0 > 0 }) {
            for i in taken.indices where remaining[i] > 0 {
                slots.append(taken[i])
                remaining[i] -= 1
            }
        }
        return slots
    }

    private static func commonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        b == 0 ? a : commonDivisor(b, a % b)
    }
}
