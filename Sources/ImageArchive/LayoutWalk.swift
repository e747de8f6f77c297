internal import ImageStore
internal import Failure
internal import OCI

/// From a layout's index.json to its images, wherever its blobs are.
struct LayoutWalk {
    let platform: Platform
    /// A document's bytes; nil where it is not there.
    let read: (Descriptor) throws(Failure) -> [UInt8]?
    /// A blob's size; nil where it is not there.
    let has: (Descriptor) throws(Failure) -> Int64?

    struct Found {
        var image: LoadedImage
        /// Every blob of it, from the target down.
        var blobs: [Digest]
    }

    /// The images, each once with all its names. Entries that are no images (attestations, artifacts) are passed over.
    func images(indexBytes: [UInt8]) throws(Failure) -> [Found] {
        let index = try ImageIndex(bytes: indexBytes, mediaType: MediaType.index)
        var images: [Found] = []
        for entry in index.manifests where entry.isImage {
            guard let found = try image(entry) else { continue }
            if let at = images.firstIndex(where: { $0.image.target.digest == found.image.target.digest }) {
                for name in found.image.references where !images[at].image.references.contains(name) {
                    images[at].image.references.append(name)
                }
                continue
            }
            images.append(found)
        }
        return images
    }

    private func image(_ entry: Descriptor) throws(Failure) -> Found? {
        var descriptor = entry
        var blobs: [Digest] = []
        // An index may lead to an index, but no image is deeper than a few of them.
        for _ in 0..<8 {
            guard let bytes = try read(descriptor) else { throw missing(descriptor) }
            guard Int64(bytes.count) == descriptor.size else {
                throw Failure(
                    .dataLoss,
                    "\(descriptor.digest) has \(bytes.count) bytes, its descriptor says \(descriptor.size)")
            }
            blobs.append(descriptor.digest)
            switch try ImageDocument(bytes: bytes, mediaType: descriptor.mediaType) {
            case .manifest(let document):
                guard MediaType.isConfig(document.config.mediaType) else { return nil }
                return try image(entry, descriptor, document, blobs)
            case .index(var index):
                // What one platform's image was saved from often lists all of them.
                var present: [Descriptor] = []
                for manifest in index.manifests where try has(manifest) != nil { present.append(manifest) }
                index.manifests = present
                descriptor = try index.choose(for: platform)
            }
        }
        throw Failure(.invalidArgument, "\(entry.digest) is an index of indexes too deep to follow")
    }

    private func image(_ entry: Descriptor, _ manifest: Descriptor, _ document: Manifest, _ blobs: [Digest])
        throws(Failure) -> Found
    {
        for part in [document.config] + document.layers {
            guard let size = try has(part) else { throw missing(part) }
            guard size == part.size else {
                throw Failure(.dataLoss, "\(part.digest) has \(size) bytes, its descriptor says \(part.size)")
            }
        }
        guard let bytes = try read(document.config) else { throw missing(document.config) }
        let config = try ImageConfig(bytes: bytes)
        guard config.rootfs.diffIDs.count == document.layers.count else {
            throw Failure(
                .invalidArgument,
                "\(manifest.digest) has \(document.layers.count) layers, its config names \(config.rootfs.diffIDs.count)"
            )
        }
        let image = LoadedImage(
            references: name(entry).map { [$0] } ?? [], target: plain(entry), manifest: plain(manifest),
            document: document, config: config)
        return Found(
            image: image, blobs: blobs + [document.config.digest] + document.layers.map(\.digest))
    }

    /// containerd's and docker's annotation has the whole name; OCI's has it only where it does not look like a tag.
    private func name(_ entry: Descriptor) -> Reference? {
        if let name = entry.annotations?[AnnotationKey.containerdImageName] {
            return try? Reference.parse(name)
        }
        guard let name = entry.annotations?[AnnotationKey.refName], name.contains(":") || name.contains("/")
        else {
            return nil
        }
        return try? Reference.parse(name)
    }

    private func plain(_ descriptor: Descriptor) -> Descriptor {
        Descriptor(
            mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size,
            platform: descriptor.platform)
    }

    private func missing(_ descriptor: Descriptor) -> Failure {
        Failure(.dataLoss, "\(descriptor.digest) is listed but missing")
    }
}
