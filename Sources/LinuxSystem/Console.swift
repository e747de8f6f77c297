internal import CLinux
internal import Glibc
internal import Synchronization

/// This process's stdout and stderr. Data goes to stdout, talk to stderr.
package enum Console {
    private static let pending = Mutex<[UInt8]>([])

    /// Kept until `flush`, so that a table is one write.
    package static func out(_ text: String) {
        pending.withLock { pending in
            pending.append(contentsOf: text.utf8)
            if pending.count > 64 << 10 { drain(&pending) }
        }
    }

    package static func out(_ bytes: [UInt8]) {
        pending.withLock { pending in
            pending.append(contentsOf: bytes)
            if pending.count > 64 << 10 { drain(&pending) }
        }
    }

    /// Answers false where stdout could not take everything (a full disk, a closed pipe).
    @discardableResult
    package static func flush() -> Bool { pending.withLock { drain(&$0) } }

    package static func error(_ text: String) { error(Array(text.utf8)) }

    package static func error(_ bytes: [UInt8]) {
        flush()
        var bytes = bytes
        drain(&bytes, to: 2)
    }

    @discardableResult
    private static func drain(_ bytes: inout [UInt8], to number: Int32 = 1) -> Bool {
        defer { bytes.removeAll(keepingCapacity: true) }
        var done = 0
        while done < bytes.count {
            let n = bytes.withUnsafeBytes {
                ctr_write(number, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if n == -Int(EAGAIN) {
                _ = try? FileDescriptor.wait(for: number, write: true)
            } else if n != -Int(EINTR) {
                if n <= 0 { return false }
                done += n
            }
        }
        return true
    }
}
