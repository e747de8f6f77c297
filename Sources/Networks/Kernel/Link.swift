internal import LinuxSystem

/// A network device as the kernel tells of it (rtnetlink(7), RTM_NEWLINK).
package struct Link: Sendable, Equatable {
    package let name: String
    package let index: UInt32
    /// `bridge`, `veth`, `macvlan`; nil for what no driver made, as lo.
    package let kind: String?
    package let isUp: Bool
    package let mtu: UInt32
    package let mac: MACAddress?
    /// The index of the bridge that it is a port of.
    package let master: UInt32?
    /// The index of a veth's other end or of a macvlan's parent, in whatever namespace that one is.
    package let lower: UInt32?
    /// nil for what is no port of a bridge.
    package let port: BridgePort?

    enum Message {
        static let new: UInt16 = 16
        static let delete: UInt16 = 17
        static let get: UInt16 = 18
        static let set: UInt16 = 19
    }

    enum Attribute {
        static let address: UInt16 = 1
        static let name: UInt16 = 3
        static let mtu: UInt16 = 4
        static let link: UInt16 = 5
        static let master: UInt16 = 10
        static let info: UInt16 = 18
        static let namespace: UInt16 = 28
        // Within IFLA_LINKINFO.
        static let kind: UInt16 = 1
        static let data: UInt16 = 2
        static let portKind: UInt16 = 4
        static let portData: UInt16 = 5
    }

    /// struct ifinfomsg.
    static func header(index: UInt32 = 0, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        var body: [UInt8] = [0, 0, 0, 0]
        body.append(littleEndian: index)
        body.append(littleEndian: flags)
        body.append(littleEndian: change)
        return body
    }

    init?(_ body: [UInt8]) {
        guard let index: UInt32 = body[...].littleEndian(at: 4),
            let flags: UInt32 = body[...].littleEndian(at: 8)
        else { return nil }
        let attributes = NetlinkAttributes.parse(body, from: 16)
        guard let name = attributes[Attribute.name] else { return nil }
        self.name = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        self.index = index
        // IFF_UP
        isUp = flags & 1 != 0
        mtu = attributes[Attribute.mtu]?[...].littleEndian(at: 0) ?? 0
        mac = attributes[Attribute.address].flatMap { MACAddress(bytes: $0) }
        master = attributes[Attribute.master]?[...].littleEndian(at: 0)
        lower = attributes[Attribute.link]?[...].littleEndian(at: 0)
        let info = NetlinkAttributes.parse(attributes[Attribute.info] ?? [])
        kind = info[Attribute.kind].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let isPort = info[Attribute.portKind].map { $0.prefix { $0 != 0 }.elementsEqual("bridge".utf8) }
        port = isPort == true ? BridgePort(info[Attribute.portData] ?? []) : nil
    }
}

/// What a bridge does at one of its ports (ip-link(8), "bridge_slave").
package struct BridgePort: Sendable, Equatable {
    /// A frame may leave by the port that it came in by.
    package var isHairpin = false
    /// Talks to no other isolated port.
    package var isIsolated = false
    /// Senders' addresses are remembered.
    package var learns = true

    // IFLA_BRPORT_MODE, _LEARNING, _ISOLATED of linux/if_link.h.
    private static let hairpin: UInt16 = 4
    private static let learning: UInt16 = 8
    private static let isolated: UInt16 = 33

    package init(isHairpin: Bool = false, isIsolated: Bool = false, learns: Bool = true) {
        self.isHairpin = isHairpin
        self.isIsolated = isIsolated
        self.learns = learns
    }

    init(_ body: [UInt8]) {
        let attributes = NetlinkAttributes.parse(body)
        isHairpin = attributes[BridgePort.hairpin]?.first == 1
        isIsolated = attributes[BridgePort.isolated]?.first == 1
        learns = attributes[BridgePort.learning]?.first == 1
    }

    var attributes: NetlinkAttributes {
        var attributes = NetlinkAttributes()
        attributes.add(BridgePort.hairpin, [isHairpin ? 1 : 0])
        attributes.add(BridgePort.learning, [learns ? 1 : 0])
        attributes.add(BridgePort.isolated, [isIsolated ? 1 : 0])
        return attributes
    }
}

/// How macvlans of one parent reach each other (ip-link(8)).
package enum MacvlanMode: UInt32, Sendable {
    case `private` = 1
    case vepa = 2
    case bridge = 4
    case passthrough = 8
}

/// One end of a veth pair.
package struct VethEnd: Sendable {
    package var name: String
    package var mac: MACAddress?

    package init(name: String, mac: MACAddress? = nil) {
        self.name = name
        self.mac = mac
    }
}
