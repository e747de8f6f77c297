package import Failure
internal import LinuxSystem
package import OCI
internal import Synchronization

/// The writer of one blob. While it lives it holds the flock of its place in `content/ingest/`; when it goes
/// without a commit, the bytes stay and the next writer of the blob goes on from them.
package final class Ingest: Sendable {
    package enum Sync: Sendable {
        /// Durable under its name when `commit` returns.
        case now
        /// Verified when `commit` returns; `ContentStore.publish` syncs once for many and names them.
        case deferred
    }

    private enum Phase { case open, verified, named, discarded }

    private struct State: ~Copyable {
        var lock: FileLock?
        /// Bytes in the file, and how many of them the hash has seen.
        var offset: Int64
        var hashed: Int64 = 0
        var hash: ContentHash
        var phase = Phase.open
    }

    package let descriptor: Descriptor
    private let place: String
    private let store: ContentStore
    private let data: SharedFileDescriptor
    private let state: Mutex<State>

    private init(
        _ descriptor: Descriptor, place: String, store: ContentStore, data: consuming FileDescriptor,
        lock: consuming FileLock, offset: Int64
    ) {
        self.descriptor = descriptor
        self.place = place
        self.store = store
        self.data = SharedFileDescriptor(data)
        state = Mutex(State(lock: lock, offset: offset, hash: ContentHash(for: descriptor.digest.algorithm)))
    }

    static func open(_ descriptor: Descriptor, in store: ContentStore) throws(SystemError) -> Ingest {
        let shared = "\(descriptor.digest.algorithm.rawValue)-\(descriptor.digest.hex)"
        if let ingest = try open(descriptor, at: "content/ingest/\(shared)", in: store) { return ingest }
        while true {
            let own = "content/ingest/\(shared).\(randomHex(bytes: 6))"
            if let ingest = try open(descriptor, at: own, in: store) { return ingest }
        }
    }

    /// nil where another writer holds the place.
    private static func open(_ descriptor: Descriptor, at place: String, in store: ContentStore)
        throws(SystemError) -> Ingest?
    {
        let root = store.root.raw
        while true {
            try Directory.ensure(place, in: root)
            do throws(SystemError) {
                guard let lock = try FileLock.attempt("\(place)/lock", in: root, .exclusive) else {
                    return nil
                }
                let data = try FileDescriptor.open(
                    "\(place)/data", in: root, [.readWrite, .create, .noFollow], mode: 0o600)
                var present = Int64(clamping: try data.status().size)
                // After a reboot the file may hold what was never written to the disk: only bytes of this boot count.
                let boot = Array(Process.bootID().utf8)
                if try AtomicFile.read("\(place)/lock", in: root, limit: 4096) != boot
                    || present > descriptor.size
                {
                    try data.truncate(to: 0)
                    present = 0
                    try FileDescriptor.open("\(place)/lock", in: root, [.writeOnly, .truncate, .noFollow])
                        .write(boot)
                }
                try data.seek(to: present)
                return Ingest(descriptor, place: place, store: store, data: data, lock: lock, offset: present)
            } catch {
                // Its last writer removed the place between our mkdir and our lock.
                if error.code != .notFound { throw error }
            }
        }
    }

    /// How many bytes of the blob are there already: where `append` goes on, and what a resumed download asks from.
    package var offset: UInt64 { state.withLock { UInt64(max(0, $0.offset)) } }

    /// Reads the bytes that an earlier writer left, hashes them, and hands them on (to what unpacks them). Without
    /// a call they are hashed by the first `append` or by `commit`.
    package func replay(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void = { _ in }) throws(Failure) {
        try state.withLock { (state) throws(Failure) in try catchUp(&state, body) }
    }

    /// Forgets the bytes that are there: for a source that cannot start in the middle.
    package func restart() throws(Failure) {
        try state.withLock { (state) throws(Failure) in try reset(&state) }
    }

    package func append(_ bytes: [UInt8]) throws(Failure) {
        var failed: Failure?
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { try append(buffer) } catch { failed = error }
        }
        if let failed { throw failed }
    }

    /// Writes and hashes the next bytes.
    /// - Throws: `dataLoss` as soon as there are more than the descriptor says; `resourceExhausted` on a full disk.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try state.withLock { (state) throws(Failure) in
            guard state.phase == .open else { throw finished }
            try catchUp(&state) { (_) throws(Failure) in }
            guard Int64(bytes.count) <= descriptor.size - state.offset else {
                try reset(&state)
                throw Failure(
                    .dataLoss,
                    "\(descriptor.digest) is longer than the \(descriptor.size) bytes that its descriptor says"
                )
            }
            try during("store \(descriptor.digest)") { () throws(SystemError) in
                // By position, so that a write cut short by a full disk leaves no hole before the next.
                try FileDescriptor.withBorrowed(data.raw) { (file) throws(SystemError) in
                    try file.seek(to: state.offset)
                    try file.write(bytes)
                }
            }
            state.hash.update(bytes)
            state.offset += Int64(bytes.count)
            state.hashed = state.offset
        }
    }

    /// Checks size and digest. With `.now` the blob is durable under its name afterwards; a blob that was there
    /// already is as good.
    /// - Throws: `dataLoss` naming both sizes or both digests; wrong bytes are forgotten, a short blob can go on.
    package func commit(_ sync: Sync = .now) throws(Failure) {
        try state.withLock { (state) throws(Failure) in
            guard state.phase == .open else { throw finished }
            try catchUp(&state) { (_) throws(Failure) in }
            guard state.offset == descriptor.size else {
                throw Failure(
                    .dataLoss,
                    "\(descriptor.digest) ended after \(state.offset) of \(descriptor.size) bytes")
            }
            let found = try state.hash.finish()
            guard found == descriptor.digest else {
                try reset(&state)
                throw Failure(.dataLoss, "expected \(descriptor.digest), the bytes have the digest \(found)")
            }
            state.phase = .verified
        }
        if sync == .deferred { return }
        failpoint("store.verified")
        try during("sync \(descriptor.digest)") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(data.raw) { (file) throws(SystemError) in
                try file.synchronizeData()
            }
        }
        try takeName()
        try during("sync the store") { () throws(SystemError) in
            let blobs = try Directory.open(
                "content/blobs/\(descriptor.digest.algorithm.rawValue)", in: store.root.raw)
            try AtomicFile.synchronize(directory: blobs.raw)
        }
    }

    /// The rename that makes a verified and synced blob visible. The same blob, stored meanwhile by somebody else,
    /// is replaced by its equal.
    func takeName() throws(Failure) {
        try state.withLock { (state) throws(Failure) in
            if state.phase == .named { return }
            guard state.phase == .verified else {
                throw Failure(.internal, "\(descriptor.digest) was to be published before it was committed")
            }
            try during("store \(descriptor.digest)") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(data.raw) { (file) throws(SystemError) in
                    try file.changeMode(0o444)
                }
                let name = ContentStore.path(of: descriptor.digest)
                if descriptor.digest.algorithm == .sha512 {
                    _ = try store.root.directory("content/blobs/sha512")
                }
                failpoint("store.rename")
                try Directory.rename("\(place)/data", in: store.root.raw, to: name, in: store.root.raw)
            }
            failpoint("store.renamed")
            state.phase = .named
            leave(&state)
        }
    }

    /// Gives up, and leaves no bytes behind.
    package func discard() {
        state.withLock { state in
            if state.phase == .named { return }
            state.phase = .discarded
            leave(&state)
        }
    }

    private var finished: Failure {
        Failure(.internal, "\(descriptor.digest) was written to after its end")
    }

    private func reset(_ state: inout State) throws(Failure) {
        try during("store \(descriptor.digest)") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(data.raw) { (file) throws(SystemError) in try file.truncate(to: 0)
            }
        }
        state.offset = 0
        state.hashed = 0
        state.hash = ContentHash(for: descriptor.digest.algorithm)
    }

    private func catchUp(
        _ state: inout State, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        guard state.hashed < state.offset else { return }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while state.hashed < state.offset {
            let wanted = min(Int64(room.count), state.offset - state.hashed)
            let position = state.hashed
            let part = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(wanted)])
            let got = try during("read what is there of \(descriptor.digest)") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(data.raw) { (file) throws(SystemError) in
                    try file.read(into: part, at: position)
                }
            }
            guard got > 0 else {
                throw Failure(.dataLoss, "the half-stored \(descriptor.digest) was cut by another program")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: part[..<got])
            state.hash.update(bytes)
            state.hashed += Int64(got)
            try body(bytes)
        }
    }

    /// Removes the place while its lock is held, and lets go of the lock. What cannot be removed now is left to
    /// the sweep of abandoned ingests.
    private func leave(_ state: inout State) {
        Ingest.clear(place, in: store.root)
        state.lock = nil
    }

    static func clear(_ place: String, in root: StoreRoot) {
        try? Directory.removeFile("\(place)/data", in: root.raw)
        try? Directory.removeFile("\(place)/lock", in: root.raw)
        try? Directory.removeEmpty(place, in: root.raw)
    }

    deinit {
        state.withLock { state in
            if state.lock != nil, state.offset == 0 { leave(&state) }
        }
    }
}

