import CommandTable
import Foundation
import Testing

/// docs/cli.md and docs/ctr.1 are what the table of verbs and flags says. `scripts/generate-docs` writes them: it runs
/// these tests with CTR_WRITE_DOCS=1.
@Suite struct GeneratedDocumentTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `docs cli md is the table's`() throws { try compare("docs/cli.md", MarkdownReference.text) }

    @Test func `docs ctr 1 is the table's`() throws {
        try compare("docs/ctr.1", ManPage.text(version: try version()))
    }

    private func compare(_ path: String, _ text: String) throws {
        let file = Self.root.appendingPathComponent(path)
        if ProcessInfo.processInfo.environment["CTR_WRITE_DOCS"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let wanted = text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = zip(lines, wanted).enumerated().first { $0.element.0 != $0.element.1 }
        let line = first?.offset ?? min(lines.count, wanted.count)
        // Not compared in the expectation, which would print both files.
        let isSame = lines == wanted
        #expect(isSame, "\(path) differs from the table at line \(line + 1): run scripts/generate-docs")
    }

    /// Of the program, whose target a test of the table does not link.
    private func version() throws -> String {
        let source = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/Engine/Build.swift"), encoding: .utf8)
        let found = try #require(source.firstMatch(of: /static let version = "([^"]+)"/))
        return String(found.1)
    }
}
