package import Failure
internal import LinuxSystem
package import OCI

/// The store's garbage collection: marks from records, living leases and the caller's roots, and moves what is not
/// marked into the trash by renames. Emptying the trash is another step, for a process that nobody waits for.
package struct Collection: Sendable {
    package let root: StoreRoot

    package init(_ root: StoreRoot) { self.root = root }

    /// What must stay beside the images and leases: of containers, and of the build cache.
    package struct Roots: Sendable {
        /// Image IDs, manifests or any blobs. What a manifest or an index refers to stays with it.
        package var digests: Set<Digest>
        /// Names in `layers/`.
        package var layers: Set<String>

        package init(digests: Set<Digest> = [], layers: Set<String> = []) {
            self.digests = digests
            self.layers = layers
        }
    }

    package struct Result: Sendable {
        package var blobs: [Digest] = []
        package var layers: [String] = []
        /// Bytes of the blobs; what layers take is not counted here.
        package var blobBytes: Int64 = 0
    }

    /// Sweeps. Holds the store's lock exclusively: it waits for whoever is between resolve and record, and they wait
    /// for its renames.
    ///
    /// - Parameters:
    ///   - dryRun: only tells what would go.
    ///   - roots: asked for under the lock, so that no container is missed.
    /// - Throws: `dataLoss` where a record cannot be read: what it refers to is unknown, so nothing is removed.
    package func collect(
        dryRun: Bool = false, keeping roots: () throws(Failure) -> Roots
    ) throws(Failure) -> Result {
        let lock = try root.lock(.store, .exclusive)
        defer { _ = lock.raw }
        let listing = try ReferenceStore(root).list()
        if let damaged = listing.damaged.first {
            throw damaged.within("nothing is collected while an image's record is damaged")
        }
        var marks = try roots()
        for image in listing.images {
            marks.digests.formUnion(image.digests)
            marks.layers.formUnion(image.layers.compactMap(\.directory))
        }
        let leased = try Lease.held(in: root)
        marks.digests.formUnion(leased.digests)
        marks.layers.formUnion(leased.layers)
        marks.digests = closure(of: marks.digests)

        var result = Result()
        for (digest, size) in try ContentStore(root).blobs() where !marks.digests.contains(digest) {
            if !dryRun { try ContentStore(root).remove(digest) }
            result.blobs.append(digest)
            result.blobBytes += size
            failpoint("store.swept")
        }
        try during("sweep the layers") { () throws(SystemError) in
            for name in try root.names(in: "layers") where isLayer(name) && !marks.layers.contains(name) {
                if !dryRun {
                    try root.moveToTrash("layers/\(name)")
                    try? Directory.removeFile("layers/\(name).lock", in: root.raw)
                }
                result.layers.append(name)
            }
        }
        return result
    }

    /// `new-…` belongs to whoever unpacks it, `….lock` to whoever means to, a dot to a write that is under way.
    private func isLayer(_ name: String) -> Bool {
        !name.hasPrefix("new-") && !name.hasPrefix(".") && !name.hasSuffix(".lock")
    }

    /// With what the manifests and indexes among them refer to, as far as it is here.
    private func closure(of digests: Set<Digest>) -> Set<Digest> {
        let content = ContentStore(root)
        var all = digests
        var queue = Array(digests)
        while let digest = queue.popLast() {
            // A blob that is no document, is missing or is damaged refers to nothing.
            guard let size = try? content.size(of: digest), size <= JSON.documentLimit,
                let bytes = try? content.bytes(of: digest), bytes.first == UInt8(ascii: "{"),
                let document = try? ImageDocument(bytes: bytes, mediaType: nil)
            else { continue }
            let children: [Digest]
            switch document {
            case .manifest(let manifest): children = [manifest.config.digest] + manifest.layers.map(\.digest)
            case .index(let index): children = index.manifests.map(\.digest)
            }
            for child in children where all.insert(child).inserted { queue.append(child) }
        }
        return all
    }

    /// Removes what is in the trash, until there is nothing more. Killed at any point, the next call goes on.
    package func emptyTrash() throws(Failure) {
        let lock = try root.lock(.trash, .exclusive)
        defer { _ = lock.raw }
        try during("empty the trash") { () throws(SystemError) in
            while true {
                let names = try root.names(in: "trash")
                if names.isEmpty { return }
                for name in names { try Directory.removeTree("trash/\(name)", in: root.raw) }
            }
        }
    }
}
