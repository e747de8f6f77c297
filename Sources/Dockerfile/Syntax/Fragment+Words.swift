extension Fragment {
    /// The words of ENV, LABEL and ARG: blanks within quotes and after the escape character part nothing, and all
    /// characters stay, for the quotes are the expansion's to take away. A quote without an end goes on to the end.
    func quotedWords(escape: Unicode.Scalar) -> [Fragment] {
        var words: [Fragment] = []
        var start: Int?
        var quote: Unicode.Scalar?
        var end = scalars.endIndex
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let scalar = scalars[index].scalar
            if start == nil {
                if scalar.isSpace {
                    index += 1
                    continue
                }
                start = index
            }
            if let open = quote, scalar == open {
                quote = nil
            } else if scalar == escape, quote != "'" {
                // Nothing is left that it could escape.
                if index + 1 == scalars.endIndex { end = index }
                index += 1
            } else if quote == nil, scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if quote == nil, scalar.isSpace, let from = start {
                words.append(slice(from..<index))
                start = nil
            }
            index += 1
        }
        if let start, start < end { words.append(slice(start..<end)) }
        return words
    }

    /// The words as a shell parts them, quotes in place; nil where a quote or a brace has no end.
    var shellWords: [Fragment]? {
        enum Context { case double, brace }
        var words: [Fragment] = []
        var open: [Context] = []
        var start: Int?
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let scalar = scalars[index].scalar
            if open.isEmpty, scalar.isSpace {
                if let from = start { words.append(slice(from..<index)) }
                start = nil
                index += 1
                continue
            }
            start = start ?? index
            switch scalar {
            case "\\":
                index += 1
            case "$" where index + 1 < scalars.endIndex && scalars[index + 1].scalar == "{":
                open.append(.brace)
                index += 1
            case "\"" where open.last == .double:
                open.removeLast()
            case "\"":
                open.append(.double)
            case "'" where open.last != .double:
                guard let end = scalars[(index + 1)...].firstIndex(where: { $0.scalar == "'" }) else {
                    return nil
                }
                index = end
            case "}" where open.last == .brace:
                open.removeLast()
            default:
                break
            }
            index += 1
        }
        guard open.isEmpty else { return nil }
        if let start { words.append(slice(start...)) }
        return words
    }
}
