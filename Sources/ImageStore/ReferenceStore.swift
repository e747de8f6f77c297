package import Failure
internal import LinuxSystem
package import OCI

/// The images by name: `refs/`, one record a name.
///
/// Reading takes no lock: a record is replaced by a rename, so it is whole. Every change is durable when the call
/// returns, and index.json follows it under the same lock.
package struct ReferenceStore: Sendable {
    package let root: StoreRoot

    package init(_ root: StoreRoot) { self.root = root }

    /// The record of exactly this name; nil where there is none. One file is opened: this is the start path.
    /// - Throws: `dataLoss` where the record is damaged.
    package func record(of reference: Reference) throws(Failure) -> ImageRecord? {
        try read(try ReferenceName.file(for: reference))
    }

    func read(_ file: String) throws(Failure) -> ImageRecord? {
        let bytes = try during("read the image record \(file)") { () throws(SystemError) in
            try AtomicFile.read("refs/\(file)", in: root.raw, limit: ImageRecord.limit)
        }
        guard let bytes else { return nil }
        do throws(Failure) {
            return try ImageRecord(decoding: bytes)
        } catch {
            var failure = error.within("refs/\(file)")
            failure.hint = failure.hint ?? "pull or load the image again, or remove its name with \"ctr rmi\""
            throw failure
        }
    }

    /// What `refs/` holds.
    package struct Listing: Sendable {
        /// Named images by their canonical names, then those without a name.
        package var images: [ImageRecord] = []
        /// Files that are no readable record: why, for each. While there are any, nothing is collected.
        package var damaged: [Failure] = []

        /// The images that have this image ID.
        package func images(withID id: Digest) -> [ImageRecord] { images.filter { $0.id == id } }
    }

    /// Every record. A damaged one does not hide the others.
    package func list() throws(Failure) -> Listing {
        var listing = Listing()
        for file in try files() {
            do throws(Failure) {
                // A record that is removed meanwhile is not there.
                if let record = try read(file) { listing.images.append(record) }
            } catch {
                listing.damaged.append(error)
            }
        }
        listing.images.sort { a, b in
            switch (a.reference?.canonical, b.reference?.canonical) {
            case (let a?, let b?): a < b
            case (nil, nil): a.manifest.digest.hex < b.manifest.digest.hex
            case (let a, _): a != nil
            }
        }
        return listing
    }

    /// Record files; a name that begins with a dot is a write that was killed.
    func files() throws(Failure) -> [String] {
        try during("list the images") { () throws(SystemError) in try root.names(in: "refs") }
            .filter { !$0.hasPrefix(".") }
    }

    /// Writes a record under its reference, or, without one, as an image without a name. An image that loses the
    /// name by this stays as one without a name.
    ///
    /// The caller holds a lease on the image's content, or the store's lock shared.
    package func put(_ record: ImageRecord) throws(Failure) {
        try change { (directory) throws(Failure) in try put(record, in: directory) }
    }

    /// Gives the image another name.
    package func tag(_ record: ImageRecord, as reference: Reference) throws(Failure) {
        guard reference.digest == nil else {
            throw Failure(.invalidArgument, "tag \(reference.familiar): a digest cannot be given to an image")
        }
        var tagged = record
        tagged.reference = ReferenceName.key(reference)
        tagged.recorded = .now()
        try put(tagged)
    }

    private func put(_ record: ImageRecord, in directory: Int32) throws(Failure) {
        var record = record
        record.reference = record.reference.map(ReferenceName.key)
        let unnamed = ReferenceName.file(forManifest: record.manifest.digest)
        guard let reference = record.reference else {
            try write(record, to: unnamed, in: directory)
            return
        }
        let file = try ReferenceName.file(for: reference)
        if let former = try? read(file), former.id != record.id {
            try keepUnnamed(former, losing: file, in: directory)
        }
        failpoint("store.record")
        try write(record, to: file, in: directory)
        failpoint("store.recorded")
        try remove(unnamed, in: directory)
    }

    /// Before an image loses one of its names: keeps it as one without a name, if that was its last.
    private func keepUnnamed(_ record: ImageRecord, losing file: String, in directory: Int32) throws(Failure)
    {
        for other in try files() where other != file {
            if let named = try? read(other), named.id == record.id { return }
        }
        var unnamed = record
        unnamed.reference = nil
        try write(unnamed, to: ReferenceName.file(forManifest: record.manifest.digest), in: directory)
    }

    func write(_ record: ImageRecord, to file: String, in directory: Int32) throws(Failure) {
        try during("record the image \(record.reference?.familiar ?? "\(record.id)")") {
            () throws(SystemError) in
            try AtomicFile.write(record.encoded(), to: file, in: directory)
        }
    }

    func remove(_ file: String, in directory: Int32) throws(Failure) {
        do throws(SystemError) {
            try Directory.removeFile(file, in: directory)
        } catch {
            if error.code == .notFound { return }
            throw error.failure("remove the image record \(file)")
        }
    }
}

extension ReferenceStore {
    /// Changes `refs/` under its lock and lets index.json follow, also where the body failed half-way.
    func change<R>(_ body: (Int32) throws(Failure) -> R) throws(Failure) -> R {
        let lock = try root.lock(.refs, .exclusive)
        defer { _ = lock.raw }
        let refs = try during("open refs") { () throws(SystemError) in try root.directory("refs") }
        try clearKilledWrites(refs)
        let result: R
        do throws(Failure) {
            result = try body(refs.raw)
        } catch {
            try? writeIndex()
            throw error
        }
        try during("sync refs") { () throws(SystemError) in
            try AtomicFile.synchronize(directory: refs.raw)
        }
        failpoint("store.index")
        try writeIndex()
        return result
    }

    private func clearKilledWrites(_ refs: borrowing FileDescriptor) throws(Failure) {
        do throws(SystemError) {
            for name in try Directory.names(in: refs) where name.hasPrefix(".") {
                try Directory.removeFile(name, in: refs.raw)
            }
        } catch {
            if error.code != .notFound { throw error.failure("clear refs") }
        }
    }

    /// index.json is there for other tools: a failure to list one image in it must not fail what was recorded.
    private func writeIndex() throws(Failure) {
        let content = ContentStore(root)
        var whole: [ImageRecord] = []
        for image in try list().images where try content.isWhole(image) { whole.append(image) }
        let bytes = try LayoutIndex.ofStore(whole)
        try during("write content/index.json") { () throws(SystemError) in
            try content.prepareLayout()
            let directory = try Directory.open("content", in: root.raw)
            if try AtomicFile.read("index.json", in: directory.raw, limit: 64 << 20) == bytes { return }
            try AtomicFile.write(bytes, to: "index.json", in: directory.raw, mode: 0o644)
        }
    }
}
