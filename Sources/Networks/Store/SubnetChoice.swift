package import Failure

/// Where subnets come from that nobody asked for.
///
/// 10.208.0.0/12 in pieces of 4096, then 10.192.0.0/12 in pieces of 256. Docker's 172.17.0.0/16 to 192.168.240.0/20 are few
/// (31 networks), and lie where offices, clouds and homes have theirs; podman's are 10.88.0.0/15, Kubernetes' 10.42, 10.43,
/// 10.96 and 10.244, OpenShift's 10.128.0.0/14, and a stopped one's routes are not there to be seen. None of these overlaps.
package struct SubnetPool: Equatable, Sendable {
    package let base: IPPrefix
    /// Of the subnets that it is cut into.
    package let length: Int

    /// Throws `.invalidArgument` where no subnet of this length is in it, or none that could hold a container.
    package init(_ base: IPPrefix, length: Int) throws(Failure) {
        guard length >= base.length, length <= base.family.width - 2 else {
            throw Failure(
                .invalidArgument, "\(base) cannot be cut into subnets of /\(length)",
                hint: "the length is \(base.length) to \(base.family.width - 2)")
        }
        self.base = base
        self.length = length
    }

    private init(_ first: UInt32, _ baseLength: Int, into length: Int) {
        base = IPPrefix(of: .v4(IPv4Address(value: first)), length: baseLength)
        self.length = length
    }

    package static let standard = [
        SubnetPool(0x0ad0_0000, 12, into: 20), SubnetPool(0x0ac0_0000, 12, into: 24),
    ]
}

/// Addresses that something else has: a route, another network.
package struct PrefixInUse: Equatable, Sendable {
    package let prefix: IPPrefix
    /// For a person: `the route of eth0`, `network backend`.
    package let owner: String

    package init(_ prefix: IPPrefix, owner: String) {
        self.prefix = prefix
        self.owner = owner
    }
}

enum SubnetChoice {
    /// The first of the pools that overlaps with nothing.
    static func first(of pools: [SubnetPool], notIn used: [PrefixInUse]) throws(Failure) -> IPPrefix {
        var obstacle: PrefixInUse?
        for pool in pools {
            var next: IPAddress? = pool.base.first
            while let first = next, pool.base.contains(first) {
                let candidate = IPPrefix(of: first, length: pool.length)
                guard let clash = overlap(candidate, used) else { return candidate }
                obstacle = clash
                // Past the larger of both: a route of a /8 does not cost thousands of steps.
                let end = max(candidate.last, clash.prefix.last)
                next = end.advanced(by: 1)
            }
        }
        throw Failure(
            .resourceExhausted,
            "no subnet is free: "
                + (obstacle.map { "the last one that was tried overlaps with \($0.prefix), \($0.owner)" }
                    ?? "there are no pools"),
            hint: "choose one with --subnet, or remove networks with \"ctr network prune\"")
    }

    /// Of unique local addresses with a random global id (RFC 4193, section 3.2.2), a /64.
    static func randomIPv6(notIn used: [PrefixInUse]) -> IPPrefix {
        while true {
            let id = UInt64.random(in: 0..<1 << 40)
            let prefix = IPPrefix(of: .v6(IPv6Address(high: 0xfd << 56 | id << 16, low: 0)), length: 64)
            if overlap(prefix, used) == nil { return prefix }
        }
    }

    /// A default route is in nobody's way.
    static func overlap(_ prefix: IPPrefix, _ used: [PrefixInUse]) -> PrefixInUse? {
        used.first { $0.prefix.length > 0 && $0.prefix.overlaps(prefix) }
    }
}
