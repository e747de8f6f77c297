import Archive
import Failure
import ImageStore
import LinuxSystem
import OCI
import Synchronization
import Testing

/// A store in a directory of its own, gone with the value.
final class TemporaryStore: Sendable {
    let path: String
    let root: StoreRoot

    var content: ContentStore { ContentStore(root) }
    var references: ReferenceStore { ReferenceStore(root) }
    var collection: Collection { Collection(root) }

    init() throws {
        let base = try FileDescriptor.exists("/dev/shm") ? "/dev/shm" : "/tmp"
        path = "\(base)/ctr-store-test-\(randomHex(bytes: 8))"
        root = try StoreRoot.open(path)
    }

    deinit { try? Directory.removeTree(path) }

    func exists(_ name: String) throws -> Bool { try FileDescriptor.exists("\(path)/\(name)") }

    func names(_ name: String) throws -> [String] {
        guard try exists(name) else { return [] }
        return try Directory.names(in: try Directory.open("\(path)/\(name)"))
    }

    func text(_ name: String) throws -> String {
        String(decoding: try #require(try AtomicFile.read("\(path)/\(name)")), as: UTF8.self)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create, .truncate])
        try file.write(bytes)
    }
}

/// Bytes that look random and are the same in each run.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}

func describe(_ bytes: [UInt8], mediaType: String = MediaType.layer) throws -> Descriptor {
    Descriptor(mediaType: mediaType, digest: try ContentHash.digest(of: bytes), size: Int64(bytes.count))
}

/// Runs a body in threads of their own, which may block, and throws the first error of any.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let errors = Mutex<[any Error]>([])
    let threads = try (0..<count).map { i in
        try Thread("test") {
            do { try body(i) } catch { errors.withLock { $0.append(error) } }
        }
    }
    for thread in threads { thread.join() }
    if let error = errors.withLock({ $0.first }) { throw error }
}

/// The failure that a body throws.
func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error as? Failure
    }
}

extension TemporaryStore {
    /// Puts a small image with one layer into the store and answers its record.
    @discardableResult
    func image(
        _ name: String?, content seed: String, target: Descriptor? = nil, directories: [String]? = nil,
        record: Bool = true
    ) throws -> ImageRecord {
        let layer = try content.put(Array("layer of \(seed)".utf8), mediaType: MediaType.layer)
        var settings = ImageConfig.Settings()
        settings.env = ["PATH=/bin", "SEED=\(seed)"]
        settings.cmd = ["sh", "-c", "echo \(seed)"]
        let config = ImageConfig(
            platform: Platform(os: "linux", architecture: "amd64"), config: settings, diffIDs: [layer.digest])
        let configDescriptor = try content.put(try JSON.encode(config), mediaType: MediaType.config)
        let manifest = Manifest(config: configDescriptor, layers: [layer])
        let descriptor = try content.put(try JSON.encode(manifest), mediaType: MediaType.manifest)
        let image = try ImageRecord(
            reference: try name.map { try Reference.parse($0) }, target: target ?? descriptor,
            manifest: descriptor, document: manifest, config: config, directories: directories, size: 100)
        if record { try references.put(image) }
        return image
    }
}
