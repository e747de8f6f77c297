/// As much of JSON as tells a list of strings from a line for the shell.
struct JSONReader {
    private let text: [Unicode.Scalar]
    private var index = 0
    /// Deeper than this nobody writes an instruction; it keeps the recursion within the stack.
    private static let depth = 64

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    mutating func list() -> JSONList {
        skipSpaces()
        guard take("[") else { return .none }
        var strings: [String] = []
        var isStrings = true
        skipSpaces()
        if !take("]") {
            repeat {
                skipSpaces()
                if peek == "\"" {
                    guard let string = string() else { return .none }
                    strings.append(string)
                } else {
                    guard skipValue(Self.depth) else { return .none }
                    isStrings = false
                }
                skipSpaces()
            } while take(",")
            guard take("]") else { return .none }
        }
        skipSpaces()
        guard index == text.count else { return .none }
        return isStrings ? .strings(strings) : .other
    }

    private var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        index += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard text[index...].starts(with: word.unicodeScalars) else { return false }
        index += word.unicodeScalars.count
        return true
    }

    private mutating func skipSpaces() {
        while let scalar = peek, [" ", "\t", "\n", "\r"].contains(scalar) { index += 1 }
    }

    private mutating func skipValue(_ depth: Int) -> Bool {
        guard depth > 0 else { return false }
        switch peek {
        case "\"": return string() != nil
        case "[": return skipMembers(depth, until: "]", named: false)
        case "{": return skipMembers(depth, until: "}", named: true)
        case "t": return take(word: "true")
        case "f": return take(word: "false")
        case "n": return take(word: "null")
        default: return skipNumber()
        }
    }

    private mutating func skipMembers(_ depth: Int, until end: Unicode.Scalar, named: Bool) -> Bool {
        index += 1
        skipSpaces()
        if take(end) { return true }
        repeat {
            skipSpaces()
            if named {
                guard peek == "\"", string() != nil else { return false }
                skipSpaces()
                guard take(":") else { return false }
                skipSpaces()
            }
            guard skipValue(depth - 1) else { return false }
            skipSpaces()
        } while take(",")
        return take(end)
    }

    private mutating func skipNumber() -> Bool {
        _ = take("-")
        if !take("0") { guard skipDigits() else { return false } }
        if take(".") { guard skipDigits() else { return false } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard skipDigits() else { return false }
        }
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = index
        while let scalar = peek, scalar.isDigit { index += 1 }
        return index > start
    }

    private mutating func string() -> String? {
        index += 1
        var view = String.UnicodeScalarView()
        while let scalar = peek {
            index += 1
            switch scalar {
            case "\"": return String(view)
            case "\\":
                guard let escaped = escaped() else { return nil }
                view.append(escaped)
            case _ where scalar.value < 0x20: return nil
            default: view.append(scalar)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        index += 1
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": return unicodeEscape()
        default: return nil
        }
    }

    /// Half a surrogate pair is no character: U+FFFD stands for it.
    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let unit = hexadecimal() else { return nil }
        if (0xD800..<0xDC00).contains(unit) {
            let mark = index
            if take("\\"), take("u"), let low = hexadecimal(), (0xDC00..<0xE000).contains(low) {
                return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            }
            index = mark
        }
        return Unicode.Scalar(unit) ?? "\u{FFFD}"
    }

    private mutating func hexadecimal() -> UInt32? {
        guard index + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for scalar in text[index..<(index + 4)] {
            guard scalar.isASCII, let digit = Character(scalar).hexDigitValue else { return nil }
            value = value * 16 + UInt32(digit)
        }
        index += 4
        return value
    }
}
