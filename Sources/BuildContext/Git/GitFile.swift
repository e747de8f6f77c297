internal import Failure
internal import LinuxSystem

/// Files of a repository, which may be a stranger's: no FIFO is waited for, no size is believed.
enum GitFile {
    /// nil where there is no such regular file.
    static func open(_ path: RawPath, in directory: Int32) throws(Failure) -> SharedFileDescriptor? {
        guard let file = try found(path, in: directory, [.readOnly, .nonBlocking]) else { return nil }
        let kind = try during("look at \(path.shown)") { () throws(SystemError) in
            try FileDescriptor.status("", in: file.raw, emptyPath: true).kind
        }
        return kind == .file ? file : nil
    }

    /// nil where there is no such regular file. More than `limit` bytes are an error.
    static func read(_ path: RawPath, in directory: Int32, limit: Int) throws(Failure) -> [UInt8]? {
        guard let file = try open(path, in: directory) else { return nil }
        return try during("read \(path.shown)") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                try file.readAll(limit: limit)
            }
        }
    }

    /// nil where there is no such directory.
    static func directory(_ path: RawPath, in directory: Int32) throws(Failure) -> SharedFileDescriptor? {
        // An empty path or one with a NUL is none that git would write.
        guard !path.bytes.isEmpty, !path.bytes.contains(0) else { return nil }
        return try found(path, in: directory, [.readOnly, .directory])
    }

    private static func found(
        _ path: RawPath, in directory: Int32, _ flags: FileDescriptor.OpenFlags
    ) throws(Failure) -> SharedFileDescriptor? {
        do throws(SystemError) {
            return SharedFileDescriptor(try FileDescriptor.open(path, in: directory, flags))
        } catch {
            // Nothing of that name, or (ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG) something that it cannot be.
            if error.code == .notFound || error.code == .invalidArgument { return nil }
            throw error.failure("open \(path.shown)")
        }
    }

    /// Up to `count` bytes from an offset; fewer only at the file's end.
    static func bytes(of file: SharedFileDescriptor, at offset: Int64, count: Int) throws(Failure) -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            var failed: SystemError?
            var got = 0
            bytes.withUnsafeMutableBytes { buffer in
                do throws(SystemError) {
                    got = try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                        try file.read(
                            into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]),
                            at: offset + Int64(done))
                    }
                } catch { failed = error }
            }
            if let failed { throw failed.failure("read an object") }
            if got == 0 { break }
            done += got
        }
        return done == count ? bytes : Array(bytes[..<done])
    }

    /// As `bytes`, all of them.
    static func exactly(_ count: Int, of file: SharedFileDescriptor, at offset: Int64) throws(Failure)
        -> [UInt8]
    {
        let bytes = try bytes(of: file, at: offset, count: count)
        guard bytes.count == count else { throw Failure(.dataLoss, "a pack or its index is cut short") }
        return bytes
    }

    /// The first line, without the spaces at its end.
    static func line(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        while let last = line.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: " ") {
            line.removeLast()
        }
        return Array(line)
    }
}
