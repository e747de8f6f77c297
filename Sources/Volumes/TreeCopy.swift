package import Failure
package import LinuxSystem

/// Copies what is in one directory into another, as it is: modes, owners, extended attributes, times, hard links, symbolic
/// links, devices, FIFOs, holes. Everything goes by descriptors and no link is ever followed, so that neither tree can lead
/// out of itself.
package struct TreeCopy {
    private let source: Int32
    private let target: Int32
    private let owners: UserMaps?
    /// What stopped the copy, if it was an owner.
    private var unmapped: Failure?
    /// Where the first name of a file with several was written, by the source's device and inode.
    private var linked: [FileIdentity: RawPath] = [:]
    /// Directories still to be read, as paths below both trees; the empty one is the trees themselves.
    private var pending: [RawPath] = [RawPath("")]
    private var finished: [(path: RawPath, status: FileStatus)] = []

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Copies the contents and the attributes of the directory `source` into the empty directory `target`.
    ///
    /// Both must be open directories and stay so. Nothing is synced. A failure leaves `target` half-written.
    /// - Parameter owners: a user namespace whose ids the copy belongs to; nil: owners as they are.
    package static func copy(from source: Int32, to target: Int32, owners: UserMaps? = nil) throws(Failure) {
        var copy = TreeCopy(source: source, target: target, owners: owners)
        try copy.run()
    }

    private init(source: Int32, target: Int32, owners: UserMaps?) {
        self.source = source
        self.target = target
        self.owners = owners
    }

    /// The status of a file, with the owner that its copy gets.
    private mutating func owned(_ status: FileStatus, _ path: RawPath) throws(SystemError) -> FileStatus {
        guard let owners else { return status }
        do throws(Failure) {
            var status = status
            (status.uid, status.gid) = try owners.outside(uid: status.uid, gid: status.gid)
            return status
        } catch {
            unmapped = error.within(path.bytes.isEmpty ? "/" : path.shown)
            throw SystemError(call: "chown", path: path.shown, errno: Errno.invalid)
        }
    }

    private mutating func run() throws(Failure) {
        while let path = pending.popLast() {
            do throws(SystemError) {
                try copyDirectory(path)
            } catch {
                throw unmapped
                    ?? error.failure(
                        "copy \(path.bytes.isEmpty ? "." : path.shown)\(error.path.map { " (\($0))" } ?? "")")
            }
        }
        // Times last, from below: every name that is made in a directory changes the directory's.
        while let (path, status) = finished.popLast() {
            try during("copy the times of \(path.shown)") { () throws(SystemError) in
                let directory = try Self.open(path, below: target)
                try Directory.changeTimes(
                    ".", in: directory.raw, accessed: status.accessed, modified: status.modified)
            }
        }
    }

    private static func open(_ path: RawPath, below root: Int32) throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open(
            path.bytes.isEmpty ? RawPath(".") : path, in: root, [.readOnly, .directory, .noFollow],
            resolve: [.beneath, .noSymlinks])
    }

    private mutating func copyDirectory(_ path: RawPath) throws(SystemError) {
        let from = try Self.open(path, below: source)
        let to = try Self.open(path, below: target)
        let status = try owned(try from.status(), path)
        for entry in try Directory.entries(of: from) {
            try copyEntry(entry.name, in: path, from: from, to: to)
        }
        try Self.copyAttributes(of: from, status, to: to)
        finished.append((path, status))
    }

    private mutating func copyEntry(
        _ name: RawPath, in path: RawPath, from: borrowing FileDescriptor, to: borrowing FileDescriptor
    ) throws(SystemError) {
        let below = path.bytes.isEmpty ? name : RawPath(path.bytes + [UInt8(ascii: "/")] + name.bytes)
        let status = try owned(try FileDescriptor.status(name, in: from.raw), below)
        if status.kind == .directory {
            try Directory.make(name, in: to.raw, mode: 0o700)
            pending.append(below)
            return
        }
        if status.links > 1 {
            let identity = FileIdentity(device: status.device, inode: status.inode)
            if let first = linked[identity] {
                return try Directory.link(first, in: target, to: name, in: to.raw)
            }
            linked[identity] = below
        }
        switch status.kind {
        case .file:
            try Self.copyFile(name, status, from: from, to: to)
        case .symlink:
            try Directory.symlink(try Directory.readLink(name, in: from.raw), at: name, in: to.raw)
            try Self.copyNamedAttributes(of: name, status, from: from, to: to)
        case .characterDevice, .blockDevice, .fifo, .socket, .directory:
            try Directory.makeNode(
                name, in: to.raw, mode: status.mode, major: status.deviceMajor, minor: status.deviceMinor)
            try Self.copyNamedAttributes(of: name, status, from: from, to: to)
        }
    }

    private static func copyFile(
        _ name: RawPath, _ status: FileStatus, from: borrowing FileDescriptor, to: borrowing FileDescriptor
    ) throws(SystemError) {
        let input = try FileDescriptor.open(name, in: from.raw, [.readOnly, .noFollow, .nonBlocking])
        let output = try FileDescriptor.open(
            name, in: to.raw, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
        try output.copyContents(of: input, size: Int64(status.size))
        try copyAttributes(of: input, status, to: output)
        try Directory.changeTimes(name, in: to.raw, accessed: status.accessed, modified: status.modified)
    }

    /// Owner before mode (a change of owner takes the set-id bits away), and attributes last (it takes capabilities away).
    private static func copyAttributes(
        of input: borrowing FileDescriptor, _ status: FileStatus, to output: borrowing FileDescriptor
    ) throws(SystemError) {
        try output.changeOwner(uid: status.uid, gid: status.gid)
        try output.changeMode(status.permissions)
        for name in try ExtendedAttributes.names(of: input) where isCopied(name) {
            guard let value = try ExtendedAttributes.value(name, of: input) else { continue }
            do throws(SystemError) {
                try ExtendedAttributes.set(name, value, on: output)
            } catch {
                try checkUnsupported(error, name)
            }
        }
    }

    /// As `copyAttributes`, for what must not be opened.
    private static func copyNamedAttributes(
        of name: RawPath, _ status: FileStatus, from: borrowing FileDescriptor, to: borrowing FileDescriptor
    ) throws(SystemError) {
        try Directory.changeOwner(name, in: to.raw, uid: status.uid, gid: status.gid)
        if status.kind != .symlink { try Directory.changeModeNoFollow(name, in: to.raw, status.permissions) }
        for attribute in try ExtendedAttributes.names(of: name, in: from.raw) where isCopied(attribute) {
            guard let value = try ExtendedAttributes.value(attribute, of: name, in: from.raw) else {
                continue
            }
            do throws(SystemError) {
                try ExtendedAttributes.set(attribute, value, on: name, in: to.raw)
            } catch {
                try checkUnsupported(error, attribute)
            }
        }
        try Directory.changeTimes(name, in: to.raw, accessed: status.accessed, modified: status.modified)
    }

    /// Overlay's own marks mean something to the file system below, not to the tree.
    private static func isCopied(_ attribute: String) -> Bool {
        !attribute.hasPrefix("trusted.overlay.") && !attribute.hasPrefix("user.overlay.")
    }

    /// A target that has no such attributes loses them, as cp(1) has it; capabilities must not be lost without a word.
    private static func checkUnsupported(_ error: SystemError, _ attribute: String) throws(SystemError) {
        guard error.code == .unsupported, attribute != "security.capability" else { throw error }
    }
}
