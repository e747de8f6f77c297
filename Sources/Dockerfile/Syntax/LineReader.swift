/// From lines to instructions: directives, comments, continuations and the lines of heredocs.
struct LineReader {
    let source: SourceText
    private(set) var escape: Unicode.Scalar = "\\"
    private(set) var directives: [DockerfileDocument.ParserDirective] = []
    private(set) var warnings: [LintFinding] = []
    /// The index of the next line.
    private var next = 0
    /// Until the first line that is none.
    private var expectsDirectives = true

    init(_ source: SourceText) { self.source = source }

    /// The number of the last line that was read.
    var lastLine: Int { next }

    mutating func nextLine() throws(DockerfileError) -> LogicalLine? {
        while next < source.lines.count {
            let number = next + 1
            let line = source.fragment(next).trimmedStart
            next += 1
            try noteDirective(line, number)
            guard line.first != "#", !line.isEmpty else { continue }
            guard var joined = withoutContinuation(line) else {
                return LogicalLine(fragment: line, firstLine: number, lastLine: number)
            }
            let emptyLine = readContinuations(into: &joined)
            joined = joined.trimmed
            guard !joined.isEmpty else { continue }
            if let emptyLine { noteEmpty(emptyLine, in: joined) }
            return LogicalLine(fragment: joined, firstLine: number, lastLine: next)
        }
        return nil
    }

    /// The lines that the word announces, up to the one that is its name.
    mutating func body(of word: HeredocWord) throws(DockerfileError) -> Heredoc {
        var content = ""
        var almost: Int?
        while next < source.lines.count {
            let line = source.lines[next]
            let kept = word.chomps ? line.drop { $0 == "\t" } : line[...]
            next += 1
            if kept == word.name {
                return Heredoc(
                    name: word.name, descriptor: word.descriptor, expands: word.expands, chomps: word.chomps,
                    content: content)
            }
            if almost == nil, source.fragment(next - 1).trimmed.text == word.name { almost = next }
            content += kept + source.ends[next - 1]
        }
        let hint =
            if let almost {
                "line \(almost) does not end it: nothing may stand before or after \(word.name)"
            } else {
                "a line with nothing but \(word.name) ends it"
            }
        throw DockerfileError("unterminated heredoc \"\(word.name)\"", at: word.range, hint: hint)
    }

    /// The number of the first empty line among them.
    private mutating func readContinuations(into joined: inout Fragment) -> Int? {
        var emptyLine: Int?
        while next < source.lines.count {
            let line = source.fragment(next)
            let start = line.trimmedStart
            next += 1
            if start.first == "#" { continue }
            if start.isEmpty {
                emptyLine = emptyLine ?? next
                continue
            }
            guard let continued = withoutContinuation(line) else {
                joined.append(line)
                break
            }
            joined.append(continued)
        }
        return emptyLine
    }

    /// The line without the escape character at its end; nil where the line ends. Two of them escape nothing.
    private func withoutContinuation(_ line: Fragment) -> Fragment? {
        let scalars = line.scalars
        guard let last = scalars.lastIndex(where: { $0.scalar != " " && $0.scalar != "\t" }),
            scalars[last].scalar == escape,
            last == scalars.startIndex || scalars[last - 1].scalar != escape
        else { return nil }
        return line.slice(..<last)
    }

    private mutating func noteEmpty(_ line: Int, in instruction: Fragment) {
        warnings.append(
            LintFinding(
                rule: "NoEmptyContinuation",
                summary: "Empty lines within a continued instruction will become errors",
                message: "empty continuation line in \(instruction.firstWordAndRest.word.text)",
                range: SourceRange(line)))
    }

    private mutating func noteDirective(_ line: Fragment, _ number: Int) throws(DockerfileError) {
        guard expectsDirectives else { return }
        // A Dockerfile may be an executable file.
        if number == 1, line.starts(with: "#!") { return }
        guard let (name, value) = Self.directive(line) else {
            expectsDirectives = false
            return
        }
        guard !directives.contains(where: { $0.name == name.text.lowercased() }) else {
            throw DockerfileError(
                "only one \(name.text.lowercased()) parser directive can be used", at: name.range)
        }
        let directive = DockerfileDocument.ParserDirective(
            name: name.text.lowercased(), value: value.text, range: SourceRange(number))
        directives.append(directive)
        guard directive.name == "escape" else { return }
        guard directive.value == "\\" || directive.value == "`", let token = value.first else {
            throw DockerfileError(
                "invalid escape character \"\(directive.value)\"", at: value.range, hint: "it is \\ or `")
        }
        escape = token
    }

    /// `# name=value`, if the name is one that is known; anything else is a comment.
    private static func directive(_ line: Fragment) -> (name: Fragment, value: Fragment)? {
        guard line.first == "#", let (left, right) = line.slice((line.scalars.startIndex + 1)...).nameAndValue
        else { return nil }
        let name = left.trimmed
        let value = right.trimmed
        guard ["syntax", "escape", "check"].contains(name.text.lowercased()), !value.isEmpty else {
            return nil
        }
        return (name, value)
    }
}
