internal import Archive
internal import Failure
internal import Layers
internal import LinuxSystem

/// Archives that ADD unpacks and contexts come as: tar, plain or in gzip, bzip2, xz or zstd, told by their contents.
enum ArchiveUnpacking {
    /// Whether the file begins as an archive with at least one entry does. Leaves it at its beginning.
    static func isArchive(_ file: SharedFileDescriptor) throws(SystemError) -> Bool {
        var isArchive = false
        do throws(Failure) {
            isArchive = try TarInput(file.raw, foreign: true).reader().next() != nil
        } catch {
            // Whatever is wrong with it, it is not the beginning of an archive.
        }
        try FileDescriptor.withBorrowed(file.raw) { (opened) throws(SystemError) in _ = try opened.seek(to: 0)
        }
        return isArchive
    }

    /// Unpacks into an open directory. Owners are the archive's unless given.
    static func unpack(
        _ file: Int32, into directory: Int32, owner: (uid: UInt32?, gid: UInt32?) = (nil, nil)
    ) throws(Failure) {
        let reader = try TarInput(file, foreign: true).reader()
        try LayerApplier.unpackArchive(reader, into: directory, uid: owner.uid, gid: owner.gid)
    }
}
