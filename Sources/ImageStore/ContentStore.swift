package import Failure
package import LinuxSystem
package import OCI

/// Blobs by digest, in `content/`, which is an OCI image layout that other tools read as it is.
///
/// A blob is under its name only when it is whole, its digest and size are verified, and its bytes are on the
/// disk. All methods are safe beside any number of other processes and threads.
package struct ContentStore: Sendable {
    package let root: StoreRoot

    package init(_ root: StoreRoot) { self.root = root }

    static func path(of digest: Digest) -> String {
        "content/blobs/\(digest.algorithm.rawValue)/\(digest.hex)"
    }

    /// The size of a blob; nil where it is not there.
    package func size(of digest: Digest) throws(Failure) -> Int64? {
        do throws(SystemError) {
            let status = try FileDescriptor.status(ContentStore.path(of: digest), in: root.raw)
            return status.kind == .file ? Int64(clamping: status.size) : nil
        } catch {
            if error.code == .notFound { return nil }
            throw error.failure("look for \(digest) in the store")
        }
    }

    /// Whether the blob is there with the size that the descriptor says. One of another size counts as absent, so
    /// that it is fetched again and replaced.
    package func has(_ descriptor: Descriptor) throws(Failure) -> Bool {
        try size(of: descriptor.digest) == descriptor.size
    }

    /// Whether every blob of the image is there: its manifest, config and layers. A layer that was built here has
    /// none until its image leaves the store.
    package func isWhole(_ image: ImageRecord) throws(Failure) -> Bool {
        for blob in [image.manifest, image.config] + image.layers.map(\.descriptor)
        where try !has(blob) {
            return false
        }
        return true
    }

    /// Opens a blob for reading. It stays readable when the sweep takes its name away.
    /// - Throws: `notFound`.
    package func open(_ digest: Digest) throws(Failure) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor.open(
                ContentStore.path(of: digest), in: root.raw, [.readOnly, .noFollow, .nonBlocking])
        } catch {
            guard error.code == .notFound else { throw error.failure("open \(digest) in the store") }
            throw Failure(
                .notFound, "\(digest) is not in the store", hint: "pull the image again", cause: error)
        }
    }

    /// A small blob's bytes (a manifest, an index, a config), with size and digest checked.
    /// - Throws: `notFound`, `dataLoss` where the bytes are not what the digest names, `resourceExhausted` above
    ///   `limit`.
    package func bytes(of descriptor: Descriptor, limit: Int = JSON.documentLimit) throws(Failure) -> [UInt8]
    {
        let bytes = try bytes(of: descriptor.digest, limit: limit)
        guard Int64(bytes.count) == descriptor.size else {
            throw Failure(
                .dataLoss,
                "\(descriptor.digest) has \(bytes.count) bytes in the store, its descriptor says \(descriptor.size)",
                hint: "pull the image again")
        }
        return bytes
    }

    package func bytes(of digest: Digest, limit: Int = JSON.documentLimit) throws(Failure) -> [UInt8] {
        let file = try open(digest)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try file.readAll(limit: limit)
        } catch {
            throw error.failure("read \(digest) in the store (at most \(limit) bytes)")
        }
        let found = try ContentHash.digest(of: bytes, digest.algorithm)
        guard found == digest else {
            throw Failure(
                .dataLoss, "\(digest) is damaged in the store: its bytes have the digest \(found)",
                hint: "pull the image again")
        }
        return bytes
    }

    /// Every blob with its size in bytes, sorted by digest.
    package func blobs() throws(Failure) -> [(digest: Digest, size: Int64)] {
        var blobs: [(digest: Digest, size: Int64)] = []
        for algorithm in [Digest.Algorithm.sha256, .sha512] {
            let names = try during("list the blobs") { () throws(SystemError) in
                try root.names(in: "content/blobs/\(algorithm.rawValue)")
            }
            for name in names {
                guard let digest = try? Digest(algorithm: algorithm, hex: name),
                    let size = try size(of: digest)
                else { continue }
                blobs.append((digest, size))
            }
        }
        return blobs
    }

    /// Takes a blob out of the store, by a rename into the trash; one that is gone already is no error.
    package func remove(_ digest: Digest) throws(Failure) {
        do throws(SystemError) {
            try root.moveToTrash(ContentStore.path(of: digest))
        } catch {
            if error.code == .notFound { return }
            throw error.failure("remove \(digest) from the store")
        }
    }
}

