extension Statement {
    /// ENV and LABEL: `a=b c=d`, or the old `name value`.
    func assignments() throws(DockerfileError) -> [Assignment] {
        let words = arguments.quotedWords(escape: escape)
        guard let first = words.first else { throw fail("\(keyword.rawValue) needs at least one argument") }
        if first.nameAndValue == nil {
            let (name, value) = arguments.firstWordAndRest
            guard !value.isEmpty else {
                throw fail(
                    "\(keyword.rawValue) needs a value for \"\(name.text)\"", at: name.range,
                    hint: "write it as \(keyword.rawValue) \(name.text)=VALUE")
            }
            return [Assignment(name: name.text, value: value.text, isLegacy: true)]
        }
        var assignments: [Assignment] = []
        for word in words {
            guard let (name, value) = word.nameAndValue else {
                throw fail(
                    "\"\(word.text)\" has no equals sign", at: word.range,
                    hint: "each word is NAME=VALUE; quotes hold a value with spaces together")
            }
            try requireName(name, word)
            assignments.append(Assignment(name: name.text, value: value.text))
        }
        return assignments
    }

    func declarations() throws(DockerfileError) -> [ArgumentDeclaration] {
        let words = arguments.quotedWords(escape: escape)
        guard !words.isEmpty else { throw fail("ARG needs at least one argument") }
        var declarations: [ArgumentDeclaration] = []
        for word in words {
            guard let (name, value) = word.nameAndValue else {
                declarations.append(ArgumentDeclaration(name: word.text, value: nil))
                continue
            }
            try requireName(name, word)
            declarations.append(ArgumentDeclaration(name: name.text, value: value.text))
        }
        return declarations
    }

    private func requireName(_ name: Fragment, _ word: Fragment) throws(DockerfileError) {
        guard !name.isEmpty else { throw fail("a name of \(keyword.rawValue) is empty", at: word.range) }
    }
}
