extension Lint {
    func checkStageNames(_ report: inout LintReport) {
        var seen: Set<String> = []
        for stage in document.stages {
            guard let name = stage.name else { continue }
            if !seen.insert(name).inserted {
                report.add(.duplicateStageName, "\"\(name)\" names a former stage already", at: stage.range)
            }
            if name == "scratch" || name == "context" {
                report.add(.reservedStageName, "the stage name \"\(name)\" is reserved", at: stage.range)
            }
        }
    }

    /// Comments above what has a name are descriptions, which listings of a build's targets and arguments show.
    func checkDescriptions(_ report: inout LintReport) {
        for instruction in document.globalArguments + document.stages.flatMap(\.instructions) {
            if case .arg(let declarations) = instruction.kind {
                checkDescription(of: declarations.map(\.name), "ARG", at: instruction.range, &report)
            }
        }
        for stage in document.stages {
            if let name = stage.writtenName { checkDescription(of: [name], "FROM", at: stage.range, &report) }
        }
    }

    private func checkDescription(
        of names: [String], _ keyword: String, at range: SourceRange, _ report: inout LintReport
    ) {
        let comments = comments(above: range.firstLine)
        guard !comments.isEmpty, let first = names.first else { return }
        let wanted = Set(names.map { $0.lowercased() })
        let describes = comments.contains { comment in
            let word = comment.split(whereSeparator: \.isWhitespace).first?.lowercased()
            return word.map(wanted.contains) ?? false
        }
        guard !describes else { return }
        report.add(
            .invalidDefinitionDescription,
            "the comment above \(keyword) does not begin with \"\(first)\"; an empty line would part them",
            at: range)
    }

    /// The comments that end right above a line, but for directives; an empty comment parts them like an empty line.
    private func comments(above line: Int) -> [Substring] {
        let directives = Set(document.directives.map(\.range.firstLine))
        var comments: [Substring] = []
        var number = line - 1
        while number >= 1, number <= document.lines.count, !directives.contains(number) {
            let text = document.lines[number - 1].drop(while: \.isWhitespace)
            guard text.first == "#" else { break }
            let comment = text.drop { $0 == "#" || $0.isWhitespace }
            if comment.isEmpty { break }
            comments.append(comment)
            number -= 1
        }
        return comments
    }
}
