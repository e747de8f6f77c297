/// `<<EOF`, `3<<-"EOF"`: a word that announces lines.
struct HeredocWord {
    let name: String
    let descriptor: Int
    let chomps: Bool
    /// False where a part of the name is quoted.
    let expands: Bool
    let range: SourceRange

    /// Nil where the text is no such word.
    init?(_ word: Fragment) {
        let scalars = word.scalars
        guard let arrows = scalars.firstIndex(where: { !$0.scalar.isDigit }) else { return nil }
        let digits = word.slice(..<arrows).text
        guard let descriptor = digits.isEmpty ? 0 : Int(digits) else { return nil }
        var rest = word.slice(arrows...)
        guard rest.starts(with: "<<") else { return nil }
        rest = rest.slice((arrows + 2)...)
        chomps = rest.first == "-"
        if chomps { rest = rest.slice((arrows + 3)...) }
        rest = rest.trimmedStart
        guard !rest.isEmpty, !rest.scalars.contains(where: { $0.scalar == "<" }) else { return nil }
        // RUN asks it of all its text: is it one word?
        guard let words = rest.shellWords, words.count == 1 else { return nil }
        let name = Self.unquoted(words[0])
        self.name = name
        self.descriptor = descriptor
        expands = name == words[0].text
        range = word.range
    }

    private static func unquoted(_ word: Fragment) -> String {
        var view = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        var index = word.scalars.startIndex
        while index < word.scalars.endIndex {
            let scalar = word.scalars[index].scalar
            if scalar == quote {
                quote = nil
            } else if quote == nil, scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if scalar == "\\", quote != "'", index + 1 < word.scalars.endIndex {
                index += 1
                let escaped = word.scalars[index].scalar
                if quote == "\"", escaped != "\"", escaped != "\\", escaped != "$" { view.append(scalar) }
                view.append(escaped)
            } else {
                view.append(scalar)
            }
            index += 1
        }
        return String(view)
    }
}
