package import Failure
package import OCI

extension SpecBuilder {
    /// docker's smallest: below it the kernel cannot even start the program.
    private static let leastMemory: Int64 = 6 << 20

    static func resources(_ options: SpecOptions, host: HostFacts) throws(Failure) -> RuntimeSpec.Resources {
        var resources = try limits(options, host: host)
        resources.devices = try deviceRules(options)
        return resources
    }

    /// All but the rules of devices.
    package static func limits(_ options: SpecOptions, host: HostFacts) throws(Failure)
        -> RuntimeSpec.Resources
    {
        var resources = RuntimeSpec.Resources()
        let asked = options.resources
        resources.memory = try memory(asked, host: host)
        resources.cpu = try cpu(asked)
        if let limit = asked.pidsLimit {
            guard limit >= -1 else {
                throw Failure(.invalidArgument, "--pids-limit \(limit): it is a count, or -1 for unlimited")
            }
            resources.pids = limit <= 0 ? nil : RuntimeSpec.Pids(limit: limit)
        }
        resources.blockIO = try blockIO(asked)
        return resources
    }

    private static func memory(_ asked: SpecOptions.Resources, host: HostFacts) throws(Failure)
        -> RuntimeSpec.Memory?
    {
        var memory = RuntimeSpec.Memory()
        if let limit = asked.memory, limit != 0 {
            guard limit >= leastMemory else {
                throw Failure(.invalidArgument, "--memory \(limit): minimum memory limit allowed is 6MB")
            }
            memory.limit = limit
        }
        if let reservation = asked.memoryReservation, reservation != 0 {
            guard reservation >= leastMemory else {
                throw Failure(
                    .invalidArgument,
                    "--memory-reservation \(reservation): minimum memory reservation allowed is 6MB")
            }
            if let limit = memory.limit, limit < reservation {
                throw Failure(
                    .invalidArgument, "minimum memory limit can not be less than memory reservation limit",
                    hint: "--memory \(limit) is below --memory-reservation \(reservation)")
            }
            memory.reservation = reservation
        }
        if let swap = asked.memorySwap, swap != 0 {
            guard let limit = memory.limit else {
                throw Failure(
                    .invalidArgument, "you should always set the memory limit when using --memory-swap")
            }
            guard swap == -1 || swap >= limit else {
                throw Failure(
                    .invalidArgument,
                    "minimum --memory-swap is the memory limit: it counts memory and swap together")
            }
            memory.swap = swap
        } else if let limit = memory.limit {
            // As much swap again as memory, on cgroup v1 and v2 alike.
            memory.swap = limit > Int64.max / 2 ? -1 : limit * 2
        }
        if let swappiness = asked.memorySwappiness, swappiness != -1 {
            guard (0...100).contains(swappiness) else {
                throw Failure(.invalidArgument, "--memory-swappiness \(swappiness): valid range is 0-100")
            }
            guard host.cgroups.hierarchy(of: "memory") != nil else {
                throw Failure(.unsupported, "--memory-swappiness: cgroup v2 has no swappiness of its own")
            }
            memory.swappiness = UInt64(swappiness)
        }
        if asked.oomKillDisable {
            guard host.cgroups.hierarchy(of: "memory") != nil else {
                throw Failure(.unsupported, "--oom-kill-disable: cgroup v2 cannot switch the OOM killer off")
            }
            memory.disableOOMKiller = true
        }
        return memory == RuntimeSpec.Memory() ? nil : memory
    }

