internal import Dockerfile
package import Failure
internal import LinuxSystem

extension ContextTree {
    /// What the sources of COPY, ADD or `RUN --mount=type=bind` select, in their order.
    ///
    /// A path is one of this tree, `..` and links inside of it. `excludes` count from each source, `parents` keeps
    /// a source's path from its `/./` on. A wild card that matches nothing is no error, as in BuildKit.
    package func select(
        sources: [String], excludes: [String] = [], parents: Bool = false
    ) throws(Failure) -> FileSelection {
        let exclusion = try ContextTree.patterns(excludes, "--exclude")
        var selection = FileSelection(tree: self)
        for source in sources {
            if parents {
                try selectParents(source, exclusion, into: &selection)
            } else if PathPattern.isWildcard(source) {
                try selectMatches(of: source, exclusion, into: &selection)
            } else {
                let written = RootedPath.clean(source.utf8)
                guard let part = try part(written, exclusion) else { throw notFound(written) }
                selection.parts.append(part)
            }
        }
        selection.needsDirectory =
            !parents
            && (sources.count > 1
                || selection.parts.count > 1 && selection.parts.contains { !$0.isDirectory })
        return selection
    }

    /// `of stage "build"`, for messages.
    var of: String { name.map { " of \($0)" } ?? "" }

    static func patterns(_ texts: [String], _ flag: String) throws(Failure) -> IgnorePatterns? {
        if texts.isEmpty { return nil }
        do throws(DockerfileError) {
            return try IgnorePatterns(patterns: texts)
        } catch {
            throw Failure(.invalidArgument, "\(flag): \(error.message)")
        }
    }

    func reading<R>(_ path: [[UInt8]], _ body: () throws(SystemError) -> R) throws(Failure) -> R {
        do throws(SystemError) {
            return try body()
        } catch {
            throw error.failure("read \"\(RootedPath(components: path).shown)\"\(of)")
        }
    }
}

extension ContextTree {
    /// One source, links of its path followed: a file, or a directory's contents. nil where nothing is there, or
    /// nothing that the context's patterns leave.
    private func part(_ written: [[UInt8]], _ exclusion: IgnorePatterns?) throws(Failure)
        -> FileSelection.Part?
    {
        guard let found = try locate(written) else { return nil }
        let ignored = PatternWalk(patterns, entered: found.components)
        if ignored.matches, !ignored.mayEndBelow { return nil }
        let (kind, part) = try reading(written) { () throws(SystemError) in
            let place = try RootedPath.open(found.components, below: root, [.pathOnly])
            let status = try place.status()
            let name = RawPath(written.last ?? found.components.last ?? [UInt8(ascii: ".")])
            if status.kind == .directory {
                return (
                    status.kind,
                    try contents(
                        of: found.components, name, ignored, PatternWalk(exclusion), wanted: nil)
                )
            }
            var part = FileSelection.Part(base: Array(found.components.dropLast()), name: name)
            part.files = [
                SelectedFile(name: RawPath(found.components.last ?? []), parent: -1, status: status)
            ]
            return (status.kind, part)
        }
        if kind == .socket {
            throw Failure(
                .invalidArgument, "\"\(RootedPath(components: written).shown)\"\(of) is a socket",
                hint: "sockets cannot be copied")
        }
        // A directory that is left out itself is there for what is not.
        return ignored.matches && (kind != .directory || part.files.count == 1) ? nil : part
    }

    private func contents(
        of base: [[UInt8]], _ name: RawPath, _ ignored: PatternWalk, _ excluded: PatternWalk,
        wanted: PatternWalk?
    ) throws(SystemError) -> FileSelection.Part {
        let opened = try RootedPath.open(base, below: root, [.readOnly, .directory])
        var walk = SelectionWalk(base: opened.raw, ignored: ignored, excluded: excluded, wanted: wanted)
        try walk.walkContents(of: opened.raw)
        var part = FileSelection.Part(base: base, name: name)
        part.files = walk.files
        return part
    }

    /// Where a path of the tree really is; nil where nothing is.
    private func locate(_ written: [[UInt8]]) throws(Failure) -> RootedPath? {
        try reading(written) { () throws(SystemError) in
            do throws(SystemError) {
                let found = try RootedPath.resolve(written, below: root, hides: hides)
                return found.missing == 0 ? found : nil
            } catch {
                // A file on the way.
                if error.isNotDirectory { return nil }
                throw error
            }
        }
    }

