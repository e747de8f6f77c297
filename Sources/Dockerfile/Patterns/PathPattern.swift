/// A pattern of paths, compiled. Paths and patterns are bytes, for a name need not be UTF-8; `?` and brackets stand for
/// a character where the bytes are one, and for a byte where they are none.
package struct PathPattern: Sendable, Equatable {
    /// What the wild cards of a pattern are.
    package enum Dialect: Sendable {
        /// Those of Go's `filepath.Match`, for the sources of COPY and ADD: `*`, `?`, `[a-z]`, `[^a-z]`, `\`.
        case simple
        /// `**` besides, for any number of directories: .dockerignore, `--exclude`, `--parents`.
        case recursive
    }

    enum Token: Equatable {
        case literal([UInt8])
        /// `?`
        case one
        /// `*`
        case segment
        /// `**/` before something: nothing, or directories with the slash after them.
        case directories
        /// `**` at the end.
        case rest
        case oneOf([ClosedRange<UInt32>], negated: Bool)
    }

    /// What most patterns are; only `tokens` needs more than a comparison.
    enum Shape: Equatable {
        case exact([UInt8])
        case prefix([UInt8])
        /// `**/name`: the name itself, or below something.
        case name([UInt8])
        /// `**name` is BuildKit's any path with that end.
        case suffix([UInt8])
        case tokens(first: [UInt8], last: [UInt8])
    }

    package let bytes: [UInt8]
    let tokens: [Token]
    let shape: Shape

    package init(_ bytes: [UInt8], _ dialect: Dialect = .simple) throws(DockerfileError) {
        self.bytes = bytes
        var reader = PatternReader(bytes, dialect)
        tokens = try reader.tokens()
        shape = Self.shape(of: tokens, bytes: bytes)
    }

    package init(_ text: String, _ dialect: Dialect = .simple) throws(DockerfileError) {
        try self.init(Array(text.utf8), dialect)
    }

    /// Whether a source is to be looked for in a directory instead of taken as it is written: it holds a wild card that
    /// is not escaped.
    package static func isWildcard(_ text: String) -> Bool {
        var escaped = false
        for byte in text.utf8 {
            if escaped {
                escaped = false
            } else if byte == 0x5C {
                escaped = true
            } else if byte == 0x2A || byte == 0x3F || byte == 0x5B {
                return true
            }
        }
        return false
    }

    private static func shape(of tokens: [Token], bytes: [UInt8]) -> Shape {
        switch (tokens.first, tokens.dropFirst().first, tokens.count) {
        case (nil, _, _): return .exact([])
        case (.literal(let text)?, nil, 1): return .exact(text)
        case (.rest?, nil, 1): return .prefix([])
        case (.literal(let text)?, .rest?, 2): return .prefix(text)
        case (.directories?, .literal(let text)?, 2):
            return bytes.count > 2 && bytes[2] == 0x2F ? .name(text) : .suffix(text)
        default:
            var first: [UInt8] = []
            var last: [UInt8] = []
            if case .literal(let text)? = tokens.first { first = text }
            if case .literal(let text)? = tokens.last { last = text }
            return .tokens(first: first, last: last)
        }
    }
}
