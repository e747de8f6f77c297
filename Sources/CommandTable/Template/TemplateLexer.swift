import Failure

enum TemplateToken: Equatable {
    case text(String)
    case open
    case close
    /// A word: a keyword, a function, true, false, nil.
    case word(String)
    /// `.A.B`, or `.` alone as no names.
    case path([String])
    /// `$`, `$x`, with the path after it.
    case variable(String, [String])
    case string(String)
    case integer(Int64)
    case double(Double)
    case pipe
    case leftParen
    /// With the path after it: `(index .A 0).B`.
    case rightParen([String])
    case declare
    case assign
    case comma
}

/// Cuts a template into text and the words between braces.
struct TemplateLexer {
    private var rest: Substring
    private var tokens: [TemplateToken] = []

    static func tokens(of source: String) throws(Failure) -> [TemplateToken] {
        var lexer = TemplateLexer(rest: source[...])
        try lexer.run()
        return lexer.tokens
    }

    private init(rest: Substring) { self.rest = rest }

    private mutating func run() throws(Failure) {
        var trimNext = false
        while !rest.isEmpty {
            let start = Self.position(of: "{{", in: rest)
            var text = start.map { rest[..<$0] } ?? rest
            if trimNext { text = text.drop(while: \.isWhitespace) }
            guard let start else {
                if !text.isEmpty { tokens.append(.text(String(text))) }
                return
            }
            rest = rest[rest.index(start, offsetBy: 2)...]
            if let dash = rest.first, dash == "-", rest.dropFirst().first?.isWhitespace == true {
                rest = rest.dropFirst()
                while text.last?.isWhitespace == true { text.removeLast() }
            }
            if !text.isEmpty { tokens.append(.text(String(text))) }
            trimNext = try action()
        }
    }

    /// One `{{ ... }}`; tells whether it ends in `-}}`.
    private mutating func action() throws(Failure) -> Bool {
        skipBlanks()
        if rest.hasPrefix("/*") {
            guard let end = Self.position(of: "*/", in: rest) else {
                throw Self.failure("a comment without end")
            }
            rest = rest[rest.index(end, offsetBy: 2)...]
            skipBlanks()
            let trims = rest.hasPrefix("-}}")
            guard trims || rest.hasPrefix("}}") else {
                throw Self.failure("a comment stands alone in its braces")
            }
            rest = rest.dropFirst(trims ? 3 : 2)
            return trims
        }
        tokens.append(.open)
        while true {
            let hadBlank = rest.first?.isWhitespace == true
            skipBlanks()
            if hadBlank, rest.hasPrefix("-}}") {
                rest = rest.dropFirst(3)
                tokens.append(.close)
                return true
            }
            if rest.hasPrefix("}}") {
                rest = rest.dropFirst(2)
                tokens.append(.close)
                return false
            }
            guard let character = rest.first else { throw Self.failure("{{ without }}") }
            tokens.append(try token(character))
        }
    }

    private mutating func token(_ character: Character) throws(Failure) -> TemplateToken {
        switch character {
        case "|":
            rest.removeFirst()
            return .pipe
        case "(":
            rest.removeFirst()
            return .leftParen
        case ")":
            rest.removeFirst()
            return .rightParen(try path())
        case ",":
            rest.removeFirst()
            return .comma
        case "=":
            rest.removeFirst()
            return .assign
        case ":" where rest.hasPrefix(":="):
            rest.removeFirst(2)
            return .declare
        case "\"", "`":
            return .string(try quoted(character))
        case "$":
            rest.removeFirst()
            let name = name()
            return .variable(name, try path())
        case ".":
            if rest.dropFirst().first.map(Self.isNameStart) != true {
                rest.removeFirst()
                return .path([])
            }
            return .path(try path())
        case "-", "+", "0"..."9":
            return try number()
        default:
            guard Self.isNameStart(character) else { throw Self.failure("unexpected \"\(character)\"") }
            return .word(name())
        }
    }

    private mutating func path() throws(Failure) -> [String] {
        var names: [String] = []
        while rest.first == "." {
            guard rest.dropFirst().first.map(Self.isNameStart) == true else {
                throw Self.failure("a field name is missing after .")
            }
            rest.removeFirst()
            names.append(name())
        }
        return names
    }

    private mutating func name() -> String {
        let name = rest.prefix { Self.isNameStart($0) || $0.isNumber }
        rest = rest[name.endIndex...]
        return String(name)
    }

    private mutating func number() throws(Failure) -> TemplateToken {
        let text = rest.prefix { $0.isNumber || $0.isLetter || $0 == "." || $0 == "-" || $0 == "+" }
        rest = rest[text.endIndex...]
        if let value = Int64(text) { return .integer(value) }
        if let value = Double(text) { return .double(value) }
        throw Self.failure("\"\(text)\" is not a number")
    }

    private mutating func quoted(_ quote: Character) throws(Failure) -> String {
        rest.removeFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == quote { return value }
            guard quote == "\"", character == "\\" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": value += "\n"
            case "t": value += "\t"
            case "r": value += "\r"
            case "\\": value += "\\"
            case "\"": value += "\""
            default: throw Self.failure("an unknown \\ in a text")
            }
        }
        throw Self.failure("a text without closing \(quote)")
    }

    private mutating func skipBlanks() {
        rest = rest.drop(while: \.isWhitespace)
    }

    private static func isNameStart(_ character: Character) -> Bool { character.isLetter || character == "_" }

    private static func position(of pair: String, in text: Substring) -> Substring.Index? {
        text.indices.first { text[$0...].hasPrefix(pair) }
    }

    static func failure(_ why: String) -> Failure { Failure(.invalidArgument, "template: \(why)") }
}
