extension Lint {
    func checkBases(_ report: inout LintReport) {
        let scope = globalScope(overridden: true)
        let defaults = globalScope(overridden: false)
        for stage in document.stages {
            checkVariables(of: stage, scope, &report)
            checkDefaults(of: stage, defaults, &report)
            checkPlatform(of: stage, scope, &report)
        }
    }

    private func checkVariables(of stage: Stage, _ scope: LintScope, _ report: inout LintReport) {
        guard let expanded = try? stage.expandingBase(expansion(scope)) else { return }
        for name in expanded.undefined.subtracting(scope.known).sorted() {
            report.add(
                .undefinedArgInFrom,
                "FROM uses \"\(name)\", which no ARG before the first FROM declares"
                    + suggestion(for: name, among: scope.names),
                at: stage.range)
        }
    }

    private func checkDefaults(of stage: Stage, _ defaults: LintScope, _ report: inout LintReport) {
        guard let expanded = try? expansion(defaults).word(stage.base), !ImageName.isValid(expanded.value),
            let name = expanded.used.union(expanded.undefined).filter({ isDeclared($0) }).min()
        else { return }
        report.add(
            .invalidDefaultArgInFrom,
            "with the default of \"\(name)\", FROM \(stage.base) names "
                + (expanded.value.isEmpty ? "no image" : "\"\(expanded.value)\", which is no image"),
            at: stage.range)
    }

    private func isDeclared(_ name: String) -> Bool {
        document.globalArguments.contains {
            if case .arg(let declarations) = $0.kind {
                declarations.contains { $0.name == name }
            } else {
                false
            }
        }
    }

    private func checkPlatform(of stage: Stage, _ scope: LintScope, _ report: inout LintReport) {
        guard let platform = stage.platform, let expanded = try? expansion(scope).word(platform) else {
            return
        }
        if platform == "$TARGETPLATFORM" || platform == "${TARGETPLATFORM}" {
            report.add(
                .redundantTargetPlatform, "--platform=\(platform) is what FROM uses anyway", at: stage.range)
        }
        guard expanded.used.isEmpty, expanded.undefined.isEmpty, !platform.isEmpty else { return }
        // A stage that is meant for one platform says so in its name.
        let parts = expanded.value.lowercased().split(separator: "/").prefix(2)
        if let name = stage.name, parts.contains(where: { name.contains($0) }) { return }
        report.add(
            .fromPlatformFlagConstDisallowed, "--platform=\(platform) allows no other platform",
            at: stage.range)
    }

    func suggestion(for name: String, among names: [String]) -> String {
        Nearest(among: names).to(name).map { " (did you mean \"\($0)\"?)" } ?? ""
    }
}