extension ContentStore {
    /// Removes what writers that live no more left in `content/ingest/` and nobody went on with for
    /// `seconds`; places that cannot be resumed go at once. Answers how many bytes that freed.
    package func sweepIngests(olderThan seconds: Int64 = 24 * 3600) throws(Failure) -> Int64 {
        try during("sweep unfinished blobs") { () throws(SystemError) in
            var freed: Int64 = 0
            for name in try root.names(in: "content/ingest") {
                let place = "content/ingest/\(name)"
                do throws(SystemError) {
                    guard let lock = try FileLock.attempt("\(place)/lock", in: root.raw, .exclusive) else {
                        continue
                    }
                    defer { _ = lock.raw }
                    let status = try? FileDescriptor.status("\(place)/data", in: root.raw)
                    let age = Timestamp.now().seconds - (status?.modified.seconds ?? 0)
                    guard name.contains(".") || age >= seconds else { continue }
                    if name.contains(".") {
                        // Nobody comes back to such a place.
                        try Directory.removeTree(place, in: root.raw)
                    } else {
                        Ingest.clear(place, in: root)
                    }
                    freed += Int64(clamping: status?.size ?? 0)
                } catch {
                    // Its writer removed it meanwhile.
                    if error.code != .notFound { throw error }
                }
            }
            return freed
        }
    }
}
