internal import Engine
internal import Archive
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Synchronization

/// The blobs that an image of the store lacks, made of its layers' directories.
struct LayerBlobs {
    let engine: Engine
    let image: ImageRecord
    let lease: Lease
    let progress: any Progress

    private var content: ContentStore { engine.content }

    func complete() throws(Failure) -> ImageRecord {
        let layers = try engine.layerStore()
        var document = try Manifest(
            bytes: try content.bytes(of: image.manifest), mediaType: image.manifest.mediaType)
        guard document.layers.count == image.layers.count else {
            throw Failure(.dataLoss, "\(image.manifest.digest) and the image's record differ in their layers")
        }
        try lease.protect(layers: image.layers.map { LayerStore.name(of: $0.diffID) })

        var ready: [Digest: Descriptor] = [:]
        var absent: [ImageRecord.Layer] = []
        for layer in image.layers where try !content.has(layer.descriptor) {
            if ready[layer.diffID] != nil || absent.contains(where: { $0.diffID == layer.diffID }) {
                continue
            }
            if let known = try made(before: layer, layers) {
                ready[layer.diffID] = known
            } else {
                absent.append(layer)
            }
        }
        let fresh = try make(absent, layers)
        for blob in fresh { ready[blob.diffID] = blob.descriptor }

        for (place, layer) in image.layers.enumerated() {
            guard let blob = ready[layer.diffID], try !content.has(layer.descriptor) else { continue }
            document.layers[place].mediaType =
                MediaType.isDocker(image.manifest.mediaType) ? MediaType.dockerLayerGzip : blob.mediaType
            document.layers[place].digest = blob.digest
            document.layers[place].size = blob.size
        }
        return try store(document, fresh, layers)
    }

    private func made(before layer: ImageRecord.Layer, _ layers: LayerStore) throws(Failure) -> Descriptor? {
        guard let blob = try layers.blob(of: layer.diffID) else { return nil }
        // Named before it is looked for: what is found then stays.
        try lease.protect(digests: [blob.digest])
        return try content.has(blob) ? blob : nil
    }

    /// One sync for all; blobs, then the manifest, then the records.
    private func store(_ document: Manifest, _ fresh: [LayerBlob], _ layers: LayerStore) throws(Failure)
        -> ImageRecord
    {
        let bytes = try JSON.encode(document)
        var result = image
        if document.layers.map(\.digest) != image.layers.map(\.descriptor.digest) {
            result.manifest = try Engine.descriptor(of: bytes, image.manifest.mediaType)
            result.target = result.manifest
        }
        for (place, layer) in document.layers.enumerated() {
            result.layers[place].descriptor = Descriptor(
                mediaType: layer.mediaType, digest: layer.digest, size: layer.size)
        }
        try lease.protect(digests: result.digests)
        var documents: [Ingest] = []
        if try !content.has(result.manifest) {
            documents.append(try content.stage(bytes, as: result.manifest))
        }
        try content.synchronize()
        failpoint("compress.synced")
        for blob in fresh { try blob.takeName() }
        try content.publish(documents, synchronized: true)
        failpoint("compress.published")
        for blob in fresh { try? layers.remember(blob.descriptor, of: blob.diffID) }
        try engine.references.replaceManifest(image.manifest.digest, by: result)
        return result
    }

    /// Layers side by side; the workers are theirs in common. The first failure keeps others from being begun.
    private func make(_ absent: [ImageRecord.Layer], _ layers: LayerStore) throws(Failure) -> [LayerBlob] {
        guard !absent.isEmpty else { return [] }
        progress.begin(absent.map(\.diffID.short))
        defer { progress.end() }
        let workers = try GzipWorkers()
        let state = Mutex(State(waiting: absent[...]))
        let root = engine.root.descriptor
        let progress = progress
        let work = { @Sendable in
            while let layer = state.withLock({ $0.next() }) {
                do throws(Failure) {
                    let blob = try LayerBlob(
                        of: layer, in: layers, root, workers: workers, progress: progress)
                    state.withLock { $0.made.append(blob) }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        var threads: [LinuxSystem.Thread] = []
        for _ in 1..<min(absent.count, ImagePull.width) {
            // With fewer it takes longer.
            if let thread = try? LinuxSystem.Thread("compress", work) { threads.append(thread) }
        }
        work()
        for thread in threads { thread.join() }
        let (made, failure) = state.withLock { ($0.made, $0.failure) }
        if let failure { throw failure }
        return made
    }

    private struct State {
        var waiting: ArraySlice<ImageRecord.Layer>
        var made: [LayerBlob] = []
        var failure: Failure?

        mutating func next() -> ImageRecord.Layer? { failure == nil ? waiting.popFirst() : nil }
    }
}
