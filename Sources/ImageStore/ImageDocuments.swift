package import Failure
package import OCI

/// The config and manifest of an image that ctr makes itself, with their bytes: the same values give the same
/// digests.
package struct ImageDocuments: Sendable {
    package let config: ImageConfig
    package let configBytes: [UInt8]
    package let manifest: Manifest
    package let manifestBytes: [UInt8]
    package let manifestDescriptor: Descriptor

    /// - Parameter layers: from the bottom up, one for each diffID of the config.
    /// - Throws: `invalidArgument` where the numbers differ.
    package init(config: ImageConfig, layers: [Descriptor]) throws(Failure) {
        try self.init(config: config, bytes: try JSON.encode(config), layers: layers)
    }

    /// With a config's bytes as they came: the image ID is theirs.
    package init(config: ImageConfig, bytes: [UInt8], layers: [Descriptor]) throws(Failure) {
        guard config.rootfs.diffIDs.count == layers.count else {
            throw Failure(
                .invalidArgument,
                "the image's config names \(config.rootfs.diffIDs.count) layers, there are \(layers.count)")
        }
        self.config = config
        configBytes = bytes
        manifest = Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: try ContentHash.digest(of: bytes),
                size: Int64(bytes.count)),
            layers: layers)
        manifestBytes = try JSON.encode(manifest)
        manifestDescriptor = Descriptor(
            mediaType: MediaType.manifest, digest: try ContentHash.digest(of: manifestBytes),
            size: Int64(manifestBytes.count))
    }

    /// The image of one root file system, as `import` makes it.
    ///
    /// - Parameters:
    ///   - created: RFC 3339; given, so that nothing but the arguments decides the digests.
    ///   - message: the history's comment.
    package static func imported(
        layer: Descriptor, diffID: Digest, settings: ImageConfig.Settings?, platform: Platform,
        created: String,
        message: String
    ) throws(Failure) -> ImageDocuments {
        var config = ImageConfig(
            platform: platform, config: settings, diffIDs: [diffID],
            history: [ImageConfig.History(created: created, comment: message)])
        config.created = created
        return try ImageDocuments(config: config, layers: [layer])
    }

    /// Keeps both documents until `ContentStore.publish`.
    package func stage(in content: ContentStore) throws(Failure) -> [Ingest] {
        [
            try content.stage(configBytes, as: manifest.config),
            try content.stage(manifestBytes, as: manifestDescriptor),
        ]
    }
}
