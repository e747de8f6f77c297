/// Puts variables into the words of a Dockerfile, by the rules of BuildKit's own little shell.
package struct Expansion: Sendable {
    package var escape: Character
    package var variables: [String: String]

    /// `escape` is the document's: `\` or a backtick.
    package init(escape: Character = "\\", variables: [String: String]) {
        self.escape = escape
        self.variables = variables
    }

    /// One word: quotes and escapes are gone afterwards, spaces stay.
    package func word(_ text: String) throws(DockerfileError) -> Expanded<String> {
        // Most words of a Dockerfile say nothing that would change.
        if isPlain(text) { return Expanded(text) }
        var lexer = WordLexer(text, escape: escape, variables: variables)
        let value = try lexer.whole(text).text
        return Expanded(value, used: lexer.used, undefined: lexer.undefined)
    }

    /// The words of a line, split after the variables are in; what was quoted stays together.
    package func words(_ text: String) throws(DockerfileError) -> Expanded<[String]> {
        var lexer = WordLexer(text, escape: escape, variables: variables)
        let value = try lexer.whole(text).words
        return Expanded(value, used: lexer.used, undefined: lexer.undefined)
    }

    /// The lines of a heredoc: quotes mean nothing there, and the escape is `\` whatever the document's is.
    package func heredoc(_ text: String) throws(DockerfileError) -> Expanded<String> {
        var lexer = WordLexer(text, escape: "\\", variables: variables)
        lexer.readsQuotes = false
        let value = try lexer.whole(text).text
        return Expanded(value, used: lexer.used, undefined: lexer.undefined)
    }

    private func isPlain(_ text: String) -> Bool {
        let escape = escape.asciiValue ?? 0x5C
        return !text.utf8.contains { $0 == 0x24 || $0 == 0x22 || $0 == 0x27 || $0 == escape }
    }
}