    private static func cpu(_ asked: SpecOptions.Resources) throws(Failure) -> RuntimeSpec.CPU? {
        var cpu = RuntimeSpec.CPU()
        if let nano = asked.nanoCPUs, nano != 0 {
            if asked.cpuPeriod ?? 0 != 0 || asked.cpuQuota ?? 0 != 0 {
                throw Failure(
                    .invalidArgument,
                    "conflicting options: --cpus cannot be used with --cpu-period or --cpu-quota")
            }
            // The kernel's least quota is 1 ms of a 100 ms period.
            guard nano >= 10_000_000 else {
                throw Failure(.invalidArgument, "--cpus: \(decimal(nano)) is below 0.01 CPUs")
            }
            if let available = asked.cpusAvailable, nano > Int64(available) * 1_000_000_000 {
                throw Failure(
                    .invalidArgument,
                    "--cpus: range of CPUs is from 0.01 to \(available).00, as there are only \(available) CPUs available"
                )
            }
            cpu.period = 100_000
            cpu.quota = nano / 10_000
        } else {
            if let period = asked.cpuPeriod, period != 0 {
                guard (1_000...1_000_000).contains(period) else {
                    throw Failure(
                        .invalidArgument,
                        "--cpu-period \(period): it can not be less than 1ms nor more than 1s")
                }
                cpu.period = period
            }
            if let quota = asked.cpuQuota, quota != 0 {
                guard quota == -1 || quota >= 1_000 else {
                    throw Failure(
                        .invalidArgument, "--cpu-quota \(quota): it can not be less than 1ms (1000)")
                }
                cpu.quota = quota
            }
        }
        if let shares = asked.cpuShares, shares != 0 { cpu.shares = shares }
        if let period = asked.cpuRealtimePeriod, period != 0 { cpu.realtimePeriod = period }
        if let runtime = asked.cpuRealtimeRuntime, runtime != 0 {
            if let period = cpu.realtimePeriod, runtime > Int64(clamping: period) {
                throw Failure(.invalidArgument, "--cpu-rt-runtime cannot be higher than --cpu-rt-period")
            }
            cpu.realtimeRuntime = runtime
        }
        cpu.cpus = try cpuList(asked.cpusetCPUs, flag: "--cpuset-cpus")
        cpu.mems = try cpuList(asked.cpusetNodes, flag: "--cpuset-mems")
        return cpu == RuntimeSpec.CPU() ? nil : cpu
    }

    private static func decimal(_ nano: Int64) -> String {
        let fraction = String(nano % 1_000_000_000)
        let padded = String(repeating: "0", count: max(0, 9 - fraction.count)) + fraction
        return "\(nano / 1_000_000_000).\(padded)"
    }

    /// `0-3,7`
    private static func cpuList(_ text: String?, flag: String) throws(Failure) -> String? {
        guard let text, !text.isEmpty else { return nil }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first <= last
            else {
                throw Failure(.invalidArgument, "\(flag) \(text): it is a list such as 0-3,7")
            }
        }
        return text
    }

    private static func blockIO(_ asked: SpecOptions.Resources) throws(Failure) -> RuntimeSpec.BlockIO? {
        var io = RuntimeSpec.BlockIO()
        if let weight = asked.blkioWeight, weight != 0 {
            guard (10...1000).contains(weight) else {
                throw Failure(
                    .invalidArgument, "--blkio-weight \(weight): range of blkio weight is from 10 to 1000")
            }
            io.weight = weight
        }
        if !asked.blkioWeightDevices.isEmpty { io.weightDevice = asked.blkioWeightDevices }
        if !asked.readBytesPerSecond.isEmpty { io.throttleReadBpsDevice = asked.readBytesPerSecond }
        if !asked.writeBytesPerSecond.isEmpty { io.throttleWriteBpsDevice = asked.writeBytesPerSecond }
        if !asked.readOperationsPerSecond.isEmpty {
            io.throttleReadIOPSDevice = asked.readOperationsPerSecond
        }
        if !asked.writeOperationsPerSecond.isEmpty {
            io.throttleWriteIOPSDevice = asked.writeOperationsPerSecond
        }
        return io == RuntimeSpec.BlockIO() ? nil : io
    }
}

extension SpecBuilder {
    static func devices(_ options: SpecOptions) throws(Failure) -> [RuntimeSpec.Device]? {
        var seen: Set<String> = []
        var devices: [RuntimeSpec.Device] = []
        // The user's come first: where both name a path, the user's holds.
        for device in options.devices + (options.privileged ? options.hostDevices : []) {
            guard device.pathInContainer.hasPrefix("/") else {
                throw Failure(
                    .invalidArgument,
                    "--device: \(device.pathInContainer) is not an absolute path in the container")
            }
            guard seen.insert(device.pathInContainer).inserted else { continue }
            devices.append(
                RuntimeSpec.Device(
                    type: device.kind, path: device.pathInContainer, major: device.major, minor: device.minor,
                    fileMode: device.fileMode, uid: device.uid, gid: device.gid))
        }
        return devices.isEmpty ? nil : devices
    }

    private static func deviceRules(_ options: SpecOptions) throws(Failure) -> [RuntimeSpec.DeviceRule] {
        if options.privileged { return [RuntimeSpec.DeviceRule(allow: true, access: "rwm")] }
        var rules = ContainerDefaults.deviceRules
        for device in options.devices {
            guard !device.permissions.isEmpty, device.permissions.allSatisfy({ "rwm".contains($0) }) else {
                throw Failure(
                    .invalidArgument,
                    "--device: the permissions \"\(device.permissions)\" are not made of r, w and m")
            }
            rules.append(
                RuntimeSpec.DeviceRule(
                    allow: true, type: device.kind == .block ? "b" : "c", major: device.major,
                    minor: device.minor, access: device.permissions))
        }
        for text in options.deviceRules { rules.append(try deviceRule(text)) }
        return rules
    }

