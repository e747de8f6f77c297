internal import Failure
internal import LinuxSystem

/// The place in a root that COPY, ADD or a heredoc writes to.
///
/// The root is an image's: its links are followed inside it, as docker follows them, up to and including the last
/// component of the destination. Below that nothing is followed.
struct CopyTarget {
    let root: Int32
    let options: CopyOptions
    /// The destination names a directory: `/x/`, `.`.
    let isSlashed: Bool
    private let written: [[UInt8]]
    private var place: RootedPath
    private var kind: FileStatus.Kind?
    /// Directories that were made, for their times.
    private var made: [[[UInt8]]] = []

    init(root: Int32, destination: String, workingDirectory: String, _ options: CopyOptions) throws(Failure) {
        self.root = root
        self.options = options
        let full = destination.hasPrefix("/") ? destination : "\(workingDirectory)/\(destination)"
        let last = Array(full.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last
        isSlashed =
            last.map { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) } ?? true
        written = RootedPath.clean(full.utf8)
        place = .root
        try locate()
    }

    var isDirectory: Bool { kind == .directory }

    var shown: String { RootedPath(components: written).shown }

    private mutating func locate() throws(Failure) {
        let (place, kind) = try writing { () throws(SystemError) in
            let place = try RootedPath.resolve(written, below: root)
            if place.missing > 0 { return (place, FileStatus.Kind?.none) }
            return (place, try RootedPath.open(place.components, below: root, [.pathOnly]).status().kind)
        }
        self.place = place
        self.kind = kind
    }

    /// The destination as a directory, made where it is not there.
    mutating func directory() throws(Failure) -> (SharedFileDescriptor, path: String) {
        try makeMissing(place.missing)
        guard kind == .directory else { throw notDirectory() }
        return (try open(place.components), place.shown)
    }

    /// The directory and the name in it that a file goes to: `name` itself in a directory, else the destination's.
    mutating func file(_ name: RawPath) throws(Failure) -> (SharedFileDescriptor, name: RawPath, path: String)
    {
        if isSlashed || kind == .directory {
            let (opened, path) = try directory()
            return (opened, name, path)
        }
        if place.missing > 1 { try makeMissing(place.missing - 1) }
        guard let last = place.components.last else { throw notDirectory() }
        let parent = Array(place.components.dropLast())
        return (try open(parent), RawPath(last), RootedPath(components: parent).shown)
    }

    /// After something was written, the destination may be a file.
    mutating func refresh() throws(Failure) { try locate() }

    /// Sets the times of what `directory` and `file` have made, now that all is in it.
    func finish() throws(Failure) {
        guard let modified = options.modified else { return }
        try writing { () throws(SystemError) in
            for components in made.reversed() {
                let opened = try RootedPath.open(components, below: root, [.readOnly, .directory])
                try opened.changeTimes(accessed: modified, modified: modified)
            }
        }
    }

    private mutating func makeMissing(_ count: Int) throws(Failure) {
        guard count > 0 else { return }
        let there = place.components.count - place.missing
        let mode = options.mode?.absolute ?? 0o755
        let (uid, gid) = (options.uid ?? 0, options.gid ?? 0)
        let new = try writing { () throws(SystemError) in
            var new: [[[UInt8]]] = []
            var current = try RootedPath.open(
                Array(place.components[..<there]), below: root, [.pathOnly, .directory])
            for index in there..<there + count {
                let name = RawPath(place.components[index])
                try Directory.make(name, in: current.raw, mode: 0o700)
                let opened = try FileDescriptor.open(
                    name, in: current.raw, [.readOnly, .directory, .noFollow])
                try opened.changeOwner(uid: uid, gid: gid)
                // After mkdir, whose mode the umask cuts.
                try opened.changeMode(mode)
                new.append(Array(place.components[...index]))
                current = opened
            }
            return new
        }
        made += new
        place.missing -= count
        if place.missing == 0 { kind = .directory }
    }

    private func open(_ components: [[UInt8]]) throws(Failure) -> SharedFileDescriptor {
        do throws(SystemError) {
            return SharedFileDescriptor(
                try RootedPath.open(components, below: root, [.readOnly, .directory]))
        } catch {
            if error.isNotDirectory { throw notDirectory() }
            throw error.failure("write to \"\(shown)\"")
        }
    }

    private func notDirectory() -> Failure {
        Failure(.invalidArgument, "cannot copy to non-directory: \(place.shown)")
    }

    private func writing<R>(_ body: () throws(SystemError) -> R) throws(Failure) -> R {
        do throws(SystemError) {
            return try body()
        } catch {
            if error.isNotDirectory, let path = error.path {
                throw Failure(.invalidArgument, "cannot copy to non-directory: \(path)")
            }
            throw error.failure("write to \"\(shown)\"")
        }
    }
}
