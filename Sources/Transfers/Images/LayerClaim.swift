internal import Layers
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// The right to fetch and unpack one layer while other processes wait for it.
///
/// A process that holds claims never waits for another: it takes those that are free, stores what they brought, lets
/// go, and only then waits. So two pulls that share layers in different orders cannot stop each other.
final class LayerClaim: Sendable {
    private let lock: FileLock
    private let name: String
    private let root: SharedFileDescriptor

    private init(_ lock: consuming FileLock, name: String, root: SharedFileDescriptor) {
        self.lock = lock
        self.name = name
        self.root = root
    }

    /// nil where another process has it.
    static func attempt(_ diffID: Digest, _ layers: LayerStore, root: SharedFileDescriptor) throws(Failure)
        -> LayerClaim?
    {
        guard let lock = try layers.tryLock(diffID) else { return nil }
        return LayerClaim(lock, name: "layers/\(LayerStore.name(of: diffID)).lock", root: root)
    }

    /// While the lock is held, so that whoever waits for it notices and makes a new file.
    deinit { try? Directory.removeFile(name, in: root.raw) }
}
