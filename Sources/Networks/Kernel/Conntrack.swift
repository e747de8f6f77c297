internal import LinuxSystem

/// Flows of UDP that came to ports of the host.
struct UDPFlows: Sendable {
    /// Where they were sent to, before any translation.
    let ports: ClosedRange<UInt16>
    /// Who answers them.
    let target: IPAddress?
    /// Those of the target, or those of everyone else.
    let isTarget: Bool
    /// With `isTarget` false: these are spared too.
    var others: [IPAddress] = []

    func contain(port: UInt16, answeredBy address: IPAddress) -> Bool {
        guard ports.contains(port) else { return false }
        return isTarget ? address == target : address != target && !others.contains(address)
    }
}

/// What the kernel remembers of connections (linux/netfilter/nfnetlink_conntrack.h).
struct ConntrackSocket: ~Copyable {
    private var netlink: NetlinkSocket

    init() throws(SystemError) { netlink = try NetlinkSocket(.netfilter) }

    // NFNL_SUBSYS_CTNETLINK with IPCTNL_MSG_CT_GET and _DELETE.
    private static let get: UInt16 = 1 << 8 | 1
    private static let delete: UInt16 = 1 << 8 | 2

    private enum Attribute {
        static let original: UInt16 = 1
        static let reply: UInt16 = 2
        static let id: UInt16 = 12
        static let zone: UInt16 = 18
        static let filter: UInt16 = 25
    }

    /// The next packet of such a flow is looked at as the first of one. Flows to elsewhere, which only pass the host, stay
    /// whatever their ports are.
    mutating func forget(_ flows: [UDPFlows]) throws(SystemError) {
        var routes = try RouteSocket()
        let own = try routes.addresses()
        for family in IPFamily.allCases {
            // The kernel is asked for UDP alone: CTA_PROTO_NUM, told by CTA_FILTER_FLAG(CTA_PROTO_NUM).
            var number = NetlinkAttributes()
            number.add(1, [Transport.udp.rawValue])
            var tuple = NetlinkAttributes()
            tuple.add(2, nested: number)
            var flags = NetlinkAttributes()
            flags.add(1, UInt32(1 << 3))
            flags.add(2, UInt32(0))
            var filter = NetlinkAttributes()
            filter.add(Attribute.original, nested: tuple)
            filter.add(Attribute.filter, nested: flags)
            let answers = try netlink.request(
                ConntrackSocket.get, [family.rawValue, 0, 0, 0] + filter.bytes, doing: "list UDP flows",
                dump: true)
            for answer in answers {
                let attributes = NetlinkAttributes.parse(answer.body, from: 4)
                guard let original = attributes[Attribute.original], let reply = attributes[Attribute.reply],
                    let destination = ConntrackSocket.address(original, 2),
                    own.contains(where: { $0.address.address == destination }),
                    let port = ConntrackSocket.destinationPort(original),
                    let address = ConntrackSocket.address(reply, 1),
                    flows.contains(where: { $0.contain(port: port, answeredBy: address) })
                else { continue }
                var which = NetlinkAttributes()
                which.add(Attribute.original | 0x8000, original)
                for kind in [Attribute.id, Attribute.zone] {
                    if let value = attributes[kind] { which.add(kind, value) }
                }
                do throws(SystemError) {
                    try netlink.request(
                        ConntrackSocket.delete, [family.rawValue, 0, 0, 0] + which.bytes,
                        doing: "forget a UDP flow")
                } catch {
                    // It ended by itself.
                    guard error.isMissing else { throw error }
                }
            }
        }
    }

    /// CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT.
    private static func destinationPort(_ tuple: [UInt8]) -> UInt16? {
        guard let proto = NetlinkAttributes.parse(tuple)[2], let port = NetlinkAttributes.parse(proto)[3],
            port.count == 2
        else { return nil }
        return UInt16(port[0]) << 8 | UInt16(port[1])
    }

    /// CTA_TUPLE_IP: CTA_IP_V4_SRC 1 and _DST 2; those of IPv6 are two more.
    private static func address(_ tuple: [UInt8], _ which: UInt16) -> IPAddress? {
        guard let addresses = NetlinkAttributes.parse(tuple)[1] else { return nil }
        let parsed = NetlinkAttributes.parse(addresses)
        return (parsed[which] ?? parsed[which + 2]).flatMap { IPAddress(bytes: $0) }
    }
}
