internal import ImageStore
internal import Archive
internal import Failure
internal import LinuxSystem
internal import OCI

/// What an archive held, by its names in it, and which images that makes. Names lead only to other names of the
/// same archive, never to a file system.
struct ArchiveContents {
    struct Link {
        var target: String
        /// A hard link's target counts from the archive's top, a symlink's from its own directory.
        var fromTop: Bool
    }

    struct Image {
        var image: LoadedImage
        /// Every blob of it, and those that are in the archive.
        var digests: [Digest]
        var files: [ArchiveStaging.File]
    }

    var files: [String: ArchiveStaging.File] = [:]
    var links: [String: Link] = [:]

    /// A name without `.` and doubled slashes.
    static func normalized(_ path: RawPath) throws(Failure) -> String {
        let text = String(decoding: path.bytes, as: UTF8.self)
        guard !text.hasPrefix("/"), let path = join("", text) else {
            throw Failure(.invalidArgument, "the archive's entry \(path.shown) leads out of it")
        }
        return path
    }

    /// nil where `..` leads out.
    private static func join(_ directory: String, _ path: String) -> String? {
        var parts = directory.split(separator: "/")
        for part in path.split(separator: "/") {
            if part == "." { continue }
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    /// The digest that `blobs/<algorithm>/<hex>` says; nil for any other name.
    static func blobDigest(_ path: String) -> Digest? {
        let parts = path.split(separator: "/")
        guard parts.count == 3, parts[0] == "blobs" else { return nil }
        return try? Digest("\(parts[1]):\(parts[2])")
    }

    /// The file of a name that a document of the archive gives.
    private func file(_ path: String) throws(Failure) -> ArchiveStaging.File? {
        guard !path.hasPrefix("/"), var path = ArchiveContents.join("", path) else { throw outside(path) }
        for _ in 0..<40 {
            if let file = files[path] { return file }
            guard let link = links[path] else { return nil }
            let directory = path.split(separator: "/").dropLast().joined(separator: "/")
            guard link.fromTop || !link.target.hasPrefix("/"),
                let next = ArchiveContents.join(link.fromTop ? "" : directory, link.target)
            else { throw outside(path) }
            path = next
        }
        throw Failure(.invalidArgument, "the archive's link \(path.quotedForMessage) leads round in a circle")
    }

    private func outside(_ path: String) -> Failure {
        Failure(.invalidArgument, "the archive's name \(path.quotedForMessage) leads out of it")
    }

    func images(_ staging: ArchiveStaging, _ content: ContentStore, _ platform: Platform) throws(Failure)
        -> [Image]
    {
        if files["oci-layout"] != nil, let index = try file("index.json") {
            let images = try ofLayout(index, staging, content, platform)
            if !images.isEmpty || files["manifest.json"] == nil { return images }
        }
        guard let list = try file("manifest.json") else {
            if files["repositories"] != nil {
                throw Failure(
                    .unsupported, "the archive was written by a docker older than 1.10",
                    hint: "save the image again with a current docker")
            }
            throw Failure(
                .invalidArgument, "this is no image archive: it holds neither index.json nor manifest.json",
                hint: "\"ctr import\" makes an image from the tar of a root file system")
        }
        let bytes = try staging.bytes(of: list, as: "manifest.json")
        let entries = try JSON.decode([ImageArchive.DockerImage].self, from: bytes, as: "manifest.json")
        var images: [Image] = []
        for entry in entries { images.append(try ofDocker(entry, staging)) }
        return images
    }

    private func ofLayout(
        _ index: ArchiveStaging.File, _ staging: ArchiveStaging, _ content: ContentStore, _ platform: Platform
    ) throws(Failure) -> [Image] {
        let bytes = try staging.bytes(of: index, as: "index.json")
        let walk = LayoutWalk(platform: platform) { (descriptor) throws(Failure) -> [UInt8]? in
            guard let file = files[ImageArchive.path(of: descriptor.digest)] else {
                return try content.has(descriptor) ? try content.bytes(of: descriptor) : nil
            }
            return try staging.bytes(of: file, as: "\(descriptor.digest)")
        } has: { (descriptor) throws(Failure) -> Int64? in
            if let file = files[ImageArchive.path(of: descriptor.digest)] { return file.size }
            return try content.size(of: descriptor.digest)
        }
        var images: [Image] = []
        for found in try walk.images(indexBytes: bytes) {
            var image = found.image
            if image.references.isEmpty {
                image.references = try dockerNames(of: image.document.config.digest, staging)
            }
            images.append(
                Image(
                    image: image, digests: found.blobs,
                    files: found.blobs.compactMap { files[ImageArchive.path(of: $0)] }))
        }
        return images
    }

    /// The names that the archive's other form, manifest.json, has for an image.
    private func dockerNames(of config: Digest, _ staging: ArchiveStaging) throws(Failure) -> [Reference] {
        guard let list = try file("manifest.json"),
            let bytes = try? staging.bytes(of: list, as: "manifest.json"),
            let entries = try? JSON.decode([ImageArchive.DockerImage].self, from: bytes, as: "manifest.json")
        else { return [] }
        return entries.filter { (try? file($0.config)?.digest) == config }.flatMap { $0.repoTags ?? [] }
            .compactMap { try? Reference.parse($0) }
    }

    private func ofDocker(_ entry: ImageArchive.DockerImage, _ staging: ArchiveStaging) throws(Failure)
        -> Image
    {
        guard let configFile = try file(entry.config) else { throw missing(entry.config) }
        let bytes = try staging.bytes(of: configFile, as: entry.config.quotedForMessage)
        let config = try ImageConfig(bytes: bytes)
        guard config.rootfs.diffIDs.count == entry.layers.count else {
            throw Failure(
                .invalidArgument,
                "manifest.json names \(entry.layers.count) layers, the image's config \(config.rootfs.diffIDs.count)"
            )
        }
        var used = [configFile]
        var layers: [Descriptor] = []
        for (name, diffID) in zip(entry.layers, config.rootfs.diffIDs) {
            guard let layer = try file(name) else { throw missing(name) }
            let compression = try kind(of: layer, staging)
            if compression == .uncompressed, diffID.algorithm == layer.digest.algorithm,
                diffID != layer.digest
            {
                throw Failure(
                    .dataLoss,
                    "layer \(name): the config says \(diffID), the bytes have the digest \(layer.digest)")
            }
            let type =
                switch compression {
                case .uncompressed: MediaType.layer
                case .gzip: MediaType.layerGzip
                case .zstd: MediaType.layerZstd
                }
            layers.append(Descriptor(mediaType: type, digest: layer.digest, size: layer.size))
            used.append(layer)
        }
        let documents = try ImageDocuments(config: config, bytes: bytes, layers: layers)
        used.append(try staging.add(documents.manifestBytes))
        var references: [Reference] = []
        for name in entry.repoTags ?? [] { references.append(try Reference.parse(name)) }
        return Image(
            image: LoadedImage(
                references: references, target: documents.manifestDescriptor,
                manifest: documents.manifestDescriptor, document: documents.manifest, config: config),
            digests: used.map(\.digest), files: used)
    }

    private func kind(of layer: ArchiveStaging.File, _ staging: ArchiveStaging) throws(Failure) -> Compression
    {
        try Compression.detect(layer.place == nil ? try staging.storedHead(of: layer.digest) : layer.head)
    }

    private func missing(_ name: String) -> Failure {
        Failure(.dataLoss, "the archive lacks \(name.quotedForMessage), which its manifest.json names")
    }
}
