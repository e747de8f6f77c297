package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Runtime
internal import Volumes

/// A container's root: the image's layers with the container's own above them.
///
/// A read-only container has no layer of its own. Where its image lacks the places of its mounts they are made once,
/// through an overlay that is then dropped, in `upper`, which is mounted as one more lower layer. With hooks of CDI devices
/// it has one, and its plan makes the root read-only.
struct RootMount {
    let engine: Engine
    let record: ContainerRecord

    func mount(in directory: borrowing FileDescriptor) throws(Failure) -> DetachedMount {
        let ids = try record.idsOfMounts()
        if !record.settings.life.rootDirectory.isEmpty { return try mountDirectory(ids) }
        var layers = try openLayers(directory)
        if record.settings.readOnly, !hasHooks {
            let top = try prepareReadOnly(layers, directory)
            layers.insert(top, at: 0)
            // The kernel wants two, and a bind would have no label.
            if layers.count == 1, try engine.rootLabel(of: record) != nil { layers.append(try emptyLayer()) }
            return try make(layers, upper: nil, ids)
        }
        return try mountWritable(layers, directory, ids)
    }

    /// What is wrong with them is told where they are needed.
    private var deviceEdits: CDISpec.Edits? { (try? engine.deviceEdits(of: record.settings)) ?? nil }

    /// They write to the root, as drivers' do, before it becomes read-only.
    private var hasHooks: Bool { deviceEdits?.hooks.isEmpty == false }

    /// The image's, or the copy of its files that belongs to the container's user namespace.
    private func openLayers(_ directory: borrowing FileDescriptor) throws(Failure) -> [SharedFileDescriptor] {
        guard record.settings.userNamespace.copiesLayers, !record.layers.isEmpty else {
            return try openLayers(record.layers)
        }
        let parent = directory.raw
        return try during("open the files of \(record.name)") { () throws(SystemError) in
            [
                SharedFileDescriptor(
                    try FileDescriptor.open("base", in: parent, [.pathOnly, .directory, .noFollow]))
            ]
        }
    }

    /// `--rootfs`: what the container writes is in the directory itself.
    private func mountDirectory(_ ids: SharedFileDescriptor?) throws(Failure) -> DetachedMount {
        let path = record.settings.life.rootDirectory
        return try during("mount the root \(path)") { () throws(SystemError) in
            let mount = try DetachedMount(bind: path, recursive: false)
            if let ids { try mount.mapIDs(by: ids.raw, recursive: false) }
            return mount
        }
    }

    /// Only the image's part, read-only: for who looks at it from outside.
    func mountImage() throws(Failure) -> DetachedMount {
        try make(try openLayers(record.layers), upper: nil, nil, context: nil)
    }

    /// Top first, as overlayfs counts. An image may have one layer twice, which overlayfs refuses: the lower one adds
    /// nothing to the upper.
    private func openLayers(_ ids: [String]) throws(Failure) -> [SharedFileDescriptor] {
        var layers: [SharedFileDescriptor] = []
        var seen: Set<String> = []
        for id in ids.reversed() where seen.insert(id).inserted {
            let layer = try during("open layer \(id.prefix(12)) of \(record.image)") {
                () throws(SystemError) in
                SharedFileDescriptor(
                    try FileDescriptor.open(
                        "layers/\(id)/fs", in: engine.root.descriptor.raw, [.pathOnly, .directory],
                        resolve: [.beneath, .noSymlinks]))
            }
            layers.append(layer)
        }
        return layers
    }

    private func mountWritable(
        _ layers: [SharedFileDescriptor], _ directory: borrowing FileDescriptor, _ ids: SharedFileDescriptor?
    ) throws(Failure) -> DetachedMount {
        let (upper, work) = try openUpper(directory)
        // Of what is mapped the file in the upper directory counts, not the overlay's.
        if let label = try engine.rootLabel(of: record) {
            try TreeLabel.set(label, on: engine.path(of: record, "upper"))
        }
        // An image without layers is an empty directory.
        guard !layers.isEmpty else {
            return try during("mount the root of \(record.name)") { () throws(SystemError) in
                let mount = try DetachedMount(bind: "", in: upper.raw, recursive: false)
                if let ids { try mount.mapIDs(by: ids.raw, recursive: false) }
                return mount
            }
        }
        let mount = try make(layers, upper: OverlayMount.Upper(upper: upper.raw, work: work.raw), ids)
        try OwnAccount(of: record)?.add(to: mount.descriptor)
        return mount
    }

    private func emptyLayer() throws(Failure) -> SharedFileDescriptor {
        let path = "\(engine.runPath)/empty"
        return try during("make \(path)") { () throws(SystemError) in
            try Directory.ensurePath(path, mode: 0o755)
            return SharedFileDescriptor(try FileDescriptor.open(path, [.pathOnly, .directory, .noFollow]))
        }
    }

