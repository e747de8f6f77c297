package import Engine
package import Failure
package import ImageStore
internal import OCI

extension Engine {
    /// Makes an image fit to leave the store: every blob of it is in the content store when this returns.
    ///
    /// What is built here has layers without blobs; their descriptors say the tar's media type, digest and size, and the
    /// directories have the files. Of those gzip blobs are made, and with them a new manifest of the same config: the
    /// image ID stays. All names of the image that had the former manifest get the new one. The same layers give the
    /// same blobs and the same manifest each time (`MemberGzip`), and a blob that was made for another image of the
    /// same layers is taken again.
    ///
    /// The second call has nothing to do; two processes at once make the same. Nothing has a name before all is synced,
    /// and the records come last.
    ///
    /// - Parameters:
    ///   - image: as its record says; also one without a name, or a record that is not written yet.
    ///   - lease: keeps what the answer names until it is released.
    /// - Returns: the image with the manifest and layers that are stored, under the name that it came with.
    /// - Throws: `notFound` where neither a layer's blob nor its directory is there; `dataLoss` where the directory's files
    ///   were changed.
    package func withBlobs(
        _ image: ImageRecord, lease: Lease, progress: any Progress = SilentProgress()
    ) throws(Failure) -> ImageRecord {
        try lease.protect(digests: image.digests, layers: image.layers.compactMap(\.directory))
        if try content.isWhole(image) { return image }
        clearAbandonedTransfers()
        return try LayerBlobs(engine: self, image: image, lease: lease, progress: progress).complete()
    }
}
