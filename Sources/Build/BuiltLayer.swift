internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A layer that a build stands on: of a base image, of the cache, or fresh.
///
/// `@unchecked Sendable`: a fresh layer's owner is asked for by the thread that keeps it alone.
final class BuiltLayer: @unchecked Sendable {
    let diffID: Digest
    /// What steps above it are keyed by: the diffID, or that of the layer that this one was made of by giving its files
    /// another time.
    let identity: String
    let descriptor: Descriptor
    /// Its name in `layers/`.
    let directory: String
    /// Bytes of its files.
    let size: Int64
    /// What overlayfs mounts.
    let root: SharedFileDescriptor
    /// Not yet under its name; nobody sweeps it while this value lives.
    let fresh: NewLayer?
    let record: LayerRecord?

    init(
        diffID: Digest, identity: String? = nil, descriptor: Descriptor, directory: String, size: Int64,
        root: SharedFileDescriptor, fresh: NewLayer? = nil, record: LayerRecord? = nil
    ) {
        self.diffID = diffID
        self.identity = identity ?? diffID.description
        self.descriptor = descriptor
        self.directory = directory
        self.size = size
        self.root = root
        self.fresh = fresh
        self.record = record
    }
}

/// Layers one above another, from the bottom up.
struct LayerChain: Sendable {
    private(set) var layers: [BuiltLayer] = []
    /// As a chainID is made of diffIDs (image-spec config.md), of the layers' identities; empty for no layers.
    private(set) var identity = ""

    mutating func append(_ layer: BuiltLayer) {
        identity =
            layers.isEmpty
            ? layer.identity : ContentHash.hex(of: Array("\(identity) \(layer.identity)".utf8))
        layers.append(layer)
    }

    /// Top first, each once: overlayfs takes no directory twice, and the lower one of two adds nothing.
    var roots: [SharedFileDescriptor] {
        var seen: Set<String> = []
        return layers.reversed().filter { seen.insert($0.directory).inserted }.map(\.root)
    }

    var size: Int64 { layers.reduce(0) { $0 + $1.size } }
}
