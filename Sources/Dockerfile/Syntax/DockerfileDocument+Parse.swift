extension DockerfileDocument {
    /// Reads the language of BuildKit's Dockerfile frontend 1.20. It needs no value of a variable and no file; the
    /// first mistake is thrown.
    package static func parse(_ bytes: [UInt8], name: String) throws(DockerfileError) -> DockerfileDocument {
        let source = try SourceText(bytes)
        var document = DockerfileDocument(name: name, lines: source.lines)
        var reader = LineReader(source)
        var previous: Statement?
        do throws(DockerfileError) {
            while let (statement, range) = try reader.nextStatement() {
                try document.append(statement, range)
                previous = statement
            }
        } catch {
            throw previous?.explaining(error) ?? error
        }
        document.directives = reader.directives
        document.escape = Character(reader.escape)
        document.warnings = reader.warnings
        guard !document.stages.isEmpty else {
            guard let argument = document.globalArguments.last else {
                throw DockerfileError("the Dockerfile cannot be empty", hint: "begin it with FROM")
            }
            throw DockerfileError(
                "no build stage in current context", at: argument.range, hint: "a FROM has to follow")
        }
        return document
    }

    private mutating func append(_ statement: Statement, _ range: SourceRange) throws(DockerfileError) {
        if statement.keyword == .from {
            stages.append(try statement.stage(stages.count, range))
            return
        }
        let instruction = try statement.instruction(range)
        if !stages.isEmpty {
            stages[stages.count - 1].instructions.append(instruction)
        } else if statement.keyword == .arg {
            globalArguments.append(instruction)
        } else {
            throw DockerfileError(
                "no build stage in current context", at: statement.keywordWord.range,
                hint: "only ARG may stand before the first FROM")
        }
    }
}

extension Instruction {
    /// Reads what an ONBUILD of a base image left in its configuration; ranges are those within this text.
    package static func parse(trigger text: String) throws(DockerfileError) -> Instruction {
        var reader = LineReader(try SourceText(Array(text.utf8)))
        guard let (statement, range) = try reader.nextStatement() else {
            throw DockerfileError("the trigger of ONBUILD is empty")
        }
        try statement.checkTrigger()
        let instruction = try statement.instruction(range)
        if let (next, _) = try reader.nextStatement() {
            throw DockerfileError("a trigger of ONBUILD is one instruction only", at: next.keywordWord.range)
        }
        return instruction
    }
}

extension LineReader {
    fileprivate mutating func nextStatement() throws(DockerfileError) -> (Statement, SourceRange)? {
        guard let line = try nextLine() else { return nil }
        var statement = try Statement(line.fragment, escape: escape)
        for word in statement.heredocWords { statement.heredocs.append(try body(of: word)) }
        return (statement, SourceRange(line.firstLine, lastLine))
    }
}
