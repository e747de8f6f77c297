internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

extension SpecOptions {
    /// A container's settings in the words of the Runtime; looks up what they name on the host: devices, other
    /// containers' namespaces.
    init(
        _ record: ContainerRecord, user: UserIdentity, namespaces: SpecOptions.Namespaces,
        mounts: [RuntimeSpec.Mount]
    ) throws(Failure) {
        try self.init(process: record, user: user, namespaces: namespaces)
        try addHostsPart(record.settings)
        self.mounts = mounts
    }

    /// What is the process's own, all that an exec needs.
    init(
        process record: ContainerRecord, user: UserIdentity, namespaces: SpecOptions.Namespaces
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
        processLabel = settings.processLabel
        mountLabel = settings.mountLabel
        readOnlyRoot = settings.readOnly
        limits = try SpecOptions.limits(settings.ulimits)
        self.namespaces = namespaces
        ids = settings.userNamespace.maps
    }

    /// `--ulimit` values.
    static func limits(_ words: [String]) throws(Failure) -> [Limit] {
        try words.map { (text) throws(Failure) in
            let limit = try Ulimit.parse(text)
            return Limit(
                name: limit.name, soft: limit.soft < 0 ? .max : UInt64(limit.soft),
                hard: limit.hard < 0 ? .max : UInt64(limit.hard))
        }
    }

    private mutating func addHostsPart(_ settings: ContainerSettings) throws(Failure) {
        sysctls = SpecOptions.pairs(settings.sysctls)
        for text in settings.deviceWords.paths {
            let request = try DeviceRequest.parse(text)
            devices += try HostDevices.at(
                request.hostPath, pathInContainer: request.containerPath, permissions: request.access)
        }
        if settings.privileged { hostDevices = try HostDevices.all() }
        if let size = settings.shmSize { shmSize = UInt64(size) }
        oomScoreAdjustment = Int(settings.oomScoreAdjustment ?? 0)
        annotations = SpecOptions.pairs(settings.annotations)
        try resources.set(settings)
        deviceRules = settings.deviceRules
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
