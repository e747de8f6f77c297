/// A file that a web server gave, or has not changed: what downloads hand from the room with the network to builds.
package struct FetchedFile: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// The file that the given ETag names; nothing was written.
        case unchanged
        case written(digest: Digest, size: UInt64)
    }

    package var content: Content
    /// Where it came from in the end, without a query.
    package var address: String
    /// One component, never `.` or `..`: the server's word for it, else the last of the address, else `download`.
    package var name: String
    package var etag: String?
    /// Last-Modified, in seconds since 1970.
    package var modified: Int64?
    /// Content-Type without parameters, in lower case.
    package var mediaType: String?

    package init(
        content: Content, address: String, name: String, etag: String?, modified: Int64?, mediaType: String?
    ) {
        self.content = content
        self.address = address
        self.name = name
        self.etag = etag
        self.modified = modified
        self.mediaType = mediaType
    }
}
