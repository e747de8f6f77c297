internal import Archive
internal import Failure
internal import ImageStore
internal import Layers
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A layer's blob, made of its directory: whole and verified, not yet under its name.
///
/// `@unchecked Sendable`: it is made by one thread and then handed to the one that stores it; never two at once.
final class LayerBlob: @unchecked Sendable {
    let diffID: Digest
    let descriptor: Descriptor
    private let intake: LayerIntake

    /// - Throws: `notFound`, `dataLoss`.
    init(
        of layer: ImageRecord.Layer, in layers: LayerStore, _ root: SharedFileDescriptor,
        workers: GzipWorkers, progress: any Progress
    ) throws(Failure) {
        diffID = layer.diffID
        let name = layer.diffID.short
        guard try layers.exists(layer.diffID) else {
            throw Failure(
                .notFound, "layer \(name) is neither in the store nor unpacked",
                hint: "pull or build the image again")
        }
        let directory = try layers.open(layer.diffID)
        // Of a layer that is described by its tar; of another the size is not known before.
        let whole = layer.descriptor.digest == layer.diffID ? layer.descriptor.size : 0
        let intake = try LayerIntake(root)
        var hash = ContentHash()
        let gzip = MemberGzip(workers) { (bytes) throws(Failure) in
            hash.update(bytes)
            try intake.append(bytes)
        }
        var tarHash = ContentHash(for: layer.diffID.algorithm)
        var tarSize: Int64 = 0
        var told: Int64 = 0
        progress.report(name, .compressing(0, of: whole))
        let writer = TarWriter { (bytes) throws(Failure) in
            tarHash.update(bytes)
            try gzip.feed(bytes)
            tarSize += Int64(bytes.count)
            guard tarSize - told >= 4 << 20 else { return }
            told = tarSize
            progress.report(name, .compressing(tarSize, of: whole))
        }
        do throws(Failure) {
            try LayerDiff(upper: directory.raw, lowers: []).write(to: writer)
            try writer.finish()
            try gzip.finish()
        } catch {
            throw error.within("layer \(name)")
        }
        withExtendedLifetime(directory) {}
        let found = try tarHash.finish()
        guard found == layer.diffID else {
            throw Failure(
                .dataLoss,
                "layer \(name): the files in its directory were changed: their tar has the digest \(found)",
                hint: "remove the image with what else has the layer, and pull or build it again")
        }
        self.intake = intake
        descriptor = Descriptor(
            mediaType: MediaType.layerGzip, digest: try hash.finish(), size: intake.size)
        progress.report(name, .compressed)
    }

    /// The caller has had the file system synced.
    func takeName() throws(Failure) { try intake.takeName(descriptor.digest) }
}
