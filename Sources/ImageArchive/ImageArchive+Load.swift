package import ImageStore
internal import Archive
package import Failure
package import LinuxSystem
package import OCI

extension ImageArchive {
    /// Reads a saved file, from a file or a pipe, plain or compressed by gzip or zstd, in one pass.
    ///
    /// What the file's index.json lists is taken where the file is an OCI layout, else what its manifest.json does.
    /// An image of a docker archive gets an OCI manifest; its layers are stored as they are.
    ///
    /// - Parameters:
    ///   - lease: keeps what is loaded until the caller has recorded it.
    ///   - platform: chosen where an image is there for several.
    /// - Throws: `invalidArgument` where the file is none that `save` writes or breaks the format's rules; `dataLoss`
    ///   where something is missing or its bytes are not what their digest says.
    package static func load(
        from file: borrowing FileDescriptor, into content: ContentStore, lease: Lease,
        platform: Platform = .host
    ) throws(Failure) -> [LoadedImage] {
        let staging = try ArchiveStaging(content, lease)
        let input = ArchiveInput(file.raw)
        var limits = TarReader.Limits()
        limits.entries = 100_000
        let reader = try TarReader(limits: limits) { () throws(Failure) in try input.next() }
        var contents = ArchiveContents()
        while let entry = try reader.next() {
            let path = try ArchiveContents.normalized(entry.path)
            switch entry.kind {
            case .file:
                // Docker's oldest per-layer files; nothing refers to them.
                if path.hasSuffix("/json") || path.hasSuffix("/VERSION") { continue }
                contents.files[path] = try staging.take(
                    entry, from: reader, expected: ArchiveContents.blobDigest(path))
            case .symlink(let target), .hardLink(let target):
                var isHard = false
                if case .hardLink = entry.kind { isHard = true }
                contents.links[path] = ArchiveContents.Link(
                    target: String(decoding: target.bytes, as: UTF8.self), fromTop: isHard)
            case .directory, .fifo, .socket, .characterDevice, .blockDevice: continue
            }
        }
        let images = try contents.images(staging, content, platform)
        guard !images.isEmpty else { throw Failure(.notFound, "the archive holds no image") }
        try lease.protect(digests: images.flatMap(\.digests))
        try staging.publish(images.flatMap(\.files))
        for digest in images.flatMap(\.digests) where try content.size(of: digest) == nil {
            throw Failure(
                .conflict, "\(digest) was collected while the archive was read", hint: "load it again")
        }
        return images.map(\.image)
    }
}

/// The archive's bytes, unpacked where they are compressed.
private final class ArchiveInput {
    private let raw: Int32
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var compression: Compression?
    private var decompressor: Decompressor?
    private var ended = false

    init(_ raw: Int32) { self.raw = raw }

    deinit {
        input.deallocate()
        output.deallocate()
    }

    func next() throws(Failure) -> UnsafeRawBufferPointer? {
        if compression == nil { try begin() }
        if decompressor == nil {
            if rest.isEmpty { rest = try read() }
            defer { rest = UnsafeRawBufferPointer(start: nil, count: 0) }
            return rest.isEmpty ? nil : rest
        }
        while true {
            if rest.isEmpty, !ended {
                rest = try read()
                ended = rest.isEmpty
            }
            guard let done = try decompressor?.step(rest, into: output) else { return nil }
            rest = UnsafeRawBufferPointer(rebasing: rest[done.consumed...])
            if done.produced > 0 { return UnsafeRawBufferPointer(rebasing: output[..<done.produced]) }
            if ended, rest.isEmpty {
                try decompressor?.finish()
                return nil
            }
        }
    }

    /// Reads until the compression can be told.
    private func begin() throws(Failure) {
        var have = 0
        while have < 512 {
            let got = try read(into: UnsafeMutableRawBufferPointer(rebasing: input[have...]))
            if got == 0 { break }
            have += got
        }
        rest = UnsafeRawBufferPointer(rebasing: input[..<have])
        let kind = try Compression.detect(rest)
        compression = kind
        if kind != .uncompressed { decompressor = try Decompressor(kind) }
    }

    private func read() throws(Failure) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: input[..<(try read(into: input))])
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        try during("read the archive") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(raw) { (file) throws(SystemError) in try file.read(into: buffer) }
        }
    }
}
