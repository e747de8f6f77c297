internal import LinuxSystem

/// The rules of ctr's two tables. They are the same whatever networks, containers and ports there are: those are elements
/// of sets and maps, found by hash, so that no packet and no start walks a list.
///
/// - `inet`: what may be forwarded, masquerade, published ports.
/// - `bridge`: a container sends with its own MAC and addresses only, in ARP and neighbour discovery too.
///
/// A table cannot allow what another one drops: where the host's own firewall has a forward chain with the policy drop,
/// its owner has to let the bridges through (`NftSocket.foreignForwardDrops`).
struct Ruleset {
    let inet: NftTable
    let bridge: NftTable
    let portPrefix: String

    /// Kept beside a chain: tables of another version are replaced.
    static let version = "ctr network rules 1"

    init(_ names: HostNames) {
        inet = NftTable(.inet, names.table)
        bridge = NftTable(.bridge, names.table)
        portPrefix = names.portPrefix
    }

    // MARK: - Sets

    static let bridges = NftSet("bridges", [.interface])
    static let internals = NftSet("internals", [.interface])
    /// Each bridge with itself.
    static let same = NftSet("same", [.interface, .interface])
    static let macs = NftSet("macs", [.interface, .ether])

    /// The sets that there are for each family.
    struct PerFamily {
        let family: IPFamily
        /// Subnets that are masqueraded.
        let masquerade: NftSet
        /// A subnet and its bridge.
        let own: NftSet
        /// Which port of a bridge may send with which MAC and address.
        let senders: NftSet
        let published: NftSet
        let publishedAnywhere: NftSet
        let publishedRanges: NftSet
        let balanced: NftSet
        let balancedAnywhere: NftSet
        /// The source that the host's loopback gets, by port.
        let loopback: NftSet
        let loopbackRanges: NftSet

        init(_ family: IPFamily) {
            self.family = family
            let digit = family == .v4 ? "4" : "6"
            let address = NftSet.Field.address(family)
            masquerade = NftSet("masquerade\(digit)", [address], isInterval: true)
            own = NftSet("own\(digit)", [address, .interface], isInterval: true)
            senders = NftSet("senders\(digit)", [.interface, .ether, address])
            published = NftSet(
                "published\(digit)", [.transport, address, .port], to: .fields([address, .port]))
            publishedAnywhere = NftSet(
                "published_anywhere\(digit)", [.transport, .port], to: .fields([address, .port]))
            publishedRanges = NftSet(
                "published_ranges\(digit)", [.transport, address, .port], to: .fields([address]),
                isInterval: true)
            balanced = NftSet("balanced\(digit)", [.transport, address, .port], to: .verdict)
            balancedAnywhere = NftSet("balanced_anywhere\(digit)", [.transport, .port], to: .verdict)
            loopback = NftSet("loopback\(digit)", [.transport, .port], to: .fields([address]))
            loopbackRanges = NftSet(
                "loopback_ranges\(digit)", [.transport, .port], to: .fields([address]), isInterval: true)
        }

        var inInet: [NftSet] {
            [
                masquerade, own, published, publishedAnywhere, publishedRanges, balanced, balancedAnywhere,
                loopback, loopbackRanges,
            ]
        }

        // Of the network header.
        var sourceOffset: Int { family == .v4 ? 12 : 8 }
        var destinationOffset: Int { family == .v4 ? 16 : 24 }
        var size: Int { family.width / 8 }
        var words: Int { size / 4 }
        /// 127.0.0.1 or ::1.
        var loopbackAddress: IPAddress {
            family == .v4
                ? .v4(IPv4Address(value: 0x7f00_0001)) : .v6(IPv6Address(high: 0, low: 1))
        }
        /// The packet is of this family (NFPROTO_IPV4, NFPROTO_IPV6).
        var isOfFamily: [NftExpression] { [.meta(.family, to: 0), .compare(0, .equal, [family.rawValue])] }
    }

    static let families = [PerFamily(.v4), PerFamily(.v6)]

    static func of(_ family: IPFamily) -> PerFamily { families[family == .v4 ? 0 : 1] }

    // MARK: - Chains

    struct Chain {
        let name: String
        /// nil for a chain that others lead to.
        var base: (type: String, hook: NftTable.Hook, priority: Int32)?
        var rules: [[NftExpression]]
    }

