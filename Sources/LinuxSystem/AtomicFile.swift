internal import CLinux
internal import Glibc

/// Files that are whole or absent, whatever kills the process or the power.
package enum AtomicFile {
    /// Writes beside the name, syncs, renames over it, syncs the directory. `durable: false` (run-time state on a
    /// tmpfs) leaves the syncs out; the file is still never seen half-written.
    package static func write(
        _ bytes: [UInt8], to name: String, in directory: Int32, mode: UInt32 = 0o600, durable: Bool = true,
        replace: Bool = true
    ) throws(SystemError) {
        let temporary = ".\(name).\(randomHex(bytes: 6))"
        let file = try FileDescriptor.open(
            temporary, in: directory, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
        do throws(SystemError) {
            try file.write(bytes)
            if durable { try file.synchronizeData() }
            failpoint("atomic.rename")
            try Directory.rename(temporary, in: directory, to: name, in: directory, replace: replace)
        } catch {
            try? Directory.removeFile(temporary, in: directory)
            throw error
        }
        if durable { try synchronize(directory: directory) }
    }

    /// fsync of a directory: the names made, renamed and removed in it so far survive a power cut.
    package static func synchronize(directory: Int32) throws(SystemError) {
        if directory == currentDirectory {
            try FileDescriptor.open(".", [.readOnly, .directory]).synchronize()
        } else {
            let listing = try FileDescriptor.open(".", in: directory, [.readOnly, .directory])
            try listing.synchronize()
        }
    }

    /// nil where there is no such file.
    package static func read(
        _ name: some SystemPath, in directory: Int32 = currentDirectory, limit: Int = 16 << 20
    )
        throws(SystemError) -> [UInt8]?
    {
        do throws(SystemError) {
            return try FileDescriptor.open(name, in: directory, [.readOnly, .nonBlocking]).readAll(
                limit: limit)
        } catch {
            if error.errno == ENOENT { return nil }
            throw SystemError(call: error.call, path: name.shown, errno: error.errno)
        }
    }
}

/// From getrandom(2), as lower-case hex.
package func randomHex(bytes count: Int) -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
        let got = bytes.withUnsafeMutableBytes {
            ctr_getrandom($0.baseAddress.map { $0 + filled }, count - filled)
        }
        if got > 0 { filled += got }
    }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
