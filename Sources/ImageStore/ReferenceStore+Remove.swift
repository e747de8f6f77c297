package import Failure
internal import LinuxSystem
package import OCI

/// A container that was made from an image.
package struct ImageUser: Hashable, Sendable {
    /// As shown in messages.
    package var container: String
    package var running: Bool

    package init(container: String, running: Bool) {
        self.container = container
        self.running = running
    }
}

/// What `rmi` says it did.
package struct ImageRemoval: Hashable, Sendable {
    /// `redis:7`, `redis@sha256:…`
    package var untagged: [String]
    /// The ID of the image that is gone with its last name.
    package var deleted: Digest?

    package init(untagged: [String] = [], deleted: Digest? = nil) {
        self.untagged = untagged
        self.deleted = deleted
    }
}

extension ReferenceStore {
    /// docker's rmi. A name of an image with other names is only taken away; the last name takes the image with it.
    /// By ID all names of one repository go; those of several, and images that stopped containers use, only with
    /// `force`; an image of a running container never.
    ///
    /// Blobs and layers are freed by `Collection`, afterwards. The caller must not hold the store's lock: it is taken
    /// here exclusively.
    ///
    /// - Parameter users: the containers that were made from the image with this ID, as they are now.
    /// - Throws: `notFound`, `conflict`.
    package func remove(
        _ text: String, force: Bool, users: (Digest) throws(Failure) -> [ImageUser]
    ) throws(Failure) -> ImageRemoval {
        // Exclusive: a container that is being made from the image has its record by the time users are asked for.
        let store = try root.lock(.store, .exclusive)
        defer { _ = store.raw }
        return try change { (directory) throws(Failure) in
            let image: ImageRecord
            do throws(Failure) {
                image = try resolve(text)
            } catch {
                return try removeDamaged(text, error, in: directory)
            }
            let all = try list().images(withID: image.id)
            if let reference = try? Reference.parse(text), try record(of: reference) != nil {
                return try removeName(image, all, text, force, users, in: directory)
            }
            return try removeImage(image, all, text, force, try users(image.id), in: directory)
        }
    }

    private func removeName(
        _ image: ImageRecord, _ all: [ImageRecord], _ text: String, _ force: Bool,
        _ users: (Digest) throws(Failure) -> [ImageUser], in directory: Int32
    ) throws(Failure) -> ImageRemoval {
        var going = [image]
        let repository = image.reference?.name
        if image.reference?.tag != nil,
            !all.contains(where: {
                $0 != image && $0.reference?.tag != nil && $0.reference?.name == repository
            })
        {
            // Names by digest go with the last tag of their repository.
            going += all.filter { $0.reference?.tag == nil && $0.reference?.name == repository }
        }
        let staying = all.filter { !going.contains($0) && $0.reference != nil }
        guard staying.isEmpty else {
            var removal = ImageRemoval()
            for record in going { try remove(record, in: directory, &removal, repoDigests: false) }
            return removal
        }
        if let user = ReferenceStore.obstacle(try users(image.id), force) { throw inUse(text, image, user) }
        return try removeAll(all, in: directory)
    }

    private func removeImage(
        _ image: ImageRecord, _ all: [ImageRecord], _ text: String, _ force: Bool, _ users: [ImageUser],
        in directory: Int32
    ) throws(Failure) -> ImageRemoval {
        if let user = ReferenceStore.obstacle(users, force) { throw inUse(text, image, user) }
        let tags = all.compactMap(\.reference).filter { $0.tag != nil }
        let repositories = Set(all.compactMap(\.reference?.name))
        guard force || tags.count <= 1 && repositories.count <= 1 else {
            throw Failure(
                .conflict,
                "rmi \(text): the image has \(tags.count) names: \(tags.map(\.familiar).joined(separator: ", "))",
                hint: "remove them by name, or all with --force")
        }
        return try removeAll(all, in: directory)
    }

    private static func obstacle(_ users: [ImageUser], _ force: Bool) -> ImageUser? {
        users.first(where: \.running) ?? (force ? nil : users.first)
    }

    private func inUse(_ text: String, _ image: ImageRecord, _ user: ImageUser) -> Failure {
        Failure(
            .conflict,
            "rmi \(text): \(user.running ? "running" : "stopped") container \(user.container) uses the image \(image.id.short)",
            hint: user.running
                ? "stop and remove the container first" : "remove the container first, or use --force")
    }

    private func removeAll(_ all: [ImageRecord], in directory: Int32) throws(Failure) -> ImageRemoval {
        var removal = ImageRemoval()
        for record in all { try remove(record, in: directory, &removal, repoDigests: true) }
        removal.deleted = all.first?.id
        return removal
    }

    private func remove(
        _ record: ImageRecord, in directory: Int32, _ removal: inout ImageRemoval, repoDigests: Bool
    ) throws(Failure) {
        guard let reference = record.reference else {
            try remove(ReferenceName.file(forManifest: record.manifest.digest), in: directory)
            return
        }
        try remove(try ReferenceName.file(for: reference), in: directory)
        removal.untagged.append(reference.familiar)
        guard repoDigests else { return }
        for text in record.repoDigests {
            guard let name = try? Reference.parse(text) else { continue }
            if !removal.untagged.contains(name.familiar) { removal.untagged.append(name.familiar) }
        }
    }

    /// A record that cannot be read can still be removed by its name.
    private func removeDamaged(_ text: String, _ failure: Failure, in directory: Int32) throws(Failure)
        -> ImageRemoval
    {
        guard failure.code == .dataLoss, let reference = try? Reference.parse(text) else { throw failure }
        try remove(try ReferenceName.file(for: reference), in: directory)
        return ImageRemoval(untagged: [ReferenceName.key(reference).familiar])
    }
}
