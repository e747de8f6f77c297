package import LinuxSystem

/// How COPY and ADD write what they have selected.
package struct CopyOptions: Sendable {
    /// Both nil: the sources' own.
    package var uid, gid: UInt32?
    /// `--chmod`: octal or symbolic; nil: the sources' own.
    package var mode: ModeChange?
    /// Every file's modification time; nil: the sources' own.
    package var modified: Timestamp?
    /// Archives (tar, plain or compressed) are unpacked instead of copied.
    package var unpacksArchives = false

    package init() {}
}
