/// `--check`: what is likely a mistake in a Dockerfile that could be built.
///
/// Of a base image only its name is known here, and its environment decides which variables are defined. Who has the
/// images at hand says so in `imageEnvironments`; else the variables that official images are known to set pass as
/// defined. After FROM scratch only PATH is, and after FROM a stage what that stage knows.
package struct Lint: Sendable {
    let document: DockerfileDocument
    let buildArguments: [String: String]
    let ignore: IgnorePatterns?
    let target: String?
    let imageEnvironments: [String: Set<String>]
    let options: LintOptions

    /// - Parameters:
    ///   - ignore: the context's .dockerignore, for `CopyIgnoredFile`.
    ///   - target: only this stage and those that it needs are looked into; nil: all.
    ///   - imageEnvironments: the names of the variables that images set, by the image as FROM names it after
    ///     expansion.
    package init(
        document: DockerfileDocument, buildArguments: [String: String] = [:], ignore: IgnorePatterns? = nil,
        target: String? = nil, imageEnvironments: [String: Set<String>] = [:]
    ) {
        self.document = document
        self.buildArguments = buildArguments
        self.ignore = ignore
        self.target = target
        self.imageEnvironments = imageEnvironments
        options = LintOptions(document, buildArguments: buildArguments)
    }

    /// Whether a finding fails the build: `# check=error=true`.
    package var failsOnFindings: Bool { options.isError }

    /// In the order of the document.
    package func findings() -> [LintFinding] {
        var report = LintReport(options)
        for warning in document.warnings { report.add(warning) }
        checkCasing(&report)
        checkStageNames(&report)
        checkDescriptions(&report)
        checkBases(&report)
        checkInstructions(&report)
        return report.findings
    }
}
