package import Failure
package import LinuxSystem
package import OCI

/// An image under one name, as `refs/` holds it: all that a start needs, read without decoding JSON.
///
/// The same image under two tags is two records with the same `id`. What is here repeats the manifest and the
/// config in the content store, whose bytes are the truth about the image; the record is the truth about the name.
package struct ImageRecord: Hashable, Sendable {
    /// With a tag, or with a digest and no tag. nil for an image that lost its name (`<none>`).
    package var reference: Reference?
    /// What the name leads to at its registry: an index or a manifest. Its digest is docker's repo digest.
    package var target: Descriptor
    /// The manifest of the platform that was chosen; `target` itself where that is a manifest.
    package var manifest: Descriptor
    package var config: Descriptor
    /// From the bottom up.
    package var layers: [Layer]
    package var platform: Platform
    /// As the config has it, RFC 3339.
    package var created: String?
    /// When this record was written.
    package var recorded: Timestamp
    /// Bytes of the layers unpacked.
    package var size: Int64
    /// `name@digest` of registries that are known to have the image: where it was pulled from or pushed to.
    package var repoDigests: [String]
    /// Empty lists count as absent. Names of the Windows world (`os.version`, `os.features`) are not kept.
    package var settings: ImageConfig.Settings
    /// Lines that a later release wrote, kept as they are.
    package var unknown: [String]

    package struct Layer: Hashable, Sendable {
        /// Media type, digest and size of the layer as stored; annotations and urls are not kept.
        package var descriptor: Descriptor
        package var diffID: Digest
        /// Its directory's name in `layers/`; nil while it is not unpacked.
        package var directory: String?

        package init(descriptor: Descriptor, diffID: Digest, directory: String?) {
            self.descriptor = descriptor
            self.diffID = diffID
            self.directory = directory
        }
    }

    package init(
        reference: Reference?, target: Descriptor, manifest: Descriptor, config: Descriptor, layers: [Layer],
        platform: Platform, created: String? = nil, recorded: Timestamp = .now(), size: Int64,
        repoDigests: [String] = [], settings: ImageConfig.Settings
    ) {
        self.reference = reference
        self.target = target
        self.manifest = manifest
        self.config = config
        self.layers = layers
        self.platform = platform
        self.created = created
        self.recorded = recorded
        self.size = size
        self.repoDigests = repoDigests
        self.settings = settings
        unknown = []
    }

    /// The image ID: the config's digest.
    package var id: Digest { config.digest }

    /// The directories in `layers/` from the bottom up; nil while one of them is not unpacked.
    package var layerDirectories: [String]? {
        var names: [String] = []
        for layer in layers {
            guard let directory = layer.directory else { return nil }
            names.append(directory)
        }
        return names
    }

    /// Every blob that the image consists of.
    package var digests: [Digest] {
        [target.digest, manifest.digest, config.digest] + layers.map(\.descriptor.digest)
    }
}

extension ImageRecord {
    /// The record of an image whose manifest and config are at hand.
    ///
    /// - Parameters:
    ///   - directories: the layers' names in `layers/`, or nil where they are not unpacked; as many as layers.
    ///   - size: bytes of the layers unpacked.
    /// - Throws: `invalidArgument` where manifest and config tell of different numbers of layers.
    package init(
        reference: Reference?, target: Descriptor, manifest: Descriptor, document: Manifest,
        config: ImageConfig, directories: [String]?, size: Int64, repoDigests: [String] = []
    ) throws(Failure) {
        let diffIDs = config.rootfs.diffIDs
        guard diffIDs.count == document.layers.count, directories.map({ $0.count == diffIDs.count }) ?? true
        else {
            throw Failure(
                .invalidArgument,
                "\(manifest.digest) has \(document.layers.count) layers, its config names \(diffIDs.count)")
        }
        var layers: [Layer] = []
        for (i, descriptor) in document.layers.enumerated() {
            layers.append(
                Layer(
                    descriptor: Descriptor(
                        mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size),
                    diffID: diffIDs[i], directory: directories?[i]))
        }
        self.init(
            reference: reference, target: target, manifest: manifest, config: document.config, layers: layers,
            platform: config.platform, created: config.created, size: size, repoDigests: repoDigests,
            settings: config.config ?? ImageConfig.Settings())
    }
}
