internal import LinuxSystem

/// The open directories from a root down to where a walk is. Only the first and the last levels stay open, so that
/// a tree may be deeper than a process may open files; what was closed is opened anew by its components, through
/// directories alone.
struct DirectoryTrail {
    private let root: Int32
    private(set) var names: [[UInt8]] = []
    private var levels: [SharedFileDescriptor?] = []
    /// The walk has this many levels open at most, twice.
    private static let held = 48

    /// `root` stays the caller's.
    init(root: Int32) { self.root = root }

    /// The directory the walk is in.
    var current: Int32 { levels.last.flatMap { $0 }?.raw ?? root }

    var depth: Int { levels.count }

    mutating func enter(_ name: RawPath) throws(SystemError) {
        // A name is one component, whoever gave it: nothing to resolve.
        let opened = try FileDescriptor.open(
            name, in: current, [.readOnly, .directory, .noFollow, .nonBlocking])
        levels.append(SharedFileDescriptor(opened))
        names.append(name.bytes)
        let old = levels.count - DirectoryTrail.held
        if old > DirectoryTrail.held { levels[old - 1] = nil }
    }

    mutating func leave() throws(SystemError) {
        names.removeLast()
        levels.removeLast()
        if let last = levels.last, last == nil {
            levels[levels.count - 1] = SharedFileDescriptor(
                try RootedPath.open(names, below: root, [.readOnly, .directory]))
        }
    }
}
