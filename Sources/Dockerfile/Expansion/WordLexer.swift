/// One pass over a text with variables; used once.
struct WordLexer {
    /// False in heredocs.
    var readsQuotes = true
    private(set) var used: Set<String> = []
    private(set) var undefined: Set<String> = []

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private let escape: Unicode.Scalar
    private let variables: [String: String]
    /// Patterns see the escapes themselves.
    private var keepsEscapes = false

    struct Lexed {
        var text: String
        var words: [String]
    }

    init(_ text: String, escape: Character, variables: [String: String]) {
        scalars = Array(text.unicodeScalars)
        self.escape = escape.unicodeScalars.first ?? "\\"
        self.variables = variables
    }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func take() -> Unicode.Scalar? {
        guard let scalar = next else { return nil }
        position += 1
        return scalar
    }

    mutating func take(if wanted: Unicode.Scalar) -> Bool {
        guard next == wanted else { return false }
        position += 1
        return true
    }

    /// All of the text; `source` is what a message shows.
    mutating func whole(_ source: String) throws(DockerfileError) -> Lexed {
        do {
            return try lex(until: nil, keepingEscapes: false)
        } catch {
            throw DockerfileError(
                "cannot expand \"\(Self.shown(source))\": \(error.message)", hint: error.hint)
        }
    }

    /// A message has one line, and a heredoc many.
    static func shown(_ text: String) -> String {
        let line = text.prefix { !$0.isNewline }.prefix(60)
        return line.endIndex == text.endIndex ? text : line + "…"
    }

    /// Up to `stop`, which is taken too, or to the end.
    mutating func lex(
        until stop: Unicode.Scalar?, keepingEscapes: Bool
    ) throws(DockerfileError) -> Lexed {
        let formerly = keepsEscapes
        keepsEscapes = keepingEscapes
        defer { keepsEscapes = formerly }

        var text = String.UnicodeScalarView()
        var splitter = WordSplitter()
        while let scalar = take() {
            switch scalar {
            case stop:
                return Lexed(text: String(text), words: splitter.words)
            case "$":
                let value = try dollar()
                text.append(contentsOf: value.unicodeScalars)
                splitter.add(value)
            case "'" where readsQuotes, "\"" where readsQuotes:
                let quoted = scalar == "'" ? try singleQuoted() : try doubleQuoted()
                text.append(contentsOf: quoted.unicodeScalars)
                splitter.addQuoted(quoted)
            case escape:
                if keepsEscapes {
                    text.append(escape)
                    splitter.addQuoted(escape)
                }
                // An escape at the very end has nothing to escape.
                guard let escaped = take() else { continue }
                text.append(escaped)
                splitter.addQuoted(escaped)
            default:
                text.append(scalar)
                splitter.add(scalar)
            }
        }
        if let stop { throw DockerfileError("\"\(stop)\" is missing") }
        return Lexed(text: String(text), words: splitter.words)
    }

    private mutating func singleQuoted() throws(DockerfileError) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = take() {
            if scalar == "'" { return String(text) }
            text.append(scalar)
        }
        throw DockerfileError("a single quote is not closed")
    }

    private mutating func doubleQuoted() throws(DockerfileError) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = take() {
            switch scalar {
            case "\"":
                return String(text)
            case "$":
                text.append(contentsOf: try dollar().unicodeScalars)
            case escape:
                if keepsEscapes { text.append(escape) }
                guard let escaped = next else { continue }
                // Before anything else an escape between double quotes stands for itself.
                if escaped == "\"" || escaped == "$" || escaped == escape {
                    position += 1
                    text.append(escaped)
                } else {
                    text.append(escape)
                }
            default:
                text.append(scalar)
            }
        }
        throw DockerfileError("a double quote is not closed")
    }

    /// The value of a variable. One with something to stand in for its value `mayLack` it.
    mutating func value(of name: String, mayLack: Bool = false) -> String? {
        if let value = variables[name] {
            used.insert(name)
            return value
        }
        if !mayLack { undefined.insert(name) }
        return nil
    }
}
