import CommandTable
import Engine
import OCI

/// A container in the shape of docker's `inspect`.
enum ContainerInspection {
    static func value(_ container: ContainerSummary, sizes: ContainerSizes?, _ engine: Engine)
        -> TemplateValue
    {
        let record = container.record
        let words = record.settings.entrypoint + record.settings.command
        var fields: [TemplateValue.Field] = [
            .init("Id", .string(record.id)),
            .init("Created", .string(TimeText.rfc3339(record.created))),
            .init("Path", .string(words.first ?? "")),
            .init("Args", .strings(Array(words.dropFirst()))),
            .init("State", state(container, engine)),
            .init("Image", .string(record.imageID)),
            .init("ImageManifestDigest", .string(record.manifestDigest)),
            .init("ResolvConfPath", .string(engine.path(of: record, "resolv.conf"))),
            .init("HostnamePath", .string(engine.path(of: record, "hostname"))),
            .init("HostsPath", .string(engine.path(of: record, "hosts"))),
            .init(
                "LogPath",
                .string(
                    record.settings.logDriver.hasSuffix("-file") ? engine.path(of: record, "logs") : "")
            ),
            .init("Name", .string("/" + record.name)),
            .init("RestartCount", .integer(Int64(container.state.restartCount))),
            .init("Driver", "overlay"),
            .init("Platform", .string(record.platform)),
            .init("MountLabel", .string(record.settings.mountLabel)),
            .init("ProcessLabel", .string(record.settings.processLabel)),
            .init("AppArmorProfile", .string(engine.appArmorProfile(of: container))),
            .init("HostConfig", hostConfig(record)),
            .init("Mounts", .array(record.mounts.map { mount($0, engine) })),
            .init("Config", config(record)),
            .init("NetworkSettings", ContainerNetworkInspection(container, engine).value),
            .init(
                "GraphDriver",
                .object([
                    .init("Name", "overlay"),
                    .init(
                        "Data",
                        .object([
                            .init("UpperDir", .string(engine.path(of: record, "upper"))),
                            .init("WorkDir", .string(engine.path(of: record, "work"))),
                            .init("LowerDirs", .strings(record.layers.map(engine.layerPath))),
                        ])),
                ])),
        ]
        if let sizes {
            fields.append(.init("SizeRw", .integer(sizes.written)))
            fields.append(.init("SizeRootFs", .integer(sizes.written + sizes.image)))
        }
        return .object(fields)
    }

    private static func state(_ container: ContainerSummary, _ engine: Engine) -> TemplateValue {
        var fields = fields(of: container.state)
        if let health = container.state.health { fields.append(.init("Health", value(health))) }
        if let lost = engine.logLosses(of: container.record) {
            fields.append(.init("LogLinesLost", .integer(Int64(clamping: lost.lines))))
            fields.append(.init("LogError", .string(lost.reason)))
        }
        return .object(fields)
    }

    private static func value(_ health: ContainerHealth) -> TemplateValue {
        .object([
            .init("Status", .string(health.status)),
            .init("FailingStreak", .integer(Int64(health.failingStreak))),
            .init(
                "Log",
                .array(
                    health.log.map {
                        .object([
                            .init("Start", .string(TimeText.rfc3339($0.start))),
                            .init("End", .string(TimeText.rfc3339($0.end))),
                            .init("ExitCode", .integer(Int64($0.exitCode))),
                            .init("Output", .string($0.output)),
                        ])
                    })),
        ])
    }

    private static func fields(of state: ContainerState) -> [TemplateValue.Field] {
        [
            .init("Status", .string(state.word)),
            .init("Running", .bool(state.isRunning)),
            .init("Paused", .bool(state.isPaused)),
            .init("Restarting", .bool(state.status == .restarting)),
            .init("OOMKilled", .bool(state.oomKilled)),
            .init("Dead", false),
            .init("Pid", .integer(Int64(state.pid))),
            .init("ExitCode", .integer(Int64(state.exitCode))),
            .init("Error", .string(state.error)),
            .init("StartedAt", .string(TimeText.rfc3339(state.startedAt))),
            .init("FinishedAt", .string(TimeText.rfc3339(state.finishedAt))),
        ]
    }

