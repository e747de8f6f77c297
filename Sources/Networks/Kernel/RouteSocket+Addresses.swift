package import LinuxSystem

extension RouteSocket {
    private enum Message {
        static let newAddress: UInt16 = 20
        static let deleteAddress: UInt16 = 21
        static let getAddress: UInt16 = 22
        static let newRoute: UInt16 = 24
        static let deleteRoute: UInt16 = 25
        static let getRoute: UInt16 = 26
        static let newNeighbour: UInt16 = 28
        static let getMulticast: UInt16 = 58
    }

    /// An address of a device.
    package struct Assigned: Sendable, Equatable {
        package let address: InterfaceAddress
        package let index: UInt32
    }

    // MARK: - Addresses

    /// Of all devices.
    package mutating func addresses() throws(SystemError) -> [Assigned] { try assigned(to: 0) }

    package mutating func addresses(of index: UInt32) throws(SystemError) -> [InterfaceAddress] {
        try assigned(to: index).map { $0.address }
    }

    private mutating func assigned(to wanted: UInt32) throws(SystemError) -> [Assigned] {
        // struct ifaddrmsg: family 1, prefix 1, flags 1, scope 1, index 4.
        var body: [UInt8] = [0, 0, 0, 0]
        body.append(littleEndian: wanted)
        let answers = try netlink.request(Message.getAddress, body, doing: "list addresses", dump: true)
        return answers.compactMap { answer in
            guard answer.body.count >= 8, let index: UInt32 = answer.body[...].littleEndian(at: 4),
                wanted == 0 || index == wanted
            else { return nil }
            let attributes = NetlinkAttributes.parse(answer.body, from: 8)
            // IFA_LOCAL is the device's own; of IPv6 there is IFA_ADDRESS alone.
            guard let bytes = attributes[2] ?? attributes[1], let address = IPAddress(bytes: bytes),
                Int(answer.body[1]) <= address.family.width
            else { return nil }
            return Assigned(address: InterfaceAddress(address, length: Int(answer.body[1])), index: index)
        }
    }

    /// An IPv6 address is there at once: nobody waits for the detection of duplicates.
    package mutating func add(_ address: InterfaceAddress, to index: UInt32) throws(SystemError) {
        try netlink.requestAll([RouteSocket.address(address, of: index)])
    }

    package mutating func remove(_ address: InterfaceAddress, from index: UInt32) throws(SystemError) {
        try netlink.request(
            Message.deleteAddress, RouteSocket.addressBody(address, of: index),
            doing: "take address \(address) away")
    }

    static func address(_ address: InterfaceAddress, of index: UInt32) -> NetlinkRequest {
        NetlinkRequest(
            Message.newAddress, flags: createOrReplace, addressBody(address, of: index),
            doing: "give address \(address)")
    }

    private static func addressBody(_ address: InterfaceAddress, of index: UInt32) -> [UInt8] {
        // IFA_F_NODAD
        let flags: UInt8 = address.address.family == .v6 ? 0x2 : 0
        var body: [UInt8] = [address.address.family.rawValue, UInt8(address.length), flags, 0]
        body.append(littleEndian: index)
        var attributes = NetlinkAttributes()
        attributes.add(2, address.address.bytes)
        attributes.add(1, address.address.bytes)
        if address.address.family == .v4, address.length < 31 {
            // IFA_BROADCAST
            attributes.add(4, address.subnet.last.bytes)
        }
        return body + attributes.bytes
    }

    // MARK: - Routes

    /// A way to a range of addresses: through a gateway, or to a device's link.
    package struct Route: Sendable, Equatable {
        /// 0.0.0.0/0 and ::/0 are the default routes.
        package var destination: IPPrefix
        package var gateway: IPAddress?
        package var index: UInt32?
        package var metric: UInt32?

        package init(
            to destination: IPPrefix, gateway: IPAddress? = nil, index: UInt32? = nil, metric: UInt32? = nil
        ) {
            self.destination = destination
            self.gateway = gateway
            self.index = index
            self.metric = metric
        }

        package static func byDefault(through gateway: IPAddress, index: UInt32? = nil) -> Route {
            let zero = gateway.filled(after: 0, with: false)
            return Route(to: IPPrefix(of: zero, length: 0), gateway: gateway, index: index)
        }
    }

    /// The unicast routes of all tables but those of local and broadcast addresses.
    package mutating func routes() throws(SystemError) -> [Route] {
        // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags 4.
        try netlink.request(
            Message.getRoute, [UInt8](repeating: 0, count: 12), doing: "list routes", dump: true
        ).compactMap { answer in
            // RTN_UNICAST
            guard answer.body.count >= 12, answer.body[7] == 1,
                let family = IPFamily(rawValue: answer.body[0]),
                Int(answer.body[1]) <= family.width
            else { return nil }
            let attributes = NetlinkAttributes.parse(answer.body, from: 12)
            let zero = [UInt8](repeating: 0, count: family.width / 8)
            guard let first = IPAddress(bytes: attributes[1] ?? zero) else { return nil }
            return Route(
                to: IPPrefix(of: first, length: Int(answer.body[1])),
                gateway: attributes[5].flatMap { IPAddress(bytes: $0) },
                index: attributes[4]?[...].littleEndian(at: 0),
                metric: attributes[6]?[...].littleEndian(at: 0))
        }
    }

