import Foundation
import LinuxSystem
import Volumes

/// A root directory of its own for one test, gone with it.
final class TemporaryRoot: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("volumes-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: VolumeStore { get throws { try VolumeStore(path: path) } }

    func makeContainer(_ id: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(path)/containers/\(id)", withIntermediateDirectories: true)
    }

    func removeContainer(_ id: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/containers/\(id)")
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)").sorted()
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")), as: UTF8.self)
    }
}
