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

    /// Not in testdata, which is text.
    @Test(arguments: [true, false])
    func utf16IsToldOf(_ isBigEndian: Bool) throws {
        let bytes = "\u{feff}FROM scratch\n".utf16.flatMap { unit -> [UInt8] in
            let pair = [UInt8(unit >> 8), UInt8(unit & 0xff)]
            return isBigEndian ? pair : pair.reversed()
        }
        let error = #expect(throws: DockerfileError.self) {
            try DockerfileDocument.parse(bytes, name: "Dockerfile")
        }
        #expect(error?.range?.firstLine == 1 && error?.message == "the line is not UTF-8 text")
        #expect(error?.hint == "the file is UTF-16: save it as UTF-8")
    }

    @Test func corpusIsThere() {
        #expect(Corpus.dockerfiles.cases.count >= 42)
        #expect(Corpus.errors.cases.count >= 50)
    }

    @Test func triggersOfABaseImage() throws {
        let copy = try Instruction.parse(trigger: "copy <<EOF /a\nbody\nEOF")
        #expect(copy.text == "COPY <<EOF /a")
        guard case .copy(let file) = copy.kind else {
            Issue.record("\(copy.kind)")
            return
        }
        #expect(file.heredocs.map(\.content) == ["body\n"])
        for (text, message) in [
            ("", "the trigger of ONBUILD is empty"), ("FROM a", "ONBUILD may not hold FROM"),
            ("ONBUILD RUN a", "ONBUILD may not hold ONBUILD"),
            ("RUN a\nRUN b", "a trigger of ONBUILD is one instruction only"),
        ] {
            let error = #expect(throws: DockerfileError.self) { try Instruction.parse(trigger: text) }
            #expect(error?.message == message)
        }
    }

    /// What an ONBUILD holds and what its text says when a later build reads it are the same.
    @Test func triggersReadTheSameAgain() throws {
        for name in Corpus.dockerfiles.cases {
            let document = try DockerfileDocument.parse(Corpus.dockerfiles.dockerfile(name), name: name)
            for instruction in document.stages.flatMap(\.instructions) {
                guard case .onbuild(let text, let trigger) = instruction.kind else { continue }
                #expect(try Instruction.parse(trigger: text).kind == trigger.instruction.kind, "\(name)")
            }
        }
    }
}
