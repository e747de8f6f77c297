internal import CLinux

extension FileDescriptor {
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

    /// All of it at an offset, however many calls it takes.
    package borrowing func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
        let number = raw
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try call("pwrite") {
                ctr_pwrite(number, rest.baseAddress, rest.count, offset + Int64(done))
            }
        }
    }

    /// Copies up to `size` bytes in the kernel from this file's position to the other's (copy_file_range(2));
    /// 0 at the end.
    package borrowing func copyRange(to other: Int32, size: Int) throws(SystemError) -> Int {
        let number = raw
        return try call("copy_file_range") { ctr_copy_file_range(number, other, size) }
    }
}

extension Directory {
    /// chmod of a name that is no symlink, through the open directory it is in.
    package static func changeMode(_ name: some SystemPath, in directory: Int32, mode: UInt32)
        throws(SystemError)
    {
        try call("chmod", name.shown) { name.withCPath { ctr_fchmodat(directory, $0, mode) } }
    }
}
