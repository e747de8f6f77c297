import Failure
import Foundation
import LinuxSystem
import Networks

/// A root directory of its own for one test, gone with it.
final class StoreRoot: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("networks-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(
            atPath: path + "/run/networks/backend/addresses", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: NetworkStore { get throws { try StoreRoot.store(path) } }

    static func store(_ path: String) throws -> NetworkStore {
        NetworkStore(
            root: SharedFileDescriptor(try Directory.open(path)),
            runtime: SharedFileDescriptor(try Directory.open(path + "/run")))
    }

    /// Of the network's directory and of that in the run directory.
    func names(_ directory: String) -> [String] {
        [path, path + "/run"].flatMap { root in
            (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/networks/\(directory)")) ?? []
        }.sorted()
    }

    /// What is in the store's own directory.
    var networks: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/networks")) ?? []).sorted()
    }

    /// As a process of an earlier boot would have left it.
    func leaveFromEarlierBoot(_ link: String, id: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(path)/run/networks/\(link)",
            withDestinationPath: "\(id) 00000000-0000-0000-0000-000000000000")
    }

    static func failure(_ body: () throws -> Void) -> Failure? {
        do {
            try body()
            return nil
        } catch { return error as? Failure }
    }
}
