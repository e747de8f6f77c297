internal import Layers
package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A line of `diff`: `A /etc/motd`.
package struct FileChange: Sendable, Equatable {
    /// A, C or D: added, changed, deleted.
    package let letter: String
    /// Absolute; control characters shown by their number.
    package let path: String
}

extension Engine {
    /// What the container's own layer changes about its image, sorted by path, parents of a change as changed.
    package func diff(_ record: ContainerRecord) throws(Failure) -> [FileChange] {
        let directory = try containerStore.directory(of: record.id)
        let upper: SharedFileDescriptor
        do throws(SystemError) {
            upper = SharedFileDescriptor(
                try FileDescriptor.open("upper", in: directory.raw, [.readOnly, .directory, .noFollow]))
        } catch {
            // Never started.
            if error.code == .notFound { return [] }
            throw error.failure("compare \(record.name) with its image")
        }
        var layers: [SharedFileDescriptor] = []
        if record.settings.userNamespace.copiesLayers {
            let base = try during("open the files of \(record.name)") { () throws(SystemError) in
                SharedFileDescriptor(try Directory.open("base", in: directory.raw))
            }
            layers.append(base)
        }
        for id in layers.isEmpty ? record.layers.reversed() : [] {
            let layer = try during("open layer \(id.prefix(12)) of \(record.image)") {
                () throws(SystemError) in
                SharedFileDescriptor(try Directory.open("layers/\(id)/fs", in: root.descriptor.raw))
            }
            layers.append(layer)
        }
        let changes = try LayerDiff(upper: upper.raw, lowers: layers.map(\.raw)).changes()
        let stack = LayerStack(layers.map(\.raw))
        let own = try OwnPlaces.removed(from: changes, upper: upper.raw, stack)
        return own.map {
            FileChange(letter: $0.kind.rawValue, path: "/\($0.path.shown)")
        }
    }

    /// A root's files as one tar, in a fixed order.
    package static func exportTree(_ root: Int32, to number: Int32) throws(Failure) {
        let output = TarOutput(number)
        let writer = output.writer()
        try LayerDiff.export(root: root, to: writer)
        try output.finish(writer)
    }

    /// The container's root file system as one tar without its volumes, in a fixed order.
    package func export(_ record: ContainerRecord, to number: Int32) throws(Failure) {
        let output = TarOutput(number)
        let writer = output.writer()
        try ContainerView(engine: self, record: record).withRootOnly { (root) throws(Failure) in
            try LayerDiff.export(root: root, owners: record.settings.userNamespace.maps, to: writer)
        }
        try output.finish(writer)
        tell("export", record)
    }
}

/// The places of ctr's own mounts that an image may lack: made at a start, and no change of the container's. docker
/// makes the same in a layer below the container's; those of volumes it lists, and so does ctr.
enum OwnPlaces {
    private static let paths: Set<String> = [
        "proc", "sys", "dev", "etc/hosts", "etc/hostname", "etc/resolv.conf",
    ]

    /// A directory that was copied up only to hold such a place goes too.
    static func removed(
        from changes: [LayerDiff.Change], upper: Int32, _ stack: LayerStack
    ) throws(Failure) -> [LayerDiff.Change] {
        let isOwn = changes.map { $0.kind == .added && paths.contains($0.path.shown) }
        guard isOwn.contains(true) else { return changes }
        let left = zip(changes, isOwn).filter { !$0.1 }.map(\.0)
        guard zip(changes, isOwn).contains(where: { $0.1 && $0.0.path.shown.hasPrefix("etc/") }),
            !left.contains(where: { $0.path.shown.hasPrefix("etc/") }),
            let etc = left.firstIndex(where: { $0.path.shown == "etc" })
        else { return left }
        var rest = left
        let wasAdded = left[etc].kind == .added
        if wasAdded ? true : try isUntouched("etc", upper, stack) { rest.remove(at: etc) }
        return rest
    }

    private static func isUntouched(_ name: String, _ upper: Int32, _ stack: LayerStack) throws(Failure)
        -> Bool
    {
        try during("compare /\(name) with the image's") { () throws(SystemError) in
            let own = try FileDescriptor.status(name, in: upper)
            guard case .found(let below) = try stack.lookUp(LayerPath(components: [Array(name.utf8)])) else {
                return false
            }
            return own.mode == below.status.mode && own.uid == below.status.uid && own.gid == below.status.gid
        }
    }
}
