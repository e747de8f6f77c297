package import Engine
package import Failure
internal import ImageArchive
package import ImageStore
internal import LinuxSystem
package import OCI
package import OverlayFS
internal import RegistryClient

/// A build's cache somewhere else: an image whose config tells of steps and whose layers are theirs.
package struct RemoteBuildCache: Sendable {
    package let config: ImageConfig
    private let layers: [Digest: Descriptor]
    private let source: Source

    fileprivate enum Source: Sendable {
        case registry(Reference)
        case layout(LayoutSource)
    }

    fileprivate init(_ manifest: Manifest, _ config: ImageConfig, _ source: Source) throws(Failure) {
        self.config = config
        self.source = source
        let diffIDs = config.rootfs.diffIDs
        guard diffIDs.count == manifest.layers.count else {
            throw Failure(.dataLoss, "the cache's manifest and config differ in their layers")
        }
        layers = Dictionary(zip(diffIDs, manifest.layers)) { first, _ in first }
    }

    /// The layer's files, verified against its diffID and not yet under its name; nil where the cache has no such layer.
    package func layer(_ diffID: Digest, for engine: Engine) throws(Failure) -> (
        new: NewLayer, record: LayerRecord
    )? {
        guard let descriptor = layers[diffID] else { return nil }
        let unpacking = try LayerUnpacking(
            in: try engine.layerStore(), diffID: diffID, name: "layer \(descriptor.digest.short) of the cache"
        )
        let source = source
        try blocking { () async throws(Failure) in
            switch source {
            case .layout(let layout): try await read(descriptor, layout, unpacking)
            case .registry(let reference):
                let client = RegistryAccess.client()
                do throws(Failure) {
                    let repository = try client.source(domain: reference.domain, path: reference.path)
                    try await read(descriptor, repository, unpacking)
                    await client.close()
                } catch {
                    await client.close()
                    throw error
                }
            }
        }
        let layer = try unpacking.finish().layer
        // One that leans on its parents was not made by a build.
        guard !layer.record.needsParents else { return nil }
        return (layer.new, layer.record)
    }

    private func read(
        _ descriptor: Descriptor, _ source: some ContentSource, _ unpacking: LayerUnpacking
    ) async throws(Failure) {
        let stream = try await source.openBlob(descriptor, from: 0)
        while let bytes = try await stream.next() { try unpacking.feed(bytes) }
    }
}

extension Engine {
    /// The cache that an earlier build has pushed; its layers are fetched when they are asked for.
    package func buildCache(at reference: Reference) throws(Failure) -> RemoteBuildCache {
        let (manifest, config) = try blocking { () async throws(Failure) in
            let client = RegistryAccess.client()
            do throws(Failure) {
                let fetched = try await client.resolve(reference)
                let manifest = try Manifest(bytes: fetched.bytes, mediaType: fetched.descriptor.mediaType)
                let source = try client.source(domain: reference.domain, path: reference.path)
                let bytes = try await Engine.bytes(of: manifest.config, from: source)
                await client.close()
                return (manifest, bytes)
            } catch {
                await client.close()
                throw error
            }
        }
        return try RemoteBuildCache(manifest, try ImageConfig(bytes: config), .registry(reference))
    }

    /// The same in an OCI layout.
    package func buildCache(inLayout path: String) throws(Failure) -> RemoteBuildCache {
        let layout = try LayoutSource(path: path)
        guard let descriptor = try layout.index().manifests.first else {
            throw Failure(.notFound, "the layout \(path) is empty")
        }
        let (manifest, config) = try blocking { () async throws(Failure) in
            let bytes = try await Engine.bytes(of: descriptor, from: layout)
            let manifest = try Manifest(bytes: bytes, mediaType: descriptor.mediaType)
            return (manifest, try await Engine.bytes(of: manifest.config, from: layout))
        }
        return try RemoteBuildCache(manifest, try ImageConfig(bytes: config), .layout(layout))
    }

    private static func bytes(of descriptor: Descriptor, from source: some ContentSource)
        async throws(Failure)
        -> [UInt8]
    {
        let stream = try await source.openBlob(descriptor, from: 0)
        var bytes: [UInt8] = []
        while let more = try await stream.next() {
            bytes += more
            guard bytes.count <= JSON.documentLimit else {
                throw Failure(.resourceExhausted, "\(descriptor.digest) is too large for a document")
            }
        }
        guard try ContentHash.digest(of: bytes, descriptor.digest.algorithm) == descriptor.digest else {
            throw Failure(.dataLoss, "\(descriptor.digest) is damaged where it comes from")
        }
        return bytes
    }

    /// Pushes a cache under a name: an image whose record is nowhere in the store.
    package func pushBuildCache(_ cache: ImageRecord, to reference: Reference, lease: Lease) throws(Failure) {
        var image = try withBlobs(cache, lease: lease)
        image.reference = reference
        let content = content
        try blocking { [image] () async throws(Failure) in
            let client = RegistryAccess.client()
            do throws(Failure) {
                let sink = try client.sink(domain: reference.domain, path: reference.path) { _ in [] }
                _ = try await ImagePush(
                    content: content, sink: sink, image: image, progress: SilentProgress()
                ).run()
                await client.close()
            } catch {
                await client.close()
                throw error
            }
        }
    }

    /// Writes a cache as an OCI layout in a directory; blobs that are there already are not written again.
    package func saveBuildCache(_ cache: ImageRecord, to path: String, lease: Lease) throws(Failure) {
        let image = try withBlobs(cache, lease: lease)
        try LayoutDirectory.write(image, from: content, to: path)
    }
}
