/// A JSON value (RFC 8259) that keeps what it does not understand: members in their order, numbers as they were
/// written. Credential files belong to other programs too, and are given back with only the asked change made.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own text.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}

extension JSON {
    /// A member of an object; nil for what is absent and for what is no object. Of two members with one name the
    /// later is meant. Setting nil removes the member, setting a new one appends it.
    package subscript(name: String) -> JSON? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.last { $0.name == name }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            if let newValue {
                if let index = members.lastIndex(where: { $0.name == name }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(name, newValue))
                }
            } else {
                members.removeAll { $0.name == name }
            }
            self = .object(members)
        }
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number as an integer, cut toward zero; nil for what is no number or does not fit.
    package var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return Int64(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded(.towardZero)) }
    }
}

extension JSON {
    /// The document as text, indented with tabs as docker writes its own files, with a line feed at the end.
    package func serialized() -> [UInt8] {
        var text = ""
        write(to: &text, depth: 0)
        text += "\n"
        return Array(text.utf8)
    }

    private func write(to text: inout String, depth: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let number): text += number
        case .string(let string): JSON.write(string, to: &text)
        case .array(let elements):
            JSON.write(elements.indices, between: "[", "]", to: &text, depth: depth) { index, text in
                elements[index].write(to: &text, depth: depth + 1)
            }
        case .object(let members):
            JSON.write(members.indices, between: "{", "}", to: &text, depth: depth) { index, text in
                JSON.write(members[index].name, to: &text)
                text += ": "
                members[index].value.write(to: &text, depth: depth + 1)
            }
        }
    }

    private static func write(
        _ indices: Range<Int>, between open: String, _ close: String, to text: inout String, depth: Int,
        each: (Int, inout String) -> Void
    ) {
        text += open
        for index in indices {
            text += index == 0 ? "\n" : ",\n"
            text += String(repeating: "\t", count: depth + 1)
            each(index, &text)
        }
        if !indices.isEmpty { text += "\n" + String(repeating: "\t", count: depth) }
        text += close
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
