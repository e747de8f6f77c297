import Foundation
import LinuxSystem
import Networks

@testable import NameService

/// Messages by hand, as RFC 1035 draws them.
enum Messages {
    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

    /// A question with RD; `datagramSize` adds an OPT record.
    static func query(
        _ name: String, _ type: Int = 1, id: Int = 0x1234, datagramSize: Int? = nil, questionClass: Int = 1
    ) -> [UInt8] {
        var bytes = big(id) + [1, 0, 0, 1, 0, 0, 0, 0, 0, datagramSize == nil ? 0 : 1]
        bytes += self.name(name) + big(type) + big(questionClass)
        if let datagramSize { bytes += [0, 0, 41] + big(datagramSize) + [0, 0, 0, 0, 0, 0] }
        return bytes
    }

    /// An answer to a query, with A records.
    static func answer(
        to query: [UInt8], addresses: [[UInt8]] = [[192, 0, 2, 1]], code: UInt8 = 0, truncated: Bool = false,
        id: Int? = nil, question: String? = nil
    ) -> [UInt8] {
        var bytes = id.map(big) ?? Array(query[0..<2])
        bytes += [truncated ? 0x83 : 0x81, 0x80 | code, 0, 1] + big(addresses.count) + [0, 0, 0, 0]
        if let question {
            bytes += name(question) + [0, 1, 0, 1]
        } else {
            var end = 12
            while query[end] != 0 { end += 1 + Int(query[end]) }
            bytes += query[12..<(end + 5)]
        }
        for address in addresses { bytes += [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4] + address }
        return bytes
    }
}

/// A whole message, read strictly: what tests look at.
struct ReadMessage {
    struct Record: Equatable {
        let name: String
        let type: Int
        let timeToLive: UInt32
        let data: [UInt8]
        /// Of A, AAAA, PTR and SRV.
        let text: String
    }

    let id: Int
    let code: Int
    let isAuthoritative, isTruncated, recursionAvailable: Bool
    let question: Question?
    let answers, authorities, additional: [Record]

    init(_ bytes: [UInt8]) throws {
        var reader = MessageReader(bytes)
        let header = try MessageHeader(&reader)
        id = Int(header.id)
        code = Int(header.flags & 15)
        isAuthoritative = header.flags & MessageHeader.authoritative != 0
        isTruncated = header.flags & MessageHeader.truncated != 0
        recursionAvailable = header.flags & MessageHeader.recursionAvailable != 0
        question = header.counts.0 == 0 ? nil : try Question(&reader)
        func records(_ count: UInt16) throws -> [Record] {
            try (0..<count).map { _ in try ReadMessage.record(&reader) }
        }
        answers = try records(header.counts.1)
        authorities = try records(header.counts.2)
        additional = try records(header.counts.3)
        if !reader.isAtEnd { throw MessageError.malformed }
    }

    private static func record(_ reader: inout MessageReader) throws -> Record {
        let header = try RecordHeader(&reader)
        let data = Array(reader.bytes[header.data])
        var text = ""
        if let address = IPAddress(bytes: data), header.type == .a || header.type == .aaaa {
            text = address.description
        } else if header.type == .pointer {
            text = shown(data)
        } else if header.type == .service {
            let numbers = stride(from: 0, to: 6, by: 2).map { String(Int(data[$0]) << 8 | Int(data[$0 + 1])) }
            text = numbers.joined(separator: " ") + " " + shown(Array(data[6...]))
        }
        return Record(
            name: shown(header.name.wire), type: Int(header.type.rawValue), timeToLive: header.timeToLive,
            data: data, text: text)
    }

    private static func shown(_ wire: [UInt8]) -> String {
        DomainName(checked: wire).labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    var texts: [String] { answers.map(\.text) }
}
