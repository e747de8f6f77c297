internal import Engine
internal import Archive
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI

/// A blob whose digest is known only at its end, in a place of `content/ingest/` that a sweep clears when its
/// writer has died (the dot in its name says that nobody goes on with it).
final class LayerIntake {
    private let root: SharedFileDescriptor
    private let place: String
    private let lock: FileLock
    private let data: FileDescriptor
    private(set) var size: Int64 = 0
    /// The first bytes, by which the compression is told.
    private(set) var head: [UInt8] = []

    init(_ root: SharedFileDescriptor) throws(Failure) {
        self.root = root
        let place = "content/ingest/import.\(randomHex(bytes: 6))"
        self.place = place
        do throws(SystemError) {
            for directory in ["content", "content/blobs", "content/blobs/sha256", "content/ingest"] {
                try Directory.ensure(directory, in: root.raw)
            }
            try Directory.make(place, in: root.raw)
            lock = try FileLock("\(place)/lock", in: root.raw, .exclusive)
            data = try FileDescriptor.open(
                "\(place)/data", in: root.raw, [.writeOnly, .create, .exclusive, .noFollow])
        } catch {
            throw error.failure("make a place for the layer")
        }
    }

    deinit { try? Directory.removeTree(place, in: root.raw) }

    func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        if head.count < Compression.magicLength { head += bytes.prefix(Compression.magicLength - head.count) }
        try during("store the layer") { () throws(SystemError) in try data.write(bytes) }
        size += Int64(bytes.count)
    }

    /// Gives the blob its name. The caller has had the file system synced since the last bytes, and `sha256` is theirs.
    func takeName(_ sha256: Digest) throws(Failure) {
        try during("store \(sha256)") { () throws(SystemError) in
            try data.changeMode(0o444)
            failpoint("image.import")
            let blobs = try Directory.open("content/blobs/sha256", in: root.raw)
            try Directory.rename("\(place)/data", in: root.raw, to: sha256.hex, in: blobs.raw)
            try AtomicFile.synchronize(directory: blobs.raw)
        }
    }
}
