internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// Namespaces that a bundle names by path and that are the runtime's own: what is changed in them is the host's.
enum OwnNamespaces {
    /// - Parameter process: the runtime itself, or a process by its number.
    static func isOne(_ path: String, _ kind: RuntimeSpec.Namespace.Kind, of process: String = "self") -> Bool
    {
        let name =
            switch kind {
            case .mount: "mnt"
            case .network: "net"
            default: kind.rawValue
            }
        // What is not there is told by who opens it.
        guard let asked = identity(path), let own = identity("/proc/\(process)/ns/\(name)") else {
            return false
        }
        return asked == own
    }

    private static func identity(_ path: String) -> [UInt64]? {
        guard let file = try? FileDescriptor.open(path, [.pathOnly]), let status = try? file.status() else {
            return nil
        }
        return [status.device, status.inode]
    }

    /// linux.sysctl is for namespaces of the container.
    static func refuseParameters(_ spec: RuntimeSpec) throws(Failure) {
        guard let keys = spec.linux?.sysctl?.keys, !keys.isEmpty else { return }
        for namespace in spec.linux?.namespaces ?? [] {
            guard let path = namespace.path, !path.isEmpty,
                let key = keys.sorted().first(where: { Planner.namespace(ofParameter: $0) == namespace.type }
                ),
                isOne(path, namespace.type)
            else { continue }
            throw Failure(
                .invalidArgument,
                "config.json: linux.sysctl: \(key) is of \(path), the runtime's own namespace: it would change the host"
            )
        }
    }
}
