/// The words of a text that is told character by character, some of it quoted.
struct WordSplitter {
    private var done: [String] = []
    private var word = String.UnicodeScalarView()

    /// White space ends a word.
    mutating func add(_ scalar: Unicode.Scalar) {
        if scalar.properties.isWhitespace { end() } else { word.append(scalar) }
    }

    mutating func add(_ text: String) {
        for scalar in text.unicodeScalars { add(scalar) }
    }

    /// White space is like any other character.
    mutating func addQuoted(_ text: String) {
        word.append(contentsOf: text.unicodeScalars)
    }

    mutating func addQuoted(_ scalar: Unicode.Scalar) {
        word.append(scalar)
    }

    /// An empty word is none, quoted or not: so does BuildKit have it.
    private mutating func end() {
        guard !word.isEmpty else { return }
        done.append(String(word))
        word = String.UnicodeScalarView()
    }

    var words: [String] {
        word.isEmpty ? done : done + [String(word)]
    }
}
