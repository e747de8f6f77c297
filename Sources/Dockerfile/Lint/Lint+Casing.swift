extension Lint {
    func checkCasing(_ report: inout LintReport) {
        var keywords = document.globalArguments.map { (word: $0.writtenKeyword, range: $0.range) }
        for stage in document.stages {
            let from = writtenFrom(stage)
            keywords.append((from, stage.range))
            keywords += stage.instructions.map { ($0.writtenKeyword, $0.range) }
            checkAs(stage, from: from, &report)
        }
        let lower = keywords.count { $0.word == $0.word.lowercased() }
        let upper = keywords.count { $0.word == $0.word.uppercased() }
        let wantsLower = lower > upper
        for (word, range) in keywords where word != (wantsLower ? word.lowercased() : word.uppercased()) {
            report.add(
                .consistentInstructionCasing,
                "\"\(word)\" is not written in \(wantsLower ? "lower" : "upper") case as most instructions are",
                at: range)
        }
    }

    private func checkAs(_ stage: Stage, from: String, _ report: inout LintReport) {
        guard let name = stage.writtenName else { return }
        if name != name.lowercased() {
            report.add(.stageNameCasing, "the stage name \"\(name)\" is not lower case", at: stage.range)
        }
        // The instruction ends with `AS name`.
        let words = stage.text.split(whereSeparator: \.isWhitespace)
        guard words.count > 2 else { return }
        let written = String(words[words.count - 2])
        if written != (from == from.lowercased() ? written.lowercased() : written.uppercased()) {
            report.add(.fromAsCasing, "\"\(from)\" and \"\(written)\" differ in case", at: stage.range)
        }
    }

    /// The keyword of a FROM; unlike other instructions a stage does not keep it.
    private func writtenFrom(_ stage: Stage) -> String {
        let index = stage.range.firstLine - 1
        guard document.lines.indices.contains(index) else { return "FROM" }
        let word = document.lines[index].split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
        return word.lowercased() == "from" ? word : "FROM"
    }
}
