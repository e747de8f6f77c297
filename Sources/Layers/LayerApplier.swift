package import OverlayFS
package import Archive
package import Failure
internal import LinuxSystem

/// Writes one layer's tar entries into a fresh directory, in overlayfs' own terms (OCI image-spec layer.md to
/// Documentation/filesystems/overlayfs.rst).
///
/// What the tar says is an enemy's input: every name is reached from the root's descriptor, files are made by
/// O_EXCL without following a link, and links among the parents are followed by hand, inside the root only.
package final class LayerApplier {
    package struct Limits: Sendable {
        /// Bytes of file data, holes included.
        package var bytes: UInt64 = 1 << 40
        package var entries = 10_000_000

        package init() {}
    }

    /// Whose tar it is.
    package enum Form: String, Sendable {
        /// An image's: `.wh.` names delete, and the root is empty.
        case layer
        /// A user's: `.wh.` names are names, the root is any directory, whose own attributes stay, and it is `/` for the
        /// links in it.
        case archive
    }

    let root: Int32
    private let form: Form
    private let limits: Limits
    var record = LayerRecord()
    private var implicit: Set<LayerPath> = []
    private var links: [LayerRecord.PendingLink] = []
    /// A directory's time would change with every name made in it: they are set at the end.
    var directoryTimes: [(path: LayerPath, time: Timestamp)] = []
    /// Modes that would keep an unprivileged owner from going on, likewise.
    var directoryModes: [(path: LayerPath, mode: UInt32)] = []
    /// The parent of the last entry: entries of one directory follow each other.
    private var cached: (wanted: LayerPath, found: Parent)?

    /// An open directory below the root, and where it really is once links are followed.
    final class Parent {
        let descriptor: FileDescriptor
        let path: LayerPath

        init(_ descriptor: consuming FileDescriptor, _ path: LayerPath) {
            self.descriptor = descriptor
            self.path = path
        }

        var raw: Int32 { descriptor.raw }
    }

    /// `root` is a directory that the caller keeps open.
    package init(root: Int32, form: Form = .layer, limits: Limits = Limits()) {
        self.root = root
        self.form = form
        self.limits = limits
    }

    /// Reads the tar to its end and writes it all.
    package func apply(_ reader: TarReader) throws(Failure) -> LayerRecord {
        while let entry = try reader.next() { try add(entry, data: reader) }
        return try finish()
    }

    /// One entry; a file's data is taken from the reader.
    package func add(_ entry: TarEntry, data reader: TarReader) throws(Failure) {
        record.entries += 1
        guard record.entries <= limits.entries else {
            throw Failure(.resourceExhausted, "has more than \(limits.entries) entries")
        }
        do {
            try place(entry, data: reader)
        } catch let error as SystemError {
            throw error.failure("unpack \"\(entry.path.shown)\"")
        } catch let error as Refusal {
            throw Failure(.invalidArgument, "entry \"\(entry.path.shown)\" is refused: \(error.reason)")
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internal, "unpack \"\(entry.path.shown)\"", cause: error)
        }
    }

    /// Why an entry is not written; `add` says which.
    struct Refusal: Error { let reason: String }

    private func place(_ entry: TarEntry, data reader: TarReader) throws {
        guard let path = LayerPath(cleaning: entry.path) else {
            throw Refusal(reason: "\"..\" leads out of the \(form.rawValue)")
        }
        guard form == .layer else {
            if path.isRoot, entry.kind == .directory { return }
            return try make(entry, at: path, data: reader)
        }
        for part in path.components.dropLast() where part.starts(with: Whiteout.prefix) {
            if Whiteout(of: part) == .ignored { return }
            throw Refusal(reason: "a whiteout's name (.wh.) as a directory")
        }
        switch Whiteout(of: path.name.bytes) {
        case .none: try make(entry, at: path, data: reader)
        case .ignored: return
        case .opaque: try makeOpaque(path.parent)
        case .name(let name): try makeWhiteout(name, in: path.parent)
        case .invalid: throw Refusal(reason: "a whiteout (.wh.) of no name")
        }
    }
}

