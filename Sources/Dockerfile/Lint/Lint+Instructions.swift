extension Lint {
    func checkInstructions(_ report: inout LintReport) {
        let global = globalScope(overridden: true)
        for instruction in document.globalArguments { checkSecrets(of: instruction, &report) }
        let needed = neededStages()
        var finished: [String: LintScope] = [:]
        for stage in document.stages {
            let base = (try? stage.expandingBase(expansion(global)))?.base ?? stage.base
            var scope = initialScope(base: base, stages: finished)
            // A stage that nobody needs is walked too: its names are what others inherit.
            var silent = LintReport(LintOptions("skip=all"))
            if needed.contains(stage.index) {
                check(stage, &scope, global, &report)
            } else {
                check(stage, &scope, global, &silent)
            }
            if let name = stage.name { finished[name] = scope }
        }
    }

    private func check(
        _ stage: Stage, _ scope: inout LintScope, _ global: LintScope, _ report: inout LintReport
    ) {
        checkRepetitions(in: stage, &report)
        for written in stage.instructions {
            checkWriting(of: written, scope, &report)
            // What cannot be expanded is the build's error.
            guard
                let expanded = try? written.expanding(
                    expansion(scope), buildArguments: buildArguments, globalArguments: global.values)
            else { continue }
            for name in expanded.undefined.subtracting(scope.known).sorted() {
                report.add(
                    .undefinedVar,
                    "the variable \"\(name)\" is not defined" + suggestion(for: name, among: scope.names),
                    at: written.range)
            }
            // A rule about values says nothing where they are not known.
            if expanded.undefined.isEmpty { checkValues(of: expanded.instruction, scope, &report) }
            apply(expanded.instruction, to: &scope)
        }
    }

    private func apply(_ instruction: Instruction, to scope: inout LintScope) {
        switch instruction.kind {
        case .arg(let declarations):
            for declaration in declarations { scope.declare(declaration.name, declaration.value) }
        case .env(let assignments):
            for assignment in assignments { scope.setEnvironment(assignment.name, assignment.value) }
        case .shell: scope.hasShell = true
        case .workdir: scope.hasWorkdir = true
        default: break
        }
    }

    /// The former ones are told, for they are what has no effect.
    private func checkRepetitions(in stage: Stage, _ report: inout LintReport) {
        var last: [String: SourceRange] = [:]
        for instruction in stage.instructions {
            let keyword =
                switch instruction.kind {
                case .cmd: "CMD"
                case .entrypoint: "ENTRYPOINT"
                case .healthcheck: "HEALTHCHECK"
                default: ""
                }
            guard !keyword.isEmpty else { continue }
            if let former = last[keyword] {
                report.add(
                    .multipleInstructionsDisallowed,
                    "this \(keyword) has no effect, for a later one of the stage replaces it", at: former)
            }
            last[keyword] = instruction.range
        }
    }

    /// What is wrong whatever the values of variables are.
    private func checkWriting(of instruction: Instruction, _ scope: LintScope, _ report: inout LintReport) {
        checkSecrets(of: instruction, &report)
        switch instruction.kind {
        case .cmd(let command): checkForm(of: command, "CMD", instruction, scope, &report)
        case .entrypoint(let command): checkForm(of: command, "ENTRYPOINT", instruction, scope, &report)
        case .env(let assignments): checkFormat(of: assignments, "ENV", instruction, &report)
        case .label(let assignments): checkFormat(of: assignments, "LABEL", instruction, &report)
        case .maintainer:
            report.add(
                .maintainerDeprecated, "LABEL org.opencontainers.image.authors=… takes MAINTAINER's place",
                at: instruction.range)
        default: break
        }
    }

    private func checkForm(
        of command: CommandLine, _ keyword: String, _ instruction: Instruction, _ scope: LintScope,
        _ report: inout LintReport
    ) {
        // Who names a shell wants it.
        guard case .shell = command.form, !scope.hasShell else { return }
        report.add(
            .jsonArgsRecommended,
            "a shell stands between \(keyword)'s program and signals; the JSON form runs the program itself",
            at: instruction.range)
    }

    private func checkFormat(
        of assignments: [Assignment], _ keyword: String, _ instruction: Instruction,
        _ report: inout LintReport
    ) {
        guard assignments.contains(where: \.isLegacy) else { return }
        report.add(
            .legacyKeyValueFormat, "\(keyword) is written \"name value\" instead of \"name=value\"",
            at: instruction.range)
    }

    private func checkSecrets(of instruction: Instruction, _ report: inout LintReport) {
        let (keyword, names): (String, [String]) =
            switch instruction.kind {
            case .arg(let declarations): ("ARG", declarations.map(\.name))
            case .env(let assignments): ("ENV", assignments.map(\.name))
            default: ("", [])
            }
        for name in names where Self.soundsSecret(name) {
            report.add(
                .secretsUsedInArgOrEnv,
                "\(keyword) \"\(name)\" looks like a secret, and would stay in the image",
                at: instruction.range)
        }
    }

    private static func soundsSecret(_ name: String) -> Bool {
        let words = Set(name.lowercased().split(separator: "_"))
        return !words.contains("public")
            && !words.isDisjoint(with: [
                "apikey", "auth", "credential", "credentials", "key", "passwd", "password", "pword", "secret",
                "token",
            ])
    }
}
