internal import ContainerMonitor
internal import OCI
internal import Runtime

/// What this runtime does, as runtime-spec's features.md has it: true of the program, not of the host.
package struct Features: Encodable, Sendable {
    package struct Linux: Encodable, Sendable {
        struct Enabled: Encodable { let enabled: Bool }
        struct Cgroup: Encodable {
            let v1 = true
            let v2 = true
            let systemd = true
            let systemdUser = true
            let rdma = true
        }
        struct Seccomp: Encodable {
            let enabled = true
            let actions: [String]
            let operators: [String]
            let archs: [String]
            let knownFlags: [String]
            let supportedFlags: [String]
        }
        struct IntelRdt: Encodable {
            let enabled = true
            let schemata = true
            let monitoring = true
        }
        struct MemoryPolicy: Encodable {
            let modes: [String]
            let flags: [String]
        }
        struct MountExtensions: Encodable {
            struct IDMap: Encodable { let enabled = true }
            let idmap = IDMap()
        }

        let namespaces = RuntimeSpec.Namespace.Kind.allCases.map(\.rawValue).sorted()
        let capabilities: [String]
        let cgroup = Cgroup()
        let seccomp: Seccomp
        let apparmor = Enabled(enabled: true)
        let selinux = Enabled(enabled: true)
        let intelRdt = IntelRdt()
        let memoryPolicy: MemoryPolicy
        let mountExtensions = MountExtensions()
        let netDevices: Enabled

        enum CodingKeys: String, CodingKey {
            case namespaces, capabilities, cgroup, seccomp, apparmor, selinux, intelRdt, memoryPolicy
            case mountExtensions, netDevices
        }
    }

    package let ociVersionMin = "1.0.0"
    package let ociVersionMax = RuntimeSpec.version
    package let hooks = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]
    package let mountOptions: [String]
    package let linux: Linux
    package let annotations: [String: String]
    package let potentiallyUnsafeConfigAnnotations: [String] = []
}

extension Features {
    package init() {
        let comparisons: [RuntimeSpec.Seccomp.Comparison] = [
            .notEqual, .less, .lessOrEqual, .equal, .greaterOrEqual, .greater, .maskedEqual,
        ]
        let actions: [RuntimeSpec.Seccomp.Action] = [
            .kill, .killProcess, .killThread, .trap, .errno, .trace, .allow, .log, .notify,
        ]
        let flags: [RuntimeSpec.Seccomp.Flag] = [.tsync, .specAllow, .log, .waitKillableRecv]
        let modes: [RuntimeSpec.MemoryPolicy.Mode] = [
            .default, .bind, .interleave, .weightedInterleave, .preferred, .preferredMany, .local,
        ]
        let policyFlags: [RuntimeSpec.MemoryPolicy.Flag] = [.numaBalancing, .relativeNodes, .staticNodes]
        mountOptions = RuntimeCapabilities.mountOptions
        linux = Linux(
            capabilities: RuntimeCapabilities.capabilities,
            seccomp: Linux.Seccomp(
                actions: actions.map(\.rawValue), operators: comparisons.map(\.rawValue),
                archs: RuntimeCapabilities.seccompArchitectures, knownFlags: flags.map(\.rawValue),
                supportedFlags: flags.map(\.rawValue)),
            memoryPolicy: Linux.MemoryPolicy(
                modes: modes.map(\.rawValue), flags: policyFlags.map(\.rawValue)),
            netDevices: Linux.Enabled(enabled: NetworkDeviceMove.isDone))
        annotations = [
            "io.github.seccomp.libseccomp.version": RuntimeCapabilities.libseccompVersion
        ]
    }
}
