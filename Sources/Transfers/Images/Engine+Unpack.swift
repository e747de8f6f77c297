package import Engine
package import Failure
internal import ImageStore
internal import OCI
internal import OverlayFS

extension Engine {
    /// Pulls an image for a container that is to be made of it, or unpacks one whose blobs are here but not its layers'
    /// directories. Tells as `run` does.
    package func provide(_ name: String, platform: String?, pull: Bool, progress: any Progress)
        throws(Failure)
    {
        guard pull else {
            do throws(Failure) {
                try unpack(try references.resolve(name))
            } catch {
                throw error.within("unpack image \(name)")
            }
            return
        }
        for pulled in try self.pull(name, platform: platform, allTags: false, progress: progress) {
            progress.note("Digest: \(pulled.digest)")
            progress.note(
                "Status: \(pulled.isNew ? "Downloaded newer image for" : "Image is up to date for") \(pulled.familiarName)"
            )
        }
    }

    /// Unpacks an image whose blobs are in the content store, and records it.
    private func unpack(_ record: ImageRecord) throws(Failure) {
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        var assembly = try LayerAssembly(
            layers: try layerStore(), content: content, descriptors: record.layers.map(\.descriptor),
            diffIDs: record.layers.map(\.diffID))
        try lease.protect(digests: record.digests, layers: assembly.possibleNames)
        let outcome = try assembly.complete()
        var record = record
        for place in record.layers.indices { record.layers[place].directory = outcome.directories[place] }
        record.size = outcome.size
        try references.put(record)
    }

    /// Takes away what transfers that died have left. What is in use by the living stays; trouble here is no reason
    /// to refuse the work that comes next.
    func clearAbandonedTransfers() {
        if let layers = try? layerStore() { _ = try? layers.sweep() }
        _ = try? content.sweepIngests()
    }
}
