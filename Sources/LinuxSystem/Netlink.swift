internal import CLinux
internal import Glibc

/// rtnetlink(7): questions to the kernel's network of the namespace in which the socket was made.
package struct NetlinkSocket: ~Copyable {
    private let descriptor: FileDescriptor
    private var sequence: UInt32 = 0

    package init() throws(SystemError) {
        descriptor = FileDescriptor(owning: Int32(try call("socket") { ctr_netlink_open() }))
    }

    /// Sends one message and waits for the kernel's word.
    /// - Parameter doing: names the request in the error.
    /// - Returns: the bodies of the answers, of a dump all of them.
    @discardableResult
    package mutating func request(
        _ type: UInt16, flags: UInt16 = 0, _ body: [UInt8], doing: String, dump: Bool = false
    ) throws(SystemError) -> [(type: UInt16, body: [UInt8])] {
        sequence += 1
        // NLM_F_REQUEST, and NLM_F_ACK or NLM_F_DUMP.
        let all = flags | 0x1 | (dump ? 0x300 : 0x4)
        var message: [UInt8] = []
        message.append(littleEndian: UInt32(16 + body.count))
        message.append(littleEndian: UInt32(type) | UInt32(all) << 16)
        message.append(littleEndian: sequence)
        message.append(littleEndian: UInt32(0))
        message += body
        let number = descriptor.raw
        try call("netlink", doing) { ctr_send(number, message, message.count) }
        return try answers(doing)
    }

    private borrowing func answers(_ doing: String) throws(SystemError) -> [(type: UInt16, body: [UInt8])] {
        let number = descriptor.raw
        var found: [(type: UInt16, body: [UInt8])] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let size = try call("netlink", doing) { ctr_read(number, &buffer, buffer.count) }
            guard size > 0 else { throw SystemError(call: "netlink", path: doing, errno: ECONNRESET) }
            var rest = buffer[..<size]
            while rest.count >= 16, let length: UInt32 = rest.littleEndian(at: 0),
                let kind: UInt32 = rest.littleEndian(at: 4), let serial: UInt32 = rest.littleEndian(at: 8),
                length >= 16, Int(length) <= rest.count
            {
                let body = rest.dropFirst(16).prefix(Int(length) - 16)
                rest = rest.dropFirst((Int(length) + 3) & ~3)
                guard serial == sequence else { continue }
                switch UInt16(truncatingIfNeeded: kind) {
                case 2:
                    let code: UInt32 = body.littleEndian(at: 0) ?? 0
                    if code == 0 { return found }
                    throw SystemError(call: "netlink", path: doing, errno: -Int32(bitPattern: code))
                case 3: return found
                case let type: found.append((type, Array(body)))
                }
            }
        }
    }
}

/// Attributes of a netlink message, one after the other (netlink(7), "NLA").
package struct NetlinkAttributes: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ type: UInt16, _ value: [UInt8]) {
        bytes.append(littleEndian: UInt32(4 + value.count) | UInt32(type) << 16)
        bytes += value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    package mutating func add(_ type: UInt16, _ number: UInt32) {
        var value: [UInt8] = []
        value.append(littleEndian: number)
        add(type, value)
    }

    /// With its NUL.
    package mutating func add(_ type: UInt16, _ text: String) { add(type, Array(text.utf8) + [0]) }

    /// - Returns: the values by type, of the attributes that begin at the offset.
    package static func parse(_ body: [UInt8], from offset: Int) -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        var rest = body[min(offset, body.count)...]
        while let head: UInt32 = rest.littleEndian(at: 0) {
            let length = Int(head & 0xffff)
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits are flags.
            found[UInt16(head >> 16) & 0x3fff] = Array(rest.dropFirst(4).prefix(length - 4))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }
}
