/// What a message may be refused for (RFC 1035, section 4.1.1, and RFC 6891).
package enum MessageError: Error, Equatable, Sendable {
    /// Too short for a header, or an answer where a question is due: nothing can be said to its sender.
    case unanswerable
    /// Lengths that lead out of the message, compression that leads forward, counts that do not fit, bytes left over.
    case malformed
    /// A question of another kind: an update, a notification.
    case notAQuery
    /// A version of EDNS that is not known here.
    case badVersion
}

/// Reads a message from its beginning to its end, which must be where its counts say.
struct MessageReader {
    let bytes: [UInt8]
    private(set) var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func readByte() throws(MessageError) -> UInt8 {
        guard at < bytes.count else { throw .malformed }
        defer { at += 1 }
        return bytes[at]
    }

    mutating func read16() throws(MessageError) -> UInt16 {
        UInt16(try readByte()) << 8 | UInt16(try readByte())
    }

    mutating func read32() throws(MessageError) -> UInt32 {
        UInt32(try read16()) << 16 | UInt32(try read16())
    }

    mutating func skip(_ count: Int) throws(MessageError) {
        guard count <= bytes.count - at else { throw .malformed }
        at += count
    }

    /// A pointer must lead to before everything of this name that was read so far, so that reading ends.
    mutating func readName() throws(MessageError) -> DomainName {
        var wire: [UInt8] = []
        var position = at
        var lowest = at
        var hasJumped = false
        while true {
            guard position < bytes.count else { throw .malformed }
            let size = Int(bytes[position])
            position += 1
            switch size & 0xc0 {
            case 0:
                guard size <= bytes.count - position,
                    wire.count + 1 + size < DomainName.maximumSize || size == 0
                else { throw .malformed }
                wire.append(UInt8(size))
                wire.append(contentsOf: bytes[position..<(position + size)])
                position += size
                if !hasJumped { at = position }
                if size == 0 { return DomainName(checked: wire) }
            case 0xc0:
                guard position < bytes.count else { throw .malformed }
                let target = (size & 0x3f) << 8 | Int(bytes[position])
                if !hasJumped { at = position + 1 }
                hasJumped = true
                // Not into the header either.
                guard target < lowest, target >= 12 else { throw .malformed }
                lowest = target
                position = target
            default: throw .malformed
            }
        }
    }
}

/// A record's header; its data is `data` of the message's bytes.
struct RecordHeader {
    let name: DomainName
    let type: RecordType
    let recordClass: UInt16
    let timeToLive: UInt32
    let data: Range<Int>

    init(_ reader: inout MessageReader) throws(MessageError) {
        name = try reader.readName()
        type = RecordType(rawValue: try reader.read16())
        recordClass = try reader.read16()
        timeToLive = try reader.read32()
        let size = Int(try reader.read16())
        let begin = reader.at
        try reader.skip(size)
        data = begin..<(begin + size)
    }
}