extension ContentStore {
    /// Makes `content/` a layout before anything is in it. index.json comes last: where it is, all is.
    package func prepareLayout() throws(SystemError) {
        if try FileDescriptor.exists("content/index.json", in: root.raw) { return }
        let content = try root.directory("content")
        _ = try root.directory("content/blobs/sha256")
        _ = try root.directory("content/ingest")
        try AtomicFile.write(
            Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "oci-layout", in: content.raw, mode: 0o644)
        failpoint("store.layout")
        do throws(SystemError) {
            try AtomicFile.write(
                Array(LayoutIndex.empty.utf8), to: "index.json", in: content.raw, mode: 0o644, replace: false)
        } catch {
            // Another process was first, and may have listed images in it already.
            if error.code != .alreadyExists { throw error }
        }
    }

    /// Begins or goes on with a blob. Never waits: where another process is at the same blob, this writer gets a
    /// place of its own, and whoever is ready first wins.
    package func ingest(_ descriptor: Descriptor) throws(Failure) -> Ingest {
        guard descriptor.size >= 0 else {
            throw Failure(.invalidArgument, "\(descriptor.digest) has a negative size in its descriptor")
        }
        return try during("begin to store \(descriptor.digest)") { () throws(SystemError) in
            try prepareLayout()
            return try Ingest.open(descriptor, in: self)
        }
    }

    /// Verifies bytes that are in memory and keeps them for `publish`.
    package func stage(_ bytes: [UInt8], as descriptor: Descriptor) throws(Failure) -> Ingest {
        let ingest = try ingest(descriptor)
        try ingest.restart()
        try ingest.append(bytes)
        try ingest.commit(.deferred)
        return ingest
    }

    /// Stores bytes durably under their sha256 and answers their descriptor.
    package func put(_ bytes: [UInt8], mediaType: String) throws(Failure) -> Descriptor {
        let descriptor = Descriptor(
            mediaType: mediaType, digest: try ContentHash.digest(of: bytes), size: Int64(bytes.count))
        if try has(descriptor) { return descriptor }
        let ingest = try ingest(descriptor)
        try ingest.restart()
        try ingest.append(bytes)
        try ingest.commit()
        return descriptor
    }

    /// Gives ingests that were committed with `.deferred` their names, durably: one sync of the file system for all
    /// of them, then the renames, then the directories.
    ///
    /// `synchronized` says that the caller has had the file system synced since the last commit (for a whole image:
    /// blobs and layers with one syncfs).
    package func publish(_ ingests: [Ingest], synchronized: Bool = false) throws(Failure) {
        if ingests.isEmpty { return }
        if !synchronized { try synchronize() }
        failpoint("store.publish")
        for ingest in ingests { try ingest.takeName() }
        try during("sync the store") { () throws(SystemError) in
            for algorithm in Set(ingests.map(\.descriptor.digest.algorithm)) {
                let blobs = try Directory.open("content/blobs/\(algorithm.rawValue)", in: root.raw)
                try AtomicFile.synchronize(directory: blobs.raw)
            }
        }
        failpoint("store.published")
    }

    /// syncfs(2) of the store's file system, on the descriptor that was open before the writes: only such a one
    /// reports what went wrong in writing them back.
    package func synchronize() throws(Failure) {
        try during("sync the store") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(root.raw) { (file) throws(SystemError) in
                try file.synchronizeFileSystem()
            }
        }
    }
}
