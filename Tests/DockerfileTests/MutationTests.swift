import Dockerfile
import Testing

/// A stranger's file is parsed or refused, at a place that is in it.
@Suite struct MutationTests {
    private func check(_ bytes: [UInt8], _ origin: String) {
        do {
            let document = try DockerfileDocument.parse(bytes, name: "Dockerfile")
            let count = document.lines.count
            for stage in document.stages {
                for range in [stage.range] + stage.instructions.map(\.range) {
                    expect(range, within: count, origin)
                }
            }
        } catch {
            #expect(!error.message.isEmpty && !error.message.contains("\n"), "\(origin)")
            if let range = error.range {
                let newlines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                expect(range, within: newlines.count, origin)
                if let column = range.column, newlines.indices.contains(range.firstLine - 1) {
                    let width = newlines[range.firstLine - 1].count
                    if !(1...max(1, width)).contains(column) {
                        Issue.record("\(origin): column \(column) of \(width)")
                    }
                }
            }
        }
    }

    /// `#expect` for each range of each mutation would take most of the time.
    private func expect(_ range: SourceRange, within count: Int, _ origin: String) {
        guard range.firstLine < 1 || range.lastLine < range.firstLine || range.lastLine > count else {
            return
        }
        Issue.record("\(origin): \(range) is outside of \(count) lines")
    }

    private func everyFile() throws -> [(name: String, bytes: [UInt8])] {
        try [Corpus.dockerfiles, .errors].flatMap { corpus in
            try corpus.cases.map { ($0, try corpus.dockerfile($0)) }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [Corpus.dockerfiles, .errors])
    func everyPrefix(_ corpus: Corpus) throws {
        for name in corpus.cases {
            let bytes = try corpus.dockerfile(name)
            for end in 0...bytes.count { check(Array(bytes[..<end]), "\(name), \(end) bytes") }
        }
    }

    @Test(.timeLimit(.minutes(5))) func mutations() throws {
        var random = Generator(state: 0x5EED)
        let files = try everyFile()
        let morsels =
            [
                "\\", "`", "\"", "'", "<<EOF", "\n", "\r\n", "$", "${", "}", "[", "]", "--", "=", "#", " ",
                "\t", "\0",
                "é", "\u{301}", "🧱", "\\u12", "ONBUILD ", "FROM ", "--mount=type=", ",", "-", "\u{FEFF}",
            ].map { Array($0.utf8) } + [[0xFF], [0xC3]]
        for round in 0..<4000 {
            guard let file = files.randomElement(using: &random) else { return }
            var bytes = file.bytes
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let at = Int.random(in: 0...bytes.count, using: &random)
                let end = min(bytes.count, at + Int.random(in: 0..<6, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.removeSubrange(at..<end)
                case 1: bytes.insert(contentsOf: bytes[at..<end], at: at)
                case 2: bytes.replaceSubrange(at..<end, with: morsels.randomElement(using: &random) ?? [])
                default: bytes.insert(contentsOf: morsels.randomElement(using: &random) ?? [], at: at)
                }
            }
            check(bytes, "\(file.name), round \(round)")
        }
    }

    @Test(.timeLimit(.minutes(5))) func floods() {
        let count = 4000
        for unit in [
            "\\\n", "ONBUILD ", "RUN ${", "[", "{\"a\":", "<<A ", "\"", "--a ", "--mount=type=cache,", "a=b ",
            "\n\n", "#\n",
        ] {
            let flood = String(repeating: unit, count: count)
            for start in ["", "FROM a\n", "FROM a\nRUN ", "FROM a\nENV ", "FROM a\nRUN [", "FROM a\nCOPY "] {
                check(Array((start + flood).utf8), "\(start)\(unit)…")
            }
        }
    }

    /// The same mutations each time.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
