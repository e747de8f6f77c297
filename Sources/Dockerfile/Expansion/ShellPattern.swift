/// A pattern of `${x#pattern}` and its kin: `*`, `?` and escapes. Brackets are characters like others, and neither wild
/// card stands for the end of a line: so does BuildKit have it.
struct ShellPattern {
    private enum Token: Equatable {
        case literal(Unicode.Scalar)
        case one
        case any
    }

    private var tokens: [Token] = []

    init(_ text: String) throws(DockerfileError) {
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "*": if tokens.last != .any { tokens.append(.any) }
            case "?": tokens.append(.one)
            case "\\": tokens.append(.literal(try Self.escaped(&scalars, in: text)))
            default: tokens.append(.literal(scalar))
            }
        }
    }

    private static func escaped(
        _ rest: inout Substring.UnicodeScalarView, in text: String
    ) throws(DockerfileError) -> Unicode.Scalar {
        let scalar = rest.popFirst()
        switch scalar {
        case "*"?, "?"?, "\\"?, "}"?, "/"?: return scalar ?? "\\"
        default:
            let shown = scalar.map { "\\\($0)" } ?? "\\"
            throw DockerfileError(
                "the pattern \"\(WordLexer.shown(text))\" escapes what needs no escape: \(shown)",
                hint: "only *, ?, \\, } and / are escaped")
        }
    }

    func droppingPrefix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars)
        let ends = ends(in: scalars, from: 0)
        guard let end = longest ? ends.last : ends.first else { return value }
        return String(scalars[end...])
    }

    func droppingSuffix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars)
        let starts = (0...scalars.count).filter { ends(in: scalars, from: $0).last == scalars.count }
        guard let start = longest ? starts.first : starts.last else { return value }
        return String(scalars[..<start])
    }

    /// The first match is the leftmost, and it is as long as it can be.
    func replacing(in value: String, with word: String, everywhere: Bool) -> String {
        let scalars = Array(value.unicodeScalars)
        var result = ""
        var copied = 0
        var start = 0
        var lastEnd: Int?
        while start <= scalars.count {
            // Nothing between two characters of which the first belongs to a match is not one more match.
            guard let end = ends(in: scalars, from: start).last, end > start || lastEnd != start else {
                start += 1
                continue
            }
            result += String(scalars[copied..<start]) + word
            copied = end
            lastEnd = end
            start = max(end, start + (end == start ? 1 : 0))
            if !everywhere { break }
        }
        return result + String(scalars[copied...])
    }

    /// Where a match that begins at `start` can end, ascending.
    private func ends(in scalars: [Unicode.Scalar], from start: Int) -> [Int] {
        var reached = [start]
        for token in tokens {
            switch token {
            case .literal(let scalar):
                reached = reached.compactMap { $0 < scalars.count && scalars[$0] == scalar ? $0 + 1 : nil }
            case .one:
                reached = reached.compactMap { $0 < scalars.count && scalars[$0] != "\n" ? $0 + 1 : nil }
            case .any:
                reached = Self.spread(reached, in: scalars)
            }
            if reached.isEmpty { return [] }
        }
        return reached
    }

    private static func spread(_ reached: [Int], in scalars: [Unicode.Scalar]) -> [Int] {
        var result: [Int] = []
        for place in reached where place > (result.last ?? -1) {
            var end = place
            result.append(end)
            while end < scalars.count, scalars[end] != "\n" {
                end += 1
                result.append(end)
            }
        }
        return result
    }
}

extension String {
    fileprivate init(_ scalars: ArraySlice<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
