internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

extension SpecOptions {
    /// A container's settings in the words of the Runtime; looks up what they name on the host: devices, other
    /// containers' namespaces.
    init(
        _ record: ContainerRecord, user: UserIdentity, namespaces: SpecOptions.Namespaces, mounts: [RuntimeSpec.Mount]
    ) throws(Failure) {
        self.init()
        let settings = record.settings
        arguments = settings.entrypoint + settings.command
        environment = settings.environment
        workingDirectory = settings.workingDirectory.isEmpty ? "/" : settings.workingDirectory
        self.user = user
        hostname = settings.hostname
        domainname = settings.domainname
        terminal = settings.terminal
        capAdd = settings.capAdd
        capDrop = settings.capDrop
        privileged = settings.privileged
        for option in settings.securityOptions {
            guard option.hasPrefix("seccomp=") || option.hasPrefix("seccomp:") else {
                securityOptions.append(option)
                continue
            }
            switch option.dropFirst("seccomp=".count) {
            case "unconfined": seccomp = .unconfined
            case "file": seccomp = .profile(try SeccompProfile(bytes: Array(settings.seccompProfile.utf8)))
            default: seccomp = .builtin
            }
        }
        readOnlyRoot = settings.readOnly
        for text in settings.ulimits {
            let limit = try Ulimit.parse(text)
            limits.append(
                Limit(
                    name: limit.name, soft: limit.soft < 0 ? .max : UInt64(limit.soft),
                    hard: limit.hard < 0 ? .max : UInt64(limit.hard)))
        }
        sysctls = SpecOptions.pairs(settings.sysctls)
        for text in settings.devices { try devices += HostDevices.named(try DeviceRequest.parse(text)) }
        if settings.privileged { hostDevices = try HostDevices.all() }
        self.namespaces = namespaces
        if let size = settings.shmSize { shmSize = UInt64(size) }
        oomScoreAdjustment = Int(settings.oomScoreAdjustment ?? 0)
        annotations = SpecOptions.pairs(settings.annotations)
        self.mounts = mounts
        resources.memory = settings.memory
        resources.memorySwap = settings.memorySwap
        resources.memoryReservation = settings.memoryReservation
        resources.nanoCPUs = settings.nanoCPUs
        resources.cpuShares = settings.cpuShares.map { UInt64($0) }
        resources.cpuPeriod = settings.cpuPeriod.map { UInt64($0) }
        resources.cpuQuota = settings.cpuQuota
        resources.cpusetCPUs = settings.cpusetCPUs.isEmpty ? nil : settings.cpusetCPUs
        resources.cpusetNodes = settings.cpusetMems.isEmpty ? nil : settings.cpusetMems
        resources.pidsLimit = settings.pidsLimit
    }

    private static func pairs(_ list: [String]) -> [String: String] {
        var map: [String: String] = [:]
        for entry in list {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            map[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return map
    }
}

/// Device nodes of the host's /dev.
enum HostDevices {
    /// A node, or all nodes below a directory, as `--device` takes them.
    static func named(_ request: DeviceRequest) throws(Failure) -> [SpecOptions.Device] {
        let status = try during("--device \(request.hostPath)") { () throws(SystemError) in
            try FileDescriptor.status(request.hostPath, follow: true)
        }
        if status.kind == .directory {
            return try below(request.hostPath, as: request.containerPath, access: request.access)
        }
        guard let device = device(status, at: request.containerPath, access: request.access) else {
            throw Failure(.invalidArgument, "--device \(request.hostPath): not a device node")
        }
        return [device]
    }

    /// For --privileged.
    static func all() throws(Failure) -> [SpecOptions.Device] { try below("/dev", as: "/dev", access: "rwm") }

    /// What a container has of its own is not taken from the host.
    private static let own: Set<String> = [
        "/dev/console", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr",
        "/dev/ptmx", "/dev/log", "/dev/core",
    ]

    private static func below(_ path: String, as target: String, access: String) throws(Failure)
        -> [SpecOptions.Device]
    {
        var devices: [SpecOptions.Device] = []
        let names = try during("list \(path)") { () throws(SystemError) in
            try Directory.names(in: try FileDescriptor.open(path, [.readOnly, .directory]))
        }
        for name in names where !own.contains("\(path)/\(name)") {
            // A node may go while we look.
            guard let status = try? FileDescriptor.status("\(path)/\(name)") else { continue }
            if status.kind == .directory {
                devices += try below("\(path)/\(name)", as: "\(target)/\(name)", access: access)
            } else if let device = device(status, at: "\(target)/\(name)", access: access) {
                devices.append(device)
            }
        }
        return devices
    }

    private static func device(_ status: FileStatus, at path: String, access: String) -> SpecOptions.Device? {
        guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
        return SpecOptions.Device(
            pathInContainer: path, kind: status.kind == .blockDevice ? .block : .character,
            major: Int64(status.deviceMajor), minor: Int64(status.deviceMinor), permissions: access,
            fileMode: status.permissions, uid: status.uid, gid: status.gid)
    }
}
