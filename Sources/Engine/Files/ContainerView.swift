internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import Volumes

/// Leads to a container's files from outside, by one descriptor: nothing of it is executed, and who resolves paths
/// below it with `RESOLVE_IN_ROOT` cannot be led out by what the container does meanwhile (CVE-2018-15664).
package struct ContainerView: Sendable {
    let engine: Engine
    let record: ContainerRecord

    package init(engine: Engine, record: ContainerRecord) {
        self.engine = engine
        self.record = record
    }

    /// The container's files as its processes see them. Of a container that does not run, the root is mounted with
    /// its volumes and binds, in a mount namespace that only this call's thread has.
    package func withFiles<R: Sendable>(
        _ body: @escaping @Sendable (Int32) throws(Failure) -> R
    ) throws(Failure) -> R {
        let maps = record.settings.userNamespace.maps
        if let root = try openRunningRoot() {
            guard maps != nil else { return try body(root.raw) }
            return try OwnThread.run { () throws(Failure) -> R in
                try maps?.becomeRoot()
                return try body(root.raw)
            }
        }
        return try withStopped { (root) throws(Failure) in
            let mounts = try openMounts()
            return try OwnThread.run { () throws(Failure) -> R in
                try attach(root, mounts, maps)
                return try body(root.raw)
            }
        }
    }

    /// The container's root file system alone: no volumes, no /proc, nothing that is mounted over it.
    package func withRootOnly<R>(_ body: (Int32) throws(Failure) -> R) throws(Failure) -> R {
        if let root = try cloneRunningRoot() { return try body(root.raw) }
        return try withStopped { (root) throws(Failure) in try body(root.raw) }
    }

    // MARK: running

    /// Opened, then the process is looked at again: its number may have become another's before.
    private func openRunningRoot() throws(Failure) -> SharedFileDescriptor? {
        guard let run = try engine.runState(of: record), run.status == .running else { return nil }
        return try during("enter container \(record.name)") {
            () throws(SystemError) -> SharedFileDescriptor? in
            guard let pidfd = try run.process.open() else { return nil }
            do throws(SystemError) {
                let root = try FileDescriptor.open("/proc/\(run.process.pid)/root", [.pathOnly, .directory])
                _ = pidfd.raw
                return run.process.isAlive ? SharedFileDescriptor(root) : nil
            } catch {
                if error.code == .notFound { return nil }
                throw error
            }
        }
    }

    private func cloneRunningRoot() throws(Failure) -> SharedFileDescriptor? {
        guard let run = try engine.runState(of: record), run.status == .running else { return nil }
        let name = record.name
        let pidfd = try during("enter container \(name)") { () throws(SystemError) -> SharedFileDescriptor? in
            guard let opened = try run.process.open() else { return nil }
            return SharedFileDescriptor(opened)
        }
        guard let pidfd else { return nil }
        do throws(Failure) {
            let root = try OwnThread.run { () throws(Failure) -> SharedFileDescriptor in
                try during("enter container \(name)") { () throws(SystemError) in
                    let mount = try MountNamespace.cloneRoot(of: pidfd.raw)
                    return SharedFileDescriptor(try mount.descriptor.duplicate())
                }
            }
            // Asked here: on that thread /proc was the container's.
            return run.process.isAlive ? root : nil
        } catch {
            if !run.process.isAlive { return nil }
            throw error
        }
    }

    // MARK: stopped

    /// Under the container's lock, so that no start mounts the same layer meanwhile.
    private func withStopped<R>(_ body: (SharedFileDescriptor) throws(Failure) -> R) throws(Failure) -> R {
        let lock = try engine.containerStore.lock(record)
        defer { _ = lock.raw }
        if let run = try engine.runState(of: record), run.process.isAlive {
            throw Failure(
                .conflict, "the container \(record.name) has started meanwhile",
                hint: "give the command again")
        }
        let directory = try engine.containerStore.directory(of: record.id)
        let mount = try engine.mountRoot(of: record, directory)
        let root = try during("open the root of \(record.name)") { () throws(SystemError) in
            SharedFileDescriptor(try mount.descriptor.duplicate())
        }
        return try body(root)
    }

    private struct OpenMount: Sendable {
        let target: String
        let isDirectory: Bool
        let mount: SharedFileDescriptor
    }

    /// Volumes and binds, each as a mount that is attached nowhere; in the order of their targets' depth, as at a
    /// start.
    private func openMounts() throws(Failure) -> [OpenMount] {
        var opened: [OpenMount] = []
        for mount in record.mounts where mount.kind != .tmpfs {
            let source = try engine.open(mount)
            let ids =
                try engine.mapsOwners(mount, source.raw, of: record) ? try record.idsOfMounts() : nil
            let made = try during("mount \(mount.source) at \(mount.target)") { () throws(SystemError) in
                let isDirectory =
                    try FileDescriptor.status("", in: source.raw, follow: true, emptyPath: true).kind
                    == .directory
                let detached = try DetachedMount(bind: "", in: source.raw, recursive: mount.kind == .bind)
                if mount.isReadOnly { try detached.set(.readOnly, recursive: true) }
                if let ids { try detached.mapIDs(by: ids.raw, recursive: false) }
                return OpenMount(
                    target: mount.target, isDirectory: isDirectory,
                    mount: SharedFileDescriptor(try detached.descriptor.duplicate()))
            }
            opened.append(made)
        }
        return opened.sorted { ContainerView.depth($0.target) < ContainerView.depth($1.target) }
    }

    private static func depth(_ path: String) -> Int { path.split(separator: "/").count }

    /// In the thread's own mount namespace. Each place is opened first and mounted on by its descriptor: another
    /// container that shares a volume may swap names in it (CVE-2026-42306).
    private func attach(
        _ root: SharedFileDescriptor, _ mounts: [OpenMount], _ maps: UserMaps?
    ) throws(Failure) {
        let scratch = "\(engine.runPath)/mounts"
        try during("mount the files of \(record.name)") { () throws(SystemError) in
            try Directory.ensurePath(scratch)
            try MountNamespace.unshare()
            let detached = DetachedMount(
                descriptor: try FileDescriptor.withBorrowed(root.raw) { (file) throws(SystemError) in
                    try file.duplicate()
                })
            try detached.attach(at: scratch)
        }
        try maps?.becomeRoot()
        for mount in mounts {
            if !record.settings.readOnly {
                try MountTargets(root: root.raw).ensure(mount.target, isDirectory: mount.isDirectory)
            }
            try during("mount at \(mount.target)") { () throws(SystemError) in
                let place = try FileDescriptor.open(
                    mount.target, in: root.raw, [.pathOnly], resolve: [.inRoot, .noMagicLinks])
                let detached = DetachedMount(
                    descriptor: try FileDescriptor.withBorrowed(mount.mount.raw) {
                        (file) throws(SystemError) in
                        try file.duplicate()
                    })
                try detached.attach(at: "", in: place.raw)
            }
        }
    }
}
