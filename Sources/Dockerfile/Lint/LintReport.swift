/// Findings as they come in.
struct LintReport {
    private let options: LintOptions
    private var found: [LintFinding] = []

    init(_ options: LintOptions) { self.options = options }

    mutating func add(_ rule: LintRule, _ message: String, at range: SourceRange?) {
        guard options.applies(rule) else { return }
        let finding = LintFinding(rule: rule.rawValue, summary: rule.summary, message: message, range: range)
        if !found.contains(finding) { found.append(finding) }
    }

    /// The parser's own; a rule that is unknown here is not skipped by a wrong name.
    mutating func add(_ finding: LintFinding) {
        if let rule = LintRule(rawValue: finding.rule), !options.applies(rule) { return }
        if !found.contains(finding) { found.append(finding) }
    }

    /// In the order of the document.
    var findings: [LintFinding] {
        found.enumerated().sorted {
            ($0.element.range?.firstLine ?? 0, $0.offset) < ($1.element.range?.firstLine ?? 0, $1.offset)
        }.map(\.element)
    }
}
