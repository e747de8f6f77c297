/// What a `--format` template sees: the shape of JSON, with the difference between an object whose fields are known (a wrong
/// name is a failure) and a map of somebody's keys (a missing one is nothing).
package indirect enum TemplateValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([TemplateValue])
    /// Fields in the order in which they are printed.
    case object([Field])
    case map([String: TemplateValue])

    package struct Field: Equatable, Sendable {
        package let name: String
        package let value: TemplateValue

        package init(_ name: String, _ value: TemplateValue) {
            self.name = name
            self.value = value
        }
    }

    package static func strings(_ list: [String]) -> TemplateValue { .array(list.map { .string($0) }) }

    package static func labels(_ labels: [String: String]) -> TemplateValue {
        .map(labels.mapValues { .string($0) })
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension TemplateValue {
    /// False for what is empty: null, false, 0, "", no elements.
    var truth: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .double(let value): value != 0
        case .string(let value): !value.isEmpty
        case .array(let value): !value.isEmpty
        case .object: true
        case .map(let value): !value.isEmpty
        }
    }

    /// As Go prints it: lists and maps as `[a b]` and `map[k:v]`.
    var text: String {
        switch self {
        case .null: "<no value>"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .double(let value): Self.number(value)
        case .string(let value): value
        case .array(let list): "[\(list.map(\.text).joined(separator: " "))]"
        case .object(let fields): "{\(fields.map { $0.value.text }.joined(separator: " "))}"
        case .map(let map):
            "map[\(map.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }.joined(separator: " "))]"
        }
    }

    /// What messages call it.
    var kindName: String {
        switch self {
        case .null: "nothing"
        case .bool: "true or false"
        case .integer, .double: "a number"
        case .string: "a text"
        case .array: "a list"
        case .object, .map: "an object"
        }
    }

    fileprivate static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }
}

extension TemplateValue {
    /// JSON, in one line or with each level indented by `indent`; maps in the order of their keys.
    package func json(indent: String? = nil) -> String {
        var text = ""
        write(to: &text, indent: indent, level: 0)
        return text
    }

    private func write(to text: inout String, indent: String?, level: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .double(let value): text += value.isFinite ? Self.number(value) : "null"
        case .string(let value): Self.quote(value, to: &text)
        case .array(let list):
            Self.write("[", "]", list, to: &text, indent, level) { value, text in
                value.write(to: &text, indent: indent, level: level + 1)
            }
        case .object(let fields):
            Self.write("{", "}", fields, to: &text, indent, level) { field, text in
                Self.quote(field.name, to: &text)
                text += indent == nil ? ":" : ": "
                field.value.write(to: &text, indent: indent, level: level + 1)
            }
        case .map(let map):
            TemplateValue.object(map.sorted { $0.key < $1.key }.map { Field($0.key, $0.value) })
                .write(to: &text, indent: indent, level: level)
        }
    }

    private static func write<Element>(
        _ open: String, _ close: String, _ elements: [Element], to text: inout String, _ indent: String?,
        _ level: Int, _ element: (Element, inout String) -> Void
    ) {
        text += open
        for (index, value) in elements.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: indent, count: level + 1) }
            element(value, &text)
        }
        if let indent, !elements.isEmpty { text += "\n" + String(repeating: indent, count: level) }
        text += close
    }

    static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // Line separators break JavaScript that reads JSON as source; Go escapes them too.
            case "\u{0}"..<" ", "\u{7f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
