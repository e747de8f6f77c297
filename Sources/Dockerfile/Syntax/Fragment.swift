/// A part of an instruction that knows where each of its characters stands.
struct Fragment {
    private(set) var scalars: ArraySlice<LocatedScalar>
    /// Meant where there are no characters.
    private let line: Int

    init(_ scalars: ArraySlice<LocatedScalar>, line: Int) {
        self.scalars = scalars
        self.line = line
    }

    var isEmpty: Bool { scalars.isEmpty }
    var first: Unicode.Scalar? { scalars.first?.scalar }

    var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars.lazy.map(\.scalar))
        return String(view)
    }

    var range: SourceRange {
        guard let first = scalars.first, let last = scalars.last else { return SourceRange(line) }
        return SourceRange(first.line, last.line, column: first.column)
    }

    mutating func append(_ other: Fragment) { scalars.append(contentsOf: other.scalars) }

    func slice(_ bounds: some RangeExpression<Int>) -> Fragment {
        Fragment(scalars[bounds.relative(to: scalars)], line: scalars.first?.line ?? line)
    }

    func starts(with prefix: String) -> Bool {
        scalars.lazy.map(\.scalar).starts(with: prefix.unicodeScalars)
    }

    var trimmedStart: Fragment {
        let start = scalars.firstIndex { !$0.scalar.isSpace } ?? scalars.endIndex
        return slice(start...)
    }

    var trimmed: Fragment {
        let end = scalars.lastIndex { !$0.scalar.isSpace }.map { $0 + 1 } ?? scalars.startIndex
        return slice(..<end).trimmedStart
    }

    /// The first word, and what follows the blanks behind it.
    var firstWordAndRest: (word: Fragment, rest: Fragment) {
        let end = scalars.firstIndex { $0.scalar.isBlank } ?? scalars.endIndex
        let next = scalars[end...].firstIndex { !$0.scalar.isBlank } ?? scalars.endIndex
        return (slice(..<end), slice(next...))
    }

    /// Words between blanks, whatever quotes there are.
    var words: [Fragment] {
        scalars.split { $0.scalar.isBlank }.map { Fragment($0, line: line) }
    }

    /// `name=value`; nil without an equals sign.
    var nameAndValue: (name: Fragment, value: Fragment)? {
        guard let equals = scalars.firstIndex(where: { $0.scalar == "=" }) else { return nil }
        return (slice(..<equals), slice((equals + 1)...))
    }
}
