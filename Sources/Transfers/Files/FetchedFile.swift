package import OCI

/// A file that a web server gave, or has not changed.
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
    /// In seconds since 1970.
    package var modified: Int64?
    /// Without parameters, in lower case.
    package var mediaType: String?
}
