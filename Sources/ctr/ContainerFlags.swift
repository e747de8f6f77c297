import CommandTable
import Engine
import Failure
import LinuxSystem

/// The flags of `run` and `create` as a request.
enum ContainerFlags {
    static func request(_ command: ParsedCommand) throws(Failure) -> CreateRequest {
        var request = CreateRequest(image: command.positionals[0])
        request.arguments = Array(command.positionals.dropFirst())
        request.platform = command.value(.platform)
        request.pull = command.value(.pull).flatMap(CreateRequest.PullPolicy.init(rawValue:)) ?? .missing
        request.quiet = command.flag(.quiet)
        request.name = command.value(.name)
        request.entrypoint = command.value(.entrypoint)
        request.environment = try environment(command)
        request.volumes = command.values(.volume)
        request.mounts = command.values(.mount)
        request.temporary = command.values(.tmpfs)
        request.volumesFrom = command.values(.volumesFrom)
        request.idFile = command.value(.cidfile)
        try process(command, &request.settings)
        try host(command, &request.settings)
        try NetworkFlags.apply(command, &request.settings)
        try limits(command, &request.settings)
        try LifeFlags.apply(command, &request)
        return request
    }

    /// --env-file first, then --env; a NAME alone takes the caller's value or is left out.
    static func environment(_ command: ParsedCommand) throws(Failure) -> [String] {
        var settings: [EnvironmentSetting] = []
        for path in command.values(.envFile) {
            settings += try EnvFile.parse(try read(path, flag: "--env-file"), path: path)
        }
        settings += try command.parsedList(.env) { (text) throws(Failure) in
            try EnvironmentSetting.parse(text)
        }
        return settings.compactMap { setting in
            setting.resolved { Process.environmentValue($0) }
        }
    }

