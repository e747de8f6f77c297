/// What a misspelt word was probably meant to be.
package struct Nearest: Sendable {
    private let options: [String]

    /// Among equally near options the first is chosen.
    package init(among options: [String]) { self.options = options }

    /// Nil where nothing is near, or where an option is the word itself: then the spelling is not what is wrong.
    package func to(_ word: String) -> String? {
        let letters = Self.letters(of: word)
        let limit = letters.count <= 3 ? 1 : 2
        var best: (option: String, distance: Int)?
        for option in options {
            let other = Self.letters(of: option)
            // A long word of a stranger is not worth a table.
            guard abs(other.count - letters.count) <= limit else { continue }
            let distance = Self.distance(letters, other)
            if distance == 0 { return nil }
            if distance <= limit, distance < best?.distance ?? .max { best = (option, distance) }
        }
        return best?.option
    }

    /// `did you mean "ENTRYPOINT"?`
    package func hint(for word: String) -> String? {
        to(word).map { "did you mean \"\($0)\"?" }
    }

    private static func letters(of word: String) -> [Unicode.Scalar] {
        Array(word.lowercased().unicodeScalars)
    }

    /// Insertions, deletions, substitutions and swaps of neighbours: FORM is one step from FROM.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var before = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [Int](repeating: i + 1, count: b.count + 1)
            for j in b.indices {
                row[j + 1] = min(previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    row[j + 1] = min(row[j + 1], before[j - 1] + 1)
                }
            }
            (before, previous) = (previous, row)
        }
        return previous[b.count]
    }
}
