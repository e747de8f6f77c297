package import ImageStore
internal import Archive
package import Failure
internal import LinuxSystem
package import OCI

/// An OCI layout in a directory (`oci:DIR`): images to load, blobs to read. Nothing outside the directory is read,
/// whatever links it holds.
package struct LayoutSource: ContentSource {
    private let directory: SharedFileDescriptor

    /// - Throws: `notFound`, `invalidArgument` where the directory is no layout of version 1.
    package init(path: String) throws(Failure) {
        do throws(SystemError) {
            directory = SharedFileDescriptor(
                try FileDescriptor.open(path, [.readOnly, .directory]))
        } catch {
            throw error.failure("open the OCI layout \(path)")
        }
        guard let bytes = try document("oci-layout") else {
            throw Failure(.invalidArgument, "\(path) is no OCI layout: it has no file oci-layout")
        }
        let version = try JSON.decode(Version.self, from: bytes, as: "\(path)/oci-layout").imageLayoutVersion
        guard version.hasPrefix("1.") else {
            throw Failure(
                .unsupported, "\(path) is an OCI layout of version \(version.quotedForMessage), not 1")
        }
    }

    private struct Version: Decodable { var imageLayoutVersion: String }

    /// The layout's images, with all their blobs in the store afterwards. As `ImageArchive.load`.
    package func load(into content: ContentStore, lease: Lease, platform: Platform = .host) throws(Failure)
        -> [LoadedImage]
    {
        guard let index = try document("index.json") else {
            throw Failure(.invalidArgument, "the OCI layout has no index.json")
        }
        let walk = LayoutWalk(platform: platform) { (descriptor) throws(Failure) in
            guard let bytes = try document(ImageArchive.path(of: descriptor.digest)) else { return nil }
            guard try ContentHash.digest(of: bytes, descriptor.digest.algorithm) == descriptor.digest else {
                throw Failure(.dataLoss, "\(descriptor.digest) is damaged in the layout")
            }
            return bytes
        } has: { (descriptor) throws(Failure) in
            guard let file = try openFile(ImageArchive.path(of: descriptor.digest)) else { return nil }
            return Int64(
                clamping: try during("read the layout") { () throws(SystemError) in try file.status().size })
        }
        let found = try walk.images(indexBytes: index)
        guard !found.isEmpty else { throw Failure(.notFound, "the layout holds no image") }
        let digests = Set(found.flatMap(\.blobs))
        try lease.protect(digests: Array(digests))
        var ingests: [Ingest] = []
        for digest in digests.sorted(by: { $0.hex < $1.hex }) {
            if let ingest = try copy(digest, into: content) { ingests.append(ingest) }
        }
        try content.publish(ingests)
        return found.map(\.image)
    }

    private func copy(_ digest: Digest, into content: ContentStore) throws(Failure) -> Ingest? {
        guard let file = try openFile(ImageArchive.path(of: digest)) else {
            throw Failure(.notFound, "\(digest) is missing in the layout")
        }
        let size = try during("read the layout") { () throws(SystemError) in
            Int64(clamping: try file.status().size)
        }
        let descriptor = Descriptor(mediaType: "", digest: digest, size: size)
        if try content.has(descriptor) { return nil }
        let ingest = try content.ingest(descriptor)
        try ingest.restart()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while true {
            let got = try during("read the layout") { () throws(SystemError) in try file.read(into: room) }
            if got == 0 { break }
            try ingest.append(UnsafeRawBufferPointer(rebasing: room[..<got]))
        }
        try ingest.commit(.deferred)
        return ingest
    }

    package func openBlob(_ descriptor: Descriptor, from offset: UInt64) async throws(Failure) -> BlobStream {
        guard let file = try openFile(ImageArchive.path(of: descriptor.digest)) else {
            throw Failure(.notFound, "\(descriptor.digest) is missing in the layout")
        }
        return BlobStream(file: file, from: offset, named: "\(descriptor.digest)")
    }

    /// index.json.
    package func index() throws(Failure) -> ImageIndex {
        guard let bytes = try document("index.json"),
            case .index(let index) = try ImageDocument(bytes: bytes, mediaType: MediaType.index)
        else { throw Failure(.invalidArgument, "the OCI layout has no index.json") }
        return index
    }

    private func document(_ name: String) throws(Failure) -> [UInt8]? {
        guard let file = try openFile(name) else { return nil }
        return try during("read \(name) of the layout") { () throws(SystemError) in
            try file.readAll(limit: JSON.documentLimit)
        }
    }

    private func openFile(_ name: String) throws(Failure) -> FileDescriptor? {
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                name, in: directory.raw, [.readOnly, .nonBlocking], resolve: [.beneath, .noMagicLinks])
            guard try file.status().kind == .file else { return nil }
            return file
        } catch {
            if error.code == .notFound { return nil }
            throw error.failure("open \(name) of the layout")
        }
    }
}