// ---- entries
extension LayerApplier {
    private func make(_ entry: TarEntry, at path: LayerPath, data reader: TarReader) throws {
        if path.isRoot {
            guard entry.kind == .directory else { throw Refusal(reason: "the root is a directory") }
            record.hasRootEntry = true
            try setAttributes(entry, of: path.raw, in: root, at: path, isNew: false)
            return
        }
        let parent = try openParent(path.parent)
        let name = path.name
        let place = parent.path.appending(name)
        switch entry.kind {
        case .directory: try makeDirectory(entry, name, in: parent, at: place)
        case .file: try makeFile(entry, name, in: parent, at: place, data: reader)
        case .hardLink(let target): try makeHardLink(to: target, name, in: parent, at: place)
        case .symlink(let target):
            try replacing(name, in: parent) { () throws(SystemError) in
                try Directory.symlink(target, at: name, in: parent.raw)
            }
            try setAttributes(entry, of: name, in: parent.raw, at: place, isNew: true)
        case .fifo, .socket:
            try makeNode(entry, name, in: parent, at: place, type: entry.kind == .fifo ? 0o010000 : 0o140000)
        case .characterDevice(let major, let minor):
            // Overlay's whiteout mark is never taken from a tar: `.wh.` is the layer's word for it.
            if major == 0, minor == 0 { return }
            try makeNode(entry, name, in: parent, at: place, type: 0o020000, major, minor)
        case .blockDevice(let major, let minor):
            try makeNode(entry, name, in: parent, at: place, type: 0o060000, major, minor)
        }
    }

    private func makeDirectory(_ entry: TarEntry, _ name: RawPath, in parent: Parent, at place: LayerPath)
        throws
    {
        var isNew = true
        do throws(SystemError) {
            try Directory.make(name, in: parent.raw)
        } catch {
            guard error.isExists else { throw error }
            let there = try FileDescriptor.status(name, in: parent.raw)
            if there.kind == .directory {
                isNew = false
            } else {
                try remove(name, in: parent)
                try Directory.make(name, in: parent.raw)
                // Deleted and made anew in one layer: nothing of the lower one shows.
                if there.isWhiteout, form == .layer { try markOpaque(name, in: parent.raw) }
            }
        }
        implicit.remove(place)
        try setAttributes(entry, of: name, in: parent.raw, at: place, isNew: isNew)
    }

    private func makeFile(
        _ entry: TarEntry, _ name: RawPath, in parent: Parent, at place: LayerPath, data reader: TarReader
    ) throws {
        let (total, overflow) = record.size.addingReportingOverflow(entry.size)
        guard !overflow, total <= limits.bytes else {
            throw Failure(
                .resourceExhausted,
                "entry \"\(entry.path.shown)\": the \(form.rawValue) has more than \(limits.bytes) bytes of files"
            )
        }
        record.size = total
        let file = try createFile(name, in: parent)
        var end: Int64 = 0
        while let (offset, bytes) = try reader.nextData() {
            guard offset >= 0, UInt64(offset) + UInt64(bytes.count) <= entry.size else {
                throw Refusal(reason: "it has more data than its size")
            }
            try file.write(bytes, at: offset)
            end = max(end, offset + Int64(bytes.count))
        }
        // A hole at the end.
        if UInt64(end) < entry.size { try file.truncate(to: Int64(entry.size)) }
        // chown takes the set-id bits and the capabilities away: they follow it.
        try file.changeOwner(uid: entry.uid, gid: entry.gid)
        try file.changeMode(entry.mode)
        for attribute in entry.attributes where !isOfTheHost(attribute.name) {
            try tolerating(attribute.name) { () throws(SystemError) in
                try ExtendedAttributes.set(attribute.name, attribute.value, on: file)
            }
        }
        try file.changeTimes(accessed: entry.modified, modified: entry.modified)
        // Some file systems tell of a failed write only here.
        try file.close()
    }

    private func createFile(_ name: RawPath, in parent: Parent) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor.open(
                name, in: parent.raw, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        } catch {
            guard error.isExists else { throw error }
        }
        try remove(name, in: parent)
        return try FileDescriptor.open(
            name, in: parent.raw, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
    }

