extension WordLexer {
    /// What a dollar sign stands for that was just taken.
    mutating func dollar() throws(DockerfileError) -> String {
        guard take(if: "{") else {
            let name = name()
            return name.isEmpty ? "$" : value(of: name) ?? ""
        }
        switch next {
        case nil: throw DockerfileError("\"}\" is missing")
        case "{", "}", ":": throw DockerfileError("a variable's name is missing after \"${\"")
        default: break
        }
        let name = name()
        switch take() {
        case "}":
            return value(of: name) ?? ""
        case ":":
            guard let sign = take() else { throw DockerfileError("\"}\" is missing") }
            return try modified(name, by: sign, emptyIsUnset: true)
        case "/":
            return try replaced(name)
        case let sign?:
            return try modified(name, by: sign, emptyIsUnset: false)
        case nil:
            throw DockerfileError("\"}\" is missing")
        }
    }

    /// `${name-word}` and its kin, from after the sign.
    private mutating func modified(
        _ name: String, by sign: Unicode.Scalar, emptyIsUnset: Bool
    ) throws(DockerfileError) -> String {
        switch sign {
        case "-", "+", "?":
            let word = try lex(until: "}", keepingEscapes: false).text
            let read = value(of: name, mayLack: true)
            let value = emptyIsUnset && read?.isEmpty == true ? nil : read
            if sign == "-" { return value ?? word }
            if sign == "+" { return value == nil ? "" : word }
            if let value { return value }
            let silence = read == nil ? "is not set" : "is empty"
            throw DockerfileError("\(name): \(word.isEmpty ? silence : WordLexer.shown(word))")
        case "#", "%":
            var pattern = try lex(until: "}", keepingEscapes: true).text
            let isLongest = pattern.unicodeScalars.first == sign
            if isLongest { pattern.unicodeScalars.removeFirst() }
            let compiled = try ShellPattern(pattern)
            let value = value(of: name) ?? ""
            return sign == "#"
                ? compiled.droppingPrefix(of: value, longest: isLongest)
                : compiled.droppingSuffix(of: value, longest: isLongest)
        default:
            throw DockerfileError(
                "\"${\(name)\(emptyIsUnset ? ":" : "")\(sign)\" is no form of a variable",
                hint:
                    "the forms are ${x}, ${x:-word}, ${x:+word}, ${x:?word}, ${x#pattern}, ${x%pattern} and "
                    + "${x/pattern/word}")
        }
    }

    /// `${name/pattern/word}`, from after the first slash.
    private mutating func replaced(_ name: String) throws(DockerfileError) -> String {
        let everywhere = take(if: "/")
        let pattern = try lex(until: "/", keepingEscapes: true).text
        let word = try lex(until: "}", keepingEscapes: true).text
        let compiled = try ShellPattern(pattern)
        return compiled.replacing(in: value(of: name) ?? "", with: word, everywhere: everywhere)
    }

    /// A name, a number or one of the shell's special parameters; empty where none of them follows.
    private mutating func name() -> String {
        guard let first = next else { return "" }
        if WordLexer.isDigit(first) { return run(WordLexer.isDigit) }
        if "@*#?-$!".unicodeScalars.contains(first) {
            _ = take()
            return String(Character(first))
        }
        return run { $0 == "_" || WordLexer.isLetter($0) || WordLexer.isDigit($0) }
    }

    private mutating func run(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        var name = String.UnicodeScalarView()
        while let scalar = next, belongs(scalar), let taken = take() { name.append(taken) }
        return String(name)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .decimalNumber
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
