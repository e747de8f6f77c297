package import Failure

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
}