    private func makeHardLink(
        to target: RawPath, _ name: RawPath, in parent: Parent, at place: LayerPath
    ) throws {
        guard let wanted = LayerPath(cleaning: target), !wanted.isRoot else {
            throw Refusal(
                reason: "its hard link's target \"\(target.shown)\" leads out of the \(form.rawValue)")
        }
        // A link by a whiteout's name would link to nothing.
        guard form == .archive || Whiteout(of: wanted.name.bytes) == .none else {
            throw Refusal(reason: "a hard link to a whiteout")
        }
        let found = try walk(wanted.parent, create: false)
        let from = found?.path.appending(wanted.name) ?? wanted
        if from == place { return }
        if let found, let there = try existing(wanted.name, in: found) {
            guard there.kind != .directory else { throw Refusal(reason: "a hard link to a directory") }
            guard !there.isWhiteout else {
                throw Refusal(reason: "a hard link to \"\(target.shown)\", which this layer deletes")
            }
            try replacing(name, in: parent) { () throws(SystemError) in
                try Directory.link(wanted.name, in: found.raw, to: name, in: parent.raw)
            }
            return
        }
        try remove(name, in: parent)
        links.append(LayerRecord.PendingLink(path: place.raw, target: from.raw))
    }

    private func makeNode(
        _ entry: TarEntry, _ name: RawPath, in parent: Parent, at place: LayerPath, type: UInt32,
        _ major: UInt32 = 0, _ minor: UInt32 = 0
    ) throws {
        let directory = parent.raw
        func create() throws(SystemError) {
            try Directory.makeNode(name, in: directory, mode: type | 0o600, major: major, minor: minor)
        }
        do throws(SystemError) {
            try replacing(name, in: parent, create)
        } catch {
            // Inside a user namespace nobody makes devices; a container gets its own /dev there.
            if error.isNotPermitted { return }
            throw error
        }
        try setAttributes(entry, of: name, in: parent.raw, at: place, isNew: true)
    }

    private func makeOpaque(_ directory: LayerPath) throws {
        if directory.isRoot { record.isRootOpaque = true }
        let found = try openParent(directory)
        try markOpaque(RawPath("."), in: found.raw)
    }

    private func makeWhiteout(_ name: RawPath, in directory: LayerPath) throws {
        let parent = try openParent(directory)
        // A whiteout hits the lower layers only: what this layer has there stays.
        guard let there = try existing(name, in: parent) else {
            try Directory.makeNode(name, in: parent.raw, mode: 0o020000)
            return
        }
        if there.kind == .directory {
            implicit.remove(parent.path.appending(name))
            try markOpaque(name, in: parent.raw)
        }
    }

    private func markOpaque(_ name: RawPath, in directory: Int32) throws {
        try ExtendedAttributes.set(opaqueAttribute, Array("y".utf8), on: name, in: directory)
    }
}

// ---- attributes
extension LayerApplier {
    /// The layer's times and modes of directories, and what the tar left open.
    package func finish() throws(Failure) -> LayerRecord {
        cached = nil
        do {
            for (path, time) in directoryTimes {
                guard let opened = try openPlain(path) else { continue }
                try opened.descriptor.changeTimes(accessed: time, modified: time)
            }
            // In reverse: a closed directory's children first.
            for (path, mode) in directoryModes.reversed() where try openPlain(path) != nil {
                let opened = try FileDescriptor.open(
                    path.raw, in: root, [.readOnly, .directory, .noFollow], resolve: plain)
                try opened.changeMode(mode)
            }
            for path in implicit where try openPlain(path) != nil { record.implicitParents.append(path.raw) }
            record.implicitParents.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            record.pendingLinks = try links.filter { try isStillPending($0) }
        } catch let error as SystemError {
            throw error.failure("finish the layer's directories")
        } catch {
            throw Failure(.internal, "finish the layer's directories", cause: error)
        }
        return record
    }

    /// Whether nothing came to the name later. A target that came after its link is linked now.
    private func isStillPending(_ link: LayerRecord.PendingLink) throws -> Bool {
        if let there = try status(link.path), !there.isWhiteout { return false }
        guard let target = try status(link.target), !target.isWhiteout, target.kind != .directory else {
            return true
        }
        guard let from = LayerPath(cleaning: link.target), let to = LayerPath(cleaning: link.path),
            let source = try walk(from.parent, create: false), let place = try walk(to.parent, create: false)
        else { return true }
        try replacing(to.name, in: place) { () throws(SystemError) in
            try Directory.link(from.name, in: source.raw, to: to.name, in: place.raw)
        }
        return false
    }

