/// Types of records (RFC 1035 3.2.2, 3596, 2782, 6891).
package struct RecordType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package static let a = RecordType(rawValue: 1)
    package static let pointer = RecordType(rawValue: 12)
    package static let aaaa = RecordType(rawValue: 28)
    package static let service = RecordType(rawValue: 33)
    package static let options = RecordType(rawValue: 41)
    package static let any = RecordType(rawValue: 255)
}

/// Codes of answers (RFC 1035 4.1.1, 6891).
package struct ResponseCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package static let noError = ResponseCode(rawValue: 0)
    package static let formatError = ResponseCode(rawValue: 1)
    package static let serverFailure = ResponseCode(rawValue: 2)
    /// NXDOMAIN.
    package static let nameError = ResponseCode(rawValue: 3)
    package static let notImplemented = ResponseCode(rawValue: 4)
    package static let refused = ResponseCode(rawValue: 5)
    /// Above 15: only with an OPT record, which has its upper bits.
    package static let badVersion = ResponseCode(rawValue: 16)
}

package struct Question: Equatable, Sendable {
    package let name: DomainName
    package let type: RecordType
    package let questionClass: UInt16

    package init(name: DomainName, type: RecordType, questionClass: UInt16 = Question.internet) {
        self.name = name
        self.type = type
        self.questionClass = questionClass
    }

    package static let internet: UInt16 = 1
    package static let anyClass: UInt16 = 255

    init(_ reader: inout MessageReader) throws(MessageError) {
        name = try reader.readName()
        type = RecordType(rawValue: try reader.read16())
        questionClass = try reader.read16()
    }

    var wire: [UInt8] {
        var bytes = name.wire
        bytes.append(network: type.rawValue)
        bytes.append(network: questionClass)
        return bytes
    }
}

/// What is needed to say anything to who asked, also where the rest cannot be read.
struct MessageHeader {
    let id: UInt16
    let flags: UInt16
    let counts: (UInt16, UInt16, UInt16, UInt16)

    static let size = 12
    static let isResponse: UInt16 = 0x8000
    static let authoritative: UInt16 = 0x0400
    static let truncated: UInt16 = 0x0200
    static let recursionDesired: UInt16 = 0x0100
    static let recursionAvailable: UInt16 = 0x0080
    static let checkingDisabled: UInt16 = 0x0010
    static let operation: UInt16 = 0x7800

    init(_ reader: inout MessageReader) throws(MessageError) {
        id = try reader.read16()
        flags = try reader.read16()
        counts = (
            try reader.read16(), try reader.read16(), try reader.read16(), try reader.read16()
        )
    }

    /// nil where there is no whole header.
    static func peek(_ bytes: [UInt8]) -> MessageHeader? {
        var reader = MessageReader(bytes)
        return try? MessageHeader(&reader)
    }
}

/// A question as it came. Everything is checked to the last byte, also the records that are not looked at.
package struct Query: Equatable, Sendable {
    package let id: UInt16
    /// Of the header, as asked: RD and CD are given back.
    let flags: UInt16
    package let question: Question
    package let options: Options?

    /// The OPT record of EDNS (RFC 6891).
    package struct Options: Equatable, Sendable {
        /// What the asker can take over UDP; at least 512 whatever it says.
        package let datagramSize: Int
        /// DO: it wants signatures.
        package let wantsSignatures: Bool
    }

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        var reader = MessageReader(bytes)
        guard let header = MessageHeader.peek(bytes), header.flags & MessageHeader.isResponse == 0 else {
            throw .unanswerable
        }
        guard header.flags & MessageHeader.operation == 0 else { throw .notAQuery }
        try reader.skip(MessageHeader.size)
        // RFC 9619: one question.
        guard header.counts.0 == 1 else { throw .malformed }
        id = header.id
        flags = header.flags
        question = try Question(&reader)
        for _ in 0..<(Int(header.counts.1) + Int(header.counts.2)) {
            guard try RecordHeader(&reader).type != .options else { throw .malformed }
        }
        var found: Options?
        var version: UInt32 = 0
        for _ in 0..<header.counts.3 {
            let record = try RecordHeader(&reader)
            guard record.type == .options else { continue }
            guard found == nil, record.name.wire == [0] else { throw .malformed }
            found = Options(
                datagramSize: max(512, Int(record.recordClass)),
                wantsSignatures: record.timeToLive & 0x8000 != 0)
            version = record.timeToLive >> 16 & 0xff
        }
        guard reader.isAtEnd else { throw .malformed }
        if version != 0 { throw .badVersion }
        options = found
    }

    /// What fits into one datagram for who asked.
    package var datagramLimit: Int { min(options?.datagramSize ?? 512, 65_507) }
}

/// As much of an answer from upstream as decides whether it is one: the rest goes to the asker as it is.
package struct UpstreamAnswer {
    package let id: UInt16
    package let question: Question
    package let isTruncated: Bool
    package let code: ResponseCode

    /// nil for what is no answer to a single question.
    package init?(parsing bytes: [UInt8]) {
        var reader = MessageReader(bytes)
        guard let header = try? MessageHeader(&reader), header.flags & MessageHeader.isResponse != 0,
            header.flags & MessageHeader.operation == 0, header.counts.0 == 1,
            let question = try? Question(&reader)
        else { return nil }
        id = header.id
        isTruncated = header.flags & MessageHeader.truncated != 0
        code = ResponseCode(rawValue: header.flags & 0xf)
        self.question = question
    }
}

extension Array where Element == UInt8 {
    mutating func append(network value: UInt16) {
        append(UInt8(value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func append(network value: UInt32) {
        append(network: UInt16(value >> 16))
        append(network: UInt16(truncatingIfNeeded: value))
    }

    /// Two bytes in the network's order, e.g. a message's id.
    mutating func set(network value: UInt16, at offset: Int) {
        self[offset] = UInt8(value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
