/// What a container may send.
extension Ruleset {
    private static let interface: NftExpression = .meta(.inputName, to: 0)
    /// Source MAC of the frame.
    private static let mac: NftExpression = .payload(.link, offset: 6, length: 6, to: 4)

    private static func isProtocol(_ number: UInt16) -> [NftExpression] {
        [
            .meta(.protocolNumber, to: 0),
            .compare(0, .equal, [UInt8(number >> 8), UInt8(number & 0xff)]),
        ]
    }

    /// Frame's MAC and an address in the network header at an offset.
    private static func sender(_ sets: PerFamily, _ offset: Int) -> [NftExpression] {
        [interface, mac, .payload(.network, offset: offset, length: sets.size, to: 6)]
    }

    private static func isMessage(_ type: UInt8) -> [NftExpression] {
        [.payload(.transport, offset: 0, length: 1, to: 0), .compare(0, .equal, [type])]
    }

    var bridgeChains: [Chain] {
        typealias R = Ruleset
        let four = R.of(.v4)
        let six = R.of(.v6)
        // ICMPv6's target follows eight bytes of header.
        let target: [NftExpression] = [
            R.interface, R.mac, .payload(.transport, offset: 8, length: 16, to: 6),
        ]
        let isICMP6: [NftExpression] = [.meta(.transport, to: 0), .compare(0, .equal, [58])]
        return [
            Chain(
                name: "prerouting", base: ("filter", .prerouting, -300),
                rules: [
                    // Interfaces that are not ours: the prefix is compared, not the whole name.
                    [R.interface, .compare(0, .unequal, Array(portPrefix.utf8)), .verdict(.accept)],
                    R.isProtocol(0x0800) + R.sender(four, four.sourceOffset) + [
                        .lookup(four.senders.name, key: 0), .verdict(.accept),
                    ],
                    R.isProtocol(0x86dd) + [.verdict(.goto("from_ipv6"))],
                    R.isProtocol(0x0806) + [.verdict(.goto("from_arp"))],
                    [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "from_arp",
                rules: [
                    // Ethernet, IPv4, their lengths; then the sender's MAC and address must be its own.
                    [
                        .payload(.network, offset: 0, length: 6, to: 0),
                        .compare(0, .equal, [0, 1, 8, 0, 6, 4]),
                        R.interface, .payload(.network, offset: 8, length: 6, to: 4),
                        .payload(.network, offset: 14, length: 4, to: 6), .lookup(four.senders.name, key: 0),
                    ] + R.sender(four, 14) + [.lookup(four.senders.name, key: 0), .verdict(.accept)],
                    [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "from_ipv6",
                rules: [
                    // Router and neighbour discovery: ICMPv6 133 to 137.
                    isICMP6 + [
                        .payload(.transport, offset: 0, length: 1, to: 0), .compare(0, .atLeast, [133]),
                        .compare(0, .atMost, [137]), .verdict(.goto("discovery")),
                    ],
                    // Who listens to which group (MLD, 131, 132 and 143, behind a hop-by-hop header): nobody reads it on a
                    // bridge that floods, and each would be a frame to every port.
                    isICMP6 + [
                        .payload(.transport, offset: 0, length: 1, to: 0), .compare(0, .atLeast, [130]),
                        .compare(0, .atMost, [132]), .verdict(.drop),
                    ],
                    isICMP6 + R.isMessage(143) + [.verdict(.drop)],
                    R.sender(six, six.sourceOffset) + [.lookup(six.senders.name, key: 0), .verdict(.accept)],
                    [.counter, .verdict(.drop)],
                ]),
            Chain(
                name: "discovery",
                rules: [
                    // No container is a router: none is asked for, none advertises itself or sends others elsewhere.
                    R.isMessage(133) + [.verdict(.drop)],
                    R.isMessage(134) + [.counter, .verdict(.drop)],
                    R.isMessage(137) + [.counter, .verdict(.drop)],
                    // An advertisement is of an address of its own.
                    R.isMessage(136) + target + [
                        .lookupMissing(six.senders.name, key: 0), .counter, .verdict(.drop),
                    ],
                    // Detection of duplicates asks for an own address from none.
                    R.isMessage(135) + [
                        .payload(.network, offset: 8, length: 16, to: 0),
                        .compare(0, .equal, [UInt8](repeating: 0, count: 16)),
                    ] + target + [.lookup(six.senders.name, key: 0), .verdict(.accept)],
                    R.sender(six, six.sourceOffset) + [.lookup(six.senders.name, key: 0), .verdict(.accept)],
                    [.counter, .verdict(.drop)],
                ]),
            // A port is a hairpin for its own published ports where bridge-nf-call-iptables is on; what a container
            // sends to all must not come back to it. Before -1, where that setting takes frames out of this hook.
            Chain(
                name: "forward", base: ("filter", .forward, -300),
                rules: [
                    [
                        .payload(.link, offset: 0, length: 1, to: 0), .mask(0, [1]), .compare(0, .equal, [1]),
                        .meta(.outputName, to: 0), R.mac, .lookup(R.macs.name, key: 0), .verdict(.drop),
                    ]
                ]),
        ]
    }
}
