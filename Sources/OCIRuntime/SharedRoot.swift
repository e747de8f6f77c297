internal import Failure
internal import LinuxSystem
internal import OCI

/// The root of a container without a mount namespace of its own: "the container MUST inherit the runtime namespace"
/// (config-linux.md, "Namespaces"). Its root is mounted over the bundle's, its mounts below that, for everybody in the
/// runtime's namespace to see; the process is confined by chroot(2) alone. What was mounted goes with the container.
enum SharedRoot {
    /// The spec as it is to be planned: a path to the runtime's own namespace is as good as none.
    /// - Throws: `invalidArgument` for the namespace of the machine's init, whose root would be changed.
    static func inside(_ spec: RuntimeSpec) throws(Failure) -> RuntimeSpec {
        guard
            let path = spec.linux?.namespaces?.first(where: { $0.type == .mount })?.path, !path.isEmpty
        else { return spec }
        if OwnNamespaces.isOne(path, .mount) {
            var spec = spec
            spec.linux?.namespaces?.removeAll { $0.type == .mount }
            return spec
        }
        if OwnNamespaces.isOne(path, .mount, of: "1") {
            throw Failure(
                .invalidArgument,
                "config.json: linux.namespaces: \(path) is the mount namespace of the machine's init",
                hint: "the container's root would become the machine's")
        }
        return spec
    }

    /// A mount's number, attached or not (proc(5), "fdinfo").
    static func mountID(of descriptor: Int32) throws(Failure) -> UInt64 {
        let bytes = try during("look for the mount of the root") { () throws(SystemError) in
            try AtomicFile.read("/proc/self/fdinfo/\(descriptor)")
        }
        for line in String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("mnt_id:") {
            if let number = line.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap({
                UInt64($0)
            }) {
                return number
            }
        }
        throw Failure(.internal, "the kernel does not tell the number of a mount")
    }

    /// Takes the root away with all that is mounted below it; what others have mounted in its place stays.
    static func detach(_ state: StoredState) {
        guard let number = state.rootMount,
            let there = try? FileDescriptor.open(state.rootfs, [.pathOnly, .directory]),
            (try? mountID(of: there.raw)) == number
        else { return }
        try? MountTable.detach(state.rootfs)
    }
}