    private func openUpper(_ directory: borrowing FileDescriptor) throws(Failure) -> (
        upper: SharedFileDescriptor, work: SharedFileDescriptor
    ) {
        let parent = directory.raw
        return try during("open the layer of \(record.name)") { () throws(SystemError) in
            try Directory.ensure("upper", in: parent, mode: 0o755)
            try Directory.ensure("work", in: parent)
            return (
                SharedFileDescriptor(
                    try FileDescriptor.open("upper", in: parent, [.pathOnly, .directory, .noFollow])),
                SharedFileDescriptor(
                    try FileDescriptor.open("work", in: parent, [.pathOnly, .directory, .noFollow]))
            )
        }
    }

    private func prepareReadOnly(
        _ layers: [SharedFileDescriptor], _ directory: borrowing FileDescriptor
    ) throws(Failure) -> SharedFileDescriptor {
        // With the owners of the disk, as ctr sees them: root's are the container's root's later.
        let whole = try mountWritable(layers, directory, nil)
        let targets = MountTargets(root: whole.descriptor.raw)
        let ids = record.settings.userNamespace
        let owner = ids.copiesLayers ? try ids.maps?.outside(uid: 0, gid: 0) : nil
        for mount in record.mounts {
            try targets.ensure(mount.target, isDirectory: try engine.isDirectory(mount), owner: owner)
        }
        for directory in ["/proc", "/sys", "/dev"] {
            try targets.ensure(directory, isDirectory: true, owner: owner)
        }
        for secret in try record.secrets where !secret.isVariable {
            try targets.ensure(secret.target, isDirectory: false)
        }
        for mount in deviceEdits?.mounts ?? [] {
            try targets.ensure(
                mount.containerPath, isDirectory: try Planner.sourceIsDirectory(mount.hostPath), owner: owner)
        }
        for name in NetworkFiles.names { try targets.ensure("/etc/\(name)", isDirectory: false) }
        if !record.settings.workingDirectory.isEmpty {
            try targets.ensure(record.settings.workingDirectory, isDirectory: true, owner: owner)
        }
        let parent = directory.raw
        return try during("open the layer of \(record.name)") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open("upper", in: parent, [.pathOnly, .directory, .noFollow]))
        }
    }

    private func make(
        _ layers: [SharedFileDescriptor], upper: OverlayMount.Upper?, _ ids: SharedFileDescriptor?
    ) throws(Failure) -> DetachedMount {
        try make(layers, upper: upper, ids, context: try engine.rootLabel(of: record))
    }

    private func make(
        _ layers: [SharedFileDescriptor], upper: OverlayMount.Upper?, _ ids: SharedFileDescriptor?,
        context: String?
    ) throws(Failure) -> DetachedMount {
        let scratch = "\(engine.runPath)/mounts"
        guard upper != nil, let ids, let maps = record.settings.userNamespace.maps else {
            return try OverlayMount.make(
                layers: layers.map(\.raw), upper: upper, ids: ids?.raw, context: context, scratch: scratch)
        }
        // overlayfs writes to the upper layer as who mounted it, and through the mapping only ids of the namespace can.
        let mount = try OwnThread.run { () throws(Failure) in
            try maps.becomeRoot()
            let mount = try OverlayMount.make(
                layers: layers.map(\.raw), upper: upper, ids: ids.raw, context: context, scratch: scratch)
            return try during("mount the root") { () throws(SystemError) in
                SharedFileDescriptor(try mount.descriptor.duplicate())
            }
        }
        return try during("mount the root of \(record.name)") { () throws(SystemError) in
            DetachedMount(descriptor: try mount.duplicate())
        }
    }
}

/// Makes the places of mounts below a root, resolved in it: a link of the image leads nowhere else.
package struct MountTargets {
    let root: Int32

    package init(root: Int32) { self.root = root }

    /// - Parameter owner: of the directories that are made.
    package func ensure(
        _ path: String, isDirectory: Bool, owner: (uid: UInt32, gid: UInt32)? = nil
    ) throws(Failure) {
        try during("make \(path) in the container's root") { () throws(SystemError) in
            var made = ""
            let parts = path.split(separator: "/")
            for (i, part) in parts.enumerated() {
                let parent = try FileDescriptor.open(
                    made.isEmpty ? "/" : made, in: root, [.pathOnly, .directory],
                    resolve: [.inRoot, .noMagicLinks])
                made += "/\(part)"
                if try exists(made) { continue }
                if i < parts.count - 1 || isDirectory {
                    try Directory.ensure(String(part), in: parent.raw, mode: 0o755)
                    if let owner {
                        try Directory.changeOwner(
                            String(part), in: parent.raw, uid: owner.uid, gid: owner.gid)
                    }
                } else {
                    _ = try FileDescriptor.open(
                        String(part), in: parent.raw, [.writeOnly, .create, .exclusive, .noFollow],
                        mode: 0o644)
                }
            }
        }
    }

    private func exists(_ path: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try FileDescriptor.open(path, in: root, [.pathOnly], resolve: [.inRoot, .noMagicLinks])
            return true
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }
}
