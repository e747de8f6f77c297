package import Failure

extension JSON {
    /// Reads one JSON document. Refuses what RFC 8259 does not allow, text after the value, and nesting deeper
    /// than 128 (a stranger's bytes must not exhaust the stack).
    /// - Throws: `Failure.invalidArgument` with the byte's position.
    package init(parsing bytes: [UInt8]) throws(Failure) {
        var parser = Parser(bytes: bytes)
        self = try parser.document()
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        static let deepest = 128

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        func failure(_ what: String) -> Failure {
            Failure(.invalidArgument, "not JSON: \(what) at byte \(position)")
        }

        mutating func document() throws(Failure) -> JSON {
            // Editors on other systems leave a byte order mark.
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
            let value = try value(depth: 0)
            skipSpace()
            guard next == nil else { throw failure("text after the value") }
            return value
        }

        mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                position += 1
            }
        }

        mutating func value(depth: Int) throws(Failure) -> JSON {
            guard depth <= Self.deepest else { throw failure("nested deeper than \(Self.deepest)") }
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            case nil: throw failure("unexpected end")
            case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
                return try number()
            default: throw failure("unexpected character")
            }
        }

        mutating func word(_ word: StaticString, _ value: JSON) throws(Failure) -> JSON {
            let length = word.utf8CodeUnitCount
            guard position + length <= bytes.count,
                word.withUTF8Buffer({ $0.elementsEqual(bytes[position..<position + length]) })
            else { throw failure("unexpected character") }
            position += length
            return value
        }

        mutating func object(depth: Int) throws(Failure) -> JSON {
            position += 1
            var members: [Member] = []
            skipSpace()
            if next == UInt8(ascii: "}") {
                position += 1
                return .object(members)
            }
            while true {
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
                let name = try string()
                skipSpace()
                guard next == UInt8(ascii: ":") else { throw failure("expected a colon") }
                position += 1
                members.append(Member(name, try value(depth: depth + 1)))
                skipSpace()
                let separator = next
                position += 1
                if separator == UInt8(ascii: "}") { return .object(members) }
                guard separator == UInt8(ascii: ",") else { throw failure("expected a comma or a brace") }
            }
        }

        mutating func array(depth: Int) throws(Failure) -> JSON {
            position += 1
            var elements: [JSON] = []
            skipSpace()
            if next == UInt8(ascii: "]") {
                position += 1
                return .array(elements)
            }
            while true {
                elements.append(try value(depth: depth + 1))
                skipSpace()
                let separator = next
                position += 1
                if separator == UInt8(ascii: "]") { return .array(elements) }
                guard separator == UInt8(ascii: ",") else { throw failure("expected a comma or a bracket") }
            }
        }

        mutating func digits() throws(Failure) {
            let start = position
            while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
            guard position > start else { throw failure("expected a digit") }
        }

        mutating func number() throws(Failure) -> JSON {
            let start = position
            if next == UInt8(ascii: "-") { position += 1 }
            if next == UInt8(ascii: "0") { position += 1 } else { try digits() }
            if next == UInt8(ascii: ".") {
                position += 1
                try digits()
            }
            if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
                position += 1
                if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
                try digits()
            }
            return .number(String(decoding: bytes[start..<position], as: UTF8.self))
        }

        mutating func string() throws(Failure) -> String {
            position += 1
            var units: [UInt8] = []
            while true {
                guard let byte = next else { throw failure("a string without an end") }
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let text = String(validating: units, as: UTF8.self) else {
                        throw failure("a string that is not UTF-8")
                    }
                    return text
                case UInt8(ascii: "\\"): units.append(contentsOf: try escape())
                case 0..<0x20: throw failure("a control character in a string")
                default: units.append(byte)
                }
            }
        }

        mutating func escape() throws(Failure) -> [UInt8] {
            guard let byte = next else { throw failure("a string without an end") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                let first = try hexUnit()
                var units = [first]
                if UTF16.isLeadSurrogate(first), next == UInt8(ascii: "\\"),
                    position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u")
                {
                    let back = position
                    position += 2
                    let second = try hexUnit()
                    if UTF16.isTrailSurrogate(second) { units.append(second) } else { position = back }
                }
                return Array(String(decoding: units, as: UTF16.self).utf8)
            default: throw failure("an unknown escape")
            }
        }

        mutating func hexUnit() throws(Failure) -> UInt16 {
            guard position + 4 <= bytes.count else { throw failure("a string without an end") }
            var unit: UInt16 = 0
            for byte in bytes[position..<position + 4] {
                guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                    throw failure("an unknown escape")
                }
                unit = unit << 4 | UInt16(digit)
            }
            position += 4
            return unit
        }
    }
}
