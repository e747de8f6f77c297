internal import LinuxSystem

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
    package var life = LifeSettings()

    // ---- namespaces: docker's words (`host`, `none`, `private`, `container:ID`, …); empty is the default
    package var network = ""
    package var networking = NetworkSettings()
    package var pid = ""
    package var ipc = ""
    package var uts = ""
    package var cgroupNamespace = ""
    package var userNamespace = UserNamespaceSettings()

    // ---- security
    package var privileged = false
    package var readOnly = false
    package var capAdd: [String] = []
    package var capDrop: [String] = []
    package var securityOptions: [String] = []
    /// The text of `--security-opt seccomp=FILE`, read at create.
    package var seccompProfile = ""
    /// SELinux contexts, chosen at create; empty: the policy decides.
    package var processLabel = ""
    package var mountLabel = ""
    package var sysctls: [String] = []
    /// Paths (`DeviceRequest`) and names of CDI devices.
    package var devices: [String] = []
    /// Where their specs are; empty: the standard's directories.
    package var deviceSpecDirectories: [String] = []

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
    package var memorySwappiness: Int64?
    package var oomKillDisable = false
    package var cpuRealtimePeriod: Int64?
    package var cpuRealtimeRuntime: Int64?
    package var blkioWeight: Int64?
    /// `/dev/sda:500`, and so on (`DeviceLimit`).
    package var blkioWeightDevices: [String] = []
    package var deviceReadBps: [String] = []
    package var deviceWriteBps: [String] = []
    package var deviceReadIOPS: [String] = []
    package var deviceWriteIOPS: [String] = []
    /// `c 1:3 rwm`
    package var deviceRules: [String] = []
    /// A slice with systemd, else a path below the hierarchies' top.
    package var cgroupParent = ""

    // ---- data: resolved, one line each (`StoredMount`)
    package var mounts: [String] = []

    package init() {}
}

/// The record's schema, twice: what is written and what is read. A test sets every field and reads it back.
///
/// Written out: tables of key paths cost more on the start path than reading the file.
extension ContainerSettings {
    func write(to record: inout FlatRecord) {
        if !workingDirectory.isEmpty { record.add("workdir", workingDirectory) }
        if !user.isEmpty { record.add("user", user) }
        if !stopSignal.isEmpty { record.add("stop-signal", stopSignal) }
        if !hostname.isEmpty { record.add("hostname", hostname) }
        if !domainname.isEmpty { record.add("domainname", domainname) }
        if !restart.isEmpty { record.add("restart", restart) }
        if !logDriver.isEmpty { record.add("log-driver", logDriver) }
        if !network.isEmpty { record.add("network", network) }
        if !pid.isEmpty { record.add("pid", pid) }
        if !ipc.isEmpty { record.add("ipc", ipc) }
        if !uts.isEmpty { record.add("uts", uts) }
        if !cgroupNamespace.isEmpty { record.add("cgroupns", cgroupNamespace) }
        if !seccompProfile.isEmpty { record.add("seccomp-profile", seccompProfile) }
        if !processLabel.isEmpty { record.add("process-label", processLabel) }
        if !mountLabel.isEmpty { record.add("mount-label", mountLabel) }
        if !cpusetCPUs.isEmpty { record.add("cpuset-cpus", cpusetCPUs) }
        if !cpusetMems.isEmpty { record.add("cpuset-mems", cpusetMems) }
        if !cgroupParent.isEmpty { record.add("cgroup-parent", cgroupParent) }
        record.add("entrypoint", all: entrypoint)
        record.add("command", all: command)
        record.add("env", all: environment)
        record.add("group-add", all: groupAdd)
        record.add("ulimit", all: ulimits)
        record.add("label", all: labels)
        record.add("annotation", all: annotations)
        record.add("add-host", all: extraHosts)
        record.add("log-opt", all: logOptions)
        record.add("cap-add", all: capAdd)
        record.add("cap-drop", all: capDrop)
        record.add("security-opt", all: securityOptions)
        record.add("sysctl", all: sysctls)
        record.add("device", all: devices)
        record.add("cdi-spec-dir", all: deviceSpecDirectories)
        record.add("mount", all: mounts)
        record.add("blkio-weight-device", all: blkioWeightDevices)
        record.add("device-read-bps", all: deviceReadBps)
        record.add("device-write-bps", all: deviceWriteBps)
        record.add("device-read-iops", all: deviceReadIOPS)
        record.add("device-write-iops", all: deviceWriteIOPS)
        record.add("device-rule", all: deviceRules)
        record.add("stop-timeout", ifPresent: stopTimeout.map(String.init))
        record.add("oom-score-adj", ifPresent: oomScoreAdjustment.map(String.init))
        record.add("memory", ifPresent: memory.map(String.init))
        record.add("memory-swap", ifPresent: memorySwap.map(String.init))
        record.add("memory-reservation", ifPresent: memoryReservation.map(String.init))
        record.add("nano-cpus", ifPresent: nanoCPUs.map(String.init))
        record.add("cpu-shares", ifPresent: cpuShares.map(String.init))
        record.add("cpu-period", ifPresent: cpuPeriod.map(String.init))
        record.add("cpu-quota", ifPresent: cpuQuota.map(String.init))
        record.add("pids-limit", ifPresent: pidsLimit.map(String.init))
        record.add("shm-size", ifPresent: shmSize.map(String.init))
        record.add("memory-swappiness", ifPresent: memorySwappiness.map(String.init))
        record.add("cpu-rt-period", ifPresent: cpuRealtimePeriod.map(String.init))
        record.add("cpu-rt-runtime", ifPresent: cpuRealtimeRuntime.map(String.init))
        record.add("blkio-weight", ifPresent: blkioWeight.map(String.init))
        if oomKillDisable { record.add("oom-kill-disable", "1") }
        userNamespace.write(to: &record)
        networking.write(to: &record)
        life.write(to: &record)
        if terminal { record.add("tty", "1") }
        if openStdin { record.add("stdin", "1") }
        if initProcess { record.add("init", "1") }
        if autoRemove { record.add("rm", "1") }
        if detached { record.add("detached", "1") }
        if privileged { record.add("privileged", "1") }
        if readOnly { record.add("read-only", "1") }
    }

