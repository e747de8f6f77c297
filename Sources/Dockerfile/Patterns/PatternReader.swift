/// Reads a pattern into its tokens, once.
struct PatternReader {
    private let bytes: [UInt8]
    private let dialect: PathPattern.Dialect
    private var position = 0

    init(_ bytes: [UInt8], _ dialect: PathPattern.Dialect) {
        self.bytes = bytes
        self.dialect = dialect
    }

    mutating func tokens() throws(DockerfileError) -> [PathPattern.Token] {
        var tokens: [PathPattern.Token] = []
        var literal: [UInt8] = []
        while position < bytes.count {
            if let token = try wildcard(&literal) {
                if !literal.isEmpty { tokens.append(.literal(literal)) }
                literal = []
                // One of a kind says what many of it say.
                if token != tokens.last || token == .one || token.isClass { tokens.append(token) }
            }
        }
        if !literal.isEmpty { tokens.append(.literal(literal)) }
        return tokens
    }

    /// The token that begins here; nil where a plain byte went into `literal`.
    private mutating func wildcard(_ literal: inout [UInt8]) throws(DockerfileError) -> PathPattern.Token? {
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x2A where dialect == .recursive && next == 0x2A:
            position += 1
            if next == 0x2F { position += 1 }
            return position == bytes.count ? .rest : .directories
        case 0x2A:
            return .segment
        case 0x3F:
            return .one
        case 0x5B:
            return try brackets()
        case 0x5C:
            guard let escaped = next else { throw malformed("nothing follows its \\") }
            position += 1
            literal.append(escaped)
            return nil
        default:
            literal.append(byte)
            return nil
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// From after the `[`.
    private mutating func brackets() throws(DockerfileError) -> PathPattern.Token {
        let negated = next == 0x5E
        if negated { position += 1 }
        var ranges: [ClosedRange<UInt32>] = []
        while next != 0x5D || ranges.isEmpty {
            let low = try bound()
            var high = low
            if next == 0x2D {
                position += 1
                high = try bound()
            }
            // A range that runs backwards holds nothing, and is no error of `filepath.Match`.
            ranges.append(low <= high ? low...high : UInt32.max...UInt32.max)
        }
        position += 1
        return .oneOf(ranges, negated: negated)
    }

    private mutating func bound() throws(DockerfileError) -> UInt32 {
        guard let first = next else { throw malformed("its [ is not closed") }
        if first == 0x2D || first == 0x5D { throw malformed("its [ holds an unescaped - or ]") }
        if first == 0x5C {
            position += 1
            guard next != nil else { throw malformed("nothing follows its \\") }
        }
        let character = PathCharacter(bytes[position...])
        position += character.width
        return character.value
    }

    private func malformed(_ what: String) -> DockerfileError {
        DockerfileError("the pattern \"\(String(decoding: bytes, as: UTF8.self))\" is malformed: \(what)")
    }
}

extension PathPattern.Token {
    fileprivate var isClass: Bool {
        if case .oneOf = self { true } else { false }
    }
}
