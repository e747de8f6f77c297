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
        if let last = levels.last, last == nil { try reopen() }
    }

    /// The last levels, all at once: one by one each would cost the whole way down.
    private mutating func reopen() throws(SystemError) {
        let first = max(0, levels.count - DirectoryTrail.held)
        levels[first] = SharedFileDescriptor(
            try RootedPath.open(Array(names[...first]), below: root, [.readOnly, .directory]))
        for index in first + 1..<max(levels.count, first + 1) {
            guard let parent = levels[index - 1] else { continue }
            levels[index] = SharedFileDescriptor(
                try FileDescriptor.open(
                    RawPath(names[index]), in: parent.raw, [.readOnly, .directory, .noFollow, .nonBlocking]))
        }
    }
}
