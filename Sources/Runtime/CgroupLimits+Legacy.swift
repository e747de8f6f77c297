internal import Failure
internal import OCI

/// Limits as files of cgroup v1 (the kernel's admin-guide: cgroup-v1/*).
extension CgroupLimits {
    /// - Parameter now: what the files hold, for cgroups that processes live in.
    static func legacy(
        _ resources: RuntimeSpec.Resources, controllers: [String], now: Reading? = nil
    ) throws(Failure) -> [Setting] {
        var settings: [Setting] = []
        let has = { (name: String) in controllers.contains(name) }
        if has("memory"), let memory = resources.memory { settings += try legacyMemory(memory, now) }
        if has("cpu"), let cpu = resources.cpu { settings += legacyCPU(cpu, now) }
        // A new cpuset has to be filled in any case: the placement does it.
        if has("cpuset"), now != nil {
            if let cpus = resources.cpu?.cpus, !cpus.isEmpty { settings.append(Setting("cpuset.cpus", cpus)) }
            if let nodes = resources.cpu?.mems, !nodes.isEmpty {
                settings.append(Setting("cpuset.mems", nodes))
            }
        }
        if has("pids") { settings += pids(resources, now) }
        if has("blkio"), let io = resources.blockIO { settings += try legacyBlockIO(io) }
        if has("hugetlb") {
            for limit in resources.hugepageLimits ?? [] {
                let size = try pageSize(limit.pageSize)
                settings.append(Setting("hugetlb.\(size).limit_in_bytes", String(limit.limit)))
                settings.append(
                    Setting("hugetlb.\(size).rsvd.limit_in_bytes", String(limit.limit), optional: true))
            }
        }
        if has("rdma") { settings += rdma(resources) }
        if has("net_cls"), let id = resources.network?.classID {
            settings.append(Setting("net_cls.classid", String(id)))
        }
        if has("net_prio") {
            for priority in resources.network?.priorities ?? [] {
                settings.append(Setting("net_prio.ifpriomap", "\(priority.name) \(priority.priority)"))
            }
        }
        return settings
    }

    private static func legacyMemory(_ memory: RuntimeSpec.Memory, _ now: Reading?) throws(Failure)
        -> [Setting]
    {
        try refuse(
            "memory.useHierarchy", memory.useHierarchy == false, "the kernel always counts hierarchically")
        try checkUsage(memory, now?("memory.usage_in_bytes"))
        var settings: [Setting] = []
        let limit = memory.limit.map { Setting("memory.limit_in_bytes", String($0)) }
        // Kernels without swap accounting lack the file.
        let both = memory.swap.map { Setting("memory.memsw.limit_in_bytes", String($0), optional: true) }
        // The limit must never be above that of memory and swap together, not even between two writes.
        let bound = now?("memory.memsw.limit_in_bytes").flatMap { Int64($0) }
        if let asked = memory.limit, let bound, asked < 0 || asked > bound {
            let unlimited = Setting("memory.memsw.limit_in_bytes", "-1", optional: true)
            guard let both = both ?? (asked < 0 ? unlimited : nil) else {
                throw Failure(
                    .invalidArgument,
                    "linux.resources.memory.limit: \(asked) is above the present limit of memory and swap, \(bound)",
                    hint: "set the limit of memory and swap too")
            }
            settings += [both] + (limit.map { [$0] } ?? [])
        } else {
            settings += [limit, both].compactMap { $0 }
        }
        if let reservation = memory.reservation {
            settings.append(Setting("memory.soft_limit_in_bytes", String(reservation)))
        }
        if let tcp = memory.kernelTCP {
            settings.append(Setting("memory.kmem.tcp.limit_in_bytes", String(tcp)))
        }
        if let swappiness = memory.swappiness {
            settings.append(Setting("memory.swappiness", String(swappiness)))
        }
        if let disabled = memory.disableOOMKiller, disabled || now != nil {
            settings.append(Setting("memory.oom_control", disabled ? "1" : "0"))
        }
        return settings
    }

    private static func legacyCPU(_ cpu: RuntimeSpec.CPU, _ now: Reading?) -> [Setting] {
        var settings: [Setting] = []
        // An idle group takes no shares: it stops being idle first, and becomes it last.
        if let idle = cpu.idle, idle == 0, now != nil { settings.append(Setting("cpu.idle", "0")) }
        if let shares = cpu.shares, cpu.idle != 1 { settings.append(Setting("cpu.shares", String(shares))) }
        let burst = cpu.burst.map { Setting("cpu.cfs_burst_us", String($0)) }
        let quota = ordered(
            period: cpu.period.map { Setting("cpu.cfs_period_us", String($0)) },
            runtime: cpu.quota.map { Setting("cpu.cfs_quota_us", String($0)) }, now)
        settings += around(quota, burst, present: now?("cpu.cfs_burst_us"), asked: cpu.burst)
        settings += ordered(
            period: cpu.realtimePeriod.map { Setting("cpu.rt_period_us", String($0)) },
            runtime: cpu.realtimeRuntime.map { Setting("cpu.rt_runtime_us", String($0)) }, now)
        if let idle = cpu.idle, idle != 0 || now == nil {
            settings.append(Setting("cpu.idle", String(idle)))
        }
        return settings
    }

    /// Both of a quota, the one first that leaves the smaller share in between: what is above the parent's is refused.
    private static func ordered(period: Setting?, runtime: Setting?, _ now: Reading?) -> [Setting] {
        guard let period, let runtime, let now, let oldPeriod = now(period.file).flatMap({ Double($0) }),
            let oldRuntime = now(runtime.file).flatMap({ Double($0) }), let newPeriod = Double(period.value),
            let newRuntime = Double(runtime.value)
        else {
            return [period, runtime].compactMap { $0 }
        }
        let share = { (runtime: Double, period: Double) in runtime < 0 ? .infinity : runtime / period }
        return share(oldRuntime, newPeriod) <= share(newRuntime, oldPeriod)
            ? [period, runtime] : [runtime, period]
    }

    /// A burst must never be above the quota: a smaller one is set before it, a greater one after it.
    static func around(_ quota: [Setting], _ burst: Setting?, present: String?, asked: UInt64?) -> [Setting] {
        guard let burst, let asked else { return quota }
        let shrinks = present.flatMap { UInt64($0) }.map { asked < $0 } ?? false
        return shrinks ? [burst] + quota : quota + [burst]
    }

    /// The weights are BFQ's: CFQ, which had `blkio.weight` and leaf weights, left the kernel with 5.0.
    private static func legacyBlockIO(_ io: RuntimeSpec.BlockIO) throws(Failure) -> [Setting] {
        try refuseLeafWeights(io)
        var settings: [Setting] = []
        if let weight = io.weight { settings.append(Setting("blkio.bfq.weight", String(weight))) }
        for device in io.weightDevice ?? [] {
            if let weight = device.weight {
                settings.append(
                    Setting("blkio.bfq.weight_device", "\(device.major):\(device.minor) \(weight)"))
            }
        }
        for (file, devices) in throttles(io) {
            for device in devices {
                settings.append(
                    Setting(
                        "blkio.throttle.\(file.old)", "\(device.major):\(device.minor) \(device.rate ?? 0)"))
            }
        }
        return settings
    }
}
