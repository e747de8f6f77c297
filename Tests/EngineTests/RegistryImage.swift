import OCI
import ScriptedRegistry

/// An image put into a scripted registry, piece by piece.
struct RegistryImage {
    let registry: ScriptedRegistry
    let repository: String
    var layers: [Descriptor] = []
    var diffIDs: [Digest] = []

    init(_ registry: ScriptedRegistry, _ repository: String) {
        self.registry = registry
        self.repository = repository
    }

    @discardableResult
    mutating func add(_ tar: [UInt8], mediaType: String = MediaType.layer) -> Digest {
        let digest = registry.addBlob(tar, to: repository)
        layers.append(Descriptor(mediaType: mediaType, digest: digest, size: Int64(tar.count)))
        diffIDs.append(digest)
        return digest
    }

    /// - Returns: the manifest's descriptor.
    @discardableResult
    func finish(tag: String?, platform: Platform = .host) throws -> Descriptor {
        var config = ImageConfig(platform: platform, diffIDs: diffIDs)
        config.created = "2026-01-02T03:04:05Z"
        config.config = ImageConfig.Settings()
        config.config?.cmd = ["/bin/sh"]
        let configBytes = try JSON.encode(config)
        let configDigest = registry.addBlob(configBytes, to: repository)
        let manifest = Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: configDigest, size: Int64(configBytes.count)),
            layers: layers)
        let bytes = try JSON.encode(manifest)
        let digest = registry.addManifest(bytes, mediaType: MediaType.manifest, to: repository, tag: tag)
        return Descriptor(mediaType: MediaType.manifest, digest: digest, size: Int64(bytes.count))
    }
}
