package import Failure
package import ImageStore
internal import LinuxSystem
package import OCI

/// A line of `images`.
package struct ImageSummary: Sendable {
    package let id: String
    package let name: String?
    package let repository: String?
    /// nil: `<none>`.
    package let tag: String?
    /// The repo digest, or `<none>`.
    package let digest: String
    /// Nanoseconds since 1970; 0 for none.
    package let created: Int64
    package let size: Int64
    package let labels: [String: String]

    package var shortID: String { String(id.drop { $0 != ":" }.dropFirst().prefix(12)) }

    package func answers(to word: String) -> Bool {
        name == word || name == "\(word):latest" || id == word || shortID.hasPrefix(word)
    }
}

/// What `inspect` tells of an image.
package struct ImageDetails: Sendable {
    package let id: String
    package let tags, repoDigests: [String]
    package let created, author, comment: String
    package let architecture, variant, os: String
    package let size: Int64
    package let settings: ImageConfig.Settings
    package let diffIDs: [String]
    package let mediaType, manifestDigest: String
    package let manifestSize: Int64
}

/// A line of `history`, newest first.
package struct HistoryEntry: Sendable {
    package let id: String?
    package let created: Int64?
    package let createdBy: String
    package let size: Int64
    package let comment: String
}

/// What a prune did.
package struct PruneOutcome: Sendable {
    package var lines: [String] = []
    package var bytes: Int64 = 0

    package init() {}
}

extension Engine {
    /// The image that a word names; `hint` tells how to get it.
    package func image(_ word: String) throws(Failure) -> ImageRecord { try references.resolve(word) }

    /// All, or those of a repository, or of a name.
    package func images(matching pattern: String?) throws(Failure) -> [ImageSummary] {
        let listing = try references.list()
        if let damaged = listing.damaged.first, listing.images.isEmpty { throw damaged }
        let wanted = try pattern.map { (pattern) throws(Failure) in try Reference.parse(pattern) }
        let hasTag = pattern.map { $0.split(separator: "/").last?.contains(":") ?? false } ?? false
        return listing.images.filter { image in
            guard let wanted else { return true }
            guard let reference = image.reference, reference.name == wanted.name else { return false }
            return !hasTag || reference.tag == wanted.tag
        }.map(summary).sorted { ($0.created, $0.name ?? "") > ($1.created, $1.name ?? "") }
    }

    private func summary(_ image: ImageRecord) -> ImageSummary {
        let digest = image.reference.flatMap { reference in
            image.repoDigests.first { $0.hasPrefix(reference.name + "@") }
        }
        return ImageSummary(
            id: image.id.description, name: image.reference?.familiar,
            repository: image.reference?.familiarName,
            tag: image.reference?.tag,
            digest: digest.map { String($0.drop { $0 != "@" }.dropFirst()) } ?? "<none>",
            created: image.created.flatMap(RFC3339.nanoseconds) ?? 0, size: image.size,
            labels: image.settings.labels ?? [:])
    }

    package func inspectImage(_ word: String) throws(Failure) -> ImageDetails {
        let image = try image(word)
        let config = try ImageConfig(bytes: try content.bytes(of: image.config))
        let all = try references.list().images(withID: image.id)
        return ImageDetails(
            id: image.id.description,
            tags: all.compactMap { $0.reference?.tag == nil ? nil : $0.reference?.familiar },
            repoDigests: Set(all.flatMap(\.repoDigests)).sorted(), created: config.created ?? "",
            author: config.author ?? "", comment: config.history?.last?.comment ?? "",
            architecture: config.architecture, variant: config.variant ?? "", os: config.os, size: image.size,
            settings: config.config ?? ImageConfig.Settings(),
            diffIDs: config.rootfs.diffIDs.map(\.description),
            mediaType: image.manifest.mediaType, manifestDigest: image.manifest.digest.description,
            manifestSize: image.manifest.size)
    }

    package func tag(_ source: String, as target: String) throws(Failure) {
        let reference = try Reference.parse(target)
        let lock = try root.lock(.store, .shared)
        defer { _ = lock.raw }
        let image = try image(source)
        try references.tag(image, as: reference)
        tellImage("tag", image.id.description, name: reference.familiar)
    }

