internal import Engine
internal import Failure
internal import LinuxSystem

/// Where the paths of one side of a copy are resolved: on the host as usual, or below a container's root, which
/// nothing leads out of: neither `..`, nor links, nor what is swapped in meanwhile.
struct CopySide {
    /// A container's root; nil for the host.
    let root: Int32?
    /// For messages: the container's name, or empty.
    let container: String
    /// Of a container in a user namespace.
    let maps: UserMaps?

    static let host = CopySide(root: nil, container: "", maps: nil)

    /// openat2(2) answers EAGAIN where a rename at the same time makes the place of a `..` doubtful.
    func open(_ path: String, _ flags: FileDescriptor.OpenFlags) throws(SystemError) -> FileDescriptor {
        guard let root else { return try FileDescriptor.open(path, flags) }
        for _ in 0..<1000 {
            do throws(SystemError) {
                return try FileDescriptor.open(path, in: root, flags, resolve: [.inRoot, .noMagicLinks])
            } catch {
                guard error.isTryAgain else { throw error }
            }
        }
        return try FileDescriptor.open(path, in: root, flags, resolve: [.inRoot, .noMagicLinks])
    }

    /// What a name leads to: the directory it is in, and the name there.
    struct Place: ~Copyable {
        let parent: FileDescriptor
        /// One component; `.` for the root.
        let name: String
        /// nil where nothing is there.
        let status: FileStatus?
    }

    /// Links on the way are followed, one at the end if `follow`. A missing parent is `.notFound`.
    func locate(_ path: CopyPath, follow: Bool) throws(SystemError) -> Place {
        var path = path
        for _ in 0..<40 {
            let parent = try open(path.directory, [.pathOnly, .directory])
            let status: FileStatus
            do throws(SystemError) {
                status = try FileDescriptor.status(path.name, in: parent.raw)
            } catch {
                if error.code == .notFound { return Place(parent: parent, name: path.name, status: nil) }
                throw error
            }
            guard status.kind == .symlink, follow else {
                return Place(parent: parent, name: path.name, status: status)
            }
            let target = try Directory.readLink(path.name, in: parent.raw)
            guard let text = String(validating: target.bytes, as: UTF8.self), !text.isEmpty else { break }
            path = CopyPath(text.hasPrefix("/") ? text : "\(path.directory)/\(text)")
        }
        throw SystemError.tooManyLinks(path.text)
    }
}

/// A path as `cp` reads it: a slash at its end asks for a directory, `/.` for what is in it.
struct CopyPath: Equatable {
    /// Without what its end asks for.
    let text: String
    let directory: String
    /// `.` where the path has no name of its own: `/`, `.`, `..`.
    let name: String
    let wantsDirectory: Bool
    let wantsContents: Bool

    init(_ given: String) {
        var text = given[...]
        var wantsDirectory = false
        var wantsContents = false
        while true {
            if text.count > 1, text.hasSuffix("/") {
                text.removeLast()
                wantsDirectory = true
            } else if text.count > 2, text.hasSuffix("/.") {
                text.removeLast(2)
                wantsDirectory = true
                wantsContents = true
            } else if text == "/." {
                text = "/"
            } else {
                break
            }
        }
        let last = text.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? "."
        if last == "." || last == ".." {
            self.text = String(text)
            directory = String(text)
            name = "."
            wantsDirectory = true
            wantsContents = true
        } else {
            self.text = String(text)
            let head = text.dropLast(last.count)
            directory = head.isEmpty ? "." : String(head)
            name = last
        }
        self.wantsDirectory = wantsDirectory
        self.wantsContents = wantsContents
    }
}
