/// The word that was probably meant.
enum Suggestion {
    /// The known word with the smallest edit distance, if that is small against the word's length; the first of equals.
    static func nearest(to word: String, among known: [String]) -> String? {
        let typed = Array(word.utf8)
        // A long word is no slip of the fingers, and the distance costs its square.
        guard !typed.isEmpty, typed.count <= 40 else { return nil }
        let limit = typed.count <= 2 ? 1 : typed.count <= 5 ? 2 : 3
        var best: (word: String, distance: Int)?
        for candidate in known {
            var distance = editDistance(typed, Array(candidate.utf8))
            // `--mem` for `--memory`, `--interact` for `--interactive`.
            if typed.count >= 3, candidate.utf8.starts(with: typed) { distance = min(distance, 1) }
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each count one.
    static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return a.count + b.count }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            row.reserveCapacity(b.count + 1)
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, beforeLast[j - 2] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
