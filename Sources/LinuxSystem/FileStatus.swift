internal import CLinux
internal import Glibc

/// What fstatat(2) tells of a file.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable {
        case file, directory, symlink, characterDevice, blockDevice, fifo, socket
    }

    package let device, inode, links, size: UInt64
    /// Allocated, in blocks of 512 bytes.
    package let blocks: UInt64
    /// Type and permission bits as in st_mode.
    package let mode: UInt32
    package var uid, gid: UInt32
    package let deviceMajor, deviceMinor: UInt32
    package let modified, changed, accessed: Timestamp

    package var permissions: UInt32 { mode & 0o7777 }

    package var kind: Kind {
        switch mode & 0o170000 {
        case 0o040000: .directory
        case 0o120000: .symlink
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        case 0o010000: .fifo
        case 0o140000: .socket
        default: .file
        }
    }
}

/// Seconds and nanoseconds since 1970 UTC.
package struct Timestamp: Sendable, Hashable, Comparable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func now() -> Timestamp {
        let ns = ctr_clock_ns(0)
        return Timestamp(seconds: ns / 1_000_000_000, nanoseconds: UInt32(ns % 1_000_000_000))
    }

    package var nanosecondsSinceEpoch: Int64 { seconds * 1_000_000_000 + Int64(nanoseconds) }

    package init(nanosecondsSinceEpoch ns: Int64) {
        // Before 1970 too the nanoseconds count forwards.
        let rest = ns % 1_000_000_000
        seconds = ns / 1_000_000_000 - (rest < 0 ? 1 : 0)
        nanoseconds = UInt32(rest < 0 ? rest + 1_000_000_000 : rest)
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
package func monotonicNanoseconds() -> Int64 { ctr_clock_ns(1) }

extension FileDescriptor {
    package borrowing func status() throws(SystemError) -> FileStatus {
        try FileDescriptor.status("", in: raw, follow: true, emptyPath: true)
    }

    package static func status(
        _ path: some SystemPath, in directory: Int32 = currentDirectory, follow: Bool = false,
        emptyPath: Bool = false
    ) throws(SystemError) -> FileStatus {
        var s = ctr_stat()
        let flags =
            (follow ? 0 : CTR_AT_SYMLINK_NOFOLLOW) | (emptyPath ? CTR_AT_EMPTY_PATH : 0)
        try call("stat", path.shown) {
            path.withCPath { ctr_fstatat(directory, $0, flags, &s) }
        }
        return FileStatus(
            device: s.device, inode: s.inode, links: s.links, size: s.size, blocks: s.blocks, mode: s.mode,
            uid: s.uid, gid: s.gid, deviceMajor: s.rdev_major, deviceMinor: s.rdev_minor,
            modified: Timestamp(seconds: s.mtime, nanoseconds: s.mtime_ns),
            changed: Timestamp(seconds: s.ctime, nanoseconds: s.ctime_ns),
            accessed: Timestamp(seconds: s.atime, nanoseconds: s.atime_ns))
    }

    /// Whether the name is there, without following a link at its end.
    package static func exists(_ path: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError) -> Bool
    {
        do throws(SystemError) {
            _ = try status(path, in: directory)
            return true
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return false }
            throw error
        }
    }
}
