import Testing

@testable import Dockerfile

@Suite struct LintTextTests {
    @Test func findingsAreShownAsBuildKitShowsThem() throws {
        let text = "FROM scratch AS Base\nWORKDIR /\nCOPY a /\nENV A=1\nENV B=2\n"
        let document = try DockerfileDocument.parse(Array(text.utf8), name: "Dockerfile")
        let finding = try #require(Lint(document: document).findings().first { $0.rule == "StageNameCasing" })
        #expect(
            finding.lines(in: document).enumerated().filter { $0.offset != 1 }.map(\.element) == [
                "WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/",
                "Dockerfile:1", "--------------------", "   1 | >>> FROM scratch AS Base",
                "   2 |     WORKDIR /", "   3 |     COPY a /", "--------------------",
            ])
        #expect(finding.short.hasPrefix("StageNameCasing: "))
        #expect(finding.short.hasSuffix("(line 1)"))
    }

    @Test func addressesAreTheRulesNamesInKebabCase() {
        #expect(LintFinding.kebab("JSONArgsRecommended") == "json-args-recommended")
        #expect(LintFinding.kebab("LegacyKeyValueFormat") == "legacy-key-value-format")
        #expect(LintFinding.kebab("UndefinedArgInFrom") == "undefined-arg-in-from")
        for rule in LintRule.allCases {
            #expect(!LintFinding.kebab(rule.rawValue).contains("--"))
        }
    }
}
