internal import CLinux
internal import Glibc

extension FileDescriptor {
    /// Up to the buffer's size; 0 at the end.
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        let number = raw
        return try call("read") { ctr_read(number, buffer.baseAddress, buffer.count) }
    }

    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64)
        throws(SystemError) -> Int
    {
        let number = raw
        return try call("pread") { ctr_pread(number, buffer.baseAddress, buffer.count, offset) }
    }

    /// All of it, however many calls it takes.
    package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        let number = raw
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try call("write") { ctr_write(number, rest.baseAddress, rest.count) }
        }
    }

    package borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
        // withUnsafeBytes rethrows untyped; the error is carried out by hand.
        var failed: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try write(buffer) } catch { failed = error }
        }
        if let failed { throw failed }
    }

    package borrowing func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

    /// Everything up to `limit` bytes; more than that is EFBIG, so that a stranger's file cannot fill memory.
    package borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        let expected = Int(min(try status().size, UInt64(limit)))
        var chunk = [UInt8](repeating: 0, count: max(4096, min(expected + 1, 1 << 20)))
        while true {
            var failed: SystemError?
            var got = 0
            chunk.withUnsafeMutableBytes { buffer in
                do throws(SystemError) { got = try read(into: buffer) } catch { failed = error }
            }
            if let failed { throw failed }
            if got == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<got])
            // A regular file that was read to its size; those of /proc have none and are read until they end.
            if bytes.count == expected, expected < chunk.count { return bytes }
            if bytes.count > limit { throw SystemError(call: "read", path: nil, errno: EFBIG) }
        }
    }

    /// lseek(2); whence 0 from the start, 1 from here, 2 from the end.
    @discardableResult
    package borrowing func seek(to offset: Int64, whence: Int32 = 0) throws(SystemError) -> Int64 {
        let number = raw
        return Int64(try call("lseek") { ctr_lseek(number, offset, whence) })
    }

    package borrowing func truncate(to size: Int64) throws(SystemError) {
        let number = raw
        try call("ftruncate") { ctr_ftruncate(number, size) }
    }

    /// fsync(2): the file's bytes and metadata are on the disk when it returns.
    package borrowing func synchronize() throws(SystemError) {
        let number = raw
        try call("fsync") { ctr_fsync(number) }
    }

    package borrowing func synchronizeData() throws(SystemError) {
        let number = raw
        try call("fdatasync") { ctr_fdatasync(number) }
    }

    /// syncfs(2): everything written to this descriptor's file system is on the disk when it returns.
    package borrowing func synchronizeFileSystem() throws(SystemError) {
        let number = raw
        try call("syncfs") { ctr_syncfs(number) }
    }

    package borrowing func setNonBlocking(_ on: Bool) throws(SystemError) {
        let number = raw
        try call("fcntl") { ctr_set_nonblock(number, on ? 1 : 0) }
    }

    package borrowing func setCloseOnExec(_ on: Bool) throws(SystemError) {
        let number = raw
        try call("fcntl") { ctr_set_cloexec(number, on ? 1 : 0) }
    }

    /// The file system's magic number (statfs(2)), e.g. 0x9fa0 for procfs.
    package borrowing func fileSystemType() throws(SystemError) -> Int {
        let number = raw
        return try call("fstatfs") { ctr_statfs_type(number) }
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
}
