import Foundation
import Testing

/// The package's files, read as text: these tests link nothing of it.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let sources = root.appendingPathComponent("Sources")

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Directories of Sources that hold Swift.
    static func rooms() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: sources.path)
            .filter { try !files(below: sources.appendingPathComponent($0), ["swift"]).isEmpty }.sorted()
    }

    static func files(below directory: URL, _ extensions: Set<String>) throws -> [URL] {
        let walk = try #require(
            FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil))
        return walk.compactMap { $0 as? URL }.filter { extensions.contains($0.pathExtension) }
    }
}
