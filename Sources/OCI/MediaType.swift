/// The media types of images (image-spec media-types.md; docker's distribution manifest v2 schema 2) and what
/// follows from them.
package enum MediaType {
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let config = "application/vnd.oci.image.config.v1+json"
    package static let layer = "application/vnd.oci.image.layer.v1.tar"
    package static let layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let layerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    package static let layerNondistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    package static let empty = "application/vnd.oci.empty.v1+json"

    package static let dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
    package static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    package static let dockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd"
    package static let dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar"
    package static let dockerForeignLayerGzip = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

    package static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json"
    package static let dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

    /// What a client asks a registry for, best first (`Accept`).
    package static let acceptedManifests = [index, dockerManifestList, manifest, dockerManifest]

    package enum Compression: String, Hashable, Sendable {
        case none, gzip, zstd
    }

    /// The type alone: lower case, parameters such as `; charset=utf-8` and blanks cut off.
    package static func bare(_ contentType: String) -> String {
        let type = contentType.prefix { $0 != ";" }
        return String(type.filter { !$0.isWhitespace }).lowercased()
    }

    package static func isIndex(_ type: String) -> Bool {
        type == index || type == dockerManifestList
    }

    package static func isManifest(_ type: String) -> Bool {
        type == manifest || type == dockerManifest
    }

    package static func isConfig(_ type: String) -> Bool {
        type == config || type == dockerConfig
    }

    package static func isDocker(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.docker.")
    }

    package static func isSchema1(_ type: String) -> Bool {
        type == dockerSchema1 || type == dockerSchema1Signed
    }

    /// Whether a registry or proxy said nothing about the content by this type.
    package static func isGeneric(_ type: String) -> Bool {
        ["", "application/json", "application/octet-stream", "text/plain", "binary/octet-stream"].contains(
            type)
    }

    /// Whether the content is a root file system change set.
    package static func isLayer(_ type: String) -> Bool { compression(ofLayer: type) != nil }

    /// Layers that are not in the registry, but at the descriptor's `urls`. OCI's name for them is deprecated.
    package static func isForeignLayer(_ type: String) -> Bool {
        isLayer(type)
            && (type.hasPrefix(layerNondistributable) || type.hasPrefix(dockerForeignLayer))
    }

    /// How a layer of that type is compressed; nil where the type is not a layer's.
    package static func compression(ofLayer type: String) -> Compression? {
        for base in [layer, layerNondistributable] where type.hasPrefix(base) {
            switch type.dropFirst(base.count) {
            case "": return Compression.none
            case "+gzip": return .gzip
            case "+zstd": return .zstd
            default: continue
            }
        }
        for base in [dockerLayer, dockerForeignLayer] where type.hasPrefix(base) {
            switch type.dropFirst(base.count) {
            case "": return Compression.none
            case ".gzip": return .gzip
            case ".zstd": return .zstd
            default: continue
            }
        }
        return nil
    }

    /// OCI's type of a layer that ctr writes itself.
    package static func layer(_ compression: Compression) -> String {
        switch compression {
        case .none: layer
        case .gzip: layerGzip
        case .zstd: layerZstd
        }
    }
}
