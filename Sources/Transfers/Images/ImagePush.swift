internal import Engine
internal import Failure
internal import ImageStore
internal import OCI
internal import RegistryClient
internal import Synchronization

/// One image from the store to a registry: blobs that are not there, then manifests, then the name.
struct ImagePush: Sendable {
    let content: ContentStore
    let sink: RepositorySink
    let image: ImageRecord
    let progress: any Progress

    private struct Document {
        let descriptor: Descriptor
        let bytes: [UInt8]
    }

    /// - Returns: what the tag leads to at the registry.
    func run() async throws(Failure) -> Descriptor {
        var blobs: [Descriptor] = []
        let documents = try documents(&blobs)
        guard let top = documents.last, let tag = image.reference?.tag else {
            throw Failure(.internal, "there is nothing to push")
        }
        progress.begin(blobs.map(\.digest.short))
        defer { progress.end() }
        try await send(blobs)
        for document in documents {
            try await sink.putManifest(
                document.bytes, mediaType: document.descriptor.mediaType,
                as: document.descriptor.digest == top.descriptor.digest
                    ? tag : document.descriptor.digest.description)
        }
        return top.descriptor
    }

    /// Manifests before the index that names them, and all blobs. An index goes with all its images or not at all:
    /// registries refuse one with gaps.
    private func documents(_ blobs: inout [Descriptor]) throws(Failure) -> [Document] {
        if image.target.digest != image.manifest.digest, let whole = try wholeIndex() {
            blobs = whole.blobs
            return whole.documents
        }
        let bytes = try content.bytes(of: image.manifest)
        let manifest = try Manifest(bytes: bytes, mediaType: image.manifest.mediaType)
        blobs = ImagePush.unique(manifest.layers + [manifest.config])
        return [Document(descriptor: image.manifest, bytes: bytes)]
    }

    /// nil where the store has not everything that the index refers to.
    private func wholeIndex() throws(Failure) -> (documents: [Document], blobs: [Descriptor])? {
        guard try content.has(image.target) else { return nil }
        let bytes = try content.bytes(of: image.target)
        guard case .index(let index) = try ImageDocument(bytes: bytes, mediaType: image.target.mediaType)
        else {
            return nil
        }
        var documents: [Document] = []
        var blobs: [Descriptor] = []
        for child in index.manifests {
            guard try content.has(child), MediaType.isManifest(child.mediaType) else { return nil }
            let childBytes = try content.bytes(of: child)
            let manifest = try Manifest(bytes: childBytes, mediaType: child.mediaType)
            for blob in manifest.layers + [manifest.config] {
                guard try content.has(blob) else { return nil }
                blobs.append(blob)
            }
            documents.append(Document(descriptor: child, bytes: childBytes))
        }
        return (documents + [Document(descriptor: image.target, bytes: bytes)], ImagePush.unique(blobs))
    }

    private static func unique(_ blobs: [Descriptor]) -> [Descriptor] {
        var seen: Set<Digest> = []
        return blobs.filter { seen.insert($0.digest).inserted }
    }

    private func send(_ blobs: [Descriptor]) async throws(Failure) {
        let failure = await withTaskGroup(of: Failure?.self) { group in
            var failure: Failure?
            var waiting = blobs[...]
            for blob in blobs.prefix(ImagePull.width) {
                waiting.removeFirst()
                group.addTask { await trouble(with: blob) }
            }
            while let result = await group.next() {
                if let result {
                    failure = failure ?? result
                    group.cancelAll()
                }
                if failure == nil, let blob = waiting.popFirst() {
                    group.addTask { await trouble(with: blob) }
                }
            }
            return failure
        }
        if let failure { throw failure }
    }

    private func trouble(with blob: Descriptor) async -> Failure? {
        do throws(Failure) {
            try await send(blob)
            return nil
        } catch {
            return error
        }
    }

    private func send(_ blob: Descriptor) async throws(Failure) {
        let name = blob.digest.short
        progress.report(name, .waiting)
        if try await sink.hasBlob(blob) {
            progress.report(name, .exists)
            return
        }
        guard try content.has(blob) else {
            throw Failure(.notFound, "layer \(name) is not in the store", hint: "pull the image again")
        }
        let source = StoreSource(content)
        let progress = progress
        try await sink.putBlob(blob) { (offset) async throws(Failure) in
            let stream = try await source.openBlob(blob, from: offset)
            let sent = Mutex(Int64(stream.offset))
            return BlobStream(offset: stream.offset) { () async throws(Failure) in
                guard let bytes = try await stream.next() else { return nil }
                let total = sent.withLock { sent in
                    sent += Int64(bytes.count)
                    return sent
                }
                progress.report(name, .pushing(total, of: blob.size))
                return bytes
            }
        }
        progress.report(name, .pushed)
    }
}
