package import Failure

/// An image index (image-spec image-index.md), docker's manifest list, or a layout's `index.json`.
/// What was said of `Manifest` holds: stored bytes are never this value encoded again.
package struct ImageIndex: Hashable, Sendable, Codable {
    package var schemaVersion: Int
    package var mediaType: String?
    package var artifactType: String?
    package var manifests: [Descriptor]
    package var subject: Descriptor?
    package var annotations: [String: String]?

    package init(
        manifests: [Descriptor], mediaType: String = MediaType.index, annotations: [String: String]? = nil
    ) {
        schemaVersion = 2
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
        mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
        artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
        manifests = try container.decodeIfPresent([Descriptor].self, forKey: .manifests) ?? []
        subject = try container.decodeIfPresent(Descriptor.self, forKey: .subject)
        annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
    }

    /// - Parameters:
    ///   - mediaType: what the descriptor or the Content-Type said, parameters allowed; nil if nothing did.
    ///   - limit: the most bytes accepted; a layout's own `index.json` may be larger than what registries send.
    /// - Throws: `invalidArgument`; `unsupported` for docker's schema 1.
    package init(
        bytes: [UInt8], mediaType: String?, limit: Int = JSON.documentLimit
    ) throws(Failure) {
        guard case .index(let index) = try ImageDocument(bytes: bytes, mediaType: mediaType, limit: limit)
        else {
            throw Failure(.invalidArgument, "image index: the document is an image manifest")
        }
        self = index
    }
}
