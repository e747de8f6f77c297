package import OverlayFS
package import Failure
internal import LinuxSystem

/// Gives a layer what it takes from those below it: directories that its tar leaves out get the owner, mode, time
/// and attributes of the lower ones; hard links to lower files get a copy to link to.
///
/// A layer fixed up is right on these parents only: it is kept by its chainID.
package struct LayerFixUp {
    private let root: Int32
    private let parents: LayerStack
    private let own: LayerStack
    /// Where directories went that a lower layer has as a link.
    private var moved: [(from: LayerPath, to: LayerPath)] = []

    private init(_ root: Int32, _ parents: [Int32]) {
        self.root = root
        self.parents = LayerStack(parents)
        own = LayerStack([root])
    }

    /// - Parameters:
    ///   - root: of the new layer.
    ///   - parents: roots of the layers below it, top first.
    /// - Returns: the record of the layer as it now is; it needs its parents no more than by its id.
    package static func run(_ root: Int32, _ record: LayerRecord, parents: [Int32]) throws(Failure)
        -> LayerRecord
    {
        var work = LayerFixUp(root, parents)
        do {
            for path in record.implicitParents {
                guard let path = LayerPath(cleaning: path) else { continue }
                try work.adopt(path)
            }
            for link in record.pendingLinks { try work.link(link) }
        } catch let error as SystemError {
            throw error.failure("join a layer to those below it")
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.internal, "join a layer to those below it", cause: error)
        }
        var record = record
        record.implicitParents = []
        record.pendingLinks = []
        return record
    }

    /// A path as the layer has it now.
    private func current(_ path: LayerPath) -> LayerPath {
        var path = path
        for (from, to) in moved where path.components.starts(with: from.components) {
            path.components = to.components + path.components.dropFirst(from.components.count)
        }
        return path
    }

    private mutating func adopt(_ wanted: LayerPath) throws {
        let path = current(wanted)
        switch try parents.lookUp(path) {
        case .missing, .link: return
        case .found(let found):
            if found.status.kind == .directory { return try copyAttributes(found, to: path) }
            guard found.status.kind == .symlink, let target = try parents.resolve(path),
                target.status.kind == .directory
            else { return }
            try move(path, into: target.path)
            moved.append((path, target.path))
        }
    }

    private func copyAttributes(_ found: LayerStack.Found, to path: LayerPath) throws {
        guard let index = found.indexes.first else { return }
        let source = try FileDescriptor.open(
            path.raw, in: parents.layers[index], [.readOnly, .directory, .noFollow], resolve: plain)
        let target = try FileDescriptor.open(
            path.raw, in: root, [.readOnly, .directory, .noFollow], resolve: plain)
        try target.changeOwner(uid: found.status.uid, gid: found.status.gid)
        try target.changeMode(found.status.permissions)
        try copyExtendedAttributes(from: source, to: target)
        try target.changeTimes(accessed: found.status.accessed, modified: found.status.modified)
    }

    /// The layer wrote through what below it is a link to a directory (`lib/x` where `lib` leads to `usr/lib`): its
    /// files go where the link leads, else they would hide the link.
    private func move(_ path: LayerPath, into target: LayerPath) throws {
        guard target != path, !target.components.starts(with: path.components),
            let parent = try own.openParent(of: path, in: root)
        else { return }
        try ensureDirectories(target)
        try merge(path.name, of: parent.raw, into: target)
    }

    private func merge(_ name: RawPath, of parent: Int32, into target: LayerPath) throws {
        let source = try Directory.open(name, in: parent)
        let destination = try FileDescriptor.open(
            target.raw, in: root, [.readOnly, .directory, .noFollow], resolve: plain)
        for entry in try Directory.entries(of: source) {
            do throws(SystemError) {
                try Directory.rename(
                    entry.name, in: source.raw, to: entry.name, in: destination.raw, replace: false)
                continue
            } catch {
                guard error.isExists else { throw error }
            }
            let new = try FileDescriptor.status(entry.name, in: source.raw)
            let old = try FileDescriptor.status(entry.name, in: destination.raw)
            if new.kind == .directory, old.kind == .directory {
                try merge(entry.name, of: source.raw, into: target.appending(entry.name))
            } else {
                try Directory.removeTree(entry.name, in: destination.raw)
                try Directory.rename(entry.name, in: source.raw, to: entry.name, in: destination.raw)
            }
        }
        try Directory.removeEmpty(name, in: parent)
    }

    /// Directories of this layer at a path, those that it lacks made like the lower ones.
    private func ensureDirectories(_ path: LayerPath) throws {
        var at = LayerPath(components: [])
        for part in path.components {
            at.components.append(part)
            guard let parent = try own.openParent(of: at, in: root) else {
                throw Failure(.invalidArgument, "\"\(at.shown)\" cannot be made in the layer")
            }
            guard try Directory.ensure(at.name, in: parent.raw, mode: 0o755) else { continue }
            try Directory.changeMode(at.name, in: parent.raw, mode: 0o755)
            if case .found(let found) = try parents.lookUp(at), found.status.kind == .directory {
                try copyAttributes(found, to: at)
            }
        }
    }

    private func link(_ link: LayerRecord.PendingLink) throws {
        guard let place = LayerPath(cleaning: link.path).map(current),
            let wanted = LayerPath(cleaning: link.target)
        else { return }
        let above = try parents.resolve(wanted.parent)?.path ?? wanted.parent
        let target = above.appending(wanted.name)
        try ensureDirectories(target.parent)
        if try own.status(target, in: root) == nil {
            guard case .found(let found) = try parents.lookUp(target), found.status.kind != .directory else {
                throw Failure(
                    .invalidArgument,
                    "entry \"\(place.shown)\" is a hard link to \"\(target.shown)\", which no layer has")
            }
            try copyUp(found, to: target)
        }
        try ensureDirectories(place.parent)
        guard let from = try own.openParent(of: target, in: root),
            let to = try own.openParent(of: place, in: root)
        else { throw Failure(.invalidArgument, "entry \"\(place.shown)\" cannot be made in the layer") }
        try Directory.removeTree(place.name, in: to.raw)
        try Directory.link(target.name, in: from.raw, to: place.name, in: to.raw)
    }

    private func copyUp(_ found: LayerStack.Found, to path: LayerPath) throws {
        guard let index = found.indexes.first,
            let source = try parents.openParent(of: path, in: parents.layers[index]),
            let parent = try own.openParent(of: path, in: root)
        else { throw Failure(.internal, "\"\(path.shown)\" is gone from the lower layer") }
        try copyNode(path.name, found.status, from: source.raw, to: parent.raw)
    }
}

