internal import CLibArchive
internal import Failure

/// What an archive of ADD or a context may be wrapped in, and no layer: libarchive unwraps it, in this process. Its
/// filters that start a program are refused.
package enum ForeignCompression: String, Sendable {
    case bzip2, xz

    /// By the stream's first bytes.
    package static func detect(_ first: some Collection<UInt8>) -> ForeignCompression? {
        if first.starts(with: [0x42, 0x5a, 0x68]) { return .bzip2 }
        if first.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) { return .xz }
        return nil
    }

    func unwrap(_ archive: OpaquePointer) throws(Failure) {
        let answer =
            switch self {
            case .bzip2: archive_read_support_filter_bzip2(archive)
            case .xz: archive_read_support_filter_xz(archive)
            }
        // A warning: libarchive would look for a program of that name.
        guard answer == ARCHIVE_OK else {
            throw Failure(.unsupported, "\(rawValue) compression is not supported here")
        }
    }
}
