/// JSON of nodes.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private let plainKeys: Set<String>
    private var left: Int

    init(plainKeys: Set<String>, limit: Int) {
        self.plainKeys = plainKeys
        left = limit
    }

    /// false where there are too many.
    mutating func add(_ node: YAMLNode, isPlain: Bool) -> Bool {
        left -= 1
        guard left >= 0 else { return false }
        switch node {
        case .scalar(let text, true): string(text)
        case .scalar(let text, false): plain(text, isPlain: isPlain)
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                guard add(item, isPlain: isPlain) else { return false }
            }
            bytes.append(UInt8(ascii: "]"))
        case .mapping(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                string(member.key)
                bytes.append(UInt8(ascii: ":"))
                guard add(member.value, isPlain: plainKeys.contains(member.key)) else { return false }
            }
            bytes.append(UInt8(ascii: "}"))
        }
        return true
    }

    private mutating func plain(_ text: String, isPlain: Bool) {
        if ["", "~", "null", "Null", "NULL"].contains(text) {
            bytes += "null".utf8
        } else if isPlain, ["true", "True", "TRUE"].contains(text) {
            bytes += "true".utf8
        } else if isPlain, ["false", "False", "FALSE"].contains(text) {
            bytes += "false".utf8
        } else if isPlain, let number = JSONText.number(text) {
            bytes += String(number).utf8
        } else {
            string(text)
        }
    }

    /// YAML 1.1 and 1.2 alike: 0666 and 0o666 are octal.
    private static func number(_ text: String) -> Int64? {
        if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8) }
        if text.count > 1, text.hasPrefix("0") { return Int64(text.dropFirst(), radix: 8) }
        return Int64(text)
    }

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += "\\u00".utf8
                bytes += (digits.count == 1 ? "0" + digits : digits).utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