    /// Everything of the tables but elements; what was in them is gone.
    var replacement: [NetlinkRequest] {
        var changes: [NetlinkRequest] = []
        for table in [inet, bridge] { changes += [table.add(), table.delete(), table.add()] }
        for set in [Ruleset.bridges, Ruleset.internals, Ruleset.same] { changes.append(inet.add(set)) }
        changes.append(bridge.add(Ruleset.macs))
        for family in Ruleset.families {
            for set in family.inInet { changes.append(inet.add(set)) }
            changes.append(bridge.add(family.senders))
        }
        add(inetChains, to: inet, &changes)
        add(bridgeChains, to: bridge, &changes)
        return changes
    }

    private func add(_ chains: [Chain], to table: NftTable, _ changes: inout [NetlinkRequest]) {
        for chain in chains {
            if let base = chain.base {
                changes.append(
                    table.add(
                        chain: chain.name, base.type, base.hook, priority: base.priority,
                        comment: Ruleset.version))
            } else {
                changes.append(table.add(chain: chain.name))
            }
        }
        for chain in chains {
            for rule in chain.rules { changes.append(table.add(rule, to: chain.name)) }
        }
    }

    // MARK: - Forwarding and translation

    private static let interfaceLo = NftKey.interface("lo")
    private static let zero: [UInt8] = [0, 0, 0, 0]

    /// Established or related: nearly every packet stops here.
    private static let isKnown: [NftExpression] = [
        .conntrack(.state, to: 0), .mask(0, [6, 0, 0, 0]), .compare(0, .unequal, zero),
    ]
    /// IPS_DST_NAT
    private static let isPublished: [NftExpression] = [
        .conntrack(.status, to: 0), .mask(0, [0x20, 0, 0, 0]), .compare(0, .unequal, zero),
    ]
    private static let isToHost: [NftExpression] = [
        .destinationType(to: 0), .compare(0, .equal, [2, 0, 0, 0]),
    ]

    private static func from(_ set: NftSet) -> [NftExpression] {
        [.meta(.inputName, to: 0), .lookup(set.name, key: 0)]
    }

    private static func to(_ set: NftSet) -> [NftExpression] {
        [.meta(.outputName, to: 0), .lookup(set.name, key: 0)]
    }

