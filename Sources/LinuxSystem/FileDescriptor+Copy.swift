internal import CLinux
internal import Glibc

extension FileDescriptor {
    /// Copies the bytes of `source` into this new, empty file: shared by reference where the file system can (FICLONE),
    /// else inside the kernel (copy_file_range(2)), else through memory. Holes stay holes.
    package borrowing func copyContents(of source: borrowing FileDescriptor, size: Int64) throws(SystemError)
    {
        let from = source.raw
        let to = raw
        if size == 0 || ctr_ficlone(to, from) >= 0 { return }
        var offset: Int64 = 0
        while offset < size {
            let start = try FileDescriptor.seekData(from, offset, size)
            guard start < size else { break }
            let end = try FileDescriptor.seekHole(from, start, size)
            try source.seek(to: start)
            try seek(to: start)
            try copyRange(of: source, count: Int(end - start))
            offset = end
        }
        try truncate(to: size)
    }

    private static func seekData(_ file: Int32, _ offset: Int64, _ size: Int64) throws(SystemError) -> Int64 {
        do throws(SystemError) {
            return Int64(try call("lseek") { ctr_lseek(file, offset, 3) })
        } catch {
            // Nothing but a hole up to the end; a file system without holes answers EINVAL.
            if error.errno == ENXIO { return size }
            if error.errno == EINVAL { return offset }
            throw error
        }
    }

    private static func seekHole(_ file: Int32, _ offset: Int64, _ size: Int64) throws(SystemError) -> Int64 {
        do throws(SystemError) {
            return min(size, Int64(try call("lseek") { ctr_lseek(file, offset, 4) }))
        } catch {
            if error.errno == EINVAL { return size }
            throw error
        }
    }

    private borrowing func copyRange(of source: borrowing FileDescriptor, count: Int) throws(SystemError) {
        let from = source.raw
        let to = raw
        var left = count
        while left > 0 {
            let done: Int
            do throws(SystemError) {
                done = try call("copy_file_range") { ctr_copy_file_range(from, to, left) }
            } catch {
                guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF].contains(error.errno) else { throw error }
                return try copyThroughMemory(of: source, count: left)
            }
            // Shorter than it was when its size was asked.
            if done == 0 { return }
            left -= done
        }
    }

    private borrowing func copyThroughMemory(of source: borrowing FileDescriptor, count: Int)
        throws(SystemError)
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var left = count
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(left, buffer.count)])
            let done = try source.read(into: piece)
            if done == 0 { return }
            try write(UnsafeRawBufferPointer(rebasing: piece[..<done]))
            left -= done
        }
    }

    /// Copies up to `size` bytes in the kernel from this file's position to the other's (copy_file_range(2));
    /// 0 at the end.
    package borrowing func copyRange(to other: Int32, size: Int) throws(SystemError) -> Int {
        let number = raw
        return try call("copy_file_range") { ctr_copy_file_range(number, other, size) }
    }
}
