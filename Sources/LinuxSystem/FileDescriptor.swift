internal import CLinux
internal import Glibc

/// The owner of an open file: closed when its owner goes. Always close-on-exec.
package struct FileDescriptor: ~Copyable {
    package let raw: Int32

    /// Takes over a descriptor that is open.
    package init(owning raw: Int32) { self.raw = raw }

    deinit { if raw >= 0 { _ = ctr_close(raw) } }

    /// Gives the number away: who takes it closes it.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// Closes and reports what a write-back error only tells here.
    package consuming func close() throws(SystemError) {
        let number = release()
        // Linux has closed the number whatever close answers; EINTR must not be retried.
        let answer = ctr_close(number)
        if answer < 0, answer != -Int(EINTR) {
            throw SystemError(call: "close", path: nil, errno: Int32(-answer))
        }
    }
}

extension FileDescriptor {
    /// The two ends of a pipe (first is read, second written) or of a socket pair.
    package struct Pair: ~Copyable {
        package var first: FileDescriptor
        package var second: FileDescriptor
    }
}

/// Several owners of one open file; closed when the last goes. For collections and tasks.
package final class SharedFileDescriptor: Sendable {
    package let raw: Int32

    package init(_ descriptor: consuming FileDescriptor) { raw = descriptor.release() }

    deinit { _ = ctr_close(raw) }

    package func duplicate() throws(SystemError) -> FileDescriptor {
        try FileDescriptor.withBorrowed(raw) { (file) throws(SystemError) in try file.duplicate() }
    }
}

/// The current directory, where a call wants a directory's number (AT_FDCWD).
package let currentDirectory: Int32 = -100

extension FileDescriptor {
    /// How a path is resolved (openat2(2)).
    package struct Resolve: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        /// Not SetAlgebra's: that one is generic, and looks its types up at run time.
        package init(arrayLiteral elements: Resolve...) {
            var value: UInt64 = 0
            for element in elements { value |= element.rawValue }
            rawValue = value
        }
        package static let noCrossDevice = Resolve(rawValue: UInt64(CTR_RESOLVE_NO_XDEV))
        package static let noMagicLinks = Resolve(rawValue: UInt64(CTR_RESOLVE_NO_MAGICLINKS))
        package static let noSymlinks = Resolve(rawValue: UInt64(CTR_RESOLVE_NO_SYMLINKS))
        /// Leaving the directory is an error.
        package static let beneath = Resolve(rawValue: UInt64(CTR_RESOLVE_BENEATH))
        /// The directory is `/` for the path, its symlinks and its `..`.
        package static let inRoot = Resolve(rawValue: UInt64(CTR_RESOLVE_IN_ROOT))
    }

    package struct OpenFlags: OptionSet, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        /// As of `Resolve`.
        package init(arrayLiteral elements: OpenFlags...) {
            var value: Int32 = 0
            for element in elements { value |= element.rawValue }
            rawValue = value
        }
        package static let readOnly: OpenFlags = []
        package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
        package static let readWrite = OpenFlags(rawValue: O_RDWR)
        package static let create = OpenFlags(rawValue: O_CREAT)
        package static let exclusive = OpenFlags(rawValue: O_EXCL)
        package static let truncate = OpenFlags(rawValue: O_TRUNC)
        package static let append = OpenFlags(rawValue: O_APPEND)
        package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
        package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
        package static let directory = OpenFlags(rawValue: CTR_O_DIRECTORY)
        package static let noFollow = OpenFlags(rawValue: CTR_O_NOFOLLOW)
        /// Names the file without opening it.
        package static let pathOnly = OpenFlags(rawValue: CTR_O_PATH)
    }

    /// openat2(2). `mode` is for files that this call makes.
    package static func open(
        _ path: some SystemPath, in directory: Int32 = currentDirectory, _ flags: OpenFlags = .readOnly,
        mode: UInt32 = 0o600, resolve: Resolve = []
    ) throws(SystemError) -> FileDescriptor {
        let raw = try call("open", path.shown) {
            path.withCPath {
                ctr_openat2(
                    directory, $0, UInt64(flags.rawValue | CTR_O_CLOEXEC),
                    flags.contains(.create) ? UInt64(mode) : 0, resolve.rawValue)
            }
        }
        return FileDescriptor(owning: Int32(raw))
    }

    package borrowing func duplicate(atLeast minimum: Int32 = 3) throws(SystemError) -> FileDescriptor {
        let number = raw
        return FileDescriptor(owning: Int32(try call("dup") { ctr_dup_cloexec(number, minimum) }))
    }

    /// pipe2(2).
    package static func pipe(nonBlocking: Bool = false) throws(SystemError) -> Pair {
        var ends: (Int32, Int32) = (0, 0)
        try call("pipe") {
            withUnsafeMutableBytes(of: &ends) {
                ctr_pipe2(
                    $0.assumingMemoryBound(to: Int32.self).baseAddress,
                    CTR_O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0))
            }
        }
        return Pair(first: FileDescriptor(owning: ends.0), second: FileDescriptor(owning: ends.1))
    }

    /// A file without a name, gone with its last descriptor.
    package static func memory(_ name: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: Int32(try call("memfd_create", name) { ctr_memfd_create(name, 1) }))
    }
}

extension FileDescriptor {
    /// A copy under this very number, which stays open when the process becomes another program.
    package borrowing func becomeNumber(_ number: Int32) throws(SystemError) {
        let own = raw
        if own == number { return try setCloseOnExec(false) }
        try call("dup3") { ctr_dup3(own, number, 0) }
    }
}

extension FileDescriptor {
    /// The calls of an open file that another owns; it stays open.
    package static func withBorrowed<R: ~Copyable, E: Error>(
        _ number: Int32, _ body: (borrowing FileDescriptor) throws(E) -> R
    ) throws(E) -> R {
        let borrowed = FileDescriptor(owning: number)
        do throws(E) {
            let answer = try body(borrowed)
            _ = borrowed.release()
            return answer
        } catch {
            _ = borrowed.release()
            throw error
        }
    }
}
