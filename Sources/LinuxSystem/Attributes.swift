internal import CLinux
internal import Glibc

/// Owner, mode and times of a name in an open directory.
extension Directory {
    package static func changeOwner(
        _ name: some SystemPath, in directory: Int32 = currentDirectory, uid: UInt32, gid: UInt32
    ) throws(SystemError) {
        try givingUpOwners { () throws(SystemError) in
            try call("chown", name.shown) {
                name.withCPath { ctr_fchownat(directory, $0, uid, gid, CTR_AT_SYMLINK_NOFOLLOW) }
            }
        }
    }

    package static func changeTimes(
        _ name: some SystemPath, in directory: Int32 = currentDirectory, accessed: Timestamp,
        modified: Timestamp
    ) throws(SystemError) {
        try call("utimensat", name.shown) {
            name.withCPath {
                ctr_utimensat(
                    directory, $0, accessed.seconds, Int(accessed.nanoseconds), modified.seconds,
                    Int(modified.nanoseconds), CTR_AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    /// chmod(2), which follows a link: for names that the caller has made or looked at, where nobody else writes.
    package static func changeMode(_ name: some SystemPath, in directory: Int32, mode: UInt32)
        throws(SystemError)
    {
        try call("chmod", name.shown) { name.withCPath { ctr_fchmodat(directory, $0, mode) } }
    }

    /// The permission bits of a name that is no link, without opening what it names (a device's driver, a FIFO's other end).
    package static func changeModeNoFollow(
        _ name: some SystemPath, in directory: Int32, _ mode: UInt32
    ) throws(SystemError) {
        let place = try FileDescriptor.open(name, in: directory, [.pathOnly, .noFollow])
        let path = "/proc/self/fd/\(place.raw)"
        try call("chmod", name.shown) { path.withCPath { ctr_fchmodat(currentDirectory, $0, mode) } }
    }
}

/// Where there is one id alone (an ordinary user without subordinate ones) everything is its, whoever was meant.
private func givingUpOwners(_ body: () throws(SystemError) -> Void) throws(SystemError) {
    do throws(SystemError) { try body() } catch {
        guard error.errno == EINVAL, UserNamespace.hasOneID else { throw error }
    }
}

/// The same of an open file.
extension FileDescriptor {
    package borrowing func changeOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
        let number = raw
        try givingUpOwners { () throws(SystemError) in
            try call("fchown") { "".withCPath { ctr_fchownat(number, $0, uid, gid, CTR_AT_EMPTY_PATH) } }
        }
    }

    package borrowing func changeMode(_ mode: UInt32) throws(SystemError) {
        let number = raw
        try call("fchmod") { ctr_fchmod(number, mode) }
    }

    /// utimensat(2) on the open file itself (AT_EMPTY_PATH, Linux 5.8).
    package borrowing func changeTimes(accessed: Timestamp, modified: Timestamp) throws(SystemError) {
        let number = raw
        try call("utimensat") {
            "".withCPath {
                ctr_utimensat(
                    number, $0, accessed.seconds, Int(accessed.nanoseconds), modified.seconds,
                    Int(modified.nanoseconds), CTR_AT_EMPTY_PATH)
            }
        }
    }
}
