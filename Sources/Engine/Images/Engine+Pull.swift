package import Failure
package import ImageStore
internal import LinuxSystem
internal import OCI
internal import RegistryClient

/// An image that was pulled, or was here already.
package struct PulledImage: Sendable {
    /// Of what the name leads to at the registry: an index or a manifest.
    package let digest: String
    package let isNew: Bool
    /// `redis:7`
    package let familiarName: String
    /// `docker.io/library/redis:7`
    package let canonicalName: String
}

extension Engine {
    /// Pulls an image, or all of a repository's tags.
    ///
    /// - Parameter platform: `os/architecture[/variant]`; nil for this machine's.
    /// - Throws: the registry's failures (`RegistryClient`); `dataLoss` where bytes are not what they should be;
    ///   `notFound` where there is no image for the platform. A pull that failed leaves nothing recorded.
    package func pull(_ name: String, platform: String?, allTags: Bool, progress: any Progress)
        throws(Failure)
        -> [PulledImage]
    {
        do throws(Failure) {
            let reference = try Reference.parse(name)
            if allTags, name != reference.familiarName, name != reference.name {
                throw Failure(
                    .invalidArgument, "tag can't be used with --all-tags/-a",
                    hint: "give the repository's name alone")
            }
            let platform = try platform.map { (text) throws(Failure) in try Platform(text) }
            clearAbandonedTransfers()
            return try blocking { () async throws(Failure) in
                let client = RegistryAccess.client()
                do throws(Failure) {
                    let pulled = try await self.pull(reference, platform, allTags, client, progress)
                    await client.close()
                    return pulled
                } catch {
                    await client.close()
                    throw error
                }
            }
        } catch {
            // What was unpacked in vain takes room that the user does not expect to be taken.
            try? emptyTrash()
            throw error.within("pull \(name)")
        }
    }

    private func pull(
        _ reference: Reference, _ platform: Platform?, _ allTags: Bool, _ client: RegistryClient,
        _ progress: any Progress
    ) async throws(Failure) -> [PulledImage] {
        var references = [reference]
        if allTags {
            references = try await client.tags(domain: reference.domain, path: reference.path).map {
                Reference(domain: reference.domain, path: reference.path, tag: $0, digest: nil)
            }
            guard !references.isEmpty else { throw Failure(.notFound, "the repository has no tags") }
        }
        var pulled: [PulledImage] = []
        for reference in references {
            let source = try client.source(domain: reference.domain, path: reference.path)
            let fetched = try await client.resolve(reference)
            let label = reference.digest?.description ?? reference.tag ?? Reference.defaultTag
            progress.note("\(label): Pulling from \(reference.path)")
            let pull = ImagePull(
                engine: self, layers: try layerStore(), source: source, reference: reference,
                platform: platform,
                progress: progress)
            pulled.append(try await pull.run(fetched))
        }
        return pulled
    }

    /// The image that a container is to be made of, unpacked; pulled where the policy says so.
    ///
    /// - Throws: `notFound` where it is not here and may not be pulled; what `pull` throws.
    package func imageForContainer(
        _ name: String, platform: String?, policy: CreateRequest.PullPolicy, progress: any Progress
    ) throws(Failure) -> ImageRecord {
        let wanted = try platform.map { (text) throws(Failure) in try Platform(text) }
        if policy != .always, let found = try local(name) {
            if wanted.map({ $0.runs(found.platform) }) ?? true { return try unpacked(found) }
            guard policy == .missing else {
                throw Failure(
                    .notFound,
                    "image \(name) was found, but its platform (\(found.platform)) does not match the wanted "
                        + "platform (\(wanted?.description ?? ""))",
                    hint: "pull it for that platform, or leave --pull never out")
            }
        }
        if policy == .never {
            throw Failure(.notFound, "no such image: \(name)", hint: "pull it, or leave --pull never out")
        }
        let reference = try Reference.parse(name)
        if policy == .missing { progress.note("Unable to find image '\(reference.familiar)' locally") }
        for pulled in try pull(name, platform: platform, allTags: false, progress: progress) {
            progress.note("Digest: \(pulled.digest)")
            progress.note(
                "Status: \(pulled.isNew ? "Downloaded newer image for" : "Image is up to date for") \(pulled.familiarName)"
            )
        }
        return try references.resolve(name)
    }

    private func local(_ name: String) throws(Failure) -> ImageRecord? {
        do throws(Failure) {
            return try references.resolve(name)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// The record with every layer's directory there; what is missing is unpacked from the content store.
    private func unpacked(_ record: ImageRecord) throws(Failure) -> ImageRecord {
        if let directories = record.layerDirectories {
            let isWhole = try during("look for the layers of \(record.id.short)") { () throws(SystemError) in
                for name in directories
                where try !FileDescriptor.exists("layers/\(name)", in: root.descriptor.raw) {
                    return false
                }
                return true
            }
            if isWhole { return record }
        }
        do throws(Failure) {
            return try unpack(record)
        } catch {
            throw error.within("unpack image \(record.reference?.familiar ?? record.id.short)")
        }
    }

    /// Unpacks an image whose blobs are in the content store, and records it.
    func unpack(_ record: ImageRecord) throws(Failure) -> ImageRecord {
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        var assembly = try LayerAssembly(
            layers: try layerStore(), content: content, descriptors: record.layers.map(\.descriptor),
            diffIDs: record.layers.map(\.diffID))
        try lease.protect(digests: record.digests, layers: assembly.possibleNames)
        let outcome = try assembly.complete()
        var record = record
        for place in record.layers.indices { record.layers[place].directory = outcome.directories[place] }
        record.size = outcome.size
        try references.put(record)
        return record
    }
}
