import Dockerfile
import Testing

/// Texts of the characters that mean something: whatever they make, it is a value or an error.
@Suite struct WordFuzzTests {
    @Test(arguments: 0..<10 as Range<UInt64>) func expansionsEnd(_ seed: UInt64) {
        var dice = Dice(seed &+ 1000)
        let pieces = [
            "$", "{", "}", "x", "empty", "no", ":", "-", "+", "?", "#", "%", "/", "*", "\\", "'", "\"", " ",
            "é", "\n",
        ]
        let expansion = Expansion(variables: ["x": "a/b*c é\nd", "empty": ""])
        for _ in 0..<100 {
            let text = (0..<dice.next(1...14)).map { _ in pieces[dice.next(0...pieces.count - 1)] }.joined()
            for prefix in ["", "${x", "${x#", "${x%%", "${x//", "\""] {
                do {
                    _ = try expansion.word(prefix + text)
                } catch {
                    if error.message.isEmpty { Issue.record("\(prefix + text)") }
                }
                _ = try? expansion.words(prefix + text)
                _ = try? expansion.heredoc(prefix + text)
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func patternsEnd(_ seed: UInt64) {
        var dice = Dice(seed &+ 2000)
        let bytes: [UInt8] = Array("*?[]^-\\/.!# a\n\r".utf8) + [0xC3, 0xA9, 0xFF, 0xF0]
        func text() -> [UInt8] { (0..<dice.next(0...12)).map { _ in bytes[dice.next(0...bytes.count - 1)] } }
        for _ in 0..<100 {
            let pattern = text()
            let path = text()
            for dialect in [PathPattern.Dialect.simple, .recursive] {
                guard let compiled = try? PathPattern(pattern, dialect) else { continue }
                _ = compiled.matches(path)
                _ = compiled.mayMatch(below: path[...])
            }
            guard let patterns = try? IgnorePatterns(pattern) else { continue }
            _ = patterns.excludes(path)
            _ = patterns.mayHoldIncluded(path)
        }
    }

    /// Every Dockerfile of the corpus, with every rule on.
    @Test func lintsTheCorpus() throws {
        let ignore = try IgnorePatterns(patterns: ["*", "!src"])
        for name in Corpus.dockerfiles.cases {
            let document = try DockerfileDocument.parse(
                Corpus.dockerfiles.dockerfile(name), name: "Dockerfile")
            let lint = Lint(
                document: document, buildArguments: ["BUILDKIT_DOCKERFILE_CHECK": "experimental=all"],
                ignore: ignore)
            for finding in lint.findings() {
                let line = finding.range?.firstLine ?? 0
                #expect((1...document.lines.count).contains(line), "\(name): \(finding)")
            }
        }
    }
}
