import Failure

/// The functions of a template: Go's own that make sense here, and docker's.
enum TemplateFunction: String, CaseIterable {
    case json
    case index
    case len
    case join
    case split
    case upper
    case lower
    case title
    case pad
    case truncate
    case print
    case println
    case printf
    case eq
    case ne
    case lt
    case le
    case gt
    case ge
    case and
    case or
    case not

    func call(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        switch self {
        case .json: return .string(try one(arguments).json())
        case .index: return try index(arguments)
        case .len: return try length(try one(arguments))
        case .join:
            let (list, separator) = try two(arguments)
            guard case .array(let elements) = list else { throw wrong("wants a list, not \(list.kindName)") }
            return .string(elements.map(\.text).joined(separator: separator.text))
        case .split:
            let (text, separator) = try two(arguments)
            return .strings(Self.split(text.text, by: separator.text))
        case .upper: return .string(try one(arguments).text.uppercased())
        case .lower: return .string(try one(arguments).text.lowercased())
        case .title:
            let words = Self.split(try one(arguments).text, by: " ")
            return .string(words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " "))
        case .pad:
            guard arguments.count == 3, case .integer(let before) = arguments[1],
                case .integer(let after) = arguments[2], (0...1000).contains(before),
                (0...1000).contains(after)
            else { throw wrong("wants a text and two counts of spaces up to 1000") }
            guard !arguments[0].text.isEmpty else { return .string("") }
            return .string(
                String(repeating: " ", count: Int(before)) + arguments[0].text
                    + String(repeating: " ", count: Int(after)))
        case .truncate:
            guard arguments.count == 2, case .integer(let length) = arguments[1], length >= 0 else {
                throw wrong("wants a text and a length")
            }
            return .string(String(arguments[0].text.prefix(Int(length))))
        case .print: return .string(arguments.map(\.text).joined(separator: " "))
        case .println: return .string(arguments.map(\.text).joined(separator: " ") + "\n")
        case .printf: return .string(try format(arguments))
        case .eq:
            guard arguments.count >= 2 else { throw wrong("wants at least two values") }
            for other in arguments.dropFirst() where try compare(arguments[0], other) == 0 { return true }
            return false
        case .ne:
            let (a, b) = try two(arguments)
            return .bool(try compare(a, b) != 0)
        case .lt, .le, .gt, .ge:
            let (a, b) = try two(arguments)
            guard a.kindName == b.kindName, ["a number", "a text"].contains(a.kindName) else {
                throw wrong("cannot order \(a.kindName) and \(b.kindName)")
            }
            let order = try compare(a, b)
            return .bool(
                self == .lt ? order < 0 : self == .le ? order <= 0 : self == .gt ? order > 0 : order >= 0)
        case .not: return .bool(!(try one(arguments)).truth)
        // The run stops at the first argument that decides; these are for what a pipe brings.
        case .and: return arguments.first { !$0.truth } ?? arguments.last ?? .null
        case .or: return arguments.first { $0.truth } ?? arguments.last ?? .null
        }
    }

    /// Whether a table's heading goes through unchanged: `{{upper .Name}}` over the column NAME.
    var passesHeading: Bool {
        switch self {
        case .json, .join, .split, .upper, .lower, .title, .pad, .truncate, .len, .index: true
        default: false
        }
    }

    private func wrong(_ why: String) -> Failure { Failure(.invalidArgument, "template: \(rawValue) \(why)") }

    private func one(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        guard arguments.count == 1 else { throw wrong("wants one value, not \(arguments.count)") }
        return arguments[0]
    }

    private func two(_ arguments: [TemplateValue]) throws(Failure) -> (TemplateValue, TemplateValue) {
        guard arguments.count == 2 else { throw wrong("wants two values, not \(arguments.count)") }
        return (arguments[0], arguments[1])
    }

    private func length(_ value: TemplateValue) throws(Failure) -> TemplateValue {
        switch value {
        case .string(let text): .integer(Int64(text.utf8.count))
        case .array(let list): .integer(Int64(list.count))
        case .map(let map): .integer(Int64(map.count))
        case .object(let fields): .integer(Int64(fields.count))
        case .null: 0
        case .bool, .integer, .double: throw wrong("wants a text, a list or an object, not \(value.kindName)")
        }
    }

    private func index(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        guard var value = arguments.first, arguments.count > 1 else {
            throw wrong("wants a value and an index")
        }
        for key in arguments.dropFirst() {
            switch (value, key) {
            case (.array(let list), .integer(let position)):
                guard list.indices.contains(Int(position)) else {
                    throw wrong("\(position) is outside of a list of \(list.count)")
                }
                value = list[Int(position)]
            // A key that is not there is an empty text, as of Go's map of strings.
            case (.map(let map), .string(let name)): value = map[name] ?? .string("")
            case (.object(let fields), .string(let name)):
                value = fields.first { $0.name == name }?.value ?? .string("")
            case (.null, _): value = .string("")
            default: throw wrong("cannot find \(key.kindName) in \(value.kindName)")
            }
        }
        return value
    }

    /// Below 0, 0 or above as in C; values of two kinds are refused as Go refuses them.
    private func compare(_ a: TemplateValue, _ b: TemplateValue) throws(Failure) -> Int {
        func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
        switch (a, b) {
        case (.string(let a), .string(let b)): return order(a, b)
        case (.integer(let a), .integer(let b)): return order(a, b)
        case (.double(let a), .double(let b)): return order(a, b)
        case (.integer(let a), .double(let b)): return order(Double(a), b)
        case (.double(let a), .integer(let b)): return order(a, Double(b))
        case (.bool, .bool), (.null, _), (_, .null): return a == b ? 0 : 1
        default: throw wrong("cannot compare \(a.kindName) and \(b.kindName)")
        }
    }

    private func format(_ arguments: [TemplateValue]) throws(Failure) -> String {
        guard case .string(let pattern)? = arguments.first else { throw wrong("wants a pattern first") }
        var values = arguments.dropFirst()
        var rest = pattern[...]
        var text = ""
        while let character = rest.popFirst() {
            guard character == "%" else {
                text.append(character)
                continue
            }
            let options = rest.prefix { $0 == "-" || $0.isNumber }
            rest = rest[options.endIndex...]
            guard let verb = rest.popFirst() else { throw wrong("% at the end of the pattern") }
            if verb == "%", options.isEmpty {
                text += "%"
                continue
            }
            guard let value = values.popFirst() else { throw wrong("has too few values for \"\(pattern)\"") }
            var part: String
            switch verb {
            case "s", "v", "d", "t": part = value.text
            case "q":
                part = ""
                TemplateValue.quote(value.text, to: &part)
            default: throw wrong("knows %s, %v, %d, %t, %q and %%, not %\(verb)")
            }
            let left = options.first == "-"
            guard
                let width = Int(left ? options.dropFirst() : options).map({ min($0, 1000) })
                    ?? (options.isEmpty ? 0 : nil)
            else { throw wrong("cannot read the width %\(options)") }
            let padding = String(repeating: " ", count: max(0, width - part.count))
            text += left ? part + padding : padding + part
        }
        guard values.isEmpty else { throw wrong("has too many values for \"\(pattern)\"") }
        return text
    }

    private static func split(_ text: String, by separator: String) -> [String] {
        guard !separator.isEmpty else { return text.map { String($0) } }
        var parts: [String] = []
        var part = ""
        var rest = text[...]
        while !rest.isEmpty {
            if rest.hasPrefix(separator) {
                parts.append(part)
                part = ""
                rest = rest.dropFirst(separator.count)
            } else {
                part.append(rest.removeFirst())
            }
        }
        return parts + [part]
    }
}
