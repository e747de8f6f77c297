package import Failure
package import LinuxSystem

/// Writes directory trees into a tar, by descriptors and without following a link: names sorted by their bytes,
/// hard links kept, sockets left out. What changes while it is read (a file that shrinks) is padded, so the tar
/// stays whole.
package final class TarTree {
    private let writer: TarWriter
    private var seen: [Inode: RawPath] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

    /// The directory that a tree begins with, and below which deep ones are opened anew.
    private var anchor = FileDescriptor(owning: -1)
    /// One descriptor a level is held down to here only: a container may nest deeper than a process may open.
    private let heldLevels = 64

    private struct Inode: Hashable { let device, number: UInt64 }

    /// Whether a file is written; false for a directory leaves out all that is below it.
    package var includes: (RawPath, FileStatus) -> Bool = { _, _ in true }
    /// Whether an extended attribute is written.
    package var includesAttribute: (String) -> Bool = { _ in true }
    /// Who an entry belongs to.
    package var owner: (FileStatus) -> (uid: UInt32, gid: UInt32) = { ($0.uid, $0.gid) }
    /// Entries that follow a directory's own, made from the directory (open), its path and what is in it.
    package var extra: (Int32, RawPath, [Directory.Entry]) throws(Failure) -> [TarEntry] = { _, _, _ in [] }

    package init(_ writer: TarWriter) { self.writer = writer }

    deinit { buffer.deallocate() }

    /// A name and everything below it, as `path` in the tar. An empty `path` is the tar's root: a directory's
    /// children then stand at the top, without an entry for itself.
    package func add(_ name: RawPath, in directory: Int32, as path: RawPath) throws(Failure) {
        do {
            guard try FileDescriptor.status(name, in: directory).kind == .directory else {
                return try visit(name, in: directory, path, below: [])
            }
            let top = try FileDescriptor.open(
                name, in: directory, [.readOnly, .directory, .noFollow], resolve: .noSymlinks)
            anchor = try top.duplicate()
            try visit(directory: top, path, below: [])
        } catch let error as SystemError {
            throw error.failure("read \"\(path.shown)\"")
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internal, "read \"\(path.shown)\"", cause: error)
        }
    }

    /// `below` names the parent's components from the anchor.
    private func visit(_ name: RawPath, in directory: Int32, _ path: RawPath, below: [[UInt8]]) throws {
        let status = try FileDescriptor.status(name, in: directory)
        guard status.kind != .socket, includes(path, status) else { return }
        if status.kind == .directory {
            let opened = try FileDescriptor.open(
                name, in: directory, [.readOnly, .directory, .noFollow], resolve: .noSymlinks)
            return try visit(directory: opened, path, below: below + [name.bytes])
        }
        if status.links > 1 {
            let inode = Inode(device: status.device, number: status.inode)
            if let first = seen[inode] {
                return try writer.begin(entry(path, .hardLink(target: first), status, []))
            }
            seen[inode] = path
        }
        if status.kind == .file { return try add(file: name, in: directory, path) }
        let kind: TarEntry.Kind =
            switch status.kind {
            case .symlink: .symlink(target: try Directory.readLink(name, in: directory))
            case .characterDevice:
                .characterDevice(major: status.deviceMajor, minor: status.deviceMinor)
            case .blockDevice: .blockDevice(major: status.deviceMajor, minor: status.deviceMinor)
            default: .fifo
            }
        var attributes: [TarEntry.Attribute] = []
        for attribute in try names({ () throws(SystemError) in
            try ExtendedAttributes.names(of: name, in: directory)
        }) {
            if let value = try ExtendedAttributes.value(attribute, of: name, in: directory) {
                attributes.append(.init(name: attribute, value: value))
            }
        }
        try writer.begin(entry(path, kind, status, attributes))
    }

    private func visit(directory opened: consuming FileDescriptor, _ path: RawPath, below: [[UInt8]]) throws {
        let status = try opened.status()
        guard includes(path, status) else { return }
        let children = try Directory.entries(of: opened).sorted {
            $0.name.bytes.lexicographicallyPrecedes($1.name.bytes)
        }
        if !path.bytes.isEmpty {
            let slashed = RawPath(path.bytes + [UInt8(ascii: "/")])
            try writer.begin(entry(slashed, .directory, status, try attributes(of: opened)))
        }
        for entry in try extra(opened.raw, path, children) { try writer.add(entry) }
        let prefix = path.bytes.isEmpty ? [] : path.bytes + [UInt8(ascii: "/")]
        if below.count < heldLevels {
            for child in children where try isStillThere(child.name, in: opened.raw) {
                try visit(child.name, in: opened.raw, RawPath(prefix + child.name.bytes), below: below)
            }
            return
        }
        try opened.close()
        for child in children {
            let parent = try reopen(below)
            guard try isStillThere(child.name, in: parent.raw) else { continue }
            let childPath = RawPath(prefix + child.name.bytes)
            if try FileDescriptor.status(child.name, in: parent.raw).kind == .directory {
                try parent.close()
                try visit(
                    directory: try reopen(below + [child.name.bytes]), childPath,
                    below: below + [child.name.bytes])
            } else {
                try visit(child.name, in: parent.raw, childPath, below: below)
            }
        }
    }

    private func reopen(_ below: [[UInt8]]) throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open(
            RawPath(Array(below.joined(separator: [UInt8(ascii: "/")]))), in: anchor.raw,
            [.readOnly, .directory, .noFollow], resolve: [.beneath, .noSymlinks])
    }

    /// Not removed since the listing.
    private func isStillThere(_ name: RawPath, in directory: Int32) throws(SystemError) -> Bool {
        try FileDescriptor.exists(name, in: directory)
    }

    private func add(file name: RawPath, in directory: Int32, _ path: RawPath) throws {
        let file = try FileDescriptor.open(
            name, in: directory, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
        let status = try file.status()
        var entry = entry(path, .file, status, try attributes(of: file))
        entry.size = status.size
        try writer.begin(entry)
        var left = status.size
        while left > 0 {
            let room = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(buffer.count, Int(clamping: left))])
            var size = try file.read(into: room)
            if size == 0 {
                room.initializeMemory(as: UInt8.self, repeating: 0)
                size = room.count
            }
            try writer.write(UnsafeRawBufferPointer(rebasing: room[..<size]))
            left -= UInt64(size)
        }
    }

    private func entry(
        _ path: RawPath, _ kind: TarEntry.Kind, _ status: FileStatus, _ attributes: [TarEntry.Attribute]
    ) -> TarEntry {
        let owner = owner(status)
        return TarEntry(
            path: path, kind: kind, mode: status.permissions, uid: owner.uid, gid: owner.gid,
            modified: status.modified, attributes: attributes)
    }

    private func attributes(of file: borrowing FileDescriptor) throws -> [TarEntry.Attribute] {
        let all: [String]
        do throws(SystemError) {
            all = try ExtendedAttributes.names(of: file)
        } catch {
            if error.code == .unsupported { return [] }
            throw error
        }
        var attributes: [TarEntry.Attribute] = []
        for name in all where includesAttribute(name) {
            if let value = try ExtendedAttributes.value(name, of: file) {
                attributes.append(.init(name: name, value: value))
            }
        }
        return attributes
    }

    /// Some file systems have no attributes at all.
    private func names(_ list: () throws(SystemError) -> [String]) throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try list().filter(includesAttribute)
        } catch {
            if error.code == .unsupported { return [] }
            throw error
        }
    }
}
