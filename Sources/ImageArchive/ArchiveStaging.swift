internal import ImageStore
internal import Archive
internal import Failure
internal import LinuxSystem
internal import OCI

/// The files of an archive that is being loaded, in a place of `content/ingest/` under one flock, each with the
/// digest of its bytes. What turns out to be part of an image becomes a blob by a rename; the rest goes.
final class ArchiveStaging {
    struct File {
        /// nil: the store had it already, and the lease keeps it there.
        var place: String?
        var digest: Digest
        var size: Int64
        /// The first bytes, by which compression is told.
        var head: [UInt8] = []
    }

    private let content: ContentStore
    private let lease: Lease
    private let place: String
    private let lock: FileLock
    private let directory: FileDescriptor
    private var count = 0

    init(_ content: ContentStore, _ lease: Lease) throws(Failure) {
        self.content = content
        self.lease = lease
        let place = "content/ingest/load.\(randomHex(bytes: 6))"
        self.place = place
        let root = content.root.raw
        do throws(SystemError) {
            try content.prepareLayout()
            try Directory.make(place, in: root)
            lock = try FileLock("\(place)/lock", in: root, .exclusive)
            directory = try Directory.open(place, in: root)
        } catch {
            throw error.failure("make a place to load into")
        }
    }

    deinit { try? Directory.removeTree(place, in: content.root.raw) }

    /// Takes the data of the reader's current entry. `expected` is what a blob's name in the archive says.
    func take(_ entry: TarEntry, from reader: TarReader, expected: Digest?) throws(Failure) -> File {
        let size = Int64(clamping: entry.size)
        if let expected {
            try lease.protect(digests: [expected])
            if try content.size(of: expected) == size {
                return File(place: nil, digest: expected, size: size)
            }
        }
        var file = try create(expected?.algorithm ?? .sha256)
        while let (offset, bytes) = try reader.nextData() {
            guard offset == file.written else { throw sparse(entry) }
            try file.append(bytes)
        }
        guard file.written == size else { throw sparse(entry) }
        let found = try file.finish()
        if let expected, found != expected {
            throw Failure(
                .dataLoss, "\(entry.path.shown): expected \(expected), the bytes have the digest \(found)")
        }
        return File(place: file.name, digest: found, size: size, head: file.head)
    }

    /// A document that ctr makes itself.
    func add(_ bytes: [UInt8]) throws(Failure) -> File {
        var file = try create(.sha256)
        var failed: Failure?
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { try file.append(buffer) } catch { failed = error }
        }
        if let failed { throw failed }
        return File(place: file.name, digest: try file.finish(), size: file.written, head: file.head)
    }

    /// A document's bytes.
    func bytes(of file: File, as what: String) throws(Failure) -> [UInt8] {
        guard file.size <= JSON.documentLimit else {
            throw Failure(
                .resourceExhausted,
                "\(what) has \(file.size) bytes, more than the \(JSON.documentLimit) allowed")
        }
        guard let place = file.place else { return try content.bytes(of: file.digest) }
        return try during("read \(what)") { () throws(SystemError) in
            try FileDescriptor.open(place, in: directory.raw, [.readOnly, .noFollow]).readAll(
                limit: JSON.documentLimit)
        }
    }

    /// The first bytes of a blob that the store had already.
    func storedHead(of digest: Digest) throws(Failure) -> [UInt8] {
        let blob = try content.open(digest)
        var head = [UInt8](repeating: 0, count: Compression.magicLength)
        let got = try during("read \(digest) in the store") { () throws(SystemError) in
            var failed: SystemError?
            var got = 0
            head.withUnsafeMutableBytes { buffer in
                do throws(SystemError) { got = try blob.read(into: buffer, at: 0) } catch { failed = error }
            }
            if let failed { throw failed }
            return got
        }
        return Array(head[..<got])
    }

    /// Makes files blobs, durably. The caller's lease holds their digests.
    func publish(_ files: [File]) throws(Failure) {
        try content.synchronize()
        failpoint("store.load")
        try during("store the archive's blobs") { () throws(SystemError) in
            for algorithm in Set(files.map(\.digest.algorithm)) {
                let blobs = try content.root.directory("content/blobs/\(algorithm.rawValue)")
                for file in files where file.digest.algorithm == algorithm {
                    guard let place = file.place, try FileDescriptor.exists(place, in: directory.raw) else {
                        continue
                    }
                    try FileDescriptor.open(place, in: directory.raw, [.readOnly, .noFollow]).changeMode(
                        0o444)
                    try Directory.rename(place, in: directory.raw, to: file.digest.hex, in: blobs.raw)
                }
                try AtomicFile.synchronize(directory: blobs.raw)
            }
        }
    }

    private func create(_ algorithm: Digest.Algorithm) throws(Failure) -> Writer {
        count += 1
        let name = "\(count)"
        return try during("load the archive") { () throws(SystemError) in
            Writer(
                name: name,
                file: try FileDescriptor.open(
                    name, in: directory.raw, [.writeOnly, .create, .exclusive, .noFollow]),
                hash: ContentHash(for: algorithm))
        }
    }

    private func sparse(_ entry: TarEntry) -> Failure {
        Failure(.unsupported, "\(entry.path.shown): sparse files are not accepted in an image archive")
    }

    private struct Writer: ~Copyable {
        let name: String
        let file: FileDescriptor
        var hash: ContentHash
        var written: Int64 = 0
        var head: [UInt8] = []

        mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
            do throws(SystemError) {
                try file.write(bytes)
            } catch {
                throw error.failure("load the archive")
            }
            hash.update(bytes)
            written += Int64(bytes.count)
            if head.count < Compression.magicLength {
                head += bytes.prefix(Compression.magicLength - head.count)
            }
        }

        func finish() throws(Failure) -> Digest { try hash.finish() }
    }
}
