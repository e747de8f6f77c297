/// `--name=value` before an instruction's arguments, its quotes taken away.
struct Flag {
    var name: String
    /// Nil without an equals sign.
    var value: String?
    var range: SourceRange

    private init(_ text: String, _ range: SourceRange) {
        let parts = text.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count > 1 ? String(parts[1]) : nil
        self.range = range
    }

    /// The flags at the start of the text, and what follows them. A lone `--` ends them. Within flags a backslash
    /// escapes whatever the escape character is.
    static func take(from text: Fragment) -> (flags: [Flag], rest: Fragment) {
        var flags: [Flag] = []
        var rest = text.trimmedStart
        while rest.starts(with: "--") {
            let (word, end) = firstWord(of: rest)
            let range = rest.slice(..<end).range
            rest = rest.slice(end...).trimmedStart
            if word == "--" { break }
            flags.append(Flag(word, range))
        }
        return (flags, rest.trimmed)
    }

    private static func firstWord(of text: Fragment) -> (word: String, end: Int) {
        let scalars = text.scalars
        var view = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let scalar = scalars[index].scalar
            if scalar == quote {
                quote = nil
            } else if quote == nil, scalar.isSpace {
                break
            } else if quote == nil, scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if scalar == "\\" {
                index += 1
                if index < scalars.endIndex { view.append(scalars[index].scalar) }
            } else {
                view.append(scalar)
            }
            index += 1
        }
        return (String(view), min(index, scalars.endIndex))
    }
}
