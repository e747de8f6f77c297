internal import Failure
internal import LinuxSystem
enum ArchiveUnpacking {
    static func isArchive(_ file: SharedFileDescriptor) -> Bool { false }
    static func unpack(
        _ file: SharedFileDescriptor, into directory: Int32, shown: String,
        owner: (uid: UInt32?, gid: UInt32?)
    ) throws(Failure) {}
}
