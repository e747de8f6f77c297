package import Failure

/// `manifest.json` of a docker-archive (`docker save`): one entry an image.
package enum DockerArchive {
    package static let manifestFile = "manifest.json"

    package struct Image: Hashable, Sendable, Codable {
        /// The image config's path in the archive.
        package var config: String
        /// `redis:7`; null or absent for an image without a name.
        package var repoTags: [String]?
        /// Paths of the layers' tars in the archive, from the bottom up. Stranger's text: resolve inside only.
        package var layers: [String]

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }

        package init(config: String, repoTags: [String]?, layers: [String]) {
            self.config = config
            self.repoTags = repoTags
            self.layers = layers
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            config = try container.decode(String.self, forKey: .config)
            repoTags = try container.decodeIfPresent([String].self, forKey: .repoTags)
            layers = try container.decodeIfPresent([String].self, forKey: .layers) ?? []
        }
    }

    /// - Throws: `invalidArgument` with the path of the field at fault.
    package static func images(bytes: [UInt8]) throws(Failure) -> [Image] {
        try JSON.decode([Image].self, from: bytes, as: manifestFile)
    }
}
