internal import Failure
package import OCI

/// `index.json` of a layout: every tag under `org.opencontainers.image.ref.name`, by which other tools ask for it,
/// and under `io.containerd.image.name`, which is always the whole name.
package enum LayoutIndex {
    static let empty =
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#

    /// The store's own index. An image whose familiar name differs from its canonical one is listed under both, so
    /// that `oci:content:redis:7` works as `oci:content:docker.io/library/redis:7` does. What is listed is the
    /// manifest of the platform that is here: tools that walk the index find nothing missing. For the same reason the
    /// caller leaves out images whose blobs are not all in the content store: those that were built here and have not
    /// left yet (`ContentStore.isWhole`).
    static func ofStore(_ records: [ImageRecord]) throws(Failure) -> [UInt8] {
        var manifests: [Descriptor] = []
        for record in records.sorted(by: { name($0) < name($1) }) {
            guard let reference = record.reference, reference.tag != nil else {
                manifests.append(entry(record.manifest, record.platform, refName: nil, imageName: nil))
                continue
            }
            for name in Set([reference.canonical, reference.familiar]).sorted() {
                manifests.append(
                    entry(record.manifest, record.platform, refName: name, imageName: reference.canonical))
            }
        }
        return try JSON.encode(ImageIndex(manifests: manifests))
    }

    private static func name(_ record: ImageRecord) -> String {
        record.reference?.canonical ?? "@\(record.manifest.digest)"
    }

    package static func entry(
        _ manifest: Descriptor, _ platform: Platform, refName: String?, imageName: String?
    )
        -> Descriptor
    {
        var annotations: [String: String] = [:]
        if let refName { annotations[AnnotationKey.refName] = refName }
        if let imageName { annotations[AnnotationKey.containerdImageName] = imageName }
        return Descriptor(
            mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size,
            annotations: annotations.isEmpty ? nil : annotations, platform: platform)
    }
}