    private static func hostConfig(_ record: ContainerRecord) -> TemplateValue {
        let settings = record.settings
        let policy = settings.restart.split(separator: ":")
        return .object([
            .init(
                "Binds",
                .strings(
                    record.mounts.filter { $0.kind != .tmpfs }.map {
                        "\($0.source):\($0.target)\($0.isReadOnly ? ":ro" : "")"
                    })),
            .init(
                "Tmpfs",
                .map(
                    Dictionary(
                        record.mounts.filter { $0.kind == .tmpfs }.map {
                            ($0.target, .string($0.options.joined(separator: ",")))
                        },
                        uniquingKeysWith: { $1 }))),
            .init(
                "LogConfig",
                .object([
                    .init("Type", .string(settings.logDriver)),
                    .init("Config", .labels(LabelList.map(settings.logOptions))),
                ])),
            .init("NetworkMode", .string(settings.network.isEmpty ? "none" : settings.network)),
            .init("PortBindings", ContainerNetworkInspection.requestedPorts(record)),
            .init("PublishAllPorts", .bool(settings.networking.publishesAll)),
            .init("Dns", .strings(settings.networking.dns)),
            .init("DnsSearch", .strings(settings.networking.dnsSearch)),
            .init("DnsOptions", .strings(settings.networking.dnsOptions)),
            .init(
                "RestartPolicy",
                .object([
                    .init("Name", .string(policy.first.map(String.init) ?? "no")),
                    .init("MaximumRetryCount", .integer(policy.count > 1 ? Int64(policy[1]) ?? 0 : 0)),
                ])),
            .init("AutoRemove", .bool(settings.autoRemove)),
            .init("CapAdd", .strings(settings.capAdd)),
            .init("CapDrop", .strings(settings.capDrop)),
            .init(
                "CgroupnsMode",
                .string(settings.cgroupNamespace.isEmpty ? "private" : settings.cgroupNamespace)),
            .init("ExtraHosts", .strings(settings.extraHosts)),
            .init("GroupAdd", .strings(settings.groupAdd)),
            .init("IpcMode", .string(settings.ipc.isEmpty ? "private" : settings.ipc)),
            .init("OomScoreAdj", .integer(settings.oomScoreAdjustment ?? 0)),
            .init("PidMode", .string(settings.pid)),
            .init("Privileged", .bool(settings.privileged)),
            .init("ReadonlyRootfs", .bool(settings.readOnly)),
            .init("SecurityOpt", .strings(settings.securityOptions)),
            .init("Sysctls", .labels(LabelList.map(settings.sysctls))),
            .init("UTSMode", .string(settings.uts)),
            .init("UsernsMode", .string(settings.userNamespace.mode)),
            .init("IDMappings", idMappings(settings)),
            .init("ShmSize", .integer(settings.shmSize ?? 64 << 20)),
            .init("Init", .bool(settings.initProcess)),
            .init("Memory", .integer(settings.memory ?? 0)),
            .init("MemoryReservation", .integer(settings.memoryReservation ?? 0)),
            .init("MemorySwap", .integer(settings.memorySwap ?? 0)),
            .init("NanoCpus", .integer(settings.nanoCPUs ?? 0)),
            .init("CpuShares", .integer(settings.cpuShares ?? 0)),
            .init("CpuPeriod", .integer(settings.cpuPeriod ?? 0)),
            .init("CpuQuota", .integer(settings.cpuQuota ?? 0)),
            .init("CpusetCpus", .string(settings.cpusetCPUs)),
            .init("CpusetMems", .string(settings.cpusetMems)),
            .init("PidsLimit", .integer(settings.pidsLimit ?? 0)),
            .init("BlkioWeight", .integer(settings.blkioWeight ?? 0)),
            .init("BlkioWeightDevice", devices(settings.blkioWeightDevices, "Weight") { try? .weight($0) }),
            .init("BlkioDeviceReadBps", devices(settings.deviceReadBps) { try? .bytes($0) }),
            .init("BlkioDeviceWriteBps", devices(settings.deviceWriteBps) { try? .bytes($0) }),
            .init("BlkioDeviceReadIOps", devices(settings.deviceReadIOPS) { try? .operations($0) }),
            .init("BlkioDeviceWriteIOps", devices(settings.deviceWriteIOPS) { try? .operations($0) }),
            .init("CpuRealtimePeriod", .integer(settings.cpuRealtimePeriod ?? 0)),
            .init("CpuRealtimeRuntime", .integer(settings.cpuRealtimeRuntime ?? 0)),
            .init("MemorySwappiness", settings.memorySwappiness.map { .integer($0) } ?? .null),
            .init("OomKillDisable", .bool(settings.oomKillDisable)),
            .init("CgroupParent", .string(settings.cgroupParent)),
            .init("DeviceCgroupRules", .strings(settings.deviceRules)),
            .init("Devices", .strings(settings.deviceWords.paths)),
            .init("DeviceRequests", deviceRequests(settings)),
            .init("Ulimits", .strings(settings.ulimits)),
            .init("Annotations", .labels(LabelList.map(settings.annotations))),
        ])
    }