    private func status(_ path: RawPath) throws -> FileStatus? {
        guard let path = LayerPath(cleaning: path), let parent = try walk(path.parent, create: false) else {
            return nil
        }
        return path.isRoot ? nil : try existing(path.name, in: parent)
    }
}

// ---- names

extension LayerApplier {
    private func existing(_ name: RawPath, in parent: Parent) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try FileDescriptor.status(name, in: parent.raw)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    private func remove(_ name: RawPath, in parent: Parent) throws(SystemError) {
        // What was remembered may be inside, or be reached through it.
        cached = nil
        try Directory.removeTree(name, in: parent.raw)
    }

    private func replacing(_ name: RawPath, in parent: Parent, _ body: () throws(SystemError) -> Void)
        throws(SystemError)
    {
        do throws(SystemError) {
            try body()
        } catch {
            guard error.isExists else { throw error }
            try remove(name, in: parent)
            try body()
        }
    }

    /// The directory an entry goes into, made where the tar did not list it.
    private func openParent(_ path: LayerPath) throws -> Parent {
        if let cached, cached.wanted == path { return cached.found }
        let found = try openPlain(path) ?? walk(path, create: true)
        guard let found else { throw Refusal(reason: "its directory cannot be made") }
        cached = (path, found)
        return found
    }

    /// The way without links, in one call; nil where it is not that plain.
    private func openPlain(_ path: LayerPath) throws -> Parent? {
        do throws(SystemError) {
            let opened = try FileDescriptor.open(
                path.raw, in: root, [.pathOnly, .directory, .noFollow],
                resolve: plain)
            return Parent(opened, path)
        } catch {
            if error.isMissing || error.isLink || error.isNotDirectory { return nil }
            throw error
        }
    }

    /// Component by component, links followed by hand inside the root; nil where a component is missing and
    /// `create` is not asked for.
    private func walk(_ path: LayerPath, create: Bool) throws -> Parent? {
        var todo = Array(path.components.reversed())
        var at = LayerPath(components: [])
        var current = try FileDescriptor.open(".", in: root, [.pathOnly, .directory])
        var followed = 0
        while let part = todo.popLast() {
            if part.elementsEqual("..".utf8) {
                guard !at.isRoot else {
                    if form == .archive { continue }
                    throw Refusal(reason: "a symbolic link on its way leads out of the layer")
                }
                at = at.parent
                current = try FileDescriptor.open(
                    at.raw, in: root, [.pathOnly, .directory, .noFollow],
                    resolve: plain)
                continue
            }
            let name = RawPath(part)
            var there: FileStatus?
            do throws(SystemError) {
                there = try FileDescriptor.status(name, in: current.raw)
            } catch {
                guard error.isMissing else { throw error }
            }
            if there == nil || there?.isWhiteout == true {
                guard create else { return nil }
                try makeImplicit(name, at: at.appending(name), in: current.raw, over: there)
            } else if let there, there.kind == .symlink {
                followed += 1
                guard followed <= 40 else { throw Refusal(reason: "too many symbolic links on its way") }
                let target = try Directory.readLink(name, in: current.raw)
                if target.bytes.first == UInt8(ascii: "/") {
                    at = LayerPath(components: [])
                    current = try FileDescriptor.open(".", in: root, [.pathOnly, .directory])
                }
                for part in target.bytes.split(separator: UInt8(ascii: "/")).reversed()
                where !part.elementsEqual(".".utf8) {
                    todo.append(Array(part))
                }
                continue
            } else if let there, there.kind != .directory {
                guard create else { return nil }
                throw Refusal(reason: "\"\(at.appending(name).shown)\" is not a directory")
            }
            current = try FileDescriptor.open(
                name, in: current.raw, [.pathOnly, .directory, .noFollow],
                resolve: plain)
            at = at.appending(name)
        }
        return Parent(current, at)
    }

    private func makeImplicit(_ name: RawPath, at place: LayerPath, in directory: Int32, over: FileStatus?)
        throws
    {
        if over != nil { try Directory.removeFile(name, in: directory) }
        try Directory.make(name, in: directory, mode: 0o755)
        // mkdir's mode is cut by the umask.
        try Directory.changeMode(name, in: directory, mode: 0o755)
        if over != nil {
            // The layer has deleted the lower directory: there is nothing to inherit, and nothing to show.
            try markOpaque(name, in: directory)
        } else {
            implicit.insert(place)
        }
    }
}