    private static func read(_ path: String, flag: String) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            guard let bytes = try AtomicFile.read(path, limit: 8 << 20) else {
                throw SystemError(call: "open", path: path, errno: 2)
            }
            return bytes
        } catch {
            throw error.failure("\(flag): open \(path)")
        }
    }

    private static func process(_ command: ParsedCommand, _ settings: inout ContainerSettings) throws(Failure)
    {
        settings.terminal = command.flag(.tty)
        settings.openStdin = command.flag(.interactive)
        settings.initProcess = command.flag(.`init`)
        settings.autoRemove = command.flag(.rm)
        settings.user = command.value(.user) ?? ""
        settings.workingDirectory = command.value(.workdir) ?? ""
        if !settings.workingDirectory.isEmpty, !settings.workingDirectory.hasPrefix("/") {
            throw Failure(
                .invalidArgument,
                "the working directory '\(settings.workingDirectory)' is invalid, it needs to be an absolute path"
            )
        }
        settings.groupAdd = command.values(.groupAdd)
        settings.stopSignal = command.value(.stopSignal) ?? ""
        settings.stopTimeout = command.integer(.stopTimeout)
        settings.oomScoreAdjustment = command.integer(.oomScoreAdj)
        settings.ulimits = command.values(.ulimit)
        settings.hostname = command.value(.hostname) ?? ""
        settings.domainname = command.value(.domainname) ?? ""
        var labels: [String] = []
        for path in command.values(.labelFile) {
            labels += try KeyValue.labelFile(try read(path, flag: "--label-file"), path: path).map {
                "\($0.key)=\($0.value)"
            }
        }
        labels += try command.parsedList(.label) { (text) throws(Failure) in try KeyValue.label(text) }
            .map { "\($0.key)=\($0.value)" }
        settings.labels = labels
        settings.annotations = command.values(.annotation)
        settings.extraHosts = try command.parsedList(.addHost) { (text) throws(Failure) in
            try ExtraHost.parse(text)
        }.map { "\($0.name):\($0.address)" }
        settings.restart = command.value(.restart) ?? "no"
        if settings.autoRemove, settings.restart != "no" {
            throw Failure(.invalidArgument, "Conflicting options: --restart and --rm")
        }
        settings.logDriver = command.value(.logDriver) ?? "json-file"
        settings.logOptions = command.values(.logOpt)
    }

    private static func host(_ command: ParsedCommand, _ settings: inout ContainerSettings) throws(Failure) {
        settings.pid = command.value(.pid) ?? ""
        settings.ipc = command.value(.ipc) ?? ""
        settings.uts = command.value(.uts) ?? ""
        settings.cgroupNamespace = command.value(.cgroupns) ?? ""
        settings.userNamespace.mode = command.value(.userns) ?? ""
        settings.userNamespace.uids = command.values(.uidmap)
        settings.userNamespace.gids = command.values(.gidmap)
        settings.privileged = command.flag(.privileged)
        settings.readOnly = command.flag(.readOnly)
        settings.capAdd = command.values(.capAdd)
        settings.capDrop = command.values(.capDrop)
        settings.sysctls = command.values(.sysctl)
        settings.devices = command.values(.device)
        settings.devices +=
            try command.parsed(.gpus) { (text) throws(Failure) in
                try GPURequest.parse(text).devices
            } ?? []
        for option in command.values(.securityOpt) {
            // docker takes a colon as well as an equals sign.
            let word = "seccomp"
            if option.hasPrefix(word + "=") || option.hasPrefix(word + ":") {
                let value = String(option.dropFirst(word.count + 1))
                if value != "unconfined", value != "builtin", value != "default" {
                    settings.seccompProfile = String(
                        decoding: try read(value, flag: "--security-opt seccomp"), as: UTF8.self)
                    settings.securityOptions.append("seccomp=file")
                    continue
                }
            }
            settings.securityOptions.append(option)
        }
    }

    private static func limits(_ command: ParsedCommand, _ settings: inout ContainerSettings) throws(Failure)
    {
        settings.memory = try command.parsed(.memory) { (text) throws(Failure) in try ByteSize.parse(text) }
        settings.memorySwap = try command.parsed(.memorySwap) { (text) throws(Failure) in
            try ByteSize.parse(text, allowingUnlimited: true)
        }
        settings.memoryReservation = try command.parsed(.memoryReservation) { (text) throws(Failure) in
            try ByteSize.parse(text)
        }
        settings.shmSize = try command.parsed(.shmSize) { (text) throws(Failure) in try ByteSize.parse(text) }
        settings.nanoCPUs = try command.parsed(.cpus) { (text) throws(Failure) in try CPUCount.nanoCPUs(text)
        }
        settings.cpuShares = command.integer(.cpuShares)
        settings.cpuPeriod = command.integer(.cpuPeriod)
        settings.cpuQuota = command.integer(.cpuQuota)
        settings.cpusetCPUs = command.value(.cpusetCPUs) ?? ""
        settings.cpusetMems = command.value(.cpusetMems) ?? ""
        settings.pidsLimit = command.integer(.pidsLimit)
        settings.memorySwappiness = command.integer(.memorySwappiness)
        settings.oomKillDisable = command.flag(.oomKillDisable)
        settings.cpuRealtimePeriod = command.integer(.cpuRealtimePeriod)
        settings.cpuRealtimeRuntime = command.integer(.cpuRealtimeRuntime)
        settings.blkioWeight = command.integer(.blkioWeight)
        settings.blkioWeightDevices = command.values(.blkioWeightDevice)
        settings.deviceReadBps = command.values(.deviceReadBps)
        settings.deviceWriteBps = command.values(.deviceWriteBps)
        settings.deviceReadIOPS = command.values(.deviceReadIOPS)
        settings.deviceWriteIOPS = command.values(.deviceWriteIOPS)
        settings.deviceRules = command.values(.deviceCgroupRule)
        settings.cgroupParent = command.value(.cgroupParent) ?? ""
    }
}
