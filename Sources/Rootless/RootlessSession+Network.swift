package import Failure
package import LinuxSystem
internal import Networks

extension RootlessSession {
    /// A mount of it is below the run directory, in the session's mount namespace: whoever is in the session finds it, and it
    /// is gone with the session.
    private var networkFile: String { "\(defaultRunRoot)/network-namespace" }

    /// The network namespace in which the user's bridges, pairs and rules are, as root's are in the machine's; its lo is up.
    /// Made when it is asked for first, so that a session of an older ctr has one too. This process is in the session, and
    /// stays in the machine's network namespace: ``NetworkNamespace/inside(_:_:)`` is for the calls that are meant there.
    package func networkNamespace() throws(Failure) -> FileDescriptor {
        try during("find the user's network namespace") { () throws(SystemError) in
            if let there = try namespaceThere() { return there }
            let lock = try FileLock("\(defaultRunRoot)/network-namespace.lock", .exclusive)
            defer { lock.letGo() }
            if let there = try namespaceThere() { return there }
            let made = try NetworkNamespace.make()
            try NetworkNamespace.inside(made.raw) { () throws(SystemError) in
                var routes = try RouteSocket()
                try routes.setUp("lo")
            }
            _ = try FileDescriptor.open(networkFile, [.writeOnly, .create])
            // MS_BIND
            try MountTable.mount(
                source: "/proc/self/fd/\(made.raw)", target: networkFile, type: nil, flags: 4096)
            return made
        }
    }

    /// nil where there is no file, or one of an earlier session: without the mount it is an empty one.
    private func namespaceThere() throws(SystemError) -> FileDescriptor? {
        do throws(SystemError) {
            let file = try FileDescriptor.open(networkFile)
            // NSFS_MAGIC
            guard try file.fileSystemType() == 0x6e73_6673 else { return nil }
            return file
        } catch {
            if error.errno == Errno.noEntry { return nil }
            throw error
        }
    }
}
