internal import Failure

/// A JSON document as it stands, for what is read on the way to a start: swift-foundation's decoder makes the metadata of
/// every type and key at run time, which costs more than all else that `ctr oci run` does by itself.
enum JSONValue {
    case null
    case flag(Bool)
    /// As written.
    case number(Substring)
    case text(String)
    case list([JSONValue])
    case object([Member])

    struct Member {
        let key: String
        let value: JSONValue
    }

    /// - Throws: `invalidArgument` for what is too long, nests too deep or is no JSON (RFC 8259).
    static func parse(_ bytes: [UInt8], as what: String) throws(Failure) -> JSONValue {
        try JSON.checkExtent(of: bytes, as: what, limit: JSON.documentLimit)
        var parser = JSONParser(bytes)
        guard let value = parser.document() else {
            throw Failure(.invalidArgument, "\(what): not valid JSON")
        }
        return value
    }
}

/// Recursive; the depth was checked before. nil where the grammar is broken.
private struct JSONParser {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() -> JSONValue? {
        guard let value = value() else { return nil }
        skipSpace()
        return index == bytes.count ? value : nil
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    /// Whether the next byte that counts is this one, which is then behind.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let isThere = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
        if isThere { index += word.utf8CodeUnitCount }
        return isThere
    }

    private mutating func value() -> JSONValue? {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return list()
        case UInt8(ascii: "\""): return string().map { .text($0) }
        case UInt8(ascii: "t"): return take(word: "true") ? .flag(true) : nil
        case UInt8(ascii: "f"): return take(word: "false") ? .flag(false) : nil
        case UInt8(ascii: "n"): return take(word: "null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object() -> JSONValue? {
        index += 1
        var members: [JSONValue.Member] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\""), let key = string(), take(UInt8(ascii: ":")), let value = value()
            else { return nil }
            members.append(JSONValue.Member(key: key, value: value))
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func list() -> JSONValue? {
        index += 1
        var values: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .list(values) }
        repeat {
            guard let value = value() else { return nil }
            values.append(value)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .list(values) : nil
    }

    private mutating func number() -> JSONValue? {
        let start = index
        func digits() -> Bool {
            let first = index
            while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
            return index > first
        }
        if next == UInt8(ascii: "-") { index += 1 }
        if next == UInt8(ascii: "0") { index += 1 } else if !digits() { return nil }
        if next == UInt8(ascii: ".") {
            index += 1
            guard digits() else { return nil }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            guard digits() else { return nil }
        }
        return .number(Substring(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func string() -> String? {
        index += 1
        let start = index
        // Most have no escapes and are taken as they are.
        while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\\") {
            index += 1
            if byte == UInt8(ascii: "\"") {
                return String(validating: bytes[start..<index - 1], as: UTF8.self)
            }
        }
        var text = Array(bytes[start..<index])
        while let byte = next, byte >= 0x20 {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &text) else { return nil }
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard let byte = next else { return false }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = fourDigits() else { return false }
            if 0xD800...0xDBFF ~= code {
                // The second half of a character beyond the first 65,536.
                guard take(word: "\\u"), let low = fourDigits(), 0xDC00...0xDFFF ~= low else { return false }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { return false }
            text += Array(Character(scalar).utf8)
        default: return false
        }
        return true
    }

    private mutating func fourDigits() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        let digits = bytes[index..<index + 4]
        index += 4
        guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
