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
        let shared = try upper.map { (upper) throws(SystemError) in
            try CommonParent(of: upper.upper, and: upper.work)
        }
        let common = try shared.map { (shared) throws(SystemError) in try clone(shared.directory.raw) }

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
        guard var upper, let common, let shared else {
            self.upper = nil
            kept = []
            return
        }
        let parent = try place(common, "own")
        func open(_ path: RawPath) throws(SystemError) -> SharedFileDescriptor {
            SharedFileDescriptor(
                try FileDescriptor.open(
                    path, in: parent.raw, [.pathOnly, .directory], resolve: [.beneath, .noSymlinks]))
        }
        let own = try open(shared.first)
        let work = try open(shared.second)
        upper.upper = own.raw
        upper.work = work.raw
        self.upper = upper
        kept = [own, work]
    }
}

/// The nearest directory above two others of one mount, and their paths from it.
private struct CommonParent {
    let directory: SharedFileDescriptor
    let first, second: RawPath

    init(of first: Int32, and second: Int32) throws(SystemError) {
        let names = try (CommonParent.names(of: first), CommonParent.names(of: second))
        var shared = 0
        while shared < min(names.0.count, names.1.count) - 1, names.0[shared] == names.1[shared] {
            shared += 1
        }
        let ups = Array(repeating: "..", count: names.0.count - shared).joined(separator: "/")
        directory = SharedFileDescriptor(try FileDescriptor.open(ups, in: first, [.pathOnly, .directory]))
        self.first = RawPath(Array(names.0[shared...].joined(separator: [UInt8(ascii: "/")])))
        self.second = RawPath(Array(names.1[shared...].joined(separator: [UInt8(ascii: "/")])))
    }

    private static func names(of directory: Int32) throws(SystemError) -> [ArraySlice<UInt8>] {
        try Directory.readLink("/proc/self/fd/\(directory)").bytes.split(separator: UInt8(ascii: "/"))
    }
}
