internal import Failure
internal import LinuxSystem

/// Writes one part of a selection into a directory, merging with what is there as BuildKit's copy does: a file takes the
/// place of whatever is no directory, a directory goes into a directory and gives it its attributes.
final class PartWriter {
    private let part: FileSelection.Part
    private let tree: ContextTree
    private let options: CopyOptions
    private let copier: ContentCopier
    private let base: FileDescriptor
    private let top: SharedFileDescriptor
    private var source: DirectoryTrail
    private var target: DirectoryTrail
    /// The directories that both trails are in.
    private var stack: [(place: Int, isNew: Bool)] = []

    init(
        _ part: FileSelection.Part, of tree: ContextTree, into top: SharedFileDescriptor,
        _ options: CopyOptions, _ copier: ContentCopier
    ) throws(SystemError) {
        self.part = part
        self.tree = tree
        self.options = options
        self.copier = copier
        self.top = top
        base = try RootedPath.open(part.base, below: tree.root, [.readOnly, .directory])
        source = DirectoryTrail(root: base.raw)
        target = DirectoryTrail(root: top.raw)
    }

    /// What is being written, for the failure's message.
    private(set) var place = 0

    /// The one file of a part that is no directory.
    func writeFile(as name: RawPath) throws(SystemError) { try write(part.files[0], as: name) }

    func writeContents() throws(SystemError) {
        for place in part.files.indices.dropFirst() {
            self.place = place
            let file = part.files[place]
            while let last = stack.last, last.place != file.parent { try leave() }
            if file.status.kind == .directory {
                let isNew = try makeDirectory(file)
                try source.enter(file.name)
                try target.enter(file.name)
                stack.append((place, isNew))
            } else {
                try write(file, as: file.name)
            }
        }
        while !stack.isEmpty { try leave() }
        // The top has its own attributes, and the source's time.
        let modified = FileAttributes(part.files[0].status, owners: tree.owners, options).modified
        try FileDescriptor.withBorrowed(top.raw) { (opened) throws(SystemError) in
            try opened.changeTimes(accessed: modified, modified: modified)
        }
    }

    private func leave() throws(SystemError) {
        let (place, isNew) = stack.removeLast()
        let file = part.files[place]
        if isNew || !file.isImplied {
            let attributes = FileAttributes(file.status, owners: tree.owners, options)
            let copied = try FileDescriptor.withBorrowed(source.current) { (opened) throws(SystemError) in
                try CopiedAttributes.read(opened)
            }
            try FileDescriptor.withBorrowed(target.current) { (opened) throws(SystemError) in
                try attributes.apply(copied, to: opened)
            }
        }
        try source.leave()
        try target.leave()
    }

    /// Answers whether it was made.
    private func makeDirectory(_ file: SelectedFile) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try Directory.make(
                file.name, in: target.current, mode: file.status.permissions & 0o777 | 0o700)
            return true
        } catch {
            guard error.isExists else { throw error }
        }
        guard try FileDescriptor.status(file.name, in: target.current).kind == .directory else {
            throw SystemError(call: "mkdir", path: file.name.shown, errno: Errno.notDirectory)
        }
        return false
    }
}

// MARK: files

extension PartWriter {
    private func write(_ file: SelectedFile, as name: RawPath) throws(SystemError) {
        if let first = file.linkedTo { return try link(part.files[first], to: name) }
        let attributes = FileAttributes(file.status, owners: tree.owners, options)
        let directory = target.current
        if file.status.kind == .file {
            let input = try FileDescriptor.open(
                file.name, in: source.current, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
            try checkSame(try input.status(), file)
            let output = try PartWriter.create(name, in: directory, mode: attributes.mode & 0o777)
            try copier.copy(input, file.status, to: output)
            try attributes.apply(try CopiedAttributes.read(input), to: output)
            // Some file systems tell of a failed write only here.
            return try output.close()
        }
        let item = try FileDescriptor.open(file.name, in: source.current, [.pathOnly, .noFollow])
        try checkSame(try item.status(), file)
        if file.status.kind == .symlink {
            let destination = try Directory.readLink("", in: item.raw)
            try PartWriter.replacing(name, in: directory) { () throws(SystemError) in
                try Directory.symlink(destination, at: name, in: directory)
            }
        } else {
            try PartWriter.replacing(name, in: directory) { () throws(SystemError) in
                try Directory.makeNode(
                    name, in: directory, mode: file.status.mode & 0o170000 | 0o600,
                    major: file.status.deviceMajor, minor: file.status.deviceMinor)
            }
        }
        let copied = try CopiedAttributes.read(file.name, in: source.current)
        try attributes.apply(copied, to: name, in: directory)
    }

    /// What was digested is what is written, or nothing.
    private func checkSame(_ now: FileStatus, _ file: SelectedFile) throws(SystemError) {
        guard DigestMemory.Key(now) == DigestMemory.Key(file.status), now.mode == file.status.mode else {
            throw SystemError.changed(file.name.shown)
        }
    }

    private func link(_ first: SelectedFile, to name: RawPath) throws(SystemError) {
        var components: [[UInt8]] = []
        var at = first.parent
        while at > 0 {
            components.append(part.files[at].name.bytes)
            at = part.files[at].parent
        }
        let parent = try RootedPath.open(components.reversed(), below: top.raw, [.pathOnly, .directory])
        let directory = target.current
        try PartWriter.replacing(name, in: directory) { () throws(SystemError) in
            try Directory.link(first.name, in: parent.raw, to: name, in: directory)
        }
    }

    static func create(_ name: RawPath, in directory: Int32, mode: UInt32) throws(SystemError)
        -> FileDescriptor
    {
        do throws(SystemError) {
            return try FileDescriptor.open(
                name, in: directory, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
        } catch {
            guard error.isExists else { throw error }
        }
        try remove(name, in: directory)
        return try FileDescriptor.open(
            name, in: directory, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
    }

    private static func replacing(
        _ name: RawPath, in directory: Int32, _ make: () throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            return try make()
        } catch {
            guard error.isExists else { throw error }
        }
        try remove(name, in: directory)
        try make()
    }

    private static func remove(_ name: RawPath, in directory: Int32) throws(SystemError) {
        guard try FileDescriptor.status(name, in: directory).kind != .directory else {
            throw SystemError.isDirectory(name.shown)
        }
        try Directory.removeFile(name, in: directory)
    }
}
