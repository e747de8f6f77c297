package import Failure

/// An image's configuration: image-spec config.md, with docker's additions. Its bytes' digest is the image's id.
///
/// Fields that neither knows are not kept: this value is encoded only for images that ctr itself makes.
package struct ImageConfig: Hashable, Sendable, Codable {
    /// RFC 3339.
    package var created: String?
    package var author: String?
    package var architecture: String
    package var os: String
    package var variant: String?
    package var osVersion: String?
    package var osFeatures: [String]?
    package var config: Settings?
    package var rootfs: RootFS
    package var history: [History]?

    enum CodingKeys: String, CodingKey {
        case created, author, architecture, os, variant, config, rootfs, history
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    package init(platform: Platform, config: Settings? = nil, diffIDs: [Digest], history: [History]? = nil) {
        architecture = platform.architecture
        os = platform.os
        variant = platform.variant
        osVersion = platform.osVersion
        osFeatures = platform.osFeatures
        self.config = config
        rootfs = RootFS(diffIDs: diffIDs)
        self.history = history
    }

    /// - Throws: `invalidArgument` with the path of the field at fault.
    package init(bytes: [UInt8]) throws(Failure) {
        self = try JSON.decode(ImageConfig.self, from: bytes, as: "image config")
    }

    package var platform: Platform {
        var platform = Platform(os: os, architecture: architecture, variant: variant)
        platform.osVersion = osVersion
        platform.osFeatures = osFeatures
        return platform
    }

    package struct RootFS: Hashable, Sendable, Codable {
        package var type: String
        /// Digests of the layers' uncompressed tars, from the bottom up.
        package var diffIDs: [Digest]

        enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }

        package init(diffIDs: [Digest]) {
            type = "layers"
            self.diffIDs = diffIDs
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            guard type == "layers" else {
                throw DecodingError.dataCorruptedError(
                    forKey: .type, in: container,
                    debugDescription: "\(type.quotedForMessage) is not \"layers\"")
            }
            diffIDs = try container.decodeIfPresent([Digest].self, forKey: .diffIDs) ?? []
        }
    }

    package struct History: Hashable, Sendable, Codable {
        package var created: String?
        package var author: String?
        package var createdBy: String?
        package var comment: String?
        package var emptyLayer: Bool?

        enum CodingKeys: String, CodingKey {
            case created, author, comment
            case createdBy = "created_by"
            case emptyLayer = "empty_layer"
        }

        package init(
            created: String? = nil, createdBy: String? = nil, comment: String? = nil, author: String? = nil,
            emptyLayer: Bool? = nil
        ) {
            self.created = created
            self.author = author
            self.createdBy = createdBy
            self.comment = comment
            self.emptyLayer = emptyLayer
        }
    }
}
