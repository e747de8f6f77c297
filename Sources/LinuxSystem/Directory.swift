internal import CLinux
internal import Glibc

/// Names below a directory that is given by its descriptor. No path is joined, no final link followed.
package enum Directory {
    package static func make(
        _ name: some SystemPath, in directory: Int32 = currentDirectory, mode: UInt32 = 0o700
    )
        throws(SystemError)
    {
        try call("mkdir", name.shown) { name.withCPath { ctr_mkdirat(directory, $0, mode) } }
    }

    /// Makes it unless it is there; answers whether this call made it.
    @discardableResult
    package static func ensure(
        _ name: some SystemPath, in directory: Int32 = currentDirectory, mode: UInt32 = 0o700
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try make(name, in: directory, mode: mode)
            return true
        } catch {
            if error.errno == EEXIST { return false }
            throw error
        }
    }

    /// A trusted path of our own (`/var/lib/ctr/…`) with all its parents.
    package static func ensurePath(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        do throws(SystemError) {
            try ensure(path, mode: mode)
        } catch {
            guard error.errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw error
            }
            try ensurePath(String(path[..<slash]), mode: 0o755)
            try ensure(path, mode: mode)
        }
    }

    package static func open(_ name: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError) -> FileDescriptor
    {
        try FileDescriptor.open(name, in: directory, [.readOnly, .directory, .noFollow])
    }

    package static func rename(
        _ from: some SystemPath, in fromDirectory: Int32 = currentDirectory, to: some SystemPath,
        in toDirectory: Int32 = currentDirectory, replace: Bool = true
    ) throws(SystemError) {
        try call("rename", from.shown) {
            from.withCPath { old in
                to.withCPath { new in
                    ctr_renameat2(
                        fromDirectory, old, toDirectory, new, replace ? 0 : UInt32(CTR_RENAME_NOREPLACE))
                }
            }
        }
    }

    package static func removeFile(_ name: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError)
    {
        try call("unlink", name.shown) { name.withCPath { ctr_unlinkat(directory, $0, 0) } }
    }

    package static func removeEmpty(_ name: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError)
    {
        try call("rmdir", name.shown) { name.withCPath { ctr_unlinkat(directory, $0, CTR_AT_REMOVEDIR) } }
    }

    package static func link(
        _ from: some SystemPath, in fromDirectory: Int32 = currentDirectory, to: some SystemPath,
        in toDirectory: Int32 = currentDirectory
    ) throws(SystemError) {
        try call("link", to.shown) {
            from.withCPath { old in to.withCPath { ctr_linkat(fromDirectory, old, toDirectory, $0, 0) } }
        }
    }

    package static func symlink(
        _ target: some SystemPath, at name: some SystemPath, in directory: Int32 = currentDirectory
    ) throws(SystemError) {
        try call("symlink", name.shown) {
            target.withCPath { old in name.withCPath { ctr_symlinkat(old, directory, $0) } }
        }
    }

    package static func readLink(_ name: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError) -> RawPath
    {
        var buffer = [CChar](repeating: 0, count: 4096)
        let n = try call("readlink", name.shown) {
            name.withCPath { ctr_readlinkat(directory, $0, &buffer, buffer.count) }
        }
        return RawPath(buffer[..<n].map { UInt8(bitPattern: $0) })
    }

    /// mknod(2) with type and permission bits in `mode`.
    package static func makeNode(
        _ name: some SystemPath, in directory: Int32, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(SystemError) {
        try call("mknod", name.shown) { name.withCPath { ctr_mknodat(directory, $0, mode, major, minor) } }
    }
}

extension Directory {
    package struct Entry: Sendable {
        package let name: RawPath
        /// nil where the file system does not tell without a stat.
        package let kind: FileStatus.Kind?
    }

    /// The names in a directory, without `.` and `..`, in the kernel's order.
    package static func entries(of directory: borrowing FileDescriptor) throws(SystemError) -> [Entry] {
        let number = directory.raw
        var entries: [Entry] = []
        try call("lseek") { ctr_lseek(number, 0, 0) }
        let room = 64 << 10
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let size = try call("getdents") { ctr_getdents64(number, buffer, room) }
            if size == 0 { return entries }
            var at = 0
            while at < size {
                // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name…
                let length = Int(buffer.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
                let type = buffer.load(fromByteOffset: at + 18, as: UInt8.self)
                let start = buffer + at + 19
                let name = UnsafeRawBufferPointer(
                    start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))
                at += length
                if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { continue }
                entries.append(Entry(name: RawPath(Array(name)), kind: kind(ofDirentType: type)))
            }
        }
    }

    private static func kind(ofDirentType type: UInt8) -> FileStatus.Kind? {
        switch type {
        case 1: .fifo
        case 2: .characterDevice
        case 4: .directory
        case 6: .blockDevice
        case 8: .file
        case 10: .symlink
        case 12: .socket
        default: nil
        }
    }

    /// Names as text, sorted; for directories whose names are ours.
    package static func names(in directory: borrowing FileDescriptor) throws(SystemError) -> [String] {
        try entries(of: directory).map { String(decoding: $0.name.bytes, as: UTF8.self) }.sorted()
    }

    /// Removes a name and everything below it, without following a link or leaving the tree. A name that is gone
    /// already is no error.
    package static func removeTree(_ name: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError)
    {
        do throws(SystemError) {
            try removeFile(name, in: directory)
            return
        } catch {
            if error.errno == ENOENT { return }
            guard error.errno == EISDIR || error.errno == EPERM else { throw error }
        }
        try removeChildren(of: try open(name, in: directory))
        try removeEmpty(name, in: directory)
    }

    /// Depth is bounded by descriptors, not by the stack: a tree of thousands of levels is taken apart from below
    /// by moving deep subdirectories up to the top first.
    package static func removeChildren(of top: borrowing FileDescriptor) throws(SystemError) {
        var moved: UInt64 = 0
        while true {
            try removeChildren(of: top.raw, root: top.raw, depth: 0, moved: &moved)
            if try entries(of: top).isEmpty { return }
        }
    }

    private static func removeChildren(of directory: Int32, root: Int32, depth: Int, moved: inout UInt64)
        throws(SystemError)
    {
        let listing = try FileDescriptor.open(".", in: directory, [.readOnly, .directory])
        for entry in try entries(of: listing) {
            if entry.kind != .directory {
                do throws(SystemError) {
                    try removeFile(entry.name, in: directory)
                    continue
                } catch {
                    if error.errno == ENOENT { continue }
                    guard error.errno == EISDIR || error.errno == EPERM else { throw error }
                }
            }
            if depth >= 128 {
                try rename(entry.name, in: directory, to: ".deep-\(moved)", in: root, replace: false)
                moved += 1
                continue
            }
            let child = try open(entry.name, in: directory)
            try removeChildren(of: child.raw, root: root, depth: depth + 1, moved: &moved)
            try removeEmpty(entry.name, in: directory)
        }
    }
}
