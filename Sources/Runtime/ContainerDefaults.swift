package import OCI

/// What docker gives a container that asks for nothing.
package enum ContainerDefaults {
    package static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// 64 MiB.
    package static let shmSize: UInt64 = 64 << 20

    /// In mount order. /dev/shm's size is added by who knows it.
    package static let mounts = [
        RuntimeSpec.Mount(
            destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
        RuntimeSpec.Mount(
            destination: "/dev", type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        RuntimeSpec.Mount(
            destination: "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        RuntimeSpec.Mount(
            destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
        RuntimeSpec.Mount(
            destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
            options: ["ro", "nosuid", "noexec", "nodev"]),
        RuntimeSpec.Mount(
            destination: "/dev/mqueue", type: "mqueue", source: "mqueue",
            options: ["nosuid", "noexec", "nodev"]),
        RuntimeSpec.Mount(
            destination: "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777"]),
    ]

    /// Each tells of the host or reaches into it; the CPUs' thermal_throttle directories come from the host's facts.
    package static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
        "/sys/devices/virtual/powercap", "/sys/firmware",
    ]

    package static let readOnlyPaths = [
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    ]

    /// Not docker's: what root in a container could switch in the host's kernel, by the mode of the file alone.
    static let kernelSwitches = ["/proc/dynamic_debug"]

    package static let namespaces: [RuntimeSpec.Namespace.Kind] = [
        .mount, .network, .time, .uts, .pid, .ipc, .cgroup,
    ]

    /// null, zero, random, urandom, tty and console, and not FUSE.
    package static let deviceRules: [RuntimeSpec.DeviceRule] =
        [RuntimeSpec.DeviceRule(allow: false, access: "rwm")]
        + [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)].map {
            RuntimeSpec.DeviceRule(allow: true, type: "c", major: $0.0, minor: $0.1, access: "rwm")
        } + [RuntimeSpec.DeviceRule(allow: false, type: "c", major: 10, minor: 229, access: "rwm")]

    /// What every runtime adds to a spec's rules: the nodes it makes itself, the terminals of the container's own
    /// devpts, and making (not using) any node, which is CAP_MKNOD's affair.
    static let runtimeDeviceRules: [RuntimeSpec.DeviceRule] =
        ["c", "b"].map { RuntimeSpec.DeviceRule(allow: true, type: $0, access: "m") }
        + [(1, 3), (1, 8), (1, 7), (5, 0), (1, 5), (1, 9), (136, nil), (5, 2)].map {
            (numbers: (Int64, Int64?)) in
            RuntimeSpec.DeviceRule(
                allow: true, type: "c", major: numbers.0, minor: numbers.1, access: "rwm")
        }

    /// The nodes that every container has (config-linux.md, "Default Devices").
    static let deviceNodes: [(path: String, major: UInt32, minor: UInt32)] = [
        ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8),
        ("/dev/urandom", 1, 9), ("/dev/tty", 5, 0),
    ]

    static let deviceLinks: [(path: String, target: String)] = [
        ("/dev/ptmx", "pts/ptmx"), ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"), ("/dev/stderr", "/proc/self/fd/2"), ("/dev/core", "/proc/kcore"),
    ]
}
