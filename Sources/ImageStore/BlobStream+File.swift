internal import Failure
package import LinuxSystem
package import OCI
internal import Synchronization

extension BlobStream {
    /// A file's bytes in pieces of 1 MiB, from a position that is not behind its end.
    package init(file: consuming FileDescriptor, from offset: UInt64, named name: String) {
        let file = SharedFileDescriptor(file)
        let position = Mutex(Int64(clamping: offset))
        self.init(offset: offset) { () throws(Failure) in
            let at = position.withLock { $0 }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            var failed: SystemError?
            var got = 0
            bytes.withUnsafeMutableBytes { buffer in
                do throws(SystemError) {
                    got = try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                        try file.read(into: buffer, at: at)
                    }
                } catch {
                    failed = error
                }
            }
            if let failed { throw failed.failure("read \(name)") }
            guard got > 0 else { return nil }
            position.withLock { $0 += Int64(got) }
            bytes.removeLast(bytes.count - got)
            return bytes
        }
    }
}
