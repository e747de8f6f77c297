import Transfers
import Engine
import Failure
import Glibc
import LinuxSystem
import Synchronization

/// An engine on a root of its own, which goes with the value.
final class ScratchRoot: Sendable {
    let path: String
    let engine: Engine

    init() throws {
        path = "/dev/shm/ctr-test-\(randomHex(bytes: 6))"
        engine = try Engine(root: path, runRoot: path + "-run", debug: false)
    }

    deinit {
        for tree in [path, path + "-run"] { try? Directory.removeTree(tree) }
    }

    func names(_ directory: String) -> [String] {
        guard let open = try? Directory.open("\(path)/\(directory)") else { return [] }
        return ((try? Directory.names(in: open)) ?? []).sorted()
    }

    func read(_ file: String) -> String? {
        guard let bytes = try? AtomicFile.read("\(path)/\(file)") else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let root = try Directory.open(path)
        try AtomicFile.write(bytes, to: name, in: root.raw)
        return "\(path)/\(name)"
    }

    /// Nothing half-made: no unfinished layers, no abandoned places but those that can be resumed, no leases.
    var leftovers: [String] {
        names("layers").filter { $0.hasPrefix("new-") || $0.hasSuffix(".lock") }.map { "layers/\($0)" }
            + names("content/ingest").filter { $0.contains(".") }.map { "content/ingest/\($0)" }
            + names("leases").map { "leases/\($0)" } + names("trash").map { "trash/\($0)" }
    }
}

/// What ctr-transfer does for ctr, in this process.
struct OwnProvider: ImageProvider {
    func provide(_ need: ImageNeed, for engine: Engine) throws(Failure) {
        try engine.provide(
            need.name, platform: need.platform, pull: need.kind != .unpack, progress: SilentProgress())
    }
}

/// For tests that are not asynchronous themselves.
func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// Runs what waits for a network on a thread of its own: the runtime's threads, of which there may be one, are for
/// those that answer.
func away<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    let started = Mutex<LinuxSystem.Thread?>(nil)
    let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
        do {
            let thread = try LinuxSystem.Thread("test") {
                continuation.resume(returning: Result { try body() })
            }
            started.withLock { $0 = thread }
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }
    started.withLock { $0 }?.join()
    return try result.get()
}
