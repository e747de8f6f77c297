package import LinuxSystem

/// Links, addresses, routes and neighbours of one network namespace (rtnetlink(7)).
package struct RouteSocket: ~Copyable {
    var netlink: NetlinkSocket

    /// Of the namespace that this thread is in.
    package init() throws(SystemError) { netlink = try NetlinkSocket() }

    /// Of another namespace, by its open file.
    package init(inside namespace: Int32) throws(SystemError) {
        netlink = try NetworkNamespace.inside(namespace) { () throws(SystemError) in try NetlinkSocket() }
    }

    // NLM_F_CREATE with NLM_F_EXCL, or with NLM_F_REPLACE.
    static let createOnly: UInt16 = 0x600
    static let createOrReplace: UInt16 = 0x500

    package mutating func links() throws(SystemError) -> [Link] {
        try netlink.request(Link.Message.get, Link.header(), doing: "list network devices", dump: true)
            .compactMap { Link($0.body) }
    }

    /// nil where there is none of that name.
    package mutating func link(named name: String) throws(SystemError) -> Link? {
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        do throws(SystemError) {
            return try netlink.request(
                Link.Message.get, Link.header() + attributes.bytes, doing: "find network device \(name)"
            ).first.flatMap { Link($0.body) }
        } catch {
            if error.isNoDevice { return nil }
            throw error
        }
    }

    /// - Throws: ENODEV where there is none of that name.
    package mutating func index(of name: String) throws(SystemError) -> UInt32 {
        guard let link = try link(named: name) else { throw SystemError.noDevice(name) }
        return link.index
    }

    // MARK: - Making and deleting

    /// A bridge that is up, without spanning tree and without a look at multicast.
    package mutating func addBridge(_ name: String, mac: MACAddress? = nil, mtu: UInt32? = nil)
        throws(SystemError)
    {
        var data = NetlinkAttributes()
        // IFLA_BR_STP_STATE, IFLA_BR_MCAST_SNOOPING.
        data.add(5, UInt32(0))
        data.add(23, [0])
        try add(name, kind: "bridge", data, mac: mac, mtu: mtu, doing: "make bridge \(name)")
    }

    /// A pair of which one end is here and up, a port of the bridge if there is one; the other is born in the namespace,
    /// down.
    package mutating func addVeth(
        _ here: VethEnd, peer: VethEnd, in namespace: Int32, bridge: UInt32? = nil, mtu: UInt32? = nil
    ) throws(SystemError) {
        try netlink.requestAll([
            RouteSocket.veth(here, peer: peer, in: namespace, bridge: bridge, mtu: mtu)
        ])
    }

    static func veth(
        _ here: VethEnd, peer: VethEnd, in namespace: Int32, bridge: UInt32?, mtu: UInt32?
    ) -> NetlinkRequest {
        var other = NetlinkAttributes()
        other.add(Link.Attribute.name, peer.name)
        if let mac = peer.mac { other.add(Link.Attribute.address, mac.bytes) }
        if let mtu { other.add(Link.Attribute.mtu, mtu) }
        other.add(Link.Attribute.namespace, UInt32(bitPattern: namespace))
        var data = NetlinkAttributes()
        // VETH_INFO_PEER
        data.add(1, Link.header() + other.bytes)
        var attributes = described(here.name, kind: "veth", data, mac: here.mac, mtu: mtu)
        if let bridge { attributes.add(Link.Attribute.master, bridge) }
        return NetlinkRequest(
            Link.Message.new, flags: createOnly, Link.header(flags: 1, change: 1) + attributes.bytes,
            doing: "make veth \(here.name) with \(peer.name)")
    }

    /// A macvlan of a device that is here, born in the namespace, down.
    package mutating func addMacvlan(
        _ name: String, of parent: String, mode: MacvlanMode, in namespace: Int32, mac: MACAddress? = nil,
        mtu: UInt32? = nil
    ) throws(SystemError) {
        var data = NetlinkAttributes()
        // IFLA_MACVLAN_MODE
        data.add(1, mode.rawValue)
        var attributes = RouteSocket.described(name, kind: "macvlan", data, mac: mac, mtu: mtu)
        attributes.add(Link.Attribute.link, try index(of: parent))
        attributes.add(Link.Attribute.namespace, UInt32(bitPattern: namespace))
        try netlink.request(
            Link.Message.new, flags: RouteSocket.createOnly, Link.header() + attributes.bytes,
            doing: "make macvlan \(name) of \(parent)")
    }

    /// Waits for a grace period of RCU, about 30 ms: a veth whose namespace ends needs none of it.
    package mutating func delete(_ name: String) throws(SystemError) {
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        try netlink.request(
            Link.Message.delete, Link.header() + attributes.bytes, doing: "delete network device \(name)")
    }

    private mutating func add(
        _ name: String, kind: String, _ data: NetlinkAttributes, mac: MACAddress?, mtu: UInt32?, doing: String
    ) throws(SystemError) {
        let attributes = RouteSocket.described(name, kind: kind, data, mac: mac, mtu: mtu)
        // IFF_UP
        try netlink.request(
            Link.Message.new, flags: RouteSocket.createOnly,
            Link.header(flags: 1, change: 1) + attributes.bytes,
            doing: doing)
    }

    private static func described(
        _ name: String, kind: String, _ data: NetlinkAttributes, mac: MACAddress?, mtu: UInt32?
    ) -> NetlinkAttributes {
        var info = NetlinkAttributes()
        info.add(Link.Attribute.kind, kind)
        if !data.bytes.isEmpty { info.add(Link.Attribute.data, nested: data) }
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        attributes.add(Link.Attribute.info, nested: info)
        if let mac { attributes.add(Link.Attribute.address, mac.bytes) }
        if let mtu { attributes.add(Link.Attribute.mtu, mtu) }
        return attributes
    }

    // MARK: - Changing

    package mutating func setUp(_ name: String, _ isUp: Bool = true) throws(SystemError) {
        try netlink.requestAll([RouteSocket.up(name, isUp)])
    }

    static func up(_ name: String, _ isUp: Bool = true) -> NetlinkRequest {
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        return NetlinkRequest(
            Link.Message.new, Link.header(flags: isUp ? 1 : 0, change: 1) + attributes.bytes,
            doing: "bring \(name) \(isUp ? "up" : "down")")
    }

    /// A veth can send only when the kernel's link watch has seen its other end come up, and a bridge forwards to it only
    /// then: a first SYN before that is lost, and repeated after a second. From kernel 6.8 on a question for the device
    /// lets it see at once; before, it does so by itself within moments.
    package mutating func waitForCarrier(_ name: String) throws(SystemError) { _ = try link(named: name) }

    package mutating func setMTU(_ name: String, _ mtu: UInt32) throws(SystemError) {
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        attributes.add(Link.Attribute.mtu, mtu)
        try netlink.request(
            Link.Message.new, Link.header() + attributes.bytes, doing: "set the MTU of \(name) to \(mtu)")
    }

    /// By the device's name, so that it can be told in one breath with making it.
    static func port(_ name: String, _ port: BridgePort) -> NetlinkRequest {
        var info = NetlinkAttributes()
        info.add(Link.Attribute.portKind, "bridge")
        info.add(Link.Attribute.portData, nested: port.attributes)
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        attributes.add(Link.Attribute.info, nested: info)
        return NetlinkRequest(
            Link.Message.new, Link.header() + attributes.bytes, doing: "set up the bridge's port \(name)")
    }

    /// It gives itself no IPv6 address; those that it is given, it has.
    static func withoutOwnIPv6(_ name: String) -> NetlinkRequest {
        var attributes = NetlinkAttributes()
        attributes.add(Link.Attribute.name, name)
        // IFLA_AF_SPEC, AF_INET6, IFLA_INET6_ADDR_GEN_MODE: none.
        var mode = NetlinkAttributes()
        mode.add(8, [1])
        var family = NetlinkAttributes()
        family.add(UInt16(IPFamily.v6.rawValue), nested: mode)
        attributes.add(26, nested: family)
        return NetlinkRequest(
            Link.Message.new, Link.header() + attributes.bytes, doing: "set up IPv6 of \(name)")
    }
}

extension SystemError {
    static func noDevice(_ name: String) -> SystemError {
        SystemError(call: "netlink", path: "find network device \(name)", errno: Errno.noDevice)
    }
}