    /// Lines as docker prints them: `Untagged: …`, `Deleted: …`.
    package func removeImage(_ word: String, force: Bool) throws(Failure) -> [String] {
        let id = try? image(word).id.description
        let removal = try references.remove(word, force: force) { (id) throws(Failure) in
            var users: [ImageUser] = []
            for container in try containers() where container.record.imageID == id.description {
                users.append(
                    ImageUser(container: container.record.shortID, running: container.state.isRunning))
            }
            return users
        }
        if let id {
            for name in removal.untagged { tellImage("untag", id, name: name) }
            if removal.deleted != nil { tellImage("delete", id, name: id) }
        }
        if removal.deleted != nil { _ = try collectGarbage() }
        return removal.untagged.map { "Untagged: \($0)" } + (removal.deleted.map { ["Deleted: \($0)"] } ?? [])
    }

    /// Moves what nothing refers to into the trash. The build cache names its layers in `build/pins`.
    package func collectGarbage() throws(Failure) -> Collection.Result {
        try Collection(root).collect { () throws(Failure) in
            var roots = Collection.Roots()
            for record in try containerStore.all() {
                roots.layers.formUnion(record.layers)
                for text in [record.imageID, record.manifestDigest] {
                    if let digest = try? Digest(text) { roots.digests.insert(digest) }
                }
            }
            roots.layers.formUnion(try pinnedLayers())
            return roots
        }
    }

    private func pinnedLayers() throws(Failure) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try Directory.open("build/pins", in: root.raw))
        } catch {
            if error.code == .notFound { return [] }
            throw error.failure("read the build cache")
        }
    }

    /// Layers that images and containers are made of, by their directories' names.
    package func layersInUse() throws(Failure) -> Set<String> {
        var layers: Set<String> = []
        for image in try references.list().images {
            layers.formUnion(image.layers.compactMap(\.directory))
        }
        for record in try containerStore.all() { layers.formUnion(record.layers) }
        return layers
    }

    package func pruneImages(all: Bool) throws(Failure) -> PruneOutcome {
        let used = Set(try containerStore.all().map(\.imageID))
        var outcome = PruneOutcome()
        for image in try references.list().images where !used.contains(image.id.description) {
            guard all || image.reference == nil else { continue }
            let word = image.reference?.familiar ?? image.id.description
            do throws(Failure) {
                outcome.lines += try removeImage(word, force: false)
            } catch {
                // In use since, or gone with another name of it.
                guard error.code == .conflict || error.code == .notFound else { throw error }
                continue
            }
            outcome.bytes += image.size
        }
        outcome.bytes += try collectGarbage().blobBytes
        return outcome
    }

    package func history(_ word: String) throws(Failure) -> [HistoryEntry] {
        let image = try image(word)
        let config = try ImageConfig(bytes: try content.bytes(of: image.config))
        var layers = image.layers[...]
        let entries = try (config.history ?? []).map { (entry) throws(Failure) in
            var size: Int64 = 0
            if entry.emptyLayer != true, let layer = layers.popFirst() { size = try unpackedSize(of: layer) }
            return (entry, size)
        }
        var lines = entries.map { entry, size in
            HistoryEntry(
                id: nil, created: entry.created.flatMap(RFC3339.nanoseconds),
                createdBy: entry.createdBy ?? "",
                size: size, comment: entry.comment ?? "")
        }
        // Layers that the history does not tell of are shown nevertheless.
        for layer in layers {
            lines.append(
                HistoryEntry(
                    id: nil, created: nil, createdBy: "", size: try unpackedSize(of: layer), comment: ""))
        }
        if let last = lines.popLast() {
            lines.append(
                HistoryEntry(
                    id: image.id.description, created: last.created, createdBy: last.createdBy,
                    size: last.size,
                    comment: last.comment))
        }
        return lines.reversed()
    }

    /// Starts the emptying of the trash and does not wait for it: no descriptor of ours stays with it, so that a
    /// shell's `$(ctr rmi …)` returns at once.
    package func emptyTrashInBackground() {
        let raw = root.descriptor.raw
        guard let trash = try? Directory.open("trash", in: raw),
            let names = try? Directory.names(in: trash), !names.isEmpty, let program = try? Process.openSelf()
        else { return }
        _ = try? Process.spawn(
            program: program, arguments: engineArguments + ["__empty-trash"], environment: Process.environment
        )
    }

    package func emptyTrash() throws(Failure) { try Collection(root).emptyTrash() }

    /// How this program is called again for the same root; the first is its path.
    var engineArguments: [String] {
        [(try? Directory.readLink("/proc/self/exe"))?.shown ?? "ctr"] + programArguments.dropFirst()
    }

    /// How one of ctr's programs is called for the same root.
    package var programArguments: [String] {
        let runRoot = runPath.prefix(upTo: runPath.lastIndex(of: "/") ?? runPath.endIndex)
        return ["ctr", "--root", rootPath, "--run-root", String(runRoot)] + (debug ? ["--debug"] : [])
    }
}