/// Copies one file that is no directory, with all that belongs to it.
func copyNode(_ name: RawPath, _ status: FileStatus, from source: Int32, to target: Int32) throws {
    switch status.kind {
    case .file:
        let input = try FileDescriptor.open(name, in: source, [.readOnly, .noFollow])
        let output = try FileDescriptor.open(
            name, in: target, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        while try input.copyRange(to: output.raw, size: 1 << 24) > 0 {}
        try output.changeOwner(uid: status.uid, gid: status.gid)
        try output.changeMode(status.permissions)
        try copyExtendedAttributes(from: input, to: output)
        try output.changeTimes(accessed: status.accessed, modified: status.modified)
        return
    case .symlink:
        try Directory.symlink(try Directory.readLink(name, in: source), at: name, in: target)
    default:
        try Directory.makeNode(
            name, in: target, mode: status.mode, major: status.deviceMajor, minor: status.deviceMinor)
    }
    try Directory.changeOwner(name, in: target, uid: status.uid, gid: status.gid)
    if status.kind != .symlink { try Directory.changeMode(name, in: target, mode: status.permissions) }
    try Directory.changeTimes(name, in: target, accessed: status.accessed, modified: status.modified)
}

private func copyExtendedAttributes(
    from source: borrowing FileDescriptor, to target: borrowing FileDescriptor
) throws(SystemError) {
    let names: [String]
    do throws(SystemError) {
        names = try ExtendedAttributes.names(of: source)
    } catch {
        // The file system has none at all.
        if error.isUnsupported { return }
        throw error
    }
    for name in names where !isOfTheHost(name) {
        if let value = try ExtendedAttributes.value(name, of: source) {
            try ExtendedAttributes.set(name, value, on: target)
        }
    }
}
