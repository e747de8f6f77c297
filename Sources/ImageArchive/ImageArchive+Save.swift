package import ImageStore
internal import Archive
package import Failure
package import LinuxSystem
internal import OCI

extension ImageArchive {
    /// Writes images into one tar. The same images give the same bytes; nothing but a buffer is held in memory.
    ///
    /// A manifest in docker's schema 2 is written as the OCI manifest of the same config and layers: an OCI layout
    /// holds no others for most readers. The image ID stays.
    ///
    /// - Parameters:
    ///   - images: each under the name in its record, or without a name. The same image under several names is there once.
    ///   - file: a file or a pipe.
    /// - Throws: `notFound`, `dataLoss` where the store lacks a blob or holds a damaged one; the file is then of no use.
    package static func save(
        _ images: [ImageRecord], from content: ContentStore, to file: borrowing FileDescriptor
    ) throws(Failure) {
        var plan = SavePlan()
        for image in images { try plan.add(image, content) }
        let documents = try plan.documents()
        let raw = file.raw
        let output = TarWriter { (bytes) throws(Failure) in
            try during("write the archive") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(raw) { (file) throws(SystemError) in try file.write(bytes) }
            }
        }
        for (name, bytes) in documents {
            try output.add(TarEntry(path: RawPath(name), kind: .file), data: bytes)
        }
        for directory in ["blobs/"] + Set(plan.blobs.keys.map { "blobs/\($0.algorithm.rawValue)/" }).sorted()
        {
            try output.add(TarEntry(path: RawPath(directory), kind: .directory, mode: 0o755))
        }
        for (digest, blob) in plan.blobs.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let entry = TarEntry(path: RawPath(path(of: digest)), kind: .file, size: UInt64(blob.size))
            if let bytes = blob.bytes {
                try output.add(entry, data: bytes)
            } else {
                try copy(digest, size: blob.size, entry, from: content, to: output)
            }
        }
        try output.finish()
    }

    static func path(of digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    /// A blob from the store, checked while it is copied.
    private static func copy(
        _ digest: Digest, size: Int64, _ entry: TarEntry, from content: ContentStore, to output: TarWriter
    ) throws(Failure) {
        guard let found = try content.size(of: digest) else {
            throw Failure(.notFound, "\(digest) is not in the store", hint: "pull the image again")
        }
        guard found == size else { throw damaged(digest) }
        let blob = try content.open(digest)
        try output.begin(entry)
        var hash = ContentHash(for: digest.algorithm)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        var left = size
        while left > 0 {
            let part = UnsafeMutableRawBufferPointer(rebasing: room[..<Int(min(left, Int64(room.count)))])
            let got: Int
            do throws(SystemError) {
                got = try blob.read(into: part)
            } catch {
                throw error.failure("read \(digest) in the store")
            }
            guard got > 0 else { throw damaged(digest) }
            let bytes = UnsafeRawBufferPointer(rebasing: part[..<got])
            hash.update(bytes)
            try output.write(bytes)
            left -= Int64(got)
        }
        guard try hash.finish() == digest else { throw damaged(digest) }
    }

    private static func damaged(_ digest: Digest) -> Failure {
        Failure(.dataLoss, "\(digest) is damaged in the store", hint: "pull the image again")
    }
}

/// What goes into a saved archive.
private struct SavePlan {
    struct Blob {
        var size: Int64
        /// nil: in the store.
        var bytes: [UInt8]?
    }

    private struct Image {
        var manifest: Descriptor
        var document: Manifest
        var platform: Platform
        var references: [Reference] = []
    }

    private(set) var blobs: [Digest: Blob] = [:]
    private var images: [Image] = []

    mutating func add(_ record: ImageRecord, _ content: ContentStore) throws(Failure) {
        let bytes = try content.bytes(of: record.manifest)
        var document = try Manifest(bytes: bytes, mediaType: record.manifest.mediaType)
        var manifest = record.manifest
        var generated: [UInt8]?
        if MediaType.isDocker(record.manifest.mediaType) {
            document = SavePlan.converted(document)
            let bytes = try JSON.encode(document)
            manifest = Descriptor(
                mediaType: MediaType.manifest, digest: try ContentHash.digest(of: bytes),
                size: Int64(bytes.count))
            generated = bytes
        }
        blobs[manifest.digest] = Blob(size: manifest.size, bytes: generated)
        for part in [document.config] + document.layers { blobs[part.digest] = Blob(size: part.size) }
        let position = images.firstIndex { $0.manifest.digest == manifest.digest }
        if position == nil {
            images.append(Image(manifest: manifest, document: document, platform: record.platform))
        }
        if let reference = record.reference, reference.tag != nil {
            let at = position ?? images.count - 1
            if !images[at].references.contains(reference) { images[at].references.append(reference) }
        }
    }

    private static func converted(_ docker: Manifest) -> Manifest {
        var config = docker.config
        config.mediaType = MediaType.config
        let layers = docker.layers.map { layer in
            var layer = layer
            layer.mediaType =
                MediaType.compression(ofLayer: layer.mediaType).map(MediaType.layer) ?? layer.mediaType
            return layer
        }
        return Manifest(config: config, layers: layers)
    }

    /// The files at the archive's top, in their order.
    func documents() throws(Failure) -> [(String, [UInt8])] {
        var tags: [String: Int] = [:]
        for reference in images.flatMap(\.references) { tags[reference.tag ?? "", default: 0] += 1 }
        var index: [Descriptor] = []
        var repositories: [String: [String: String]] = [:]
        var docker: [ImageArchive.DockerImage] = []
        for image in images {
            for reference in image.references {
                let tag = reference.tag ?? Reference.defaultTag
                index.append(
                    LayoutIndex.entry(
                        image.manifest, image.platform, refName: tags[tag] == 1 ? tag : reference.canonical,
                        imageName: reference.canonical))
                let top = image.document.layers.last ?? image.document.config
                repositories[reference.familiarName, default: [:]][tag] = top.digest.hex
            }
            if image.references.isEmpty {
                index.append(LayoutIndex.entry(image.manifest, image.platform, refName: nil, imageName: nil))
            }
            docker.append(
                ImageArchive.DockerImage(
                    config: ImageArchive.path(of: image.document.config.digest),
                    repoTags: image.references.map(\.familiar),
                    layers: image.document.layers.map { ImageArchive.path(of: $0.digest) }))
        }
        return [
            ("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)),
            ("index.json", try JSON.encode(ImageIndex(manifests: index))),
            ("manifest.json", try JSON.encode(docker)), ("repositories", try JSON.encode(repositories)),
        ]
    }
}
