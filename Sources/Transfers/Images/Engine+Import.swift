internal import Layers
package import Engine
internal import Archive
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

extension Engine {
    /// Makes an image of one layer from a tar, plain or compressed by gzip or zstd.
    ///
    /// The layer's blob holds the bytes that came: a plain tar stays plain, a compressed one compressed. They are read
    /// once: stored, hashed and unpacked as they come.
    ///
    /// - Returns: the image ID, `sha256:…`.
    /// - Throws: `invalidArgument` for what is no tar, a URL, a wrong reference or change.
    package func importImage(_ request: ImportRequest) throws(Failure) -> String {
        do throws(Failure) {
            let id = try importing(request)
            tellImage("import", id, name: request.reference ?? id)
            return id
        } catch {
            try? emptyTrash()
            throw error.within("import \(request.source)")
        }
    }

    private func importing(_ request: ImportRequest) throws(Failure) -> String {
        let reference = try request.reference.map { (text) throws(Failure) in try Reference.parse(text) }
        if reference?.digest != nil {
            throw Failure(.invalidArgument, "an image cannot be given a digest as its name")
        }
        let platform = try request.platform.map { (text) throws(Failure) in try Platform(text) } ?? .host
        var settings = ImageConfig.Settings()
        try ConfigChange.apply(request.changes, to: &settings)
        let source = try openArchive(request.source)

        clearAbandonedTransfers()
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        let layers = try layerStore()
        let intake = try LayerIntake(root.descriptor)
        let unpacking = try LayerUnpacking(in: layers, diffID: nil, name: "layer")
        try read(source, into: intake, unpacking)
        let (layer, result) = try unpacking.finish()
        guard let hex = result.compressedHex else { throw Failure(.internal, "the layer was not hashed") }
        let diffID = try Digest("sha256:\(result.diffIDHex)")
        let blob = Descriptor(
            mediaType: MediaType.layer(try Engine.compression(intake.head)),
            digest: try Digest("sha256:\(hex)"),
            size: intake.size)

        let created = RFC3339.text(.now())
        var config = ImageConfig(platform: platform, config: settings, diffIDs: [diffID])
        config.created = created
        config.history = [
            ImageConfig.History(
                created: created, comment: request.message ?? "Imported from \(request.source)")
        ]
        let configBytes = try JSON.encode(config)
        let configBlob = try Engine.descriptor(of: configBytes, MediaType.config)
        let document = Manifest(config: configBlob, layers: [blob])
        let manifestBytes = try JSON.encode(document)
        let manifest = try Engine.descriptor(of: manifestBytes, MediaType.manifest)

        var assembly = try LayerAssembly(
            layers: layers, content: content, descriptors: [blob], diffIDs: [diffID])
        try lease.protect(
            digests: [blob.digest, configBlob.digest, manifest.digest], layers: assembly.possibleNames)
        assembly.add(layer, diffID: diffID)
        let outcome = try assembly.complete(publishing: [
            try content.stage(configBytes, as: configBlob), try content.stage(manifestBytes, as: manifest),
        ])
        try intake.takeName(blob.digest)
        try references.put(
            ImageRecord(
                reference: reference, target: manifest, manifest: manifest, document: document,
                config: config,
                directories: outcome.directories, size: outcome.size))
        // The same layer was there already: what was unpacked for nothing goes at once.
        if outcome.hasDuplicates { try? emptyTrash() }
        return configBlob.digest.description
    }

    func openArchive(_ source: String) throws(Failure) -> SharedFileDescriptor {
        if source.contains("://") {
            throw Failure(
                .unsupported, "addresses are not fetched",
                hint: "fetch it with another program: curl -fsSL \(source) | ctr import -")
        }
        let file = try during("open the archive") { () throws(SystemError) in
            source == "-"
                ? SharedFileDescriptor(
                    try FileDescriptor.withBorrowed(0) { (input) throws(SystemError) in try input.duplicate()
                    })
                : SharedFileDescriptor(try FileDescriptor.open(source, [.readOnly]))
        }
        if source == "-", Terminal.isTerminal(0) {
            throw Failure(
                .invalidArgument, "standard input is a terminal", hint: "pipe a tar in, or name a file")
        }
        return file
    }

    private func read(
        _ source: SharedFileDescriptor, into intake: LayerIntake, _ unpacking: LayerUnpacking
    ) throws(Failure) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while true {
            let got = try during("read the archive") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(source.raw) { (file) throws(SystemError) in
                    try file.read(into: room)
                }
            }
            if got == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<got])
            try intake.append(bytes)
            try unpacking.feed(bytes)
        }
        guard intake.size > 0 else { throw Failure(.invalidArgument, "the archive is empty") }
    }

    static func compression(_ head: [UInt8]) throws(Failure) -> MediaType.Compression {
        switch try Compression.detect(head) {
        case .uncompressed: .none
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }

    static func descriptor(of bytes: [UInt8], _ mediaType: String) throws(Failure) -> Descriptor {
        Descriptor(mediaType: mediaType, digest: try ContentHash.digest(of: bytes), size: Int64(bytes.count))
    }
}
