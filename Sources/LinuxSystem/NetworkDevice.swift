internal import CLinux
internal import Glibc

/// A network device of the namespace that this process is in.
package struct NetworkDevice: Sendable {
    package let name: String
    package let index: UInt32

    private enum Message {
        static let newLink: UInt16 = 16
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
    }

    private enum Attribute {
        static let name: UInt16 = 3
        static let namespaceDescriptor: UInt16 = 28
        static let flags: UInt16 = 8
    }

    /// - Throws: ENODEV where there is none of that name.
    package init(named name: String, _ socket: inout NetlinkSocket) throws(SystemError) {
        var attributes = NetlinkAttributes()
        attributes.add(Attribute.name, name)
        let answers = try socket.request(
            Message.getLink, NetworkDevice.link(index: 0) + attributes.bytes,
            doing: "find network device \(name)")
        // struct ifinfomsg: family 1, pad 1, type 2, index 4, flags 4, change 4.
        guard let answer = answers.first(where: { $0.type == Message.newLink }),
            let index: UInt32 = answer.body[...].littleEndian(at: 4)
        else { throw SystemError(call: "netlink", path: "find network device \(name)", errno: ENODEV) }
        self.name = name
        self.index = index
    }

    private init(name: String, index: UInt32) {
        self.name = name
        self.index = index
    }

    /// Those of the namespace that the socket is of.
    package static func all(_ socket: inout NetlinkSocket) throws(SystemError) -> [NetworkDevice] {
        let answers = try socket.request(
            Message.getLink, link(index: 0), doing: "list network devices", dump: true)
        return answers.compactMap { answer in
            guard answer.type == Message.newLink, answer.body.count >= 16,
                let index: UInt32 = answer.body[...].littleEndian(at: 4),
                let name = NetlinkAttributes.parse(answer.body, from: 16)[Attribute.name]
            else { return nil }
            return NetworkDevice(name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self), index: index)
        }
    }

    private static func link(index: UInt32, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        var body: [UInt8] = [0, 0, 0, 0]
        body.append(littleEndian: index)
        body.append(littleEndian: flags)
        body.append(littleEndian: change)
        return body
    }

    /// An address as the kernel told of it, to be given again.
    package struct Address: Sendable {
        let body: [UInt8]
    }

    /// The addresses that somebody gave it for good and for everywhere: those that a move would lose.
    package func permanentAddresses(_ socket: inout NetlinkSocket) throws(SystemError) -> [Address] {
        let answers = try socket.request(
            Message.getAddress, [0, 0, 0, 0, 0, 0, 0, 0], doing: "list the addresses of \(name)", dump: true)
        return answers.compactMap { answer in
            // struct ifaddrmsg: family 1, prefix 1, flags 1, scope 1, index 4.
            guard answer.type == Message.newAddress, answer.body.count >= 8,
                let owner: UInt32 = answer.body[...].littleEndian(at: 4), owner == index, answer.body[3] == 0
            else { return nil }
            let attributes = NetlinkAttributes.parse(answer.body, from: 8)
            var flags = UInt32(answer.body[2])
            if let whole = attributes[Attribute.flags], let value: UInt32 = whole[...].littleEndian(at: 0) {
                flags = value
            }
            // IFA_F_PERMANENT
            return flags & 0x80 != 0 ? Address(body: answer.body) : nil
        }
    }

    /// Into another network namespace, under another name.
    package func move(to namespace: Int32, as newName: String, _ socket: inout NetlinkSocket)
        throws(SystemError)
    {
        var attributes = NetlinkAttributes()
        attributes.add(Attribute.namespaceDescriptor, UInt32(bitPattern: namespace))
        attributes.add(Attribute.name, newName)
        try socket.request(
            Message.newLink, NetworkDevice.link(index: index) + attributes.bytes,
            doing: "move network device \(name)")
    }

    package func bringUp(_ socket: inout NetlinkSocket) throws(SystemError) {
        // IFF_UP
        try socket.request(
            Message.newLink, NetworkDevice.link(index: index, flags: 1, change: 1), doing: "bring \(name) up")
    }

    package func add(_ address: Address, _ socket: inout NetlinkSocket) throws(SystemError) {
        var body = address.body
        var own: [UInt8] = []
        own.append(littleEndian: index)
        body.replaceSubrange(4..<8, with: own)
        // NLM_F_CREATE | NLM_F_REPLACE
        try socket.request(
            Message.newAddress, flags: 0x400 | 0x100, body, doing: "give \(name) its address back")
    }
}
