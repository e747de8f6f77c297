internal import CLinux
internal import Glibc

/// Copies the contents of many files, with as few calls for each as its size and shape allow. Not for several threads at
/// once.
package final class ContentCopier {
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
    /// What the file systems have refused is not asked of them again.
    private var shares = true
    private var copiesInside = true

    package init() {}

    deinit { buffer.deallocate() }

    /// Into an empty file; both are at their beginnings. `status` is the source's.
    package func copy(
        _ source: borrowing FileDescriptor, _ status: FileStatus, to target: borrowing FileDescriptor
    ) throws(SystemError) {
        let size = Int64(clamping: status.size)
        if size == 0 { return }
        let from = source.raw
        let to = target.raw
        // Fewer blocks than bytes: there are holes, which stay holes.
        guard status.blocks &* 512 >= status.size else {
            return try target.copyContents(of: source, size: size)
        }
        if size > buffer.count {
            if shares {
                if ctr_ficlone(to, from) >= 0 { return }
                shares = false
            }
            if copiesInside, try copyInside(from, to, size) { return }
        }
        while true {
            let done = try source.read(into: buffer)
            if done == 0 { return }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<done]))
            // The whole of a small file came in one piece, and there is no need to ask for its end.
            if done == size { return }
        }
    }

    /// False where the kernel does not copy between these two.
    private func copyInside(_ from: Int32, _ to: Int32, _ size: Int64) throws(SystemError) -> Bool {
        var left = Int(size)
        while left > 0 {
            do throws(SystemError) {
                let done = try call("copy_file_range") { ctr_copy_file_range(from, to, left) }
                // Shorter than it was when its size was asked.
                if done == 0 { return true }
                left -= done
            } catch {
                guard left == Int(size), [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF].contains(error.errno)
                else { throw error }
                copiesInside = false
                return false
            }
        }
        return true
    }
}