    var inetChains: [Chain] {
        typealias R = Ruleset
        return [
            Chain(
                name: "forward", base: ("filter", .forward, 0),
                rules: [
                    R.isKnown + [.verdict(.accept)],
                    R.to(R.bridges) + [.verdict(.goto("inward"))],
                    // Of an internal network nothing leaves.
                    R.from(R.internals) + [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "inward",
                rules: [
                    // With net.bridge.bridge-nf-call-iptables what stays on a bridge comes by too.
                    [
                        .meta(.inputName, to: 0), .meta(.outputName, to: 4), .lookup(R.same.name, key: 0),
                        .verdict(.accept),
                    ],
                    R.to(R.internals) + [.counter, .verdict(.drop)],
                    R.from(R.internals) + [.counter, .verdict(.drop)],
                    R.isPublished + [.verdict(.accept)],
                    // Other networks, and the outside past the published ports.
                    [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "input", base: ("filter", .input, 0),
                rules: [
                    R.isKnown + [.verdict(.accept)],
                    R.from(R.internals) + [.verdict(.goto("from_internal"))],
                ]),
            Chain(
                name: "from_internal",
                rules: [
                    // Neighbour discovery, without which the host could not speak to the container (ICMPv6 135, 136).
                    [
                        .meta(.transport, to: 0), .compare(0, .equal, [58]),
                        .payload(.transport, offset: 0, length: 1, to: 0), .compare(0, .atLeast, [135]),
                        .compare(0, .atMost, [136]), .verdict(.accept),
                    ],
                    [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "prerouting", base: ("nat", .prerouting, -100),
                // No packet from a wire reaches what is published on the host's loopback (as in CVE-2020-8558), even
                // where somebody has switched route_localnet on.
                rules: [
                    [
                        .meta(.family, to: 0), .compare(0, .equal, [IPFamily.v4.rawValue]),
                        .payload(.network, offset: 16, length: 1, to: 0), .compare(0, .equal, [127]),
                        .meta(.inputName, to: 0), .compare(0, .unequal, R.interfaceLo), .counter,
                        .verdict(.drop),
                    ],
                    R.of(.v6).isOfFamily + [
                        .payload(.network, offset: 24, length: 16, to: 0),
                        .compare(0, .equal, R.of(.v6).loopbackAddress.bytes),
                        .meta(.inputName, to: 0), .compare(0, .unequal, R.interfaceLo), .counter,
                        .verdict(.drop),
                    ],
                    R.isToHost + [.verdict(.goto("published"))],
                ]),
            Chain(
                name: "output", base: ("nat", .output, -100),
                rules: [R.isToHost + [.verdict(.goto("published"))]]),
            Chain(name: "published", rules: R.families.flatMap { R.published($0) }),
            Chain(
                name: "postrouting", base: ("nat", .postrouting, 100),
                rules: R.families.flatMap { R.masquerades($0) }),
            // Before conntrack (-200), and after it has put an answer's source back (100).
            Chain(
                name: "to_loopback", base: ("filter", .output, -300),
                rules: R.families.flatMap { R.toLoopback($0) }),
            Chain(
                name: "from_loopback", base: ("filter", .input, 110),
                rules: R.families.map { R.answerToLoopback($0) }),
        ]
    }

    private static func published(_ sets: PerFamily) -> [[NftExpression]] {
        let exact: [NftExpression] =
            sets.isOfFamily + [
                .meta(.transport, to: 0),
                .payload(.network, offset: sets.destinationOffset, length: sets.size, to: 1),
                .payload(.transport, offset: 2, length: 2, to: 1 + sets.words),
            ]
        let anywhere: [NftExpression] =
            sets.isOfFamily + [
                .meta(.transport, to: 0), .payload(.transport, offset: 2, length: 2, to: 1),
            ]
        let toPort: [NftExpression] = [.destination(sets.family, address: 0, port: sets.words)]
        return [
            exact + [.map(sets.published.name, key: 0, to: 0)] + toPort,
            exact + [.verdictMap(sets.balanced.name, key: 0)],
            anywhere + [.map(sets.publishedAnywhere.name, key: 0, to: 0)] + toPort,
            anywhere + [.verdictMap(sets.balancedAnywhere.name, key: 0)],
            exact + [
                .map(sets.publishedRanges.name, key: 0, to: 0),
                .destination(sets.family, address: 0, port: nil),
            ],
        ]
    }

    private static func masquerades(_ sets: PerFamily) -> [[NftExpression]] {
        let source: [NftExpression] =
            sets.isOfFamily + [.payload(.network, offset: sets.sourceOffset, length: sets.size, to: 0)]
        return [
            source + [
                .lookup(sets.masquerade.name, key: 0), .meta(.outputName, to: 0),
                .lookupMissing(bridges.name, key: 0), .masquerade,
            ],
            // A container that reaches one of its own network by the host's port must be answered by the host.
            isPublished + source + [
                .meta(.outputName, to: sets.words), .lookup(sets.own.name, key: 0), .masquerade,
            ],
        ]
    }

    /// A packet of 127.0.0.1's can neither be routed to a bridge nor come back from one, unless route_localnet opens
    /// the host's loopback to whoever is on that bridge. So it gets the bridge's own address before conntrack sees it,
    /// and what answers it gets 127.0.0.1 again after conntrack. Without these rules nothing is open.
    private static func toLoopback(_ sets: PerFamily) -> [[NftExpression]] {
        let isLoopback: [NftExpression] =
            [.meta(.outputName, to: 0), .compare(0, .equal, interfaceLo)] + sets.isOfFamily + [
                .payload(.network, offset: sets.sourceOffset, length: sets.size, to: 0),
                .compare(0, .equal, sets.loopbackAddress.bytes),
                .payload(.network, offset: sets.destinationOffset, length: sets.size, to: 0),
                .compare(0, .equal, sets.loopbackAddress.bytes),
                .meta(.transport, to: 0), .payload(.transport, offset: 2, length: 2, to: 1),
            ]
        return [sets.loopback, sets.loopbackRanges].map {
            isLoopback + [
                .map($0.name, key: 0, to: 0), writeAddress(sets, sets.sourceOffset), .verdict(.accept),
            ]
        }
    }

    private static func answerToLoopback(_ sets: PerFamily) -> [NftExpression] {
        let isAnswer: [NftExpression] =
            sets.isOfFamily + [
                .payload(.network, offset: sets.sourceOffset, length: sets.size, to: 0),
                .compare(0, .equal, sets.loopbackAddress.bytes),
                .meta(.inputName, to: 0), .compare(0, .unequal, interfaceLo),
                .conntrack(.direction, to: 0), .compare(0, .equal, [1]),
            ]
        return isAnswer + isPublished + [
            .immediate(sets.loopbackAddress.bytes, to: 0), writeAddress(sets, sets.destinationOffset),
        ]
    }

    private static func writeAddress(_ sets: PerFamily, _ offset: Int) -> NftExpression {
        .writeNetwork(from: 0, offset: offset, length: sets.size, checksum: sets.family == .v4 ? 10 : nil)
    }
}
