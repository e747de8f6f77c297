package import Failure

/// An image manifest: image-spec manifest.md, or docker's distribution manifest v2 schema 2.
///
/// A value read from bytes is for looking at. What is stored or sent on is always those bytes, never this value
/// encoded again: it keeps no unknown fields.
package struct Manifest: Hashable, Sendable, Codable {
    package var schemaVersion: Int
    package var mediaType: String?
    package var artifactType: String?
    package var config: Descriptor
    /// From the bottom up. Empty for an image without files.
    package var layers: [Descriptor]
    package var subject: Descriptor?
    package var annotations: [String: String]?

    package init(
        config: Descriptor, layers: [Descriptor], mediaType: String = MediaType.manifest,
        annotations: [String: String]? = nil
    ) {
        schemaVersion = 2
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
        mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
        artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
        config = try container.decode(Descriptor.self, forKey: .config)
        layers = try container.decodeIfPresent([Descriptor].self, forKey: .layers) ?? []
        subject = try container.decodeIfPresent(Descriptor.self, forKey: .subject)
        annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
    }

    /// - Parameter mediaType: what the descriptor or the Content-Type said, parameters allowed; nil if nothing did.
    /// - Throws: `invalidArgument`; `unsupported` for docker's schema 1.
    package init(bytes: [UInt8], mediaType: String?) throws(Failure) {
        guard case .manifest(let manifest) = try ImageDocument(bytes: bytes, mediaType: mediaType) else {
            throw Failure(.invalidArgument, "image manifest: the document is an image index")
        }
        self = manifest
    }
}
