/// The wire format of D-Bus 1 (specification 0.43, "Message Protocol"), as much as a call to systemd needs:
/// little-endian, no descriptors.
struct DBusMessage: Equatable {
    enum Kind: UInt8 {
        case methodCall = 1
        case methodReturn = 2
        case error = 3
        case signal = 4
    }

    indirect enum Value: Equatable {
        case string(String)
        case objectPath(String)
        case boolean(Bool)
        case uint32(UInt32)
        case uint64(UInt64)
        /// Elements of one signature, which an empty array needs too.
        case array(of: String, [Value])
        case structure([Value])
        case variant(Value)

        var signature: String {
            switch self {
            case .string: "s"
            case .objectPath: "o"
            case .boolean: "b"
            case .uint32: "u"
            case .uint64: "t"
            case .array(let element, _): "a" + element
            case .structure(let fields): "(" + fields.map(\.signature).joined() + ")"
            case .variant: "v"
            }
        }
    }

    var kind: Kind
    var serial: UInt32
    var path: String?
    var interface: String?
    var member: String?
    var destination: String?
    var errorName: String?
    /// The serial of the call that this answers.
    var replySerial: UInt32?
    var body: [Value] = []

    /// A call of a method.
    init(
        serial: UInt32, destination: String, path: String, interface: String, member: String,
        _ body: [Value] = []
    ) {
        kind = .methodCall
        self.serial = serial
        self.destination = destination
        self.path = path
        self.interface = interface
        self.member = member
        self.body = body
    }
}

// MARK: - writing

extension DBusMessage {
    private struct Writer {
        var bytes: [UInt8] = []

        mutating func align(_ boundary: Int) {
            while bytes.count % boundary != 0 { bytes.append(0) }
        }

        mutating func number(_ value: some FixedWidthInteger) {
            align(value.bitWidth / 8)
            withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
        }

        mutating func text(_ text: String) {
            number(UInt32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
        }

        mutating func signature(_ text: String) {
            bytes += [UInt8(text.utf8.count)] + Array(text.utf8) + [0]
        }

        mutating func value(_ value: Value) {
            switch value {
            case .string(let text), .objectPath(let text): self.text(text)
            case .boolean(let flag): number(UInt32(flag ? 1 : 0))
            case .uint32(let value): number(value)
            case .uint64(let value): number(value)
            case .structure(let fields):
                align(8)
                fields.forEach { self.value($0) }
            case .variant(let inner):
                signature(inner.signature)
                self.value(inner)
            case .array(let element, let values):
                // The length leaves out the padding before the first element.
                number(UInt32(0))
                let length = bytes.count - 4
                align(DBusMessage.alignment(of: element))
                let start = bytes.count
                values.forEach { self.value($0) }
                withUnsafeBytes(of: UInt32(bytes.count - start).littleEndian) {
                    bytes.replaceSubrange(length..<length + 4, with: $0)
                }
            }
        }
    }

    private static func alignment(of signature: String) -> Int {
        switch signature.first {
        case "(", "{", "t", "x", "d": 8
        case "v", "g", "y": 1
        default: 4
        }
    }

    func encoded() -> [UInt8] {
        var body = Writer()
        self.body.forEach { body.value($0) }
        var writer = Writer()
        writer.bytes = [UInt8(ascii: "l"), kind.rawValue, 0, 1]
        writer.number(UInt32(body.bytes.count))
        writer.number(serial)
        writer.number(UInt32(0))
        let length = writer.bytes.count - 4
        let start = writer.bytes.count
        func field(_ code: UInt8, _ value: Value?) {
            guard let value else { return }
            writer.align(8)
            writer.bytes.append(code)
            writer.value(.variant(value))
        }
        field(1, path.map { .objectPath($0) })
        field(2, interface.map { .string($0) })
        field(3, member.map { .string($0) })
        field(4, errorName.map { .string($0) })
        field(5, replySerial.map { .uint32($0) })
        field(6, destination.map { .string($0) })
        if !self.body.isEmpty {
            writer.align(8)
            writer.bytes.append(8)
            writer.signature("g")
            writer.signature(self.body.map(\.signature).joined())
        }
        withUnsafeBytes(of: UInt32(writer.bytes.count - start).littleEndian) {
            writer.bytes.replaceSubrange(length..<length + 4, with: $0)
        }
        writer.align(8)
        return writer.bytes + body.bytes
    }
}

// MARK: - reading

extension DBusMessage {
    /// What a bus may send us in one message; the format itself allows 128 MiB.
    static let sizeLimit = 1 << 20

