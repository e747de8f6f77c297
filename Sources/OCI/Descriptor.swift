import FoundationEssentials

/// image-spec descriptor.md: what a piece of content is, by type, digest and size.
package struct Descriptor: Hashable, Sendable, Codable {
    package var mediaType: String
    package var digest: Digest
    /// Bytes; never negative where the descriptor was read.
    package var size: Int64
    /// Where foreign layers lie.
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

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mediaType = try container.decode(String.self, forKey: .mediaType)
        digest = try container.decode(Digest.self, forKey: .digest)
        size = try container.decode(Int64.self, forKey: .size)
        urls = try container.decodeIfPresent([String].self, forKey: .urls)
        annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
        data = try container.decodeIfPresent(String.self, forKey: .data)
        artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
        platform = try container.decodeIfPresent(Platform.self, forKey: .platform)
        guard size >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: container, debugDescription: "\(size) is negative")
        }
    }

    /// The embedded content as bytes; nil where there is none or it is not base64 of `size` bytes.
    /// The digest is not verified here.
    package var inlineData: [UInt8]? {
        guard let data, let bytes = Data(base64Encoded: data), bytes.count == size else { return nil }
        return Array(bytes)
    }

    /// The same content under another type: equality of descriptors asks for more than equality of content.
    package func names(sameContentAs other: Descriptor) -> Bool {
        digest == other.digest && size == other.size
    }
}
