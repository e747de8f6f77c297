internal import Engine
internal import Failure
internal import LinuxSystem

/// Copies a file or a tree from an open directory to another, merging with what is there. All goes by descriptors and
/// no link is followed on either side; what a container swaps meanwhile can only harm the container. A file is opened
/// only once it is known to be one: opening a device or a FIFO does things.
struct FileCopy {
    private let policy: CopyPolicy
    /// Where the first name of a file with several was written, by the source's device and inode.
    private var linked: [Identity: RawPath] = [:]
    private var finished: [(path: RawPath, status: FileStatus)] = []
    private var pending: [RawPath] = []
    /// The directory that is written to: seen again below the source (a bind of the host's), it is not copied into itself.
    private var own: Identity?

    private struct Identity: Hashable { let device, inode: UInt64 }

    init(policy: CopyPolicy) { self.policy = policy }

    /// Copies `name` in `parent` to `newName` in `directory`.
    mutating func copy(
        _ name: String, in parent: Int32, to newName: String, in directory: Int32
    ) throws(Failure) {
        let shown = newName
        let isDirectory = try during("copy \(shown)") { () throws(SystemError) in
            try FileDescriptor.status(name, in: parent).kind == .directory
        }
        guard isDirectory else {
            return try wrapped(RawPath(shown)) { (copy) throws(SystemError) in
                try copy.copyEntry(
                    RawPath(name), from: parent, to: RawPath(newName), in: directory, at: RawPath(newName),
                    top: directory)
            }
        }
        let source = try during("copy \(shown)") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(
                    name, in: parent, [.readOnly, .directory, .noFollow], resolve: .noSymlinks))
        }
        let target = try wrapped(RawPath(shown)) { (copy) throws(SystemError) in
            let isNew = try FileCopy.ensureDirectory(RawPath(newName), in: directory)
            let opened = SharedFileDescriptor(
                try FileDescriptor.open(
                    newName, in: directory, [.readOnly, .directory, .noFollow], resolve: .noSymlinks))
            if isNew {
                copy.finished.append((RawPath("."), try FileDescriptor.status(".", in: source.raw)))
            }
            return opened
        }
        try run(source.raw, target.raw)
    }

    /// Copies what is in the directory `source` into the directory `target`, which keeps its own attributes.
    mutating func copyContents(of source: Int32, to target: Int32) throws(Failure) { try run(source, target) }

    private mutating func run(_ source: Int32, _ target: Int32) throws(Failure) {
        pending = [RawPath(".")]
        own = try wrapped(RawPath(".")) { (_) throws(SystemError) in
            let status = try FileDescriptor.status(".", in: target)
            return Identity(device: status.device, inode: status.inode)
        }
        while let path = pending.popLast() {
            try wrapped(path) { (copy) throws(SystemError) in try copy.copyDirectory(path, source, target) }
        }
        // Attributes last, from below: names made in a directory change its time, and its mode may forbid making them.
        while let (path, status) = finished.popLast() {
            try wrapped(path) { (copy) throws(SystemError) in
                let from = try FileCopy.openDirectory(path, below: source)
                let to = try FileCopy.openDirectory(path, below: target)
                let owner = try copy.policy.owner(status)
                try to.changeOwner(uid: owner.uid, gid: owner.gid)
                try to.changeMode(copy.policy.permissions(status))
                try copy.copyAttributes(of: from, to: to)
                try to.changeTimes(accessed: status.accessed, modified: status.modified)
            }
        }
    }

    private mutating func wrapped<R>(
        _ path: RawPath, _ body: (inout FileCopy) throws(SystemError) -> R
    ) throws(Failure) -> R {
        do throws(SystemError) {
            return try body(&self)
        } catch {
            throw error.failure("copy \(error.path.map { "\(path.shown) (\($0))" } ?? path.shown)")
        }
    }

    private static func openDirectory(_ path: RawPath, below root: Int32) throws(SystemError)
        -> FileDescriptor
    {
        try FileDescriptor.open(
            path, in: root, [.readOnly, .directory, .noFollow],
            resolve: [.beneath, .noSymlinks, .noMagicLinks])
    }

    private mutating func copyDirectory(_ path: RawPath, _ source: Int32, _ target: Int32) throws(SystemError)
    {
        let from = try FileCopy.openDirectory(path, below: source)
        let to = try FileCopy.openDirectory(path, below: target)
        if KernelFileSystem.isOne(from) { return }
        for entry in try Directory.entries(of: from) {
            let below =
                path == RawPath(".")
                ? entry.name : RawPath(path.bytes + [UInt8(ascii: "/")] + entry.name.bytes)
            do throws(SystemError) {
                try copyEntry(entry.name, from: from.raw, to: entry.name, in: to.raw, at: below, top: target)
            } catch {
                // Removed since the listing.
                if error.isMissing, !((try? FileDescriptor.exists(entry.name, in: from.raw)) ?? true) {
                    continue
                }
                throw error
            }
        }
    }

    private mutating func copyEntry(
        _ name: RawPath, from: Int32, to newName: RawPath, in directory: Int32, at path: RawPath, top: Int32
    ) throws(SystemError) {
        let item = try FileDescriptor.open(name, in: from, [.pathOnly, .noFollow])
        let status = try item.status()
        if status.kind == .directory {
            if own == Identity(device: status.device, inode: status.inode) { return }
            if try FileCopy.ensureDirectory(newName, in: directory) { finished.append((path, status)) }
            return pending.append(path)
        }
        if status.kind == .socket { return }
        if status.links > 1 {
            let identity = Identity(device: status.device, inode: status.inode)
            if let first = linked[identity] {
                let slash = first.bytes.lastIndex(of: UInt8(ascii: "/"))
                let place = try FileCopy.openDirectory(
                    slash.map { RawPath(Array(first.bytes[..<$0])) } ?? RawPath("."), below: top)
                let own = slash.map { RawPath(Array(first.bytes[($0 + 1)...])) } ?? first
                return try FileCopy.put(newName, in: directory) { (fresh) throws(SystemError) in
                    try Directory.link(own, in: place.raw, to: fresh, in: directory)
                }
            }
            linked[identity] = path
        }
        switch status.kind {
        case .file: try copyFile(item, status, to: newName, in: directory)
        case .symlink:
            let target = try Directory.readLink("", in: item.raw)
            try FileCopy.put(newName, in: directory) { (fresh) throws(SystemError) in
                try Directory.symlink(target, at: fresh, in: directory)
                try finish(fresh, status, in: directory)
            }
        default:
            try FileCopy.put(newName, in: directory) { (fresh) throws(SystemError) in
                try Directory.makeNode(
                    fresh, in: directory, mode: status.mode & 0o170000 | 0o600, major: status.deviceMajor,
                    minor: status.deviceMinor)
                try finish(fresh, status, in: directory)
            }
        }
    }

    private func finish(_ name: RawPath, _ status: FileStatus, in directory: Int32) throws(SystemError) {
        let owner = try policy.owner(status)
        try Directory.changeOwner(name, in: directory, uid: owner.uid, gid: owner.gid)
        if status.kind != .symlink {
            try Directory.changeModeNoFollow(name, in: directory, policy.permissions(status))
        }
        try Directory.changeTimes(name, in: directory, accessed: status.accessed, modified: status.modified)
    }

    // MARK: files

    private func copyFile(
        _ item: borrowing FileDescriptor, _ status: FileStatus, to name: RawPath, in directory: Int32
    ) throws(SystemError) {
        // The very file that was looked at, whatever stands at its name by now.
        let input = try FileDescriptor.open("/proc/self/fd/\(item.raw)", [.readOnly, .noControllingTerminal])
        do throws(SystemError) {
            try FileCopy.put(name, in: directory) { (fresh) throws(SystemError) in
                let output = try FileDescriptor.open(
                    fresh, in: directory, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
                try fill(output, from: input, status)
            }
        } catch {
            // A file that is itself a mount (the container's /etc/hosts) can only be written into.
            guard error.isBusy else { throw error }
            let place = try FileDescriptor.open(name, in: directory, [.pathOnly, .noFollow])
            guard try place.status().kind == .file else { throw error }
            let output = try FileDescriptor.open("/proc/self/fd/\(place.raw)", [.readWrite, .truncate])
            try output.copyContents(of: input, size: Int64(clamping: status.size))
        }
    }

    /// Owner before mode (a change of owner takes the set-id bits away), attributes after it (and capabilities).
    private func fill(
        _ output: borrowing FileDescriptor, from input: borrowing FileDescriptor, _ status: FileStatus
    ) throws(SystemError) {
        try output.copyContents(of: input, size: Int64(clamping: status.size))
        let owner = try policy.owner(status)
        try output.changeOwner(uid: owner.uid, gid: owner.gid)
        try output.changeMode(policy.permissions(status))
        try copyAttributes(of: input, to: output)
        try output.changeTimes(accessed: status.accessed, modified: status.modified)
    }

    private func copyAttributes(
        of input: borrowing FileDescriptor, to output: borrowing FileDescriptor
    ) throws(SystemError) {
        let names: [String]
        do throws(SystemError) {
            names = try ExtendedAttributes.names(of: input)
        } catch {
            if error.code == .unsupported { return }
            throw error
        }
        for name in names where policy.copies(attribute: name) {
            guard let value = try ExtendedAttributes.value(name, of: input) else { continue }
            do throws(SystemError) {
                try ExtendedAttributes.set(name, value, on: output)
            } catch {
                // As cp(1) has it; capabilities must not be lost without a word.
                guard error.code == .unsupported, name != "security.capability" else { throw error }
            }
        }
    }

    // MARK: names

    /// Makes something new at a name, in the place of a file that is there: whole or not at all.
    static func put(
        _ name: RawPath, in directory: Int32, _ make: (RawPath) throws(SystemError) -> Void
    ) throws(SystemError) {
        let isThere = try FileDescriptor.exists(name, in: directory)
        let fresh = isThere ? RawPath(".ctr-\(randomHex(bytes: 8))") : name
        do throws(SystemError) {
            try make(fresh)
            if isThere { try Directory.rename(fresh, in: directory, to: name, in: directory) }
        } catch {
            // What another has put there is not ours to remove.
            if error.code != .alreadyExists { try? Directory.removeFile(fresh, in: directory) }
            throw error
        }
    }

    /// Answers whether it was made.
    static func ensureDirectory(_ name: RawPath, in directory: Int32) throws(SystemError) -> Bool {
        if name == RawPath(".") { return false }
        if try Directory.ensure(name, in: directory, mode: 0o700) { return true }
        guard try FileDescriptor.status(name, in: directory).kind == .directory else {
            throw SystemError.notDirectory(name.shown)
        }
        return false
    }
}