    private struct Reader {
        let bytes: ArraySlice<UInt8>
        var at: Int

        init(_ bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            at = bytes.startIndex
        }

        mutating func align(_ boundary: Int) -> Bool {
            let offset = at - bytes.startIndex
            at += (boundary - offset % boundary) % boundary
            return at <= bytes.endIndex
        }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.endIndex - at else { return nil }
            defer { at += count }
            return bytes[at..<at + count]
        }

        mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number? {
            guard align(Number.bitWidth / 8), let raw = take(Number.bitWidth / 8) else { return nil }
            return raw.reversed().reduce(0) { $0 << 8 | Number($1) }
        }

        mutating func text() -> String? {
            guard let count = number(UInt32.self), let raw = take(Int(count)), take(1)?.first == 0 else {
                return nil
            }
            return String(decoding: raw, as: UTF8.self)
        }

        mutating func signature() -> Substring? {
            guard let count = take(1)?.first, let raw = take(Int(count)), take(1)?.first == 0 else {
                return nil
            }
            return Substring(decoding: raw, as: UTF8.self)
        }

        /// Of the types that systemd's answers have; nil for others.
        mutating func value(_ type: Character) -> Value? {
            switch type {
            case "s": text().map { .string($0) }
            case "o": text().map { .objectPath($0) }
            case "u": number(UInt32.self).map { .uint32($0) }
            case "t": number(UInt64.self).map { .uint64($0) }
            case "b": number(UInt32.self).map { .boolean($0 != 0) }
            default: nil
            }
        }
    }

    /// The size of the message whose first 16 bytes these are; nil for what is no message.
    static func size(ofHeader bytes: [UInt8]) -> Int? {
        guard bytes.count >= 16, bytes[0] == UInt8(ascii: "l"), bytes[3] == 1 else { return nil }
        var reader = Reader(bytes[4..<16])
        guard let body = reader.number(UInt32.self), reader.number(UInt32.self) != nil,
            let fields = reader.number(UInt32.self)
        else { return nil }
        let size = 16 + (Int(fields) + 7) / 8 * 8 + Int(body)
        return size <= sizeLimit ? size : nil
    }

    /// A whole message. Body values of types that are not needed end the body early.
    init?(decoding bytes: [UInt8]) {
        guard let size = DBusMessage.size(ofHeader: bytes), size == bytes.count,
            let kind = Kind(rawValue: bytes[1])
        else { return nil }
        var reader = Reader(bytes[...])
        reader.at = 8
        guard let serial = reader.number(UInt32.self), let length = reader.number(UInt32.self) else {
            return nil
        }
        self.kind = kind
        self.serial = serial
        var signature: Substring = ""
        let end = reader.at + Int(length)
        while reader.at < end {
            guard reader.align(8), let code = reader.take(1)?.first, let type = reader.signature() else {
                return nil
            }
            if type == "g" {
                guard let text = reader.signature() else { return nil }
                if code == 8 { signature = text }
                continue
            }
            guard type.count == 1, let letter = type.first, let value = reader.value(letter) else {
                return nil
            }
            switch (code, value) {
            case (1, .objectPath(let text)): path = text
            case (2, .string(let text)): interface = text
            case (3, .string(let text)): member = text
            case (4, .string(let text)): errorName = text
            case (5, .uint32(let number)): replySerial = number
            case (6, .string(let text)): destination = text
            default: continue
            }
        }
        guard reader.align(8) else { return nil }
        var content = Reader(bytes[reader.at...])
        for type in signature {
            guard let value = content.value(type) else { break }
            body.append(value)
        }
    }
}
