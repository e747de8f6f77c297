package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import RegistryClient

/// An image that was pushed.
package struct PushedImage: Sendable {
    /// As people write it.
    package let name: String
    package let tag: String
    package let digest: String
    /// Bytes of the manifest or index.
    package let size: Int64
}

extension Engine {
    /// Pushes an image, or all tags of a repository. A pulled image is pushed by the bytes that came, so its digest
    /// stays; layers of one that was built here become blobs first.
    package func push(_ name: String, allTags: Bool, progress: any Progress) throws(Failure) -> [PushedImage]
    {
        do throws(Failure) {
            let reference = try Reference.parse(name)
            let lease = try Lease.take(in: root)
            defer { lease.release() }
            let images = try imagesToPush(reference, name, allTags).map { (image) throws(Failure) in
                try withBlobs(image, lease: lease, progress: progress)
            }
            let holders = try repositories(of: reference)
            progress.note("The push refers to repository [\(reference.name)]")
            return try blocking { () async throws(Failure) in
                let client = RegistryAccess.client()
                do throws(Failure) {
                    let sink = try client.sink(domain: reference.domain, path: reference.path) { digest in
                        holders[digest] ?? []
                    }
                    var pushed: [PushedImage] = []
                    for image in images {
                        let push = ImagePush(
                            content: self.content, sink: sink, image: image, progress: progress)
                        pushed.append(try self.record(image, pushed: try await push.run()))
                        let name = image.reference ?? reference
                        self.tellImage("push", name.familiar, name: name.familiarName)
                    }
                    await client.close()
                    return pushed
                } catch {
                    await client.close()
                    throw error
                }
            }
        } catch {
            throw error.within("push \(name)")
        }
    }

    private func imagesToPush(_ reference: Reference, _ name: String, _ allTags: Bool) throws(Failure)
        -> [ImageRecord]
    {
        guard reference.digest == nil else {
            throw Failure(.invalidArgument, "a digest cannot be pushed to", hint: "name a tag")
        }
        guard allTags else {
            guard let image = try references.record(of: reference) else {
                throw Failure(
                    .notFound, "there is no image with the tag \(reference.familiar)",
                    hint: "give it that name by \"ctr tag\", or list what there is by \"ctr images\"")
            }
            return [image]
        }
        guard name == reference.familiarName || name == reference.name else {
            throw Failure(
                .invalidArgument, "tag can't be used with --all-tags/-a",
                hint: "give the repository's name alone")
        }
        let images = try references.list().images.filter {
            $0.reference?.name == reference.name && $0.reference?.tag != nil
        }
        guard !images.isEmpty else { throw Failure(.notFound, "there is no image of the repository \(name)") }
        return images
    }

    /// The other repositories of the same registry that are known to have a blob.
    private func repositories(of reference: Reference) throws(Failure) -> [Digest: [String]] {
        var holders: [Digest: [String]] = [:]
        for image in try references.list().images {
            for repoDigest in image.repoDigests {
                guard let holder = try? Reference.parse(repoDigest), holder.domain == reference.domain,
                    holder.path != reference.path
                else { continue }
                for digest in image.digests where !holders[digest, default: []].contains(holder.path) {
                    holders[digest, default: []].append(holder.path)
                }
            }
        }
        return holders
    }

    private func record(_ image: ImageRecord, pushed descriptor: Descriptor) throws(Failure) -> PushedImage {
        guard let reference = image.reference else {
            throw Failure(.internal, "an image without a name was pushed")
        }
        let repoDigest = "\(reference.name)@\(descriptor.digest)"
        if !image.repoDigests.contains(repoDigest) {
            // The name may lead elsewhere by now: then there is nothing to add to.
            if var record = try references.record(of: reference), record.id == image.id {
                record.repoDigests.append(repoDigest)
                try references.put(record)
            }
        }
        return PushedImage(
            name: reference.familiar, tag: reference.tag ?? "", digest: descriptor.digest.description,
            size: descriptor.size)
    }
}
