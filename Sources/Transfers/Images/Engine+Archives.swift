package import Engine
package import Failure
internal import ImageArchive
internal import ImageStore
internal import LinuxSystem
internal import OCI

/// An image that `load` brought, once for each of its names.
package struct LoadedName: Sendable {
    /// As people write it; nil for an image without a name.
    package let name: String?
    package let id: String
}

extension Engine {
    /// Writes images into one tar, an OCI layout and a docker archive at once. Layers that were built here become blobs
    /// first.
    ///
    /// - Parameters:
    ///   - words: names, or IDs; a repository's name alone means all its tags, as in docker.
    ///   - number: a file's or pipe's descriptor, which stays the caller's.
    package func save(_ words: [String], to number: Int32) throws(Failure) {
        var found: [ImageRecord] = []
        for word in words {
            for image in try imagesToSave(word) where !found.contains(image) { found.append(image) }
        }
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        do throws(Failure) {
            let images = try found.map { (image) throws(Failure) in try withBlobs(image, lease: lease) }
            try FileDescriptor.withBorrowed(number) { (file) throws(Failure) in
                try ImageArchive.save(images, from: content, to: file)
            }
            for image in images {
                let id = image.id.description
                tellImage("save", id, name: image.reference?.familiar ?? id)
            }
        } catch {
            throw error.within("save \(words.joined(separator: " "))")
        }
    }

    private func imagesToSave(_ word: String) throws(Failure) -> [ImageRecord] {
        do throws(Failure) {
            return [try references.resolve(word)]
        } catch {
            // A repository without a tag `latest` may have others.
            guard error.code == .notFound, let reference = try? Reference.parse(word),
                word == reference.familiarName || word == reference.name
            else { throw error }
            let images = try references.list().images.filter { $0.reference?.name == reference.name }
            guard !images.isEmpty else { throw error }
            return images
        }
    }

    /// Takes the images of an archive that docker, podman, skopeo or ctr wrote.
    ///
    /// - Parameter path: nil for standard input.
    package func load(from path: String?) throws(Failure) -> [LoadedName] {
        do throws(Failure) {
            clearAbandonedTransfers()
            return try loading(path)
        } catch {
            try? emptyTrash()
            throw error.within("load \(path ?? "-")")
        }
    }

    private func loading(_ path: String?) throws(Failure) -> [LoadedName] {
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        let source = try openArchive(path ?? "-")
        let loaded = try FileDescriptor.withBorrowed(source.raw) { (file) throws(Failure) in
            try ImageArchive.load(from: file, into: content, lease: lease)
        }
        withExtendedLifetime(source) {}
        let layers = try layerStore()
        var names: [LoadedName] = []
        for image in loaded {
            var assembly = try LayerAssembly(
                layers: layers, content: content, descriptors: image.document.layers,
                diffIDs: image.config.rootfs.diffIDs)
            try lease.protect(layers: assembly.possibleNames)
            let outcome = try assembly.complete()
            let id = image.document.config.digest.description
            for reference in image.references.isEmpty ? [nil] : image.references.map(Optional.some) {
                try references.put(
                    ImageRecord(
                        reference: reference, target: image.target, manifest: image.manifest,
                        document: image.document, config: image.config, directories: outcome.directories,
                        size: outcome.size))
                names.append(LoadedName(name: reference?.familiar, id: id))
                tellImage("load", id, name: reference?.familiar ?? id)
            }
        }
        return names
    }
}