    /// `c 1:3 rwm`, with `*` for any number.
    private static func deviceRule(_ text: String) throws(Failure) -> RuntimeSpec.DeviceRule {
        let wrong = Failure(
            .invalidArgument, "--device-cgroup-rule \(text): it is written as \"c 1:3 rwm\" or \"b 8:* r\"")
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 3, ["a", "b", "c"].contains(parts[0]) else { throw wrong }
        let numbers = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        guard numbers.count == 2, !parts[2].isEmpty, parts[2].allSatisfy({ "rwm".contains($0) }) else {
            throw wrong
        }
        var values: [Int64?] = []
        for number in numbers {
            if number == "*" {
                values.append(nil)
            } else {
                guard let value = Int64(number), value >= 0 else { throw wrong }
                values.append(value)
            }
        }
        return RuntimeSpec.DeviceRule(
            allow: true, type: parts[0], major: values[0], minor: values[1], access: parts[2])
    }

    /// docker's defaults for a private network, and the user's, which must belong to a namespace of the container.
    static func sysctls(_ options: SpecOptions, host: HostFacts) throws(Failure) -> [String: String]? {
        var all: [String: String] = [:]
        let network = options.namespaces.network
        if network == .private || network == .none {
            for key in host.networkParameters {
                // Of a group that the namespace has not mapped the kernel knows nothing.
                let groups = host.inUserNamespace || options.ids != nil ? "0 0" : "0 2147483647"
                all[key] = key == "net.ipv4.ping_group_range" ? groups : "0"
            }
        }
        for (key, value) in options.sysctls {
            switch Sysctl.namespace(of: key) {
            case .network?:
                guard network == .private || network == .none else {
                    throw Failure(
                        .invalidArgument,
                        "--sysctl \(key): not allowed with the network of the host or of another container")
                }
            case .ipc?:
                guard options.namespaces.ipc != .host else {
                    throw Failure(.invalidArgument, "--sysctl \(key): not allowed with --ipc host")
                }
            default:
                throw Failure(
                    .invalidArgument, "--sysctl \(key): not a namespaced kernel parameter",
                    hint: "allowed are net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm*")
            }
            all[key] = value
        }
        return all.isEmpty ? nil : all
    }

    static func limits(_ limits: [SpecOptions.Limit]) throws(Failure) -> [RuntimeSpec.Rlimit]? {
        var result: [RuntimeSpec.Rlimit] = []
        for limit in limits {
            let type = "RLIMIT_" + limit.name.uppercased()
            guard ResourceLimit.number(of: type) != nil else {
                throw Failure(.invalidArgument, "--ulimit \(limit.name): invalid ulimit type")
            }
            guard limit.soft <= limit.hard else {
                throw Failure(
                    .invalidArgument,
                    "--ulimit \(limit.name): ulimit soft limit must be less than or equal to hard limit: \(limit.soft) > \(limit.hard)"
                )
            }
            result.removeAll { $0.type == type }
            result.append(RuntimeSpec.Rlimit(type: type, soft: limit.soft, hard: limit.hard))
        }
        return result.isEmpty ? nil : result
    }
}

/// Kernel parameters by the namespace that holds them (namespaces(7), sysctl documentation of the kernel).
enum Sysctl {
    private static let ipc: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]

    static func namespace(of key: String) -> RuntimeSpec.Namespace.Kind? {
        let dotted = path(key).split(separator: "/").joined(separator: ".")
        if ipc.contains(dotted) || dotted.hasPrefix("fs.mqueue.") { return .ipc }
        if dotted.hasPrefix("net.") { return .network }
        if dotted == "kernel.hostname" || dotted == "kernel.domainname" { return .uts }
        return nil
    }

    /// The path below /proc/sys. As sysctl.d(5): where a slash comes first, dots are part of a name.
    static func path(_ key: String) -> String {
        guard let first = key.first(where: { $0 == "." || $0 == "/" }), first == "." else { return key }
        return String(key.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }
}

/// Numbers of setrlimit(2), the same on x86_64 and aarch64.
enum ResourceLimit {
    private static let names = [
        "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS",
        "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
    ]

    static func number(of type: String) -> Int32? {
        guard type.hasPrefix("RLIMIT_") else { return nil }
        return names.firstIndex(of: String(type.dropFirst(7))).map { Int32($0) }
    }
}
