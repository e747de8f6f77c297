extension Lint {
    /// What is wrong with an instruction whose variables are in.
    func checkValues(of instruction: Instruction, _ scope: LintScope, _ report: inout LintReport) {
        switch instruction.kind {
        case .workdir(let path):
            // A later one is relative to a WORKDIR of this file, and that is sure.
            guard !scope.hasWorkdir, !path.hasPrefix("/") else { return }
            report.add(
                .workdirRelativePath, "\"\(path)\" is relative to whatever directory the base image has",
                at: instruction.range)
        case .expose(let ports):
            for port in ports { check(port: port, instruction, &report) }
        case .copy(let files): check(files, "COPY", instruction, &report)
        case .add(let files): check(files, "ADD", instruction, &report)
        default: break
        }
    }

    private func check(port: String, _ instruction: Instruction, _ report: inout LintReport) {
        let parts = port.split(separator: "/", maxSplits: 1)
        if parts.count == 2, parts[1] != parts[1].lowercased() {
            report.add(
                .exposeProtoCasing, "the protocol of \"\(port)\" is not lower case", at: instruction.range)
        }
        if parts.first?.contains(":") == true {
            report.add(
                .exposeInvalidFormat, "\"\(port)\" names more than a port of the container",
                at: instruction.range)
        }
    }

    private func check(
        _ files: FileInstruction, _ keyword: String, _ instruction: Instruction, _ report: inout LintReport
    ) {
        guard let ignore, files.from == nil else { return }
        for source in files.sources where !source.contains("://") && !PathPattern.isWildcard(source) {
            let path = IgnorePatterns.cleaned(Array(source.utf8)[...])
            guard !path.isEmpty, ignore.excludes(path), !ignore.mayHoldIncluded(path) else { continue }
            report.add(
                .copyIgnoredFile, "\(keyword) takes \"\(source)\", which .dockerignore leaves out",
                at: instruction.range)
        }
    }
}
