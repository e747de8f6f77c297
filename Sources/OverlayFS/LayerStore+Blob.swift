package import Failure
internal import LinuxSystem
package import OCI

/// `<id>/blob`: two lines, a version and the blob's media type, digest and size.
extension LayerStore {
    private static var firstLine: String { "ctr-layer-blob 1" }

    /// The blob that was made of the layer's files the last time; nil where none was. It goes with the layer. Whether the
    /// blob is still in the content store is the caller's to see.
    package func blob(of id: Digest) throws(Failure) -> Descriptor? {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try AtomicFile.read("\(LayerStore.name(of: id))/blob", in: directory.raw)
        } catch {
            throw error.failure("read the blob's name of layer \(id.short)")
        }
        guard let bytes else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[0] == LayerStore.firstLine else { return nil }
        let words = lines[1].split(separator: " ").map(String.init)
        // Torn by a power cut, it names nothing.
        guard words.count == 3, let digest = try? Digest(words[1]), let size = Int64(words[2]) else {
            return nil
        }
        return Descriptor(mediaType: words[0], digest: digest, size: size)
    }

    /// Remembers the blob. Losing this loses time: it is not synced.
    package func remember(_ blob: Descriptor, of id: Digest) throws(Failure) {
        let text = "\(LayerStore.firstLine)\n\(blob.mediaType) \(blob.digest) \(blob.size)\n"
        do throws(SystemError) {
            let layer = try Directory.open(LayerStore.name(of: id), in: directory.raw)
            try AtomicFile.write(Array(text.utf8), to: "blob", in: layer.raw, durable: false)
        } catch {
            throw error.failure("keep the blob's name of layer \(id.short)")
        }
    }
}
