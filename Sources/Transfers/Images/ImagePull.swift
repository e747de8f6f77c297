internal import Layers
internal import Engine
internal import Archive
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import RegistryClient

/// One image from a registry into the store.
///
/// Each blob's bytes are stored, hashed, decompressed and unpacked as they arrive. Nothing has a name in the store
/// before all of it is verified and synced; the record comes last. A pull that is stopped leaves the bytes it
/// has, and the next one goes on from them.
struct ImagePull: Sendable {
    struct Part: Sendable {
        /// The layer's index from the bottom.
        let place: Int
        let descriptor: Descriptor
        let diffID: Digest

        var name: String { descriptor.digest.short }
    }

    let engine: Engine
    let layers: LayerStore
    let source: RepositorySource
    let reference: Reference
    /// What `--platform` says.
    let platform: Platform?
    let progress: any Progress

    var content: ContentStore { engine.content }

    func run(_ fetched: FetchedManifest) async throws(Failure) -> PulledImage {
        let lease = try Lease.take(in: engine.root)
        defer { lease.release() }
        try lease.protect(digests: [fetched.descriptor.digest])
        var staged: [Ingest] = []
        do throws(Failure) {
            return try await run(fetched, lease, &staged)
        } catch {
            // Documents are fetched again in no time; layers are worth going on with, unless they fill the disk.
            for ingest in staged where error.isFullDisk || ingest.descriptor.size <= JSON.documentLimit {
                ingest.discard()
            }
            throw error
        }
    }

    private func run(
        _ fetched: FetchedManifest, _ lease: Lease, _ staged: inout [Ingest]
    ) async throws(Failure) -> PulledImage {
        let chosen = try await choose(fetched, lease, &staged)
        let document = chosen.document
        try ImagePull.check(document)
        try lease.protect(digests: [document.config.digest] + document.layers.map(\.digest))
        let configBytes = try await config(document.config, &staged)
        let config = try ImageConfig(bytes: configBytes)
        try check(config, document)

        let diffIDs = config.rootfs.diffIDs
        var assembly = try LayerAssembly(
            layers: layers, content: content, descriptors: document.layers, diffIDs: diffIDs)
        try lease.protect(layers: assembly.possibleNames)
        let parts = diffIDs.indices.map {
            Part(place: $0, descriptor: document.layers[$0], diffID: diffIDs[$0])
        }
        var shown: [String] = []
        for part in parts where !shown.contains(part.name) { shown.append(part.name) }
        progress.begin(shown)
        defer { progress.end() }
        let brought = try await transfer(parts, into: &assembly, &staged)
        let outcome = try assembly.complete(publishing: staged)
        staged = []
        withExtendedLifetime(brought.claims) {}
        for name in shown where brought.names.contains(name) { progress.report(name, .pulled) }

        let former = try? engine.references.record(of: reference)
        let repoDigest = "\(reference.name)@\(fetched.descriptor.digest)"
        var repoDigests = former?.manifest.digest == chosen.descriptor.digest ? former?.repoDigests ?? [] : []
        if !repoDigests.contains(repoDigest) { repoDigests.append(repoDigest) }
        let record = try ImageRecord(
            reference: reference, target: fetched.descriptor, manifest: chosen.descriptor, document: document,
            config: config, directories: outcome.directories, size: outcome.size, repoDigests: repoDigests)
        failpoint("image.record")
        try engine.references.put(record)
        return PulledImage(
            digest: fetched.descriptor.digest.description,
            isNew: former?.target.digest != fetched.descriptor.digest
                || former?.manifest.digest != chosen.descriptor.digest,
            familiarName: reference.familiar, canonicalName: reference.canonical)
    }

    // MARK: documents

    private struct Chosen {
        let descriptor: Descriptor
        let document: Manifest
    }