    /// A key that is none of these is passed over.
    mutating func read(_ key: String, _ value: String) {
        switch key {
        case "workdir": workingDirectory = value
        case "user": user = value
        case "stop-signal": stopSignal = value
        case "hostname": hostname = value
        case "domainname": domainname = value
        case "restart": restart = value
        case "log-driver": logDriver = value
        case "network": network = value
        case "pid": pid = value
        case "ipc": ipc = value
        case "uts": uts = value
        case "cgroupns": cgroupNamespace = value
        case "seccomp-profile": seccompProfile = value
        case "process-label": processLabel = value
        case "mount-label": mountLabel = value
        case "cpuset-cpus": cpusetCPUs = value
        case "cpuset-mems": cpusetMems = value
        case "cgroup-parent": cgroupParent = value
        case "entrypoint": entrypoint.append(value)
        case "command": command.append(value)
        case "env": environment.append(value)
        case "group-add": groupAdd.append(value)
        case "ulimit": ulimits.append(value)
        case "label": labels.append(value)
        case "annotation": annotations.append(value)
        case "add-host": extraHosts.append(value)
        case "log-opt": logOptions.append(value)
        case "cap-add": capAdd.append(value)
        case "cap-drop": capDrop.append(value)
        case "security-opt": securityOptions.append(value)
        case "sysctl": sysctls.append(value)
        case "device": devices.append(value)
        case "cdi-spec-dir": deviceSpecDirectories.append(value)
        case "mount": mounts.append(value)
        case "stop-timeout": stopTimeout = Int64(value)
        case "oom-score-adj": oomScoreAdjustment = Int64(value)
        case "memory": memory = Int64(value)
        case "memory-swap": memorySwap = Int64(value)
        case "memory-reservation": memoryReservation = Int64(value)
        case "nano-cpus": nanoCPUs = Int64(value)
        case "cpu-shares": cpuShares = Int64(value)
        case "cpu-period": cpuPeriod = Int64(value)
        case "cpu-quota": cpuQuota = Int64(value)
        case "pids-limit": pidsLimit = Int64(value)
        case "shm-size": shmSize = Int64(value)
        case "memory-swappiness": memorySwappiness = Int64(value)
        case "cpu-rt-period": cpuRealtimePeriod = Int64(value)
        case "cpu-rt-runtime": cpuRealtimeRuntime = Int64(value)
        case "blkio-weight": blkioWeight = Int64(value)
        case "blkio-weight-device": blkioWeightDevices.append(value)
        case "device-read-bps": deviceReadBps.append(value)
        case "device-write-bps": deviceWriteBps.append(value)
        case "device-read-iops": deviceReadIOPS.append(value)
        case "device-write-iops": deviceWriteIOPS.append(value)
        case "device-rule": deviceRules.append(value)
        case "oom-kill-disable": oomKillDisable = true
        case "tty": terminal = true
        case "stdin": openStdin = true
        case "init": initProcess = true
        case "rm": autoRemove = true
        case "detached": detached = true
        case "privileged": privileged = true
        case "read-only": readOnly = true
        default:
            if !userNamespace.read(key, value), !networking.read(key, value) { life.read(key, value) }
        }
    }
}
