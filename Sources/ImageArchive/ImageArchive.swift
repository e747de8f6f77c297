internal import ImageStore
package import OCI

/// Images in one tar: an OCI layout and a docker archive at once (`save`), and whatever docker, podman, skopeo and
/// ctr write of either form (`load`).
///
/// ```
/// oci-layout            image-spec image-layout.md
/// index.json            a manifest for each name: its tag as org.opencontainers.image.ref.name (the whole name where
///                       another image in the file has the same tag), the whole name as io.containerd.image.name
/// manifest.json         docker's list: Config, RepoTags, Layers, which are paths into blobs/
/// repositories          docker's oldest form: name, tag, top layer
/// blobs/sha256/<hex>    each once, sorted
/// ```
package enum ImageArchive {
    /// A line of manifest.json.
    struct DockerImage: Codable {
        var config: String
        var repoTags: [String]?
        var layers: [String]

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
    }
}

/// An image that came out of an archive or a layout: its blobs are in the content store, its layers are to be
/// unpacked and its record is to be written by the caller.
package struct LoadedImage: Sendable {
    /// Its names in the file; none where it has none.
    package var references: [Reference]
    /// What the file's index lists: an index or a manifest.
    package var target: Descriptor
    package var manifest: Descriptor
    package var document: Manifest
    package var config: ImageConfig
}
