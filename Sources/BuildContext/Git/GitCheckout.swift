package import LinuxSystem

/// The files of a commit, on the disk.
package struct GitCheckout: Sendable {
    /// The subdirectory that was asked for, else the whole work tree.
    package let directory: SharedFileDescriptor
    package let commit: String
    /// The committer's, in seconds since 1970.
    package let time: Int64
}
