/// What a container was asked to be: the flags of `run` and `create`, with the image's configuration folded in.
/// Kept in the container's record, so that every later start makes the same container.
package struct ContainerSettings: Sendable, Equatable {
    // ---- process
    package var entrypoint: [String] = []
    package var command: [String] = []
    package var environment: [String] = []
    package var workingDirectory = ""
    package var user = ""
    package var groupAdd: [String] = []
    package var terminal = false
    package var openStdin = false
    package var initProcess = false
    package var stopSignal = ""
    /// Seconds until the kill; nil: 10.
    package var stopTimeout: Int64?
    package var oomScoreAdjustment: Int64?
    package var ulimits: [String] = []

    // ---- names
    package var hostname = ""
    package var domainname = ""
    package var labels: [String] = []
    package var annotations: [String] = []
    package var extraHosts: [String] = []

    // ---- life
    package var restart = "no"
    package var autoRemove = false
    package var detached = false
    package var logDriver = "json-file"
    package var logOptions: [String] = []

    // ---- namespaces: docker's words (`host`, `none`, `private`, `container:ID`, …); empty is the default
    package var network = ""
    package var pid = ""
    package var ipc = ""
    package var uts = ""
    package var cgroupNamespace = ""

    // ---- security
    package var privileged = false
    package var readOnly = false
    package var capAdd: [String] = []
    package var capDrop: [String] = []
    package var securityOptions: [String] = []
    /// The text of `--security-opt seccomp=FILE`, read at create.
    package var seccompProfile = ""
    package var sysctls: [String] = []
    package var devices: [String] = []

    // ---- resources: bytes, nano-CPUs, microseconds; nil is no limit
    package var memory: Int64?
    package var memorySwap: Int64?
    package var memoryReservation: Int64?
    package var nanoCPUs: Int64?
    package var cpuShares: Int64?
    package var cpuPeriod: Int64?
    package var cpuQuota: Int64?
    package var cpusetCPUs = ""
    package var cpusetMems = ""
    package var pidsLimit: Int64?
    package var shmSize: Int64?

    // ---- data: resolved, one line each (`StoredMount`)
    package var mounts: [String] = []

    package init() {}
}

extension ContainerSettings {
    typealias TextField = (key: String, path: WritableKeyPath<ContainerSettings, String>)
    typealias ListField = (key: String, path: WritableKeyPath<ContainerSettings, [String]>)
    typealias NumberField = (key: String, path: WritableKeyPath<ContainerSettings, Int64?>)
    typealias SwitchField = (key: String, path: WritableKeyPath<ContainerSettings, Bool>)

    /// The record's schema: a field that is not in these four tables is not kept. A test goes through all of them.
    static var texts: [TextField] {
        [
            ("workdir", \.workingDirectory), ("user", \.user), ("stop-signal", \.stopSignal),
            ("hostname", \.hostname), ("domainname", \.domainname), ("restart", \.restart),
            ("log-driver", \.logDriver), ("network", \.network), ("pid", \.pid), ("ipc", \.ipc),
            ("uts", \.uts),
            ("cgroupns", \.cgroupNamespace), ("seccomp-profile", \.seccompProfile),
            ("cpuset-cpus", \.cpusetCPUs), ("cpuset-mems", \.cpusetMems),
        ]
    }

    static var lists: [ListField] {
        [
            ("entrypoint", \.entrypoint), ("command", \.command), ("env", \.environment),
            ("group-add", \.groupAdd), ("ulimit", \.ulimits), ("label", \.labels),
            ("annotation", \.annotations), ("add-host", \.extraHosts), ("log-opt", \.logOptions),
            ("cap-add", \.capAdd), ("cap-drop", \.capDrop), ("security-opt", \.securityOptions),
            ("sysctl", \.sysctls), ("device", \.devices), ("mount", \.mounts),
        ]
    }

    static var numbers: [NumberField] {
        [
            ("stop-timeout", \.stopTimeout), ("oom-score-adj", \.oomScoreAdjustment), ("memory", \.memory),
            ("memory-swap", \.memorySwap), ("memory-reservation", \.memoryReservation),
            ("nano-cpus", \.nanoCPUs), ("cpu-shares", \.cpuShares), ("cpu-period", \.cpuPeriod),
            ("cpu-quota", \.cpuQuota), ("pids-limit", \.pidsLimit), ("shm-size", \.shmSize),
        ]
    }

    static var switches: [SwitchField] {
        [
            ("tty", \.terminal), ("stdin", \.openStdin), ("init", \.initProcess), ("rm", \.autoRemove),
            ("detached", \.detached), ("privileged", \.privileged), ("read-only", \.readOnly),
        ]
    }
}
