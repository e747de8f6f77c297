package import Failure
package import ImageStore
internal import LinuxSystem
internal import OCI

/// An OCI layout in a directory, written for one image.
package enum LayoutDirectory {
    /// Each blob is whole under its name, and index.json comes last: whoever reads the directory meanwhile finds the
    /// former image or this one. Blobs of former images stay: what else the directory is used for is not known here.
    package static func write(_ image: ImageRecord, from content: ContentStore, to path: String)
        throws(Failure)
    {
        let directory = try during("open the layout \(path)") { () throws(SystemError) in
            try Directory.ensurePath(path, mode: 0o755)
            let opened = try Directory.open(path)
            for name in ["blobs", "blobs/sha256"] { try Directory.ensure(name, in: opened.raw, mode: 0o755) }
            return SharedFileDescriptor(opened)
        }
        for digest in [image.manifest.digest, image.config.digest] + image.layers.map(\.descriptor.digest) {
            guard digest.algorithm == .sha256 else {
                throw Failure(.unsupported, "\(digest): only sha256 is written to a layout")
            }
            try copy(digest, from: content, to: directory)
        }
        let index = ImageIndex(manifests: [image.manifest])
        let bytes = try JSON.encode(index)
        try during("write the layout \(path)") { () throws(SystemError) in
            try AtomicFile.write(
                Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "oci-layout", in: directory.raw,
                mode: 0o644, durable: false)
            try AtomicFile.write(bytes, to: "index.json", in: directory.raw, mode: 0o644, durable: false)
        }
    }

    private static func copy(
        _ digest: Digest, from content: ContentStore, to directory: SharedFileDescriptor
    ) throws(Failure) {
        let source = try content.open(digest)
        try during("write \(digest) to the layout") { () throws(SystemError) in
            let blobs = try FileDescriptor.open(
                "blobs/sha256", in: directory.raw, [.readOnly, .directory, .noFollow])
            let size = try source.status().size
            if let there = try? FileDescriptor.status(digest.hex, in: blobs.raw), there.size == size {
                return
            }
            let name = ".\(digest.hex).\(randomHex(bytes: 6))"
            let file = try FileDescriptor.open(
                name, in: blobs.raw, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
            try file.copyContents(of: source, size: Int64(clamping: size))
            try Directory.rename(name, in: blobs.raw, to: digest.hex, in: blobs.raw)
        }
    }
}
