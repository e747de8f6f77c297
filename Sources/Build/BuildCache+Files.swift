internal import BuildContext
internal import ImageStore
internal import LinuxSystem

/// What is remembered of files. Losing it costs time: nothing here is an error.
extension BuildCache {
    /// The digest of what a selection of a stage's or an image's files holds.
    func selection(_ memo: String) -> String? {
        guard let bytes = (try? AtomicFile.read("build/selections/\(memo)", in: root.raw, limit: 256)) ?? nil
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasPrefix("sha256:") && text.utf8.count == 71 ? text : nil
    }

    func remember(_ digest: String, ofSelection memo: String) {
        write(Array(digest.utf8), "build/selections", memo)
    }

    /// Kept once: a digest's manifest never changes.
    func write(_ manifest: SelectionManifest, of digest: String) {
        let name = String(digest.dropFirst("sha256:".count))
        if (try? FileDescriptor.exists("build/files/\(name)", in: root.raw)) == true { return }
        write(manifest.encoded, "build/files", name)
    }

    func manifest(of digest: String) -> SelectionManifest? {
        let name = String(digest.dropFirst("sha256:".count))
        guard let bytes = (try? AtomicFile.read("build/files/\(name)", in: root.raw, limit: 256 << 20)) ?? nil
        else { return nil }
        return SelectionManifest(encoded: bytes)
    }

    private func write(_ bytes: [UInt8], _ directory: String, _ name: String) {
        guard let opened = try? root.directory(directory) else { return }
        try? AtomicFile.write(bytes, to: name, in: opened.raw, durable: false)
    }
}
