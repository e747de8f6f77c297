package import Engine
package import Failure
internal import ImageStore
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
            tellImage("pull", reference.familiar, name: reference.familiarName)
        }
        return pulled
    }
}
