package import Failure
package import OCI

extension ReferenceStore {
    /// Gives an image another manifest of the same config, under each of its names that still has the former one. Names
    /// that lead elsewhere by now are left alone. Killed half-way, some names have the one and some the other, and
    /// both are whole.
    ///
    /// The caller holds a lease on the content of both.
    ///
    /// - Parameter image: as it is to be; its name does not matter.
    package func replaceManifest(_ former: Digest, by image: ImageRecord) throws(Failure) {
        try change { (directory) throws(Failure) in
            guard former != image.manifest.digest else { return }
            for file in try files() {
                guard var record = try? read(file), record.id == image.id, record.manifest.digest == former,
                    record.layers.map(\.diffID) == image.layers.map(\.diffID)
                else { continue }
                record.target = image.target
                record.manifest = image.manifest
                for place in record.layers.indices {
                    record.layers[place].descriptor = image.layers[place].descriptor
                }
                guard record.reference == nil else {
                    try write(record, to: file, in: directory)
                    continue
                }
                // Its file has the manifest's name.
                try write(
                    record, to: ReferenceName.file(forManifest: record.manifest.digest), in: directory)
                try remove(file, in: directory)
            }
        }
    }
}
