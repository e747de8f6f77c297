package import Networks

/// The data of a record that is answered here.
package enum RecordData: Equatable, Sendable {
    case address(IPAddress)
    case pointer(DomainName)
    /// RFC 2782; the target is not compressed.
    case service(priority: UInt16, weight: UInt16, port: UInt16, target: DomainName)

    var type: RecordType {
        switch self {
        case .address(.v4): .a
        case .address(.v6): .aaaa
        case .pointer: .pointer
        case .service: .service
        }
    }

    fileprivate var wire: [UInt8] {
        switch self {
        case .address(let address): return address.bytes
        case .pointer(let name): return name.wire
        case .service(let priority, let weight, let port, let target):
            var bytes: [UInt8] = []
            bytes.append(network: priority)
            bytes.append(network: weight)
            bytes.append(network: port)
            return bytes + target.wire
        }
    }
}

/// An answer that is made here, for a question that could be read.
///
/// Nothing is to be kept by who asked: records live for 0 seconds, so that a container that becomes unhealthy is gone from
/// the next answer, and an answer without records has no SOA, so that it is not kept either (RFC 2308, section 5).
package struct Reply: Sendable {
    package var code: ResponseCode
    /// Of the name that was asked for.
    package var answers: [RecordData] = []
    /// Addresses of names in the answers; left out first where there is no room.
    package var additional: [(name: DomainName, data: RecordData)] = []
    /// The names are ours to tell.
    package var isAuthoritative = true

    package init(_ code: ResponseCode) { self.code = code }

    package static let timeToLive: UInt32 = 0

    /// What this end can take over UDP, as it tells askers: no less than any of them sends in one datagram here.
    static let ownDatagramSize: UInt16 = 4096

    /// - Parameter limit: bytes. Records that do not fit are left out, which TC says where it was one of the answers
    ///   (RFC 2181, section 9).
    package func encoded(for query: Query, limit: Int) -> [UInt8] {
        var flags =
            MessageHeader.isResponse | MessageHeader.recursionAvailable | (code.rawValue & 0xf)
            | query.flags & (MessageHeader.recursionDesired | MessageHeader.checkingDisabled)
        if isAuthoritative { flags |= MessageHeader.authoritative }
        var bytes = Reply.header(id: query.id, flags: flags, questions: 1)
        bytes += query.question.wire
        let options = query.options == nil ? [] : Reply.options(code)
        let room = limit - options.count
        var counts: (answers: UInt16, additional: UInt16) = (0, query.options == nil ? 0 : 1)
        for data in answers {
            // The question's name is at 12, in the case that it was asked in.
            guard Reply.add(owner: [0xc0, 12], data, to: &bytes, limit: room) else {
                bytes.set(network: flags | MessageHeader.truncated, at: 2)
                break
            }
            counts.answers += 1
        }
        if Int(counts.answers) == answers.count {
            for (name, data) in additional {
                guard Reply.add(owner: name.wire, data, to: &bytes, limit: room) else { break }
                counts.additional += 1
            }
        }
        bytes.set(network: counts.answers, at: 6)
        bytes.set(network: counts.additional, at: 10)
        return bytes + options
    }

    /// What is said to a message that was refused; nil where nothing can be.
    package static func refusing(_ bytes: [UInt8], _ error: MessageError) -> [UInt8]? {
        guard error != .unanswerable, let header = MessageHeader.peek(bytes) else { return nil }
        let code: ResponseCode =
            switch error {
            case .notAQuery: .notImplemented
            case .badVersion: .badVersion
            default: .formatError
            }
        let flags =
            MessageHeader.isResponse | MessageHeader.recursionAvailable | code.rawValue & 0xf
            | header.flags & (MessageHeader.operation | MessageHeader.recursionDesired)
        var reply = self.header(id: header.id, flags: flags, questions: 0)
        if error == .badVersion {
            reply.set(network: 1, at: 10)
            reply += options(code)
        }
        return reply
    }

    private static func header(id: UInt16, flags: UInt16, questions: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        for value in [id, flags, questions, 0, 0, 0] { bytes.append(network: value) }
        return bytes
    }

    private static func options(_ code: ResponseCode) -> [UInt8] {
        var bytes: [UInt8] = [0]
        bytes.append(network: RecordType.options.rawValue)
        bytes.append(network: ownDatagramSize)
        // The code's upper eight bits, version 0, no flags, no data.
        bytes.append(network: UInt32(code.rawValue >> 4) << 24)
        bytes.append(network: UInt16(0))
        return bytes
    }

    /// Answers false, and adds nothing, where it does not fit.
    private static func add(owner: [UInt8], _ data: RecordData, to bytes: inout [UInt8], limit: Int) -> Bool {
        let wire = data.wire
        guard bytes.count + owner.count + 10 + wire.count <= limit else { return false }
        bytes += owner
        bytes.append(network: data.type.rawValue)
        bytes.append(network: Question.internet)
        bytes.append(network: timeToLive)
        bytes.append(network: UInt16(wire.count))
        bytes += wire
        return true
    }
}
