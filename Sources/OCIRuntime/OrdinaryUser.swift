internal import ContainerMonitor
internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Rootless
internal import Runtime

/// An ordinary user who calls the runtime outside of any namespace: with the container's user namespace it begins. This
/// process makes or joins it, with mounts of its own, and starts again as root there; what follows is as in an engine's
/// namespace, and the container needs no other of that kind.
enum OrdinaryUser {
    /// Says to the program that starts again where it is; names the namespace.
    private static let mark = "CTR_OCI_USER_NAMESPACE"

    static var isOne: Bool { !Process.isRoot }

    private static func namespace() throws(SystemError) -> String {
        String(decoding: try Directory.readLink("/proc/self/ns/user").bytes, as: UTF8.self)
    }

    /// The container without what this process has entered already.
    static func inside(_ spec: RuntimeSpec) -> RuntimeSpec {
        guard let entered = Process.environmentValue(mark), entered == (try? namespace()) else { return spec }
        var spec = spec
        spec.linux?.namespaces?.removeAll { $0.type == .user }
        spec.linux?.uidMappings = nil
        spec.linux?.gidMappings = nil
        return spec
    }

    /// For a container that is to be made. Returns where there is nothing to make one of.
    static func enter(bundle: String) throws(Failure) {
        let bytes = try during("read config.json of the bundle \(bundle)") { () throws(SystemError) in
            try AtomicFile.read("\(bundle)/config.json")
        }
        // What is not there is told later, to everybody alike.
        guard let linux = try bytes.map({ (bytes) throws(Failure) in try RuntimeSpec(bytes: bytes) })?.linux
        else { return }
        guard let user = linux.namespaces?.first(where: { $0.type == .user }) else {
            throw Failure(
                .permissionDenied, "config.json: linux.namespaces: an ordinary user needs a user namespace",
                hint: "\"ctr oci spec --rootless\" writes one")
        }
        if let path = user.path, !path.isEmpty {
            try become(
                try during("open \(path)") { () throws(SystemError) in try FileDescriptor.open(path) })
        } else {
            try become(try mapped(linux))
        }
    }

    /// For another process in a container that is there.
    static func enter(_ container: ProcessIdentity) throws(Failure) {
        let path = "/proc/\(container.pid)/ns/user"
        try become(try during("open \(path)") { () throws(SystemError) in try FileDescriptor.open(path) })
    }

    private static func become(_ user: consuming FileDescriptor) throws(Failure) -> Never {
        let user = SharedFileDescriptor(user)
        try during("enter the container's user namespace") { () throws(SystemError) -> Never in
            // Before the mounts are others: a file of those that this process has left has no path.
            let path = try Directory.readLink("/proc/self/exe")
            try FileDescriptor.withBorrowed(user.raw) { (user) throws(SystemError) in
                try UserNamespace.enter(user)
            }
            Process.setEnvironment(mark, try namespace())
            let program = try FileDescriptor.open(path, [.pathOnly])
            let own = try Process.openSelf().status()
            let found = try program.status()
            guard own.device == found.device, own.inode == found.inode else {
                throw SystemError(call: "open", path: "/proc/self/exe", errno: Errno.noEntry)
            }
            // Sealed, as for everybody (CVE-2019-5736): the program may be one that the user can write to.
            let mount = try DetachedMount(bind: "", in: program.raw, recursive: false)
            try mount.set([.readOnly])
            try Process.become(
                program: mount.descriptor, arguments: CommandLine.arguments, environment: Process.environment)
        }
    }

    private static func mapped(_ linux: RuntimeSpec.Linux) throws(Failure) -> FileDescriptor {
        let own = (uid: Process.effectiveUID, gid: Process.effectiveGID)
        let uids = linux.uidMappings ?? []
        let gids = linux.gidMappings ?? []
        for (name, mappings, id) in [("uid", uids, own.uid), ("gid", gids, own.gid)] {
            guard let first = mappings.first(where: { $0.containerID == 0 }), first.hostID == id else {
                throw Failure(
                    .permissionDenied,
                    "config.json: linux.\(name)Mappings: id 0 must be \(id), whose container it is",
                    hint: "\"ctr oci spec --rootless\" writes such a mapping")
            }
        }
        return try Planner.idMaps(uids, gids).openNamespace { (pid) throws(Failure) in
            // The kernel lets a user map one id, the user's own; the rest is for the programs that read /etc/subuid.
            func isOwn(_ mappings: [RuntimeSpec.IDMapping]) -> Bool {
                mappings.count == 1 && mappings[0].size == 1
            }
            if isOwn(uids), isOwn(gids) { return false }
            func words(_ mappings: [RuntimeSpec.IDMapping]) -> [String] {
                mappings.flatMap { [$0.containerID, $0.hostID, $0.size] }.map(String.init)
            }
            guard try SubordinateIDs.map(pid, uids: words(uids), gids: words(gids)) else {
                throw Failure(
                    .notFound, "map the ids of config.json: newuidmap and newgidmap are not installed",
                    hint: "Debian's package uidmap has them; without them a container has one id")
            }
            return true
        }
    }
}
