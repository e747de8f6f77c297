/// The lines of a file, apart from their ends: a heredoc keeps the ends as they are written.
struct SourceText {
    private(set) var lines: [String] = []
    private(set) var ends: [String] = []

    init(_ bytes: [UInt8]) throws(DockerfileError) {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while !rest.isEmpty {
            let newline = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            var end = newline
            while end > rest.startIndex, rest[end - 1] == 0x0D { end -= 1 }
            let next = min(newline + 1, rest.endIndex)
            guard let line = String(validating: rest[..<end], as: UTF8.self) else {
                let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
                throw DockerfileError(
                    "the line is not UTF-8 text", at: SourceRange(lines.count + 1),
                    hint: isUTF16 ? "the file is UTF-16: save it as UTF-8" : nil)
            }
            lines.append(line)
            ends.append(String(decoding: rest[end..<next], as: UTF8.self))
            rest = rest[next...]
        }
    }

    /// By index, from 0.
    func fragment(_ index: Int) -> Fragment {
        var scalars: [LocatedScalar] = []
        scalars.reserveCapacity(lines[index].utf8.count)
        var column = 0
        for character in lines[index] {
            column += 1
            for scalar in character.unicodeScalars {
                scalars.append(LocatedScalar(scalar: scalar, line: index + 1, column: column))
            }
        }
        return Fragment(scalars[...], line: index + 1)
    }
}