    /// podman's: `CONTAINER:HOST:SIZE` each.
    private static func idMappings(_ settings: ContainerSettings) -> TemplateValue {
        func texts(_ lines: [String]) -> TemplateValue {
            .strings(lines.map { String($0.map { $0 == " " ? ":" : $0 }) })
        }
        return .object([
            .init("UidMap", texts(settings.userNamespace.uids)),
            .init("GidMap", texts(settings.userNamespace.gids)),
        ])
    }

    /// docker's, of its driver "cdi".
    private static func deviceRequests(_ settings: ContainerSettings) -> TemplateValue {
        let names = settings.deviceWords.names
        guard !names.isEmpty else { return .null }
        return .array([
            .object([
                .init("Driver", .string("cdi")), .init("Count", .integer(0)),
                .init("DeviceIDs", .strings(names)),
                .init("Capabilities", .null), .init("Options", .null),
            ])
        ])
    }

    /// `[{"Path": "/dev/sda", "Rate": 1048576}]`
    private static func devices(
        _ texts: [String], _ name: String = "Rate", _ parse: (String) -> DeviceLimit?
    ) -> TemplateValue {
        .array(
            texts.compactMap { text in
                parse(text).map {
                    .object([
                        .init("Path", .string($0.path)), .init(name, .integer(Int64(clamping: $0.amount))),
                    ])
                }
            })
    }

    private static func mount(_ mount: StoredMount, _ engine: Engine) -> TemplateValue {
        .object([
            .init("Type", .string(mount.kind.rawValue)),
            .init("Name", .string(mount.kind == .volume ? mount.source : "")),
            .init("Source", .string(mount.kind == .volume ? engine.volumePath(mount.source) : mount.source)),
            .init("Destination", .string(mount.target)),
            .init("Driver", .string(mount.kind == .volume ? "local" : "")),
            .init("Mode", .string(mount.options.joined(separator: ","))),
            .init("RW", .bool(!mount.isReadOnly)),
            .init("Propagation", .string(mount.propagation)),
        ])
    }

