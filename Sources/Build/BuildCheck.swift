internal import BuildContext
internal import Dockerfile
package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI

/// What `--check` found.
package struct BuildCheck: Sendable {
    /// Each finding as BuildKit prints it.
    package let findings: [[String]]
}

extension Engine {
    /// Reads context and Dockerfile as a build does and looks for mistakes; `BuildNamespace.enter` came before the engine
    /// was made.
    package func check(_ request: BuildRequest) throws(Failure) -> BuildCheck {
        let work = try WorkDirectory(engine: self)
        defer { withExtendedLifetime(work) {} }
        let input = try BuildInput(request, work)
        let platform = try request.platform.map { (text) throws(Failure) in try Platform(text) } ?? .host
        let plan: BuildPlan
        do throws(DockerfileError) {
            plan = try BuildPlan(
                input.document, target: request.target,
                arguments: BuildArguments(
                    request.arguments, platform: platform, host: .host, target: request.target),
                contexts: Set(request.contexts.keys))
        } catch {
            throw error.failure(in: input.document.name, lines: input.document.lines)
        }
        let lint = lint(input, plan, request)
        return BuildCheck(findings: lint.findings().map { $0.lines(in: input.document) })
    }

    /// With what the images that are here say of their environment; none is pulled for it.
    func lint(_ input: BuildInput, _ plan: BuildPlan, _ request: BuildRequest) -> Lint {
        var environments: [String: Set<String>] = [:]
        for index in plan.stages {
            guard case .image(let name) = plan.bases[index], let image = try? image(name) else { continue }
            environments[name] = Set((image.settings.env ?? []).map(\.splitAtEquals.name))
        }
        return Lint(
            document: input.document, buildArguments: request.arguments, ignore: input.tree.patterns,
            target: request.target, imageEnvironments: environments)
    }
}

extension BuildSession {
    /// Before the first step: tells of what `--check` would find.
    ///
    /// - Throws: where the Dockerfile wants findings to be errors.
    func tellFindings(_ input: BuildInput, _ plan: BuildPlan) throws(Failure) {
        let lint = engine.lint(input, plan, request)
        let findings = lint.findings()
        guard !findings.isEmpty else { return }
        let count = findings.count == 1 ? "1 warning" : "\(findings.count) warnings"
        progress.warned(
            "\(count) found (ctr build --check tells more):\n"
                + findings.map { " - \($0.short)" }.joined(separator: "\n"))
        guard lint.failsOnFindings else { return }
        var rules: [String] = []
        for finding in findings where !rules.contains(finding.rule) { rules.append(finding.rule) }
        throw Failure(
            .invalidArgument,
            "\(document.name): lint violation found for rules: \(rules.joined(separator: ", "))",
            hint: "the Dockerfile has \"check=error=true\"; ctr build --check tells more")
    }
}
