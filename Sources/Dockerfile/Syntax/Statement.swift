/// An instruction cut into its parts, before its arguments are understood.
struct Statement {
    let keyword: Keyword
    let keywordWord: Fragment
    let flags: [Flag]
    let arguments: Fragment
    /// The whole of it.
    let text: Fragment
    let escape: Unicode.Scalar
    let list: JSONList
    /// ONBUILD's instruction.
    private let held: [Statement]
    var heredocs: [Heredoc] = []

    var trigger: Statement? { held.first }

    init(_ line: Fragment, escape: Unicode.Scalar) throws(DockerfileError) {
        try self.init(line, escape: escape, isTrigger: false)
    }

    func checkTrigger() throws(DockerfileError) { try Self.checkTrigger(keyword, keywordWord) }

    private static func checkTrigger(_ keyword: Keyword, _ word: Fragment) throws(DockerfileError) {
        guard [.onbuild, .from, .maintainer].contains(keyword) else { return }
        throw DockerfileError("ONBUILD may not hold \(keyword.rawValue)", at: word.range)
    }

    private init(_ line: Fragment, escape: Unicode.Scalar, isTrigger: Bool) throws(DockerfileError) {
        text = line.trimmed
        self.escape = escape
        let (word, rest) = text.firstWordAndRest
        keywordWord = word
        keyword = try Keyword(word)
        if isTrigger { try Self.checkTrigger(keyword, word) }
        (flags, arguments) = Flag.take(from: rest)
        list = arguments.first == "[" ? JSONList(arguments.text) : .none
        held =
            keyword == .onbuild && !arguments.isEmpty
            ? [try Statement(arguments, escape: escape, isTrigger: true)] : []
    }

    /// The heredocs that the line announces. Those of an ONBUILD are its instruction's.
    var heredocWords: [HeredocWord] {
        let holder = trigger ?? self
        guard holder.keyword.takesHeredocs, case .none = holder.list else { return [] }
        guard text.scalars.contains(where: { $0.scalar == "<" }) else { return [] }
        return (text.shellWords ?? []).compactMap { HeredocWord($0) }
    }

    /// In one line, the keyword in capitals.
    var summary: String {
        let rest = text.firstWordAndRest.rest.text
        return rest.isEmpty ? keyword.rawValue : "\(keyword.rawValue) \(rest)"
    }

    /// What the shell reads of it: with the lines of the heredocs.
    func withHeredocs(_ line: String) -> String {
        heredocs.reduce(line) { "\($0)\n\($1.content)\($1.name)" }
    }

    func fail(_ message: String, at place: SourceRange? = nil, hint: String? = nil) -> DockerfileError {
        DockerfileError(message, at: place ?? keywordWord.range, hint: hint)
    }

    /// The next line's mistake may be this one's: a heredoc that is none, or no escape character at the end.
    func explaining(_ error: DockerfileError) -> DockerfileError {
        guard error.message.hasPrefix(Keyword.unknown), error.hint == nil, let line = text.scalars.last?.line
        else { return error }
        var explained = error
        if let arrows = text.shellWords?.first(where: { ["<<", "<<-"].contains($0.text) }) {
            explained.hint = "no space may stand behind the \(arrows.text) in line \(arrows.range.firstLine)"
        } else if keyword == .run {
            explained.hint = "if it belongs to RUN, line \(line) has to end with \(escape)"
        }
        return explained
    }
}
