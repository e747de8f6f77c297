import Dockerfile
import Testing

/// The language, as testdata/dockerfile and testdata/dockerfile-errors have it.
@Suite struct DocumentTests {
    @Test(arguments: Corpus.dockerfiles.cases)
    func parses(_ name: String) throws {
        let document = try DockerfileDocument.parse(Corpus.dockerfiles.dockerfile(name), name: "Dockerfile")
        try Corpus.dockerfiles.compare(DocumentPrinter(document).text, with: name)
    }

    @Test(arguments: Corpus.errors.cases)
    func refuses(_ name: String) throws {
        let bytes = try Corpus.errors.dockerfile(name)
        let error = #expect(throws: DockerfileError.self) {
            try DockerfileDocument.parse(bytes, name: "Dockerfile")
        }
        let place = error?.range.map { "\($0.firstLine):\($0.column.map(String.init) ?? "-")" } ?? "-"
        let lines = [place, error?.message, error?.hint.map { "hint: \($0)" }].compactMap { $0 }
        try Corpus.errors.compare(lines.joined(separator: "\n") + "\n", with: name)
    }

    @Test func corpusIsThere() {
        #expect(Corpus.dockerfiles.cases.count >= 42)
        #expect(Corpus.errors.cases.count >= 50)
    }
}
