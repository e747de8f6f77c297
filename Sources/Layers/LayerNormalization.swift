internal import Archive
package import Failure
package import LinuxSystem

/// Makes of an overlay's upper directory, which a step of a build has written, a layer that does not tell when or where
/// it was written. Nothing may have it mounted.
///
/// - Overlay's own attributes go, but the mark of an opaque directory; so do whiteouts of what no lower layer has.
/// - Every file that was written has the one time. Two exceptions keep programs that compare times from being misled, both
///   made of the image's content alone: a file whose time is the very one of the lower file that it replaces keeps it,
///   for it was not written, and one that was written is at least a second newer than what it replaces.
/// - Python's compiled files that are told from their sources by the sources' times hold the new times.
package struct LayerNormalization {
    private let upper: Int32
    private let own: LayerStack
    private let lower: LayerStack
    private let time: Timestamp
    /// What `time` was when the layer was made, where it is a copy of another.
    private let former: Timestamp?

    /// A file's time before and after, for what was compiled from it.
    private struct Change {
        let before, after: Timestamp
    }

    /// Sources of Python that stand somewhere else, behind links: known when all of the layer has been seen.
    private final class LinkedSources {
        /// Changed files of that kind, by their places.
        var changes: [LayerPath: Change] = [:]
        var compiled: [(name: RawPath, directory: LayerPath, source: LayerPath)] = []
    }

    private let linked = LinkedSources()

    /// - Parameter lowers: top first; all are directories that the caller keeps open.
    package init(upper: Int32, lowers: [Int32], time: Timestamp, former: Timestamp? = nil) {
        self.upper = upper
        own = LayerStack([upper])
        lower = LayerStack(lowers)
        self.time = time
        self.former = former
    }

    package func run() throws(Failure) {
        do {
            try visit(LayerPath(components: []), isNew: lower.layers.isEmpty)
            try adjustLinked()
        } catch let error as SystemError {
            throw error.failure("make a layer")
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internal, "make a layer", cause: error)
        }
    }

    /// Answers the changed times of the directory's files by name.
    @discardableResult
    private func visit(_ path: LayerPath, isNew: Bool) throws -> [RawPath: Change] {
        let directory = try FileDescriptor.open(
            path.raw, in: upper, [.readOnly, .directory, .noFollow], resolve: plain)
        let before = try directory.status().modified
        let hidesLower = try clearMarks(of: directory)
        let entries = try Directory.entries(of: directory).sorted {
            $0.name.bytes.lexicographicallyPrecedes($1.name.bytes)
        }
        var changes: [RawPath: Change] = [:]
        var compiled: [RawPath] = []
        var links: Set<RawPath> = []
        var subdirectories: [(RawPath, Bool)] = []
        for entry in entries {
            let status = try FileDescriptor.status(entry.name, in: directory.raw)
            let place = path.appending(entry.name)
            if status.isWhiteout {
                if try isNew || lowerStatus(place) == nil {
                    try Directory.removeFile(entry.name, in: directory.raw)
                }
                continue
            }
            let below = isNew || hidesLower ? nil : try lowerStatus(place)
            if status.kind == .directory {
                subdirectories.append((entry.name, below?.kind != .directory))
                continue
            }
            if below != nil { try clearMarks(of: entry.name, in: directory.raw) }
            if status.kind == .file, entry.name.bytes.suffix(4).elementsEqual(".pyc".utf8) {
                compiled.append(entry.name)
            }
            let isPython = entry.name.bytes.suffix(3).elementsEqual(".py".utf8)
            if isPython, status.kind == .symlink { links.insert(entry.name) }
            let after = time(of: status, replacing: below)
            guard after != status.modified else { continue }
            try Directory.changeTimes(entry.name, in: directory.raw, accessed: after, modified: after)
            guard status.kind == .file else { continue }
            let change = Change(before: status.modified, after: after)
            changes[entry.name] = change
            if isPython { linked.changes[place] = change }
        }
        for name in compiled {
            try adjust(name, in: directory.raw, changes, cached: false)
            keepLinked(name, in: path, of: path, links, cached: false)
        }
        for (name, isNew) in subdirectories {
            let isCache = name.bytes.elementsEqual("__pycache__".utf8)
            let place = path.appending(name)
            try visit(place, isNew: isNew)
            guard isCache, !changes.isEmpty || !links.isEmpty else { continue }
            let cache = try FileDescriptor.open(
                place.raw, in: upper, [.readOnly, .directory, .noFollow], resolve: plain)
            for entry in try Directory.entries(of: cache) where entry.kind == .file || entry.kind == nil {
                try adjust(entry.name, in: cache.raw, changes, cached: true)
                keepLinked(entry.name, in: place, of: path, links, cached: true)
            }
        }
        if !path.isRoot {
            var after = time
            if !isNew, let below = try lowerStatus(path), isKept(before, below.modified) {
                after = below.modified
            }
            try directory.changeTimes(accessed: after, modified: after)
        }
        return changes
    }

    private func lowerStatus(_ path: LayerPath) throws -> FileStatus? {
        if path.isRoot { return nil }
        if case .found(let found) = try lower.lookUp(path) { return found.status }
        return nil
    }

    private func time(of status: FileStatus, replacing below: FileStatus?) -> Timestamp {
        guard let below, status.kind == .file, below.kind == .file else { return time }
        if isKept(status.modified, below.modified) { return below.modified }
        return time > below.modified ? time : Timestamp(seconds: below.modified.seconds + 1)
    }

    /// Whether a file was not written, but only its owner or mode: its time is that of the lower one, or was in the layer
    /// that was copied, where the lower one was as far behind the time of then as it is now.
    private func isKept(_ own: Timestamp, _ below: Timestamp) -> Bool {
        if own == below { return true }
        guard let former else { return false }
        return own.seconds - former.seconds == below.seconds - time.seconds
            && own.nanoseconds == below.nanoseconds
    }

    // MARK: overlay's marks

    /// Answers whether the directory hides its lower namesakes.
    private func clearMarks(of directory: borrowing FileDescriptor) throws -> Bool {
        var hides = false
        for name in try ExtendedAttributes.names(of: directory) where isOverlayMark(name) {
            if name == opaqueAttribute {
                hides = try ExtendedAttributes.value(name, of: directory) == [UInt8(ascii: "y")]
                if hides { continue }
            }
            try ExtendedAttributes.remove(name, from: directory)
        }
        return hides
    }

    private func clearMarks(of name: RawPath, in directory: Int32) throws {
        let marks = try ExtendedAttributes.names(of: name, in: directory).filter(isOverlayMark)
        for mark in marks { try ExtendedAttributes.remove(mark, of: name, in: directory) }
    }

    // MARK: Python

    private func adjust(
        _ name: RawPath, in directory: Int32, _ changes: [RawPath: Change], cached: Bool
    ) throws {
        guard let source = CompiledPython.source(of: name, cached: cached), let change = changes[source]
        else {
            return
        }
        try adjust(name, in: directory, to: change)
    }

    /// Keeps for the end what was compiled from a link.
    private func keepLinked(
        _ name: RawPath, in directory: LayerPath, of sources: LayerPath, _ links: Set<RawPath>, cached: Bool
    ) {
        guard let source = CompiledPython.source(of: name, cached: cached), links.contains(source) else {
            return
        }
        linked.compiled.append((name, directory, sources.appending(source)))
    }

    private func adjustLinked() throws {
        let all = LayerStack([upper] + lower.layers)
        for file in linked.compiled {
            guard let target = try all.resolve(file.source), let change = linked.changes[target.path] else {
                continue
            }
            let directory = try FileDescriptor.open(
                file.directory.raw, in: upper, [.readOnly, .directory, .noFollow], resolve: plain)
            try adjust(file.name, in: directory.raw, to: change)
        }
    }

    private func adjust(_ name: RawPath, in directory: Int32, to change: Change) throws {
        let file: FileDescriptor
        do throws(SystemError) {
            file = try FileDescriptor.open(name, in: directory, [.readWrite, .noFollow, .nonBlocking])
        } catch {
            // Removed meanwhile it cannot be: a directory or a link of that name.
            if error.isLink || error.isDirectory { return }
            throw error
        }
        let status = try file.status()
        guard status.kind == .file else { return }
        guard try CompiledPython.replaceTime(change.before, by: change.after, in: file) else { return }
        try file.changeTimes(accessed: status.modified, modified: status.modified)
    }
}
