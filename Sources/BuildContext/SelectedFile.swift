package import LinuxSystem

/// One file of a selection, in the order of a walk: a directory stands before what is in it.
package struct SelectedFile: Sendable {
    /// The name in its directory; `.` for a directory whose contents are the source.
    package let name: RawPath
    /// The place of its directory among the part's files; -1 at the top of a part.
    package let parent: Int
    package let status: FileStatus
    /// The place of the first of the part's files that is the same inode; nil for that one itself.
    package let linkedTo: Int?
    /// A directory that is here only for what is in it, because patterns leave itself out.
    package let isImplied: Bool

    /// The directory whose contents are the source.
    var isTop: Bool { name.bytes.count == 1 && name.bytes[0] == UInt8(ascii: ".") }

    init(name: RawPath, parent: Int, status: FileStatus, linkedTo: Int? = nil, isImplied: Bool = false) {
        self.name = name
        self.parent = parent
        self.status = status
        self.linkedTo = linkedTo
        self.isImplied = isImplied
    }
}
