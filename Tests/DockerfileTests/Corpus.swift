import Foundation
import Testing

/// The cases in a directory of testdata: a Dockerfile each, and what is expected of it.
struct Corpus: Sendable {
    static let dockerfiles = Corpus("dockerfile")
    static let errors = Corpus("dockerfile-errors")

    let root: URL

    init(_ directory: String) {
        root =
            URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../testdata/\(directory)").standardizedFileURL
    }

    var cases: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []).sorted()
    }

    func dockerfile(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: "\(name)/Dockerfile")))
    }

    /// `CTR_RECORD=1` writes what came out, to be read before it is committed.
    func compare(_ text: String, with name: String) throws {
        let file = root.appending(path: "\(name)/expected")
        if ProcessInfo.processInfo.environment["CTR_RECORD"] != nil { try Data(text.utf8).write(to: file) }
        let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(text == expected, "\(name)")
    }
}
