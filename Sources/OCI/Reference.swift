import Failure

/// An image's name by docker's grammar (distribution/reference): `[host[:port]/]path[:tag][@digest]`.
package struct Reference: Hashable, Sendable {
    /// `docker.io`, `127.0.0.1:5000`, …
    package let domain: String
    /// The repository's path in its registry; `library/redis` for `redis`.
    package let path: String
    /// nil only where a digest was given without a tag.
    package let tag: String?
    package let digest: Digest?

    package init(domain: String, path: String, tag: String?, digest: Digest?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    package static let hubDomain = "docker.io"
    package static let defaultTag = "latest"

    /// Domain and path without tag and digest: `docker.io/library/redis`.
    package var name: String { "\(domain)/\(path)" }

    /// The whole name, nothing left to defaults: `docker.io/library/redis:7@sha256:…`.
    package var canonical: String { name + suffix }

    /// As people write it: `redis:7`. Parsing it gives this reference again.
    package var familiar: String { familiarName + suffix }

    /// `redis` for docker.io/library/redis: what `images` shows as repository.
    package var familiarName: String {
        guard domain == Reference.hubDomain else { return name }
        var short = path
        if path.hasPrefix("library/") {
            let rest = path.dropFirst("library/".count)
            if !rest.contains("/") { short = String(rest) }
        }
        // docker.io/a.b/c would be read as host a.b, a name of 64 hex digits as an id.
        let (domain, path) = Reference.splitDomain(short)
        guard domain == self.domain, path == self.path, !Reference.isIdentifier(short) else { return name }
        return short
    }

    /// The host that speaks the registry protocol; docker.io's has another name.
    package var registryHost: String {
        domain == Reference.hubDomain ? "registry-1.docker.io" : domain
    }

    package func with(tag: String?) -> Reference {
        Reference(domain: domain, path: path, tag: tag, digest: digest)
    }

    package func with(digest: Digest?) -> Reference {
        Reference(
            domain: domain, path: path, tag: digest == nil ? tag ?? Reference.defaultTag : tag,
            digest: digest)
    }

    private var suffix: String {
        (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}

extension Reference: CustomStringConvertible {
    package var description: String { canonical }
}

extension Reference: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            self = try Reference.parse(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(canonical)
    }
}
