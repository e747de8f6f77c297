internal import Failure
internal import LinuxSystem

/// Reads a tree's names and what the kernel tells of each into one part of a selection: sorted by bytes, a directory
/// before what is in it, nothing opened but directories, no link followed.
struct SelectionWalk {
    /// The context's, from the context's root.
    private var ignored: PatternWalk
    /// `--exclude`, from the source.
    private var excluded: PatternWalk
    /// `--parents`: what is wanted, from the pivot; nil: all.
    private var wanted: PatternWalk?
    private var trail: DirectoryTrail
    private var frames: [Frame] = []
    private var first: [Inode: Int] = [:]
    private(set) var files: [SelectedFile] = []

    private struct Inode: Hashable { let device, number: UInt64 }

    private struct Frame {
        let name: RawPath
        let status: FileStatus
        let entries: [Directory.Entry]
        var next = 0
        /// Its place among the files, once it has one.
        var place: Int?
    }

    /// `base` is open: the directory in which the first name is, or whose contents are walked.
    init(base: Int32, ignored: PatternWalk, excluded: PatternWalk, wanted: PatternWalk? = nil) {
        trail = DirectoryTrail(root: base)
        self.ignored = ignored
        self.excluded = excluded
        self.wanted = wanted
    }

    /// The one file that the part is made of.
    mutating func add(file name: RawPath, _ status: FileStatus) {
        files.append(SelectedFile(name: name, parent: -1, status: status))
    }

    /// The base directory's contents, after the directory itself.
    mutating func walkContents(of base: Int32) throws(SystemError) {
        let (status, entries) = try list(base)
        files.append(SelectedFile(name: RawPath("."), parent: -1, status: status))
        frames.append(Frame(name: RawPath("."), status: status, entries: entries, place: 0))
        while let index = frames.indices.last {
            let at = frames[index].next
            guard at < frames[index].entries.count else {
                frames.removeLast()
                if !frames.isEmpty {
                    try trail.leave()
                    ignored.leave()
                    excluded.leave()
                    wanted?.leave()
                }
                continue
            }
            frames[index].next = at + 1
            try visit(frames[index].entries[at])
        }
    }

    private mutating func visit(_ entry: Directory.Entry) throws(SystemError) {
        // Where the kernel tells the kind, a file that is left out costs no call.
        if let kind = entry.kind, kind != .directory {
            guard kind != .socket, isIncluded(entry.name) else { return }
        }
        let status: FileStatus
        do throws(SystemError) {
            status = try FileDescriptor.status(entry.name, in: trail.current)
        } catch {
            // Removed since the listing.
            if error.isMissing { return }
            throw error
        }
        guard status.kind == .directory else {
            if status.kind == .socket { return }
            if entry.kind == nil || entry.kind == .directory, !isIncluded(entry.name) { return }
            let parent = emitParents()
            var linkedTo: Int?
            if status.links > 1 {
                let inode = Inode(device: status.device, number: status.inode)
                linkedTo = first[inode]
                if linkedTo == nil { first[inode] = files.count }
            }
            return files.append(
                SelectedFile(name: entry.name, parent: parent, status: status, linkedTo: linkedTo))
        }
        try enter(entry.name, status)
    }

    private mutating func enter(_ name: RawPath, _ status: FileStatus) throws(SystemError) {
        ignored.enter(name)
        excluded.enter(name)
        wanted?.enter(name)
        let isWanted = wanted?.matches ?? true
        let isIncluded = !ignored.matches && !excluded.matches && isWanted
        let isDead =
            ignored.matches && !ignored.mayEndBelow || excluded.matches && !excluded.mayEndBelow
            || !isWanted && !(wanted?.mayMatchBelow ?? false)
        do throws(SystemError) {
            if !isDead {
                try trail.enter(name)
                let (opened, entries) = try list(trail.current)
                var place: Int?
                if isIncluded {
                    let parent = emitParents()
                    place = files.count
                    files.append(SelectedFile(name: name, parent: parent, status: opened))
                }
                frames.append(Frame(name: name, status: opened, entries: entries, place: place))
                return
            }
        } catch {
            // Removed, or made into something else, since the kernel told of it: not there when we looked.
            guard error.isMissing else { throw error }
        }
        ignored.leave()
        excluded.leave()
        wanted?.leave()
    }

    private mutating func isIncluded(_ name: RawPath) -> Bool {
        !ignored.matches(child: name) && !excluded.matches(child: name)
            && (wanted?.matches(child: name) ?? true)
    }

    /// Directories that patterns leave out are there for what is in them: they come with the first such file. Answers
    /// the place of the innermost.
    private mutating func emitParents() -> Int {
        // Those above one that has its place have theirs.
        let start = frames.lastIndex { $0.place != nil }.map { $0 + 1 } ?? 0
        var parent = start > 0 ? frames[start - 1].place ?? -1 : -1
        for index in frames.indices[start...] {
            files.append(
                SelectedFile(
                    name: frames[index].name, parent: parent, status: frames[index].status, isImplied: true))
            parent = files.count - 1
            frames[index].place = parent
        }
        return parent
    }

    private func list(_ directory: Int32) throws(SystemError) -> (FileStatus, [Directory.Entry]) {
        try FileDescriptor.withBorrowed(directory) { (opened) throws(SystemError) in
            let status = try opened.status()
            let entries = try Directory.entries(of: opened)
            return (status, entries.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) })
        }
    }
}