    /// Follows an index to the platform's manifest; every document on the way is kept as it came.
    private func choose(
        _ fetched: FetchedManifest, _ lease: Lease, _ staged: inout [Ingest]
    ) async throws(Failure) -> Chosen {
        var descriptor = fetched.descriptor
        var bytes = fetched.bytes
        // An index may hold an index; nobody means four.
        for _ in 0..<4 {
            if try !content.has(descriptor) { staged.append(try content.stage(bytes, as: descriptor)) }
            switch try ImageDocument(bytes: bytes, mediaType: descriptor.mediaType) {
            case .manifest(let manifest): return Chosen(descriptor: descriptor, document: manifest)
            case .index(let index):
                let next = try index.choose(for: platform ?? .host)
                try lease.protect(digests: [next.digest])
                bytes = try await manifestBytes(next)
                descriptor = Descriptor(mediaType: next.mediaType, digest: next.digest, size: next.size)
            }
        }
        throw Failure(.invalidArgument, "image index: indexes are nested too deeply")
    }

    private func manifestBytes(_ descriptor: Descriptor) async throws(Failure) -> [UInt8] {
        // A damaged one is fetched again.
        if try content.has(descriptor), let bytes = try? content.bytes(of: descriptor) { return bytes }
        let fetched = try await source.manifest(descriptor.digest)
        guard Int64(fetched.bytes.count) == descriptor.size else {
            throw Failure(
                .dataLoss,
                "\(descriptor.digest) has \(fetched.bytes.count) bytes, the index says \(descriptor.size)")
        }
        return fetched.bytes
    }

    private func config(_ descriptor: Descriptor, _ staged: inout [Ingest]) async throws(Failure) -> [UInt8] {
        guard descriptor.size <= Int64(JSON.documentLimit) else {
            throw Failure(
                .resourceExhausted,
                "the image config has \(descriptor.size) bytes, more than the \(JSON.documentLimit) allowed")
        }
        if try content.has(descriptor), let bytes = try? content.bytes(of: descriptor) { return bytes }
        var bytes: [UInt8] = []
        let stream = try await source.openBlob(descriptor, from: 0)
        while let more = try await stream.next() {
            bytes += more
            guard bytes.count <= descriptor.size else { break }
        }
        staged.append(try content.stage(bytes, as: descriptor))
        return bytes
    }

    private static func check(_ document: Manifest) throws(Failure) {
        guard MediaType.isConfig(document.config.mediaType) else {
            throw Failure(
                .unsupported,
                "this is no container image, but an artifact of the type \(document.artifactType ?? document.config.mediaType)"
            )
        }
        for layer in document.layers {
            guard MediaType.isLayer(layer.mediaType) else {
                throw Failure(
                    .unsupported, "layer \(layer.digest.short) has the unknown type \(layer.mediaType)",
                    hint: "layers may be plain tar, gzip or zstd")
            }
            if MediaType.isForeignLayer(layer.mediaType), layer.urls?.isEmpty == false {
                throw Failure(
                    .unsupported,
                    "layer \(layer.digest.short) is a foreign layer that lies outside the registry, at addresses that "
                        + "the image chose",
                    hint:
                        "ctr fetches nothing from there; use an image that has all its layers in the registry"
                )
            }
        }
    }

    private func check(_ config: ImageConfig, _ document: Manifest) throws(Failure) {
        guard config.rootfs.diffIDs.count == document.layers.count else {
            throw Failure(
                .invalidArgument,
                "the manifest has \(document.layers.count) layers, its config names \(config.rootfs.diffIDs.count)"
            )
        }
        let wanted = platform ?? .host
        guard !wanted.runs(config.platform) else { return }
        guard platform == nil, config.platform.normalized.os == Platform.host.os else {
            throw Failure(
                .notFound, "no image for \(wanted.normalized); there is \(config.platform.normalized)",
                hint: "choose one with --platform")
        }
        progress.note(
            "WARNING: the image's platform (\(config.platform.normalized)) does not match this machine's (\(wanted.normalized))"
        )
    }
}
