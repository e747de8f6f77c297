internal import CLinux
internal import Glibc

/// A flock(2) on a file of its own: the kernel lets go of it when its process dies. Held while the value lives.
package struct FileLock: ~Copyable {
    package enum Mode: Sendable { case shared, exclusive }

    private let file: FileDescriptor

    /// Waits for the lock. The file is made where it is missing.
    package init(_ name: String, in directory: Int32 = currentDirectory, _ mode: Mode) throws(SystemError) {
        file = try FileLock.take(name, in: directory, mode.operation)
    }

    private init(file: consuming FileDescriptor) { self.file = file }

    /// nil where another process holds it.
    package static func attempt(_ name: String, in directory: Int32 = currentDirectory, _ mode: Mode)
        throws(SystemError) -> FileLock?
    {
        do throws(SystemError) {
            return FileLock(file: try take(name, in: directory, mode.operation | CTR_LOCK_NB))
        } catch {
            if error.errno == EWOULDBLOCK { return nil }
            throw error
        }
    }

    /// Lets go of it for every holder of a copy of the descriptor; closing it would for this one alone.
    package borrowing func letGo() {
        _ = ctr_flock(file.raw, Int32(CTR_LOCK_UN))
    }

    /// The number of the locked file, to pass to a child that is to hold the lock on.
    package var raw: Int32 { file.raw }

    private static func take(_ name: String, in directory: Int32, _ operation: Int) throws(SystemError)
        -> FileDescriptor
    {
        while true {
            let file = try FileDescriptor.open(name, in: directory, [.readWrite, .create, .noFollow])
            let number = file.raw
            try call("flock", name) { ctr_flock(number, Int32(operation)) }
            // Whoever held it may have removed the file meanwhile: a lock on a file without its name protects nothing.
            let held = try file.status()
            if let named = try? FileDescriptor.status(name, in: directory), named.inode == held.inode,
                named.device == held.device
            {
                return file
            }
        }
    }
}

extension FileLock.Mode {
    fileprivate var operation: Int { self == .shared ? CTR_LOCK_SH : CTR_LOCK_EX }
}