    private static func config(_ record: ContainerRecord) -> TemplateValue {
        let settings = record.settings
        var fields: [TemplateValue.Field] = [
            .init("Hostname", .string(settings.hostname)),
            .init("Domainname", .string(settings.domainname)),
            .init("User", .string(settings.user)),
            .init("AttachStdin", .bool(settings.openStdin && !settings.detached)),
            .init("AttachStdout", .bool(!settings.detached)),
            .init("AttachStderr", .bool(!settings.detached)),
            .init("Tty", .bool(settings.terminal)),
            .init("OpenStdin", .bool(settings.openStdin)),
            .init("StdinOnce", .bool(settings.openStdin && !settings.detached)),
            .init("Env", .strings(settings.environment)),
            .init("Cmd", .strings(settings.command)),
            .init("Image", .string(record.image)),
            .init("ExposedPorts", ContainerNetworkInspection.exposedPorts(record)),
            .init("WorkingDir", .string(settings.workingDirectory)),
            .init("Entrypoint", settings.entrypoint.isEmpty ? .null : .strings(settings.entrypoint)),
            .init("Labels", .labels(LabelList.map(settings.labels))),
            .init("StopSignal", .string(settings.stopSignal.isEmpty ? "SIGTERM" : settings.stopSignal)),
            .init("StopTimeout", settings.stopTimeout.map { .integer($0) } ?? .null),
        ]
        if !settings.life.health.test.isEmpty {
            fields.append(.init("Healthcheck", value(settings.life.health)))
        }
        if !settings.life.secrets.isEmpty {
            fields.append(
                .init(
                    "Secrets",
                    .array(
                        settings.life.secrets.compactMap { try? StoredSecret(line: $0) }.map {
                            .object([
                                .init("Name", .string($0.name)), .init("Target", .string($0.target)),
                                .init("UID", .integer(Int64($0.uid))), .init("GID", .integer(Int64($0.gid))),
                                .init("Mode", .integer(Int64($0.mode))),
                            ])
                        })))
        }
        return .object(fields)
    }

    private static func value(_ health: HealthSettings) -> TemplateValue {
        var fields: [TemplateValue.Field] = [.init("Test", .strings(health.test))]
        let numbers = [
            ("Interval", health.interval), ("Timeout", health.timeout), ("StartPeriod", health.startPeriod),
            ("StartInterval", health.startInterval), ("Retries", health.retries),
        ]
        for case (let name, let number?) in numbers { fields.append(.init(name, .integer(number))) }
        return .object(fields)
    }
}

/// An image's configuration in the shape of docker's `inspect`.
enum ImageSettingsInspection {
    static func value(_ settings: ImageConfig.Settings) -> TemplateValue {
        var value: [TemplateValue.Field] = [
            .init("User", .string(settings.user ?? "")),
            .init(
                "ExposedPorts",
                .map(
                    Dictionary(
                        (settings.exposedPorts ?? []).map { ($0, .object([])) }, uniquingKeysWith: { $1 }))),
            .init("Env", .strings(settings.env ?? [])),
            .init("Entrypoint", settings.entrypoint.map { .strings($0) } ?? .null),
            .init("Cmd", settings.cmd.map { .strings($0) } ?? .null),
            .init(
                "Volumes",
                .map(Dictionary((settings.volumes ?? []).map { ($0, .object([])) }, uniquingKeysWith: { $1 }))
            ),
            .init("WorkingDir", .string(settings.workingDir ?? "")),
            .init("Labels", .labels(settings.labels ?? [:])),
            .init("StopSignal", .string(settings.stopSignal ?? "")),
            .init("OnBuild", settings.onBuild.map { .strings($0) } ?? .null),
        ]
        if let shell = settings.shell { value.append(.init("Shell", .strings(shell))) }
        if let check = settings.healthcheck { value.append(.init("Healthcheck", self.value(check))) }
        return .object(value)
    }

    /// Only what is set, as docker shows it.
    private static func value(_ check: ImageConfig.Healthcheck) -> TemplateValue {
        var value: [TemplateValue.Field] = []
        if let test = check.test { value.append(.init("Test", .strings(test))) }
        let numbers = [
            ("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.startPeriod),
            ("StartInterval", check.startInterval), ("Retries", check.retries.map(Int64.init)),
        ]
        for case (let name, let number?) in numbers { value.append(.init(name, .integer(number))) }
        return .object(value)
    }
}
