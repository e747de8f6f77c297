package import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// `spec`: a config.json to begin with, which runs a shell of the bundle's `rootfs`.
package enum SpecTemplate {
    /// - Parameter rootless: for an ordinary user: his id as root, the host's network, no limits.
    /// - Throws: `alreadyExists` where there is one.
    package static func write(to directory: String, rootless: Bool) throws(Failure) {
        let bytes = try JSON.encodePretty(rootless ? ordinaryUsers() : privileged())
        let path = "\(directory)/config.json"
        try during("write \(path)") { () throws(SystemError) in
            try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o666).write(bytes)
        }
    }

    private static func privileged() -> RuntimeSpec {
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        var process = RuntimeSpec.Process(
            args: ["sh"], env: ["PATH=\(ContainerDefaults.searchPath)", "TERM=xterm"], cwd: "/",
            terminal: true)
        process.capabilities = RuntimeSpec.Capabilities(
            bounding: capabilities, effective: capabilities, permitted: capabilities)
        process.rlimits = [RuntimeSpec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 1024)]
        process.noNewPrivileges = true
        var linux = RuntimeSpec.Linux()
        linux.namespaces = [.pid, .network, .ipc, .uts, .mount, .cgroup].map { RuntimeSpec.Namespace($0) }
        linux.resources = RuntimeSpec.Resources()
        linux.resources?.devices = [RuntimeSpec.DeviceRule(allow: false, access: "rwm")]
        linux.maskedPaths = ContainerDefaults.maskedPaths
        linux.readonlyPaths = ContainerDefaults.readOnlyPaths
        var mounts = ContainerDefaults.mounts
        for index in mounts.indices where mounts[index].destination == "/sys/fs/cgroup" {
            mounts[index].options = ["nosuid", "noexec", "nodev", "relatime", "ro"]
        }
        return RuntimeSpec(
            root: RuntimeSpec.Root(path: "rootfs", readonly: true), process: process, hostname: "ctr",
            mounts: mounts, linux: linux)
    }

    private static func ordinaryUsers() -> RuntimeSpec {
        var spec = privileged()
        spec.linux?.namespaces?.removeAll { $0.type == .network }
        spec.linux?.namespaces?.append(RuntimeSpec.Namespace(.user))
        spec.linux?.uidMappings = [
            RuntimeSpec.IDMapping(containerID: 0, hostID: Process.effectiveUID, size: 1)
        ]
        spec.linux?.gidMappings = [
            RuntimeSpec.IDMapping(containerID: 0, hostID: Process.effectiveGID, size: 1)
        ]
        spec.linux?.resources = nil
        spec.mounts = spec.mounts?.compactMap { mount in
            var mount = mount
            switch mount.destination {
            case "/sys":
                // A new one would need a network of the user's own.
                mount.type = "none"
                mount.source = "/sys"
                mount.options = ["rbind", "nosuid", "noexec", "nodev", "ro"]
            case "/sys/fs/cgroup": return nil
            case "/dev/pts": mount.options?.removeAll { $0 == "gid=5" }
            default: break
            }
            return mount
        }
        return spec
    }
}
