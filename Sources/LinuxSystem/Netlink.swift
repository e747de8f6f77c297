internal import CLinux
internal import Glibc

/// One message to the kernel; the socket gives it its header.
package struct NetlinkRequest: Sendable {
    package let type: UInt16
    /// NLM_F_CREATE and the like; NLM_F_REQUEST and NLM_F_ACK are the socket's.
    package let flags: UInt16
    package let body: [UInt8]
    /// Names the request in an error.
    package let doing: String

    package init(_ type: UInt16, flags: UInt16 = 0, _ body: [UInt8], doing: String) {
        self.type = type
        self.flags = flags
        self.body = body
        self.doing = doing
    }
}

/// netlink(7): questions to the kernel's network of the namespace in which the socket was made. An error carries the
/// kernel's own words where it has some.
package struct NetlinkSocket: ~Copyable {
    package enum Family: Int32, Sendable { case route = 0, netfilter = 12 }

    package typealias Answer = (type: UInt16, body: [UInt8])

    private let descriptor: FileDescriptor
    /// To the kernel: nobody else's messages come then. Not before the first question: the kernel does nothing at the end
    /// of a socket that had no address.
    private var isConnected = false
    private var sequence: UInt32 = 0
    /// The kernel makes no part of a dump larger than 32 KiB.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4)
    private var room = 100 << 10

    package init(_ family: Family = .route) throws(SystemError) {
        descriptor = FileDescriptor(
            owning: Int32(try call("socket") { ctr_netlink_open(family.rawValue) }))
    }

    deinit { buffer.deallocate() }

    /// The socket stays open as long as this does.
    package borrowing func duplicate() throws(SystemError) -> SharedFileDescriptor {
        SharedFileDescriptor(try descriptor.duplicate())
    }

    /// Sends one message and waits for the kernel's word.
    /// - Parameter doing: names the request in the error.
    /// - Returns: the bodies of the answers, of a dump all of them.
    @discardableResult
    package mutating func request(
        _ type: UInt16, flags: UInt16 = 0, _ body: [UInt8], doing: String, dump: Bool = false
    ) throws(SystemError) -> [Answer] {
        // A dump that somebody's change cut through is asked for again.
        for _ in 0..<8 {
            var message: [UInt8] = []
            // NLM_F_ACK or NLM_F_DUMP.
            append(type, flags: flags | (dump ? 0x300 : 0x4), body, to: &message)
            try send(message, doing)
            if let found = try answers(doing) { return found }
        }
        throw SystemError(call: "netlink", path: doing, errno: EINTR)
    }

    /// Several messages with one call. The kernel does each for itself: after a failure those behind it are done too.
    /// - Throws: the first failure.
    package mutating func requestAll(_ requests: [NetlinkRequest]) throws(SystemError) {
        guard let last = requests.last else { return }
        var message: [UInt8] = []
        let first = sequence + 1
        for one in requests { append(one.type, flags: one.flags | 0x4, one.body, to: &message) }
        try send(message, last.doing)
        var failed: SystemError?
        var waiting = requests.count
        while waiting > 0 {
            try receive(last.doing) { message in
                guard message.serial >= first, message.serial < first + UInt32(requests.count),
                    message.type == Control.error
                else { return }
                waiting -= 1
                let one = requests[Int(message.serial - first)]
                if failed == nil { failed = NetlinkSocket.failure(message.body, one.doing) }
            }
        }
        if let failed { throw failed }
    }

    /// nftables' way: all messages or none (linux/netfilter/nfnetlink.h, NFNL_MSG_BATCH_BEGIN).
    /// - Throws: the first failure.
    package mutating func transaction(_ requests: [NetlinkRequest]) throws(SystemError) {
        guard let last = requests.last else { return }
        var message: [UInt8] = []
        // struct nfgenmsg: family, version, and the subsystem in network order: NFNL_SUBSYS_NFTABLES.
        let subsystem: [UInt8] = [0, 0, 0, 10]
        append(0x10, flags: 0, subsystem, to: &message)
        let begin = sequence
        for (i, one) in requests.enumerated() {
            // Only the last is answered when all is well.
            append(one.type, flags: one.flags | (i == requests.count - 1 ? 0x4 : 0), one.body, to: &message)
        }
        let end = sequence
        append(0x11, flags: 0, subsystem, to: &message)
        try send(message, last.doing)
        var failed: SystemError?
        var isDone = false
        while !isDone {
            try receive(last.doing) { message in
                guard message.serial >= begin, message.serial <= end, message.type == Control.error else {
                    return
                }
                // The batch as a whole: refused at its beginning, or when all was to become true.
                let isWhole = message.serial == begin
                let doing = isWhole ? last.doing : requests[Int(message.serial - begin) - 1].doing
                if failed == nil { failed = NetlinkSocket.failure(message.body, doing) }
                isDone = isDone || isWhole || message.serial == end
            }
        }
        if let failed { throw failed }
    }

    private enum Control {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
    }

    private mutating func append(
        _ type: UInt16, flags: UInt16, _ body: [UInt8], to message: inout [UInt8]
    ) {
        sequence += 1
        message.append(littleEndian: UInt32(16 + body.count))
        // NLM_F_REQUEST
        message.append(littleEndian: UInt32(type) | UInt32(flags | 0x1) << 16)
        message.append(littleEndian: sequence)
        message.append(littleEndian: UInt32(0))
        message += body
        while message.count % 4 != 0 { message.append(0) }
    }

    private mutating func send(_ message: [UInt8], _ doing: String) throws(SystemError) {
        let number = descriptor.raw
        if !isConnected {
            try call("connect", doing) { ctr_netlink_connect(number) }
            isConnected = true
        }
        if message.count > room {
            room = message.count * 2
            let size = Int32(clamping: room)
            try call("setsockopt", doing) { ctr_netlink_grow(number, size) }
        }
        try call("netlink", doing) { ctr_send(number, message, message.count) }
    }

    private struct Message {
        let type: UInt16
        let flags: UInt16
        let serial: UInt32
        let body: ArraySlice<UInt8>
    }

    private borrowing func receive(_ doing: String, _ each: (Message) -> Void) throws(SystemError) {
        let number = descriptor.raw
        let room = buffer
        let size = try call("netlink", doing) { ctr_read(number, room.baseAddress, room.count) }
        guard size > 0 else { throw SystemError(call: "netlink", path: doing, errno: ECONNRESET) }
        var rest = Array(UnsafeRawBufferPointer(rebasing: buffer[..<size]))[...]
        while rest.count >= 16, let length: UInt32 = rest.littleEndian(at: 0),
            let kind: UInt32 = rest.littleEndian(at: 4), let serial: UInt32 = rest.littleEndian(at: 8),
            length >= 16, Int(length) <= rest.count
        {
            each(
                Message(
                    type: UInt16(truncatingIfNeeded: kind), flags: UInt16(kind >> 16), serial: serial,
                    body: rest.dropFirst(16).prefix(Int(length) - 16)))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
    }

    /// nil where a dump was interrupted.
    private borrowing func answers(_ doing: String) throws(SystemError) -> [Answer]? {
        var found: [Answer] = []
        var failed: SystemError?
        var isDone = false
        var isWhole = true
        let serial = sequence
        while !isDone {
            try receive(doing) { message in
                guard message.serial == serial, !isDone else { return }
                // NLM_F_DUMP_INTR
                if message.type != Control.error, message.flags & 0x10 != 0 { isWhole = false }
                if message.type == Control.error || message.type == Control.done {
                    failed = NetlinkSocket.failure(message.body, doing)
                    isDone = true
                } else {
                    found.append((message.type, Array(message.body)))
                }
            }
        }
        if let failed { throw failed }
        return isWhole ? found : nil
    }

    /// nil for an acknowledgement.
    private static func failure(_ body: ArraySlice<UInt8>, _ doing: String) -> SystemError? {
        guard let code: UInt32 = body.littleEndian(at: 0), code != 0 else { return nil }
        // After the number the request's header, then NLMSGERR_ATTR_MSG.
        var words: String?
        if let text = NetlinkAttributes.parse(Array(body), from: 20)[1] {
            words = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        }
        return SystemError(
            call: "netlink", path: doing, errno: -Int32(bitPattern: code), detail: words)
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

    /// In network order, as netfilter wants its numbers.
    package mutating func add(_ type: UInt16, bigEndian number: UInt32) {
        var value: [UInt8] = []
        value.append(littleEndian: number.byteSwapped)
        add(type, value)
    }

    /// With its NUL.
    package mutating func add(_ type: UInt16, _ text: String) { add(type, Array(text.utf8) + [0]) }

    /// Attributes within one (NLA_F_NESTED).
    package mutating func add(_ type: UInt16, nested: NetlinkAttributes) { add(type | 0x8000, nested.bytes) }

    /// - Returns: the values by type, of the attributes that begin at the offset.
    package static func parse(_ body: [UInt8], from offset: Int = 0) -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        for one in list(body, from: offset) { found[one.type] = one.value }
        return found
    }

    /// - Returns: the attributes in their order; of a nested list all have one type.
    package static func list(_ body: [UInt8], from offset: Int = 0) -> [(type: UInt16, value: [UInt8])] {
        var found: [(type: UInt16, value: [UInt8])] = []
        var rest = body[min(offset, body.count)...]
        while let head: UInt32 = rest.littleEndian(at: 0) {
            let length = Int(head & 0xffff)
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits are flags.
            found.append((UInt16(head >> 16) & 0x3fff, Array(rest.dropFirst(4).prefix(length - 4))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }
}