    /// A link that the context's patterns leave out is not there to be followed.
    private func hides(_ components: [[UInt8]]) -> Bool {
        patterns != nil && PatternWalk(patterns, entered: components).matches
    }
}

// MARK: wild cards

extension ContextTree {
    private func selectMatches(
        of source: String, _ exclusion: IgnorePatterns?, into selection: inout FileSelection
    ) throws(Failure) {
        let matches = try expand(source)
        var isEmpty = true
        for match in matches {
            // A name that a wild card brought is left out by `--exclude` too; one that is written is not.
            if let name = match.last, PatternWalk(exclusion).matches(child: RawPath(name)) { continue }
            guard let part = try part(match, exclusion) else { continue }
            selection.parts.append(part)
            isEmpty = false
        }
        if isEmpty { selection.emptyWildcards.append(source) }
    }

    /// The names that a pattern matches, component by component, sorted; links on the way are followed up to the first
    /// wild card only, as BuildKit does.
    private func expand(_ source: String) throws(Failure) -> [[[UInt8]]] {
        let parts = RootedPath.clean(source.utf8)
        let start =
            parts.firstIndex { PathPattern.isWildcard(String(decoding: $0, as: UTF8.self)) } ?? parts.count
        let prefix = Array(parts[..<start])
        guard let found = try locate(prefix) else { throw notFound(prefix) }
        var places = [found.components]
        for (index, part) in parts[start...].enumerated() {
            let pattern: PathPattern
            do throws(DockerfileError) {
                pattern = try PathPattern(part)
            } catch {
                throw Failure(.invalidArgument, "\(source): \(error.message)")
            }
            let isLast = start + index == parts.count - 1
            var next: [[[UInt8]]] = []
            for place in places {
                for entry in try reading(place, { () throws(SystemError) in try listing(of: place) })
                where pattern.matches(entry.name.bytes) {
                    if isLast || entry.kind == .directory || entry.kind == nil {
                        next.append(place + [entry.name.bytes])
                    }
                }
            }
            places = next
        }
        return places
    }

    /// Sorted; empty for what is no directory.
    func listing(of components: [[UInt8]]) throws(SystemError) -> [Directory.Entry] {
        do throws(SystemError) {
            let opened = try RootedPath.open(components, below: root, [.readOnly, .directory])
            return try Directory.entries(of: opened).sorted {
                $0.name.bytes.lexicographicallyPrecedes($1.name.bytes)
            }
        } catch {
            if error.isNotDirectory || error.isMissing || error.isLink { return [] }
            throw error
        }
    }
}

// MARK: --parents

extension ContextTree {
    private func selectParents(
        _ source: String, _ exclusion: IgnorePatterns?, into selection: inout FileSelection
    ) throws(Failure) {
        let (pivot, path) = ContextTree.pivot(of: source)
        let components = RootedPath.clean(path)
        let text = String(
            decoding: Array(components.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
        let wanted = components.isEmpty ? nil : try ContextTree.patterns([text], source)
        let isPattern = PathPattern.isWildcard(source)
        let pivots = isPattern ? try expand(pivot) : [RootedPath.clean(pivot.utf8)]
        var isEmpty = true
        for written in pivots {
            guard let found = try locate(written) else { throw notFound(written) }
            let part = try reading(written) { () throws(SystemError) in
                try contents(
                    of: found.components, RawPath("."), PatternWalk(patterns, entered: found.components),
                    PatternWalk(exclusion), wanted: wanted.map { PatternWalk($0) })
            }
            if part.files.count == 1, wanted != nil { continue }
            selection.parts.append(part)
            isEmpty = false
        }
        guard isEmpty else { return }
        guard isPattern else { throw notFound(RootedPath.clean(pivot.utf8) + components) }
        selection.emptyWildcards.append(source)
    }

    /// What stands before the first `/./`, and after it.
    private static func pivot(of source: String) -> (pivot: String, path: [UInt8]) {
        let bytes = Array(source.utf8)
        let mark = Array("/./".utf8)
        var at = 0
        while at + 3 <= bytes.count {
            if bytes[at..<at + 3].elementsEqual(mark) {
                return (String(decoding: bytes[..<at], as: UTF8.self), Array(bytes[(at + 3)...]))
            }
            at += 1
        }
        return ("/", bytes)
    }
}
