internal import LinuxSystem

/// Layers, and the directories of an upper one, as mounts that show their owners through a user namespace (id-mapped
/// mounts, mount_setattr(2); overlayfs takes them since Linux 5.19). What is on the disk keeps the ids of the image.
///
/// They stand on a tmpfs of their own for as long as this value lives: before 6.15 overlayfs takes no mount that is attached
/// nowhere. An overlay that was made of them goes on without.
final class MappedLayers {
    /// Roots of the layers, as they were given.
    let layers: [SharedFileDescriptor]
    let upper: OverlayMount.Upper?
    private let kept: [SharedFileDescriptor]
    private let parent: SharedFileDescriptor
    private let name: String

    /// - Parameters:
    ///   - namespace: of the user namespace with the mapping.
    ///   - scratch: a directory of the caller's own.
    init(
        _ layers: [Int32], _ upper: OverlayMount.Upper?, by namespace: Int32, scratch: String
    ) throws(SystemError) {
        try Directory.ensurePath(scratch)
        parent = SharedFileDescriptor(try FileDescriptor.open(scratch, [.pathOnly, .directory]))
        name = "layers-\(randomHex(bytes: 6))"
        try Directory.make(name, in: parent.raw)
        do throws(SystemError) {
            let stage = try DetachedMount(type: "tmpfs", [.string("mode", "700")])
            try stage.attach(at: name, in: parent.raw)
            // After it is attached: below a shared parent it has just become shared.
            try stage.setPropagation(1 << 18 /* MS_PRIVATE */)
            func place(_ directory: Int32, _ name: String) throws(SystemError) -> SharedFileDescriptor {
                try Directory.make(name, in: stage.descriptor.raw)
                let mount = try DetachedMount(bind: "", in: directory, recursive: false)
                try mount.mapIDs(by: namespace, recursive: false)
                try mount.attach(at: name, in: stage.descriptor.raw)
                return SharedFileDescriptor(
                    try FileDescriptor.open(name, in: stage.descriptor.raw, [.pathOnly, .directory]))
            }
            var mapped: [SharedFileDescriptor] = []
            for (index, layer) in layers.enumerated() { mapped.append(try place(layer, String(index))) }
            self.layers = mapped
            guard var upper else {
                self.upper = nil
                kept = []
                return
            }
            // Both on one mount: overlayfs compares.
            let names = (try MappedLayers.name(of: upper.upper), try MappedLayers.name(of: upper.work))
            let parent = SharedFileDescriptor(
                try FileDescriptor.open("..", in: upper.upper, [.pathOnly, .directory]))
            let common = try place(parent.raw, "own")
            let own = SharedFileDescriptor(
                try FileDescriptor.open(names.0, in: common.raw, [.pathOnly, .directory, .noFollow]))
            let work = SharedFileDescriptor(
                try FileDescriptor.open(names.1, in: common.raw, [.pathOnly, .directory, .noFollow]))
            upper.upper = own.raw
            upper.work = work.raw
            self.upper = upper
            kept = [own, work]
        } catch {
            MappedLayers.remove(name, parent.raw)
            throw error
        }
    }

    deinit { MappedLayers.remove(name, parent.raw) }

    private static func remove(_ name: String, _ parent: Int32) {
        try? MountTable.detach("/proc/self/fd/\(parent)/\(name)")
        try? Directory.removeEmpty(name, in: parent)
    }

    private static func name(of directory: Int32) throws(SystemError) -> RawPath {
        let path = try Directory.readLink("/proc/self/fd/\(directory)").bytes
        let slash = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return RawPath(Array(path[slash...]))
    }
}
