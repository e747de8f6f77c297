package import Failure

/// What a tag or digest of an image leads to.
///
/// Reading refuses whatever two programs could understand differently (CVE-2021-41190): documents that are both
/// index and manifest, top-level fields given twice or in another case, types that contradict each other.
package enum ImageDocument: Hashable, Sendable {
    case manifest(Manifest)
    case index(ImageIndex)

    /// - Parameters:
    ///   - mediaType: what the descriptor or the Content-Type said, parameters allowed; nil if nothing did.
    ///     Types that say nothing (`application/json`, `text/plain`, …) count as nil.
    ///   - limit: the most bytes accepted.
    /// - Throws: `invalidArgument`; `unsupported` for docker's schema 1.
    package init(
        bytes: [UInt8], mediaType: String?, limit: Int = JSON.documentLimit
    ) throws(Failure) {
        let declared = mediaType.map(MediaType.bare).flatMap { MediaType.isGeneric($0) ? nil : $0 }
        var what = "image manifest or index"
        if let declared {
            if MediaType.isSchema1(declared) { throw ImageDocument.schema1 }
            guard MediaType.isIndex(declared) || MediaType.isManifest(declared) else {
                throw Failure(
                    .invalidArgument,
                    "\(declared.quotedForMessage) is not the type of an image manifest or index")
            }
            what = MediaType.isIndex(declared) ? "image index" : "image manifest"
        }

        let head = try JSON.decode(Head.self, from: bytes, as: what, limit: limit)
        try ImageDocument.refuseAmbiguousKeys(in: bytes, what)
        if head.schemaVersion == 1 { throw ImageDocument.schema1 }
        guard head.schemaVersion == 2 else {
            let found = head.schemaVersion.map { "\($0), not 2" } ?? "missing"
            throw Failure(.invalidArgument, "\(what): schemaVersion: \(found)")
        }
        guard !(head.hasManifests && (head.hasLayers || head.hasConfig)) else {
            throw Failure(
                .invalidArgument, "\(what): the document is both an index and a manifest (CVE-2021-41190)")
        }
        if let written = head.mediaType, !written.isEmpty {
            if let declared, written != declared {
                throw Failure(
                    .invalidArgument,
                    "\(what): mediaType is \(written.quotedForMessage), but it was given as \(declared)")
            }
            guard MediaType.isIndex(written) || MediaType.isManifest(written) else {
                throw Failure(
                    .invalidArgument,
                    "\(what): mediaType \(written.quotedForMessage) is not that of an image manifest or index"
                )
            }
        }

        let type = declared ?? head.mediaType.flatMap { $0.isEmpty ? nil : $0 }
        let isIndex = type.map(MediaType.isIndex) ?? head.hasManifests
        guard isIndex ? !(head.hasLayers || head.hasConfig) : !head.hasManifests else {
            throw Failure(
                .invalidArgument,
                "\(what): the content is \(isIndex ? "a manifest" : "an index"), its type says otherwise")
        }
        if isIndex {
            guard head.hasManifests else {
                throw Failure(.invalidArgument, "image index: manifests: missing")
            }
            self = .index(try JSON.decode(ImageIndex.self, from: bytes, as: "image index", limit: limit))
        } else {
            guard head.hasLayers else {
                throw Failure(
                    .invalidArgument,
                    head.hasConfig ? "image manifest: layers: missing" : "\(what): no manifests and no layers"
                )
            }
            self = .manifest(try JSON.decode(Manifest.self, from: bytes, as: "image manifest", limit: limit))
        }
    }

    private static var schema1: Failure {
        Failure(
            .unsupported, "image manifest: docker's manifest schema 1 is not supported",
            hint: "push the image again with a current docker, podman or ctr")
    }

    /// The fields that decide what a document is.
    private struct Head: Decodable {
        var schemaVersion: Int?
        var mediaType: String?
        var hasManifests: Bool
        var hasLayers: Bool
        var hasConfig: Bool

        enum CodingKeys: String, CodingKey {
            case schemaVersion, mediaType, manifests, layers, config
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion)
            mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
            hasManifests = container.contains(.manifests)
            hasLayers = container.contains(.layers)
            hasConfig = container.contains(.config)
        }
    }

    private static let fields: Set<String> = [
        "schemaVersion", "mediaType", "artifactType", "manifests", "config", "layers", "subject",
        "annotations",
    ]

    /// Go's readers match keys in any case and take the last of two: a document must not depend on that.
    private static func refuseAmbiguousKeys(in bytes: [UInt8], _ what: String) throws(Failure) {
        let byLowerCase = Dictionary(uniqueKeysWithValues: fields.map { ($0.lowercased(), $0) })
        var seen: Set<String> = []
        for raw in JSONScan.topLevelKeys(of: bytes) {
            let key =
                raw.contains(UInt8(ascii: "\\"))
                ? try JSON.decode(String.self, from: Array(raw), as: what)
                : String(decoding: raw.dropFirst().dropLast(), as: UTF8.self)
            guard seen.insert(key).inserted else {
                throw Failure(.invalidArgument, "\(what): \(key.quotedForMessage) is given twice")
            }
            if let field = byLowerCase[key.lowercased()], field != key {
                throw Failure(
                    .invalidArgument, "\(what): \(key.quotedForMessage) could be read as \"\(field)\"")
            }
        }
    }
}
