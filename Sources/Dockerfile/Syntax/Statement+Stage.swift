extension Statement {
    /// FROM.
    func stage(_ index: Int, _ range: SourceRange) throws(DockerfileError) -> Stage {
        let flags = try FlagReader(flags, of: .from)
        let words = arguments.words
        guard let base = words.first else { throw fail("FROM needs an image") }
        var name: String?
        if words.count > 1 {
            guard words[1].text.lowercased() == "as" else {
                throw fail(
                    "FROM takes one image; \"\(words[1].text)\" is one word too many", at: words[1].range,
                    hint: stageHint(words))
            }
            guard words.count > 2 else { throw fail("AS needs a name", at: words[1].range) }
            guard words.count == 3 else {
                throw fail(
                    "\"\(words[3].text)\" is one word too many after the stage's name", at: words[3].range)
            }
            name = try stageName(words[2])
        }
        var stage = Stage(
            index: index, name: name, base: base.text, platform: flags.value("platform"), range: range,
            text: summary)
        stage.writtenKeyword = keywordWord.text
        stage.writtenAs = words.count > 1 ? words[1].text : nil
        return stage
    }

    private func stageHint(_ words: [Fragment]) -> String? {
        if words[1].first == "#" { return "a comment needs a line of its own" }
        return words.count == 2 ? "write FROM \(words[0].text) AS \(words[1].text) to name the stage" : nil
    }

    private func stageName(_ word: Fragment) throws(DockerfileError) -> String {
        let name = word.text
        let scalars = name.lowercased().unicodeScalars
        let isValid =
            ("a"..."z").contains(scalars.first ?? "-")
            && scalars.allSatisfy {
                ("a"..."z").contains($0) || $0.isDigit || $0 == "-" || $0 == "_" || $0 == "."
            }
        guard isValid else {
            throw fail(
                "invalid stage name \"\(name)\"", at: word.range,
                hint: "a letter comes first, then letters, digits, \"-\", \"_\" and \".\"")
        }
        return name
    }
}
