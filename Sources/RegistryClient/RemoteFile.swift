package import OCI

/// What a web server gave for an address.
package struct RemoteFile: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// The file that the given ETag names; nothing was written.
        case unchanged
        case written(digest: Digest, size: UInt64)
    }

    package var content: Content
    /// Where it came from in the end, without a query.
    package var address: String
    /// Content-Disposition's, else the asked path's last component, else `download`; one component, never `.` or `..`.
    package var name: String
    package var etag: String?
    /// Last-Modified, in seconds since 1970.
    package var modified: Int64?
    /// Content-Type without parameters, in lower case.
    package var mediaType: String?
}