    package mutating func add(_ route: Route) throws(SystemError) {
        try netlink.requestAll([RouteSocket.route(route)])
    }

    package mutating func remove(_ route: Route) throws(SystemError) {
        try netlink.request(
            Message.deleteRoute, RouteSocket.routeBody(route),
            doing: "remove the route to \(route.destination)")
    }

    static func route(_ route: Route) -> NetlinkRequest {
        NetlinkRequest(
            Message.newRoute, flags: createOrReplace, routeBody(route),
            doing: "add the route to \(route.destination)\(route.gateway.map { " through \($0)" } ?? "")")
    }

    private static func routeBody(_ route: Route) -> [UInt8] {
        // RT_TABLE_MAIN, RTPROT_STATIC; RT_SCOPE_LINK for an IPv4 route without a gateway; RTN_UNICAST.
        let scope: UInt8 = route.gateway == nil && route.destination.family == .v4 ? 253 : 0
        var body: [UInt8] = [
            route.destination.family.rawValue, UInt8(route.destination.length), 0, 0, 254, 4, scope, 1, 0, 0,
            0, 0,
        ]
        var attributes = NetlinkAttributes()
        if route.destination.length > 0 { attributes.add(1, route.destination.first.bytes) }
        if let index = route.index { attributes.add(4, index) }
        if let gateway = route.gateway { attributes.add(5, gateway.bytes) }
        if let metric = route.metric { attributes.add(6, metric) }
        body += attributes.bytes
        return body
    }

    // MARK: - Neighbours

    /// Of an IPv6 address the kernel joins the group in which neighbours ask for it (RFC 4291, 2.7.1) a moment after it has
    /// given the address, by a worker that waits for whoever changes devices. A question before that is lost, and the next
    /// comes a second later. Waits for that, a quarter of a second at most.
    package mutating func waitForNeighbourGroups(of addresses: [IPAddress], on index: UInt32)
        throws(SystemError)
    {
        let wanted = Set(
            addresses.compactMap { address -> IPAddress? in
                guard case .v6(let six) = address else { return nil }
                let low: UInt64 = 0x1_ff00_0000 | six.low & 0xff_ffff
                return .v6(IPv6Address(high: 0xff02 << 48, low: low))
            })
        guard !wanted.isEmpty else { return }
        let deadline = monotonicNanoseconds() + 250_000_000
        while try !groups(of: index).isSuperset(of: wanted), monotonicNanoseconds() < deadline {
            Process.sleep(microseconds: 200)
        }
    }

    private mutating func groups(of index: UInt32) throws(SystemError) -> Set<IPAddress> {
        // struct ifaddrmsg, as above.
        var body: [UInt8] = [IPFamily.v6.rawValue, 0, 0, 0]
        body.append(littleEndian: index)
        let answers = try netlink.request(Message.getMulticast, body, doing: "list groups", dump: true)
        return Set(
            answers.compactMap { answer in
                guard answer.body.count >= 8 else { return nil }
                // IFA_MULTICAST
                return NetlinkAttributes.parse(answer.body, from: 8)[7].flatMap { IPAddress(bytes: $0) }
            })
    }

    /// Who has an address on a link, as if just heard: what was known of an earlier owner is forgotten, and nobody has to
    /// be asked.
    package mutating func add(neighbour address: IPAddress, is mac: MACAddress, on index: UInt32)
        throws(SystemError)
    {
        try netlink.requestAll([RouteSocket.neighbour(address, is: mac, on: index, isNew: true)])
    }

    /// - Parameter isNew: or only where something is known of the address; ENOENT else.
    static func neighbour(_ address: IPAddress, is mac: MACAddress, on index: UInt32, isNew: Bool)
        -> NetlinkRequest
    {
        // struct ndmsg: family 1, pad 3, ifindex 4, state 2, flags 1, type 1; NUD_REACHABLE.
        var body: [UInt8] = [address.family.rawValue, 0, 0, 0]
        body.append(littleEndian: index)
        body += [0x02, 0, 0, 0]
        var attributes = NetlinkAttributes()
        attributes.add(1, address.bytes)
        attributes.add(2, mac.bytes)
        return NetlinkRequest(
            // NLM_F_REPLACE alone changes what is there.
            Message.newNeighbour, flags: isNew ? createOrReplace : 0x100, body + attributes.bytes,
            doing: "tell that \(address) is \(mac)")
    }
}
