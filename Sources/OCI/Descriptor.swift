/// image-spec descriptor.md: what a piece of content is, by type, digest and size.
package struct Descriptor: Hashable, Sendable, Codable {
    package var mediaType: String
    package var digest: Digest
    package var size: Int64
    package var urls: [String]?
    package var annotations: [String: String]?
    /// The content itself, base64; must equal what the digest names.
    package var data: String?
    package var artifactType: String?
    package var platform: Platform?

    package init(
        mediaType: String, digest: Digest, size: Int64, annotations: [String: String]? = nil,
        platform: Platform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
        self.platform = platform
    }
}

/// image-spec image-index.md, `platform`.
package struct Platform: Hashable, Sendable, Codable {
    package var architecture: String
    package var os: String
    package var variant: String?
    package var osVersion: String?
    package var osFeatures: [String]?

    enum CodingKeys: String, CodingKey {
        case architecture, os, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }
}
