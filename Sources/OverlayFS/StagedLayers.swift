internal import LinuxSystem

/// Layers, and the directories of an upper one, in a mount namespace of the thread, where what stands on a place for a
/// moment is seen by nobody else and ends with the thread, however that ends. An overlay that was made of them goes on
/// without. mount(2) wants that, and so do owners that are seen through a user namespace (id-staged mounts,
/// mount_setattr(2); overlayfs takes them since Linux 5.19, attached nowhere since 6.15): what is on the disk keeps the ids
/// of the image.
struct StagedLayers {
    /// Roots of the layers, as they were given.
    let layers: [SharedFileDescriptor]
    let upper: OverlayMount.Upper?
    private let kept: [SharedFileDescriptor]

    /// - Parameters:
    ///   - ids: the user namespace with the mapping.
    ///   - scratch: a directory of the caller's own. The calling thread is in another mount namespace afterwards, in which
    ///     the layers stand there.
    init(
        _ layers: [Int32], _ upper: OverlayMount.Upper?, ids: Int32?, scratch: String
    ) throws(SystemError) {
        try Directory.ensurePath(scratch)
        // A mount can be cloned only by who is in its namespace, so all are before the thread leaves.
        func clone(_ directory: Int32) throws(SystemError) -> SharedFileDescriptor {
            let mount = try DetachedMount(bind: "", in: directory, recursive: false)
            if let ids { try mount.mapIDs(by: ids, recursive: false) }
            return SharedFileDescriptor(try mount.descriptor.duplicate())
        }
        var clones: [SharedFileDescriptor] = []
        for layer in layers { clones.append(try clone(layer)) }
        // Both directories on one mount: overlayfs compares.
        let common = try upper.map { (upper) throws(SystemError) in
            let parent = SharedFileDescriptor(
                try FileDescriptor.open("..", in: upper.upper, [.pathOnly, .directory]))
            defer { withExtendedLifetime(parent) {} }
            return try clone(parent.raw)
        }
        let names = try upper.map { (upper) throws(SystemError) in
            (try StagedLayers.name(of: upper.upper), try StagedLayers.name(of: upper.work))
        }

        try MountNamespace.unshare()
        let stage = try DetachedMount(type: "tmpfs", [.string("mode", "700")])
        try stage.attach(at: scratch)
        func place(_ mount: SharedFileDescriptor, _ name: String) throws(SystemError) -> SharedFileDescriptor
        {
            try Directory.make(name, in: stage.descriptor.raw)
            try DetachedMount(descriptor: try mount.duplicate()).attach(at: name, in: stage.descriptor.raw)
            return SharedFileDescriptor(
                try FileDescriptor.open(name, in: stage.descriptor.raw, [.pathOnly, .directory]))
        }
        var staged: [SharedFileDescriptor] = []
        for (index, mount) in clones.enumerated() { staged.append(try place(mount, String(index))) }
        self.layers = staged
        guard var upper, let common, let names else {
            self.upper = nil
            kept = []
            return
        }
        let parent = try place(common, "own")
        let own = SharedFileDescriptor(
            try FileDescriptor.open(names.0, in: parent.raw, [.pathOnly, .directory, .noFollow]))
        let work = SharedFileDescriptor(
            try FileDescriptor.open(names.1, in: parent.raw, [.pathOnly, .directory, .noFollow]))
        upper.upper = own.raw
        upper.work = work.raw
        self.upper = upper
        kept = [own, work]
    }

    private static func name(of directory: Int32) throws(SystemError) -> RawPath {
        let path = try Directory.readLink("/proc/self/fd/\(directory)").bytes
        let slash = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return RawPath(Array(path[slash...]))
    }
}
