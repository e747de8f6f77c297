internal import Failure
internal import Glibc
internal import OCI

/// Limits as files of cgroup v2 (the kernel's admin-guide: cgroup-v2.rst).
extension CgroupLimits {
    /// - Parameters:
    ///   - hasCostWeight: the kernel has `io.weight` (its cost model); else only BFQ weighs.
    ///   - now: what the files hold, for a cgroup that processes live in.
    static func unified(
        _ resources: RuntimeSpec.Resources, controllers: [String], hasCostWeight: Bool = true,
        now: Reading? = nil
    ) throws(Failure) -> [Setting] {
        var settings: [Setting] = []
        let has = { (name: String) in controllers.contains(name) }
        if has("memory"), let memory = resources.memory { settings += try unifiedMemory(memory, now) }
        if has("cpu"), let cpu = resources.cpu { settings += try unifiedCPU(cpu, now) }
        if has("cpuset") {
            if let cpus = resources.cpu?.cpus, !cpus.isEmpty { settings.append(Setting("cpuset.cpus", cpus)) }
            if let nodes = resources.cpu?.mems, !nodes.isEmpty {
                settings.append(Setting("cpuset.mems", nodes))
            }
        }
        if has("pids") { settings += pids(resources, now) }
        if has("io"), let io = resources.blockIO { settings += try unifiedBlockIO(io, hasCostWeight) }
        if has("hugetlb") {
            for limit in resources.hugepageLimits ?? [] {
                let size = try pageSize(limit.pageSize)
                settings.append(Setting("hugetlb.\(size).max", String(limit.limit)))
                settings.append(Setting("hugetlb.\(size).rsvd.max", String(limit.limit), optional: true))
            }
        }
        if has("rdma") { settings += rdma(resources) }
        // The caller's own words last: they hold against what was converted.
        for (file, value) in (resources.unified ?? [:]).sorted(by: { $0.key < $1.key }) {
            settings.append(Setting(file, value))
        }
        return settings
    }

    private static func unifiedMemory(_ memory: RuntimeSpec.Memory, _ now: Reading?) throws(Failure)
        -> [Setting]
    {
        try refuse("memory.kernelTCP", memory.kernelTCP != nil, "cgroup v2 has no limit of TCP memory alone")
        try refuse("memory.swappiness", memory.swappiness != nil, "cgroup v2 has no swappiness of its own")
        try refuse(
            "memory.disableOOMKiller", memory.disableOOMKiller == true,
            "cgroup v2 cannot switch the OOM killer off")
        try refuse(
            "memory.useHierarchy", memory.useHierarchy == false, "the kernel always counts hierarchically")
        try checkUsage(memory, now?("memory.current"))
        var settings: [Setting] = []
        if let limit = memory.limit { settings.append(Setting("memory.max", amount(limit))) }
        if let reservation = memory.reservation {
            settings.append(Setting("memory.low", amount(reservation)))
        }
        if let swap = memory.swap {
            // v1's number counts memory and swap, v2's swap alone. A kernel without swap lacks the file.
            if swap < 0 {
                settings.append(Setting("memory.swap.max", "max", optional: true))
            } else {
                let limit = memory.limit ?? now?("memory.max").flatMap { Int64($0) }
                guard let limit, limit >= 0, swap >= limit else {
                    throw Failure(
                        .invalidArgument,
                        "linux.resources.memory.swap: \(swap) needs a memory limit that is not above it")
                }
                settings.append(Setting("memory.swap.max", String(swap - limit), optional: true))
            }
        } else if memory.limit == -1, now != nil {
            settings.append(Setting("memory.swap.max", "max", optional: true))
        }
        return settings
    }

    private static func unifiedCPU(_ cpu: RuntimeSpec.CPU, _ now: Reading?) throws(Failure) -> [Setting] {
        try refuse(
            "cpu.realtimeRuntime", cpu.realtimeRuntime != nil || cpu.realtimePeriod != nil,
            "cgroup v2 has no real-time limits")
        var settings: [Setting] = []
        if let idle = cpu.idle { settings.append(Setting("cpu.idle", String(idle))) }
        // The kernel refuses a weight of an idle group.
        if let shares = cpu.shares, shares > 0, cpu.idle != 1 {
            settings.append(Setting("cpu.weight", String(weight(ofShares: shares))))
        }
        var quota: [Setting] = []
        if cpu.quota != nil || cpu.period != nil {
            let present = (now?("cpu.max") ?? "max 100000").split(separator: " ").map(String.init)
            let runtime = cpu.quota.map { $0 <= 0 ? "max" : String($0) } ?? present.first ?? "max"
            let period = cpu.period.map { String($0) } ?? present.last ?? "100000"
            quota.append(Setting("cpu.max", "\(runtime) \(period)"))
        }
        let burst = cpu.burst.map { Setting("cpu.max.burst", String($0)) }
        return settings + around(quota, burst, present: now?("cpu.max.burst"), asked: cpu.burst)
    }

    /// v1's shares (2...262144, default 1024) to v2's weight (1...10000, default 100), so that default meets default
    /// and both ends meet: a parabola through the three points in logarithms, as runc 1.3.2 and crun 1.23 convert.
    static func weight(ofShares shares: UInt64) -> Int {
        let shares = min(max(shares, 2), 262_144)
        let l = log2(Double(shares))
        let exponent = (l * l + 125 * l) / 612 - 7.0 / 34.0
        return min(max(Int(pow(10, exponent).rounded(.up)), 1), 10_000)
    }

    private static func unifiedBlockIO(_ io: RuntimeSpec.BlockIO, _ hasCostWeight: Bool) throws(Failure)
        -> [Setting]
    {
        try refuseLeafWeights(io)
        var settings: [Setting] = []
        func weigh(_ device: String, _ weight: UInt16) {
            // BFQ counts as v1 did, 1...1000; where the kernel has the cost model too, either may be at work.
            settings.append(
                Setting("io.bfq.weight", "\(device)\(weight)", optional: hasCostWeight))
            guard hasCostWeight else { return }
            // 10...1000 to 1...10000.
            let scaled = 1 + (max(Int(weight), 10) - 10) * 9_999 / 990
            settings.append(Setting("io.weight", "\(device)\(scaled)"))
        }
        if let weight = io.weight { weigh("default ", weight) }
        for device in io.weightDevice ?? [] {
            if let weight = device.weight { weigh("\(device.major):\(device.minor) ", weight) }
        }
        for (file, devices) in throttles(io) {
            for device in devices {
                // 0 takes the limit away, as in v1.
                let rate = device.rate.flatMap { $0 == 0 ? nil : String($0) } ?? "max"
                settings.append(
                    Setting("io.max", "\(device.major):\(device.minor) \(file.new)=\(rate)"))
            }
        }
        return settings
    }
}
