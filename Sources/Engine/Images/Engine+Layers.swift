package import Failure
package import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

extension Engine {
    func layerStore() throws(Failure) -> LayerStore {
        try LayerStore(path: "\(rootPath)/layers", trash: "\(rootPath)/trash")
    }

    /// Bytes of a layer's files. 0 where it is not unpacked.
    package func unpackedSize(of layer: ImageRecord.Layer) throws(Failure) -> Int64 {
        guard let directory = layer.directory else { return 0 }
        return Int64(clamping: try layerStore().record(of: try Engine.layerID(directory)).size)
    }

    /// The id behind a name in `layers/`.
    static func layerID(_ directory: String) throws(Failure) -> Digest {
        directory.contains("-")
            ? try Digest(directory.replacingFirst("-", by: ":")) : try Digest("sha256:\(directory)")
    }

    /// Takes away what transfers that died have left. What is in use by the living stays; trouble here is no reason
    /// to refuse the work that comes next.
    func clearAbandonedTransfers() {
        if let layers = try? layerStore() { _ = try? layers.sweep() }
        _ = try? content.sweepIngests()
    }
}

extension String {
    fileprivate func replacingFirst(_ character: Character, by other: Character) -> String {
        guard let at = firstIndex(of: character) else { return self }
        return String(self[..<at]) + String(other) + String(self[index(after: at)...])
    }
}
