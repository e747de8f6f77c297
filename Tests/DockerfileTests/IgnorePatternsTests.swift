import Dockerfile
import Testing

@Suite struct IgnorePatternsTests {
    static func patterns(_ text: String) throws -> IgnorePatterns {
        try IgnorePatterns(Array(text.utf8))
    }

    static let cases: [(String, String, Bool)] = [
        ("", "a", false), ("a", "a", true), ("a", "a/b/c", true), ("a", "ab", false), ("a/b", "a", false),
        ("/a", "a", true), ("./a/../b/", "b/c", true), ("  a  \r\nb\t", "b", true), ("\u{FEFF}a", "a", true),
        ("# a\na", "a", true), ("#a", "#a", false), (" #a", "#a", true), (".\n/\n\n", "a", false),
        ("*", "a/b", true), ("*\n!a", "a/b", false), ("*\n!a", "b", true), ("!a\n*", "a", true),
        ("a\n!a/b", "a/b/c", false), ("a\n!a/b", "a/c", true), ("a\n!a/b\na/b/c", "a/b/c/d", true),
        ("*.md\n!README*.md\nREADME-secret.md", "README.md", false),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\n!README*.md\nREADME-secret.md", "docs/x.md", false),
        ("**/*.md", "docs/x.md", true), ("**/node_modules", "a/node_modules/b", true), ("! a\na", "a", true),
        ("a\n! /a/", "a", false), ("\\!a", "!a", true), ("..", "a", false), ("../a", "a", false),
        ("a/**", "a", false),
        ("a/**\n!a/b", "a/b", false), ("a/b/c\n!a", "a/b/c", false), ("/../a", "a", true), ("!.", "a", false),
    ]

    @Test(arguments: cases) func excludes(_ text: String, _ path: String, _ expected: Bool) throws {
        #expect(try Self.patterns(text).excludes(path) == expected)
    }

    @Test(arguments: [("a\n\n[x", 3), ("!", 1), ("a\n! ", 2), ("#\nb\\", 2)])
    func namesTheLineOfABadPattern(_ text: String, _ line: Int) {
        let error = #expect(throws: DockerfileError.self) { _ = try Self.patterns(text) }
        #expect(error?.range == SourceRange(line))
    }

    @Test func patternsOfFlagsAreNoLines() throws {
        let patterns = try IgnorePatterns(patterns: ["#x", "*.txt", "!keep.txt"])
        #expect(patterns.excludes("#x"))
        #expect(patterns.excludes("a.txt"))
        #expect(!patterns.excludes("keep.txt"))
    }

    @Test(arguments: [
        ("*\n!a/b/c", "a", true), ("*\n!a/b/c", "a/b", true), ("*\n!a/b/c", "x", false),
        ("*\n!a/b/c", "a/x", false),
        ("!a/b\n*", "a", false), ("*\n!**/x", "q", true), ("*\n!*/x", "q", true), ("*\n!*/x", "q/r", false),
        ("*\n!a/b\na", "a", false), ("*\n!ab*/x", "a", false), ("*\n!a[bc]/x", "ab", true),
    ])
    func knowsWhereSomethingCouldBeWanted(_ text: String, _ directory: String, _ expected: Bool) throws {
        #expect(try Self.patterns(text).mayHoldIncluded(directory) == expected)
    }

    /// Below what the walk would skip, the plain question may find nothing that is wanted.
    @Test(arguments: 0..<60 as Range<UInt64>) func walkAgreesWithPlainQuestion(_ seed: UInt64) throws {
        var random = Dice(seed)
        let parts = ["a", "b", "*", "**", "?", "a*", "[ab]", "c", "ab", "*b"]
        let lines = (0..<random.next(1...6)).map { _ in
            (random.next(0...2) == 0 ? "!" : "")
                + (0..<random.next(1...3)).map { _ in parts[random.next(0...parts.count - 1)] }.joined(
                    separator: "/")
        }
        let patterns = try Self.patterns(lines.joined(separator: "\n"))
        var wrong: [String] = []
        func visit(_ walk: IgnorePatterns.Walk, _ path: String, _ depth: Int, _ mustBeExcluded: Bool) {
            for name in ["a", "b", "c", "ab", "bb"] {
                let child = path.isEmpty ? name : path + "/" + name
                let isExcluded = walk.excludes(name)
                if isExcluded != patterns.excludes(child) || (mustBeExcluded && !isExcluded) {
                    wrong.append(child)
                }
                guard depth > 0 else { continue }
                let entered = walk.entering(name)
                if entered.isExcluded != isExcluded { wrong.append(child) }
                visit(entered, child, depth - 1, mustBeExcluded || (isExcluded && !entered.mayHoldIncluded))
            }
        }
        visit(patterns.walk(), "", 3, false)
        #expect(wrong == [], "\(lines)")
    }
}
