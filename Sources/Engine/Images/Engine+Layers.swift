package import Failure
package import ImageStore
internal import LinuxSystem
internal import OCI
package import OverlayFS

extension Engine {
    package func layerStore() throws(Failure) -> LayerStore {
        try LayerStore(path: "\(rootPath)/layers", trash: "\(rootPath)/trash")
    }

    /// Bytes of a layer's files. 0 where it is not unpacked.
    package func unpackedSize(of layer: ImageRecord.Layer) throws(Failure) -> Int64 {
        guard let directory = layer.directory else { return 0 }
        return Int64(clamping: try layerStore().record(of: try Engine.layerID(directory)).size)
    }

    /// What the container's own layer takes on the disk, and what its image's layers hold.
    package func sizes(of record: ContainerRecord) throws(Failure) -> ContainerSizes {
        var image: Int64 = 0
        if !record.layers.isEmpty {
            let store = try layerStore()
            for layer in record.layers {
                image += Int64(clamping: try store.record(of: try Engine.layerID(layer)).size)
            }
        }
        return ContainerSizes(written: try DiskUsage.bytes(below: path(of: record, "upper")), image: image)
    }

    /// The id behind a name in `layers/`.
    static func layerID(_ directory: String) throws(Failure) -> Digest {
        directory.contains("-")
            ? try Digest(directory.replacingFirst("-", by: ":")) : try Digest("sha256:\(directory)")
    }
}

extension String {
    fileprivate func replacingFirst(_ character: Character, by other: Character) -> String {
        guard let at = firstIndex(of: character) else { return self }
        return String(self[..<at]) + String(other) + String(self[index(after: at)...])
    }
}
