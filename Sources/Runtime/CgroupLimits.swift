internal import Failure
internal import Glibc
internal import OCI

/// The limits of a spec as contents of cgroup files (kernel's admin-guide: cgroup-v1/*, cgroup-v2.rst).
enum CgroupLimits {
    struct Setting: Equatable {
        let file: String
        let value: String
        /// A kernel without the file is no error.
        var optional = false

        init(_ file: String, _ value: String, optional: Bool = false) {
            self.file = file
            self.value = value
            self.optional = optional
        }
    }

    /// The controllers, by v2's names, that have something to do: those of limits, and memory and pids always, which
    /// tell of OOM kills and of what runs.
    /// - Throws: `unsupported` where the host has no such controller.
    static func neededControllers(_ resources: RuntimeSpec.Resources, layout: CgroupLayout) throws(Failure)
        -> [String]
    {
        let limited: [(controller: String, isAsked: Bool)] = [
            ("memory", resources.memory.map { $0 != RuntimeSpec.Memory() } ?? false),
            ("pids", (resources.pids?.limit ?? 0) > 0),
            ("cpu", resources.cpu.map(limitsTime) ?? false),
            ("cpuset", resources.cpu?.cpus?.isEmpty == false || resources.cpu?.mems?.isEmpty == false),
            ("io", resources.blockIO.map { $0 != RuntimeSpec.BlockIO() } ?? false),
            ("hugetlb", resources.hugepageLimits?.isEmpty == false),
            ("rdma", resources.rdma?.isEmpty == false),
            ("net_cls", resources.network?.classID != nil),
            ("net_prio", resources.network?.priorities?.isEmpty == false),
        ]
        var needed: [String] = []
        for (controller, isAsked) in limited {
            let old = controller == "io" ? "blkio" : controller
            let isOffered = layout.hierarchy(of: old) != nil || layout.unifiedControllers.contains(controller)
            if isAsked, !isOffered {
                throw Failure(
                    .unsupported,
                    "a limit needs the cgroup controller \(controller), which this host does not offer")
            }
            if isOffered, isAsked || controller == "memory" || controller == "pids" {
                needed.append(layout.hierarchy(of: old) != nil ? old : controller)
            }
        }
        for key in (resources.unified ?? [:]).keys.sorted() {
            let controller = String(key.prefix { $0 != "." })
            if controller == "cgroup" { continue }
            guard layout.unifiedControllers.contains(controller) else {
                throw Failure(
                    .unsupported,
                    "linux.resources.unified: \(key) needs the cgroup2 controller \(controller), which this host does not offer"
                )
            }
            if !needed.contains(controller) { needed.append(controller) }
        }
        if layout.unifiedMount == nil {
            needed += ["freezer", "devices", "cpuacct"].filter { layout.hierarchy(of: $0) != nil }
        }
        return needed
    }

    private static func limitsTime(_ cpu: RuntimeSpec.CPU) -> Bool {
        var other = cpu
        other.cpus = nil
        other.mems = nil
        return other != RuntimeSpec.CPU()
    }

    private static func refuse(_ field: String, _ isUsed: Bool, _ why: String) throws(Failure) {
        if isUsed { throw Failure(.unsupported, "linux.resources.\(field): \(why)") }
    }

    /// -1 is unlimited.
    private static func amount(_ bytes: Int64) -> String { bytes < 0 ? "max" : String(bytes) }
}

// MARK: - cgroup v1

extension CgroupLimits {
    static func legacy(_ resources: RuntimeSpec.Resources, controllers: [String]) throws(Failure) -> [Setting]
    {
        var settings: [Setting] = []
        let has = { (name: String) in controllers.contains(name) }
        if has("memory"), let memory = resources.memory { settings += try legacyMemory(memory) }
        if has("cpu"), let cpu = resources.cpu { settings += legacyCPU(cpu) }
        if has("pids"), let limit = resources.pids?.limit, limit > 0 {
            settings.append(Setting("pids.max", String(limit)))
        }
        if has("blkio"), let io = resources.blockIO { settings += legacyBlockIO(io) }
        if has("hugetlb") {
            for limit in resources.hugepageLimits ?? [] {
                settings.append(
                    Setting("hugetlb.\(try pageSize(limit.pageSize)).limit_in_bytes", String(limit.limit)))
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

    private static func legacyMemory(_ memory: RuntimeSpec.Memory) throws(Failure) -> [Setting] {
        try refuse("memory.kernel", memory.kernel != nil, "the kernel no longer limits kernel memory alone")
        try refuse(
            "memory.useHierarchy", memory.useHierarchy == false, "the kernel always counts hierarchically")
        var settings: [Setting] = []
        if let limit = memory.limit { settings.append(Setting("memory.limit_in_bytes", String(limit))) }
        if let reservation = memory.reservation {
            settings.append(Setting("memory.soft_limit_in_bytes", String(reservation)))
        }
        // After the limit, which it must not be below. Kernels without swap accounting lack the file.
        if let swap = memory.swap {
            settings.append(Setting("memory.memsw.limit_in_bytes", String(swap), optional: true))
        }
        if let tcp = memory.kernelTCP {
            settings.append(Setting("memory.kmem.tcp.limit_in_bytes", String(tcp)))
        }
        if let swappiness = memory.swappiness {
            settings.append(Setting("memory.swappiness", String(swappiness)))
        }
        if memory.disableOOMKiller == true { settings.append(Setting("memory.oom_control", "1")) }
        return settings
    }

    private static func legacyCPU(_ cpu: RuntimeSpec.CPU) -> [Setting] {
        var settings: [Setting] = []
        if let shares = cpu.shares { settings.append(Setting("cpu.shares", String(shares))) }
        if let period = cpu.period { settings.append(Setting("cpu.cfs_period_us", String(period))) }
        if let quota = cpu.quota { settings.append(Setting("cpu.cfs_quota_us", String(quota))) }
        if let burst = cpu.burst { settings.append(Setting("cpu.cfs_burst_us", String(burst))) }
        if let period = cpu.realtimePeriod { settings.append(Setting("cpu.rt_period_us", String(period))) }
        if let runtime = cpu.realtimeRuntime {
            settings.append(Setting("cpu.rt_runtime_us", String(runtime)))
        }
        if let idle = cpu.idle { settings.append(Setting("cpu.idle", String(idle))) }
        return settings
    }

    /// The weights are BFQ's: CFQ, which had `blkio.weight`, left the kernel with 5.0.
    private static func legacyBlockIO(_ io: RuntimeSpec.BlockIO) -> [Setting] {
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

    private static func throttles(_ io: RuntimeSpec.BlockIO) -> [(
        (old: String, new: String), [RuntimeSpec.BlockIO.ThrottleDevice]
    )] {
        [
            (("read_bps_device", "rbps"), io.throttleReadBpsDevice ?? []),
            (("write_bps_device", "wbps"), io.throttleWriteBpsDevice ?? []),
            (("read_iops_device", "riops"), io.throttleReadIOPSDevice ?? []),
            (("write_iops_device", "wiops"), io.throttleWriteIOPSDevice ?? []),
        ]
    }
}

// MARK: - cgroup v2

extension CgroupLimits {
    static func unified(_ resources: RuntimeSpec.Resources, controllers: [String]) throws(Failure)
        -> [Setting]
    {
        var settings: [Setting] = []
        let has = { (name: String) in controllers.contains(name) }
        if has("memory"), let memory = resources.memory { settings += try unifiedMemory(memory) }
        if has("cpu"), let cpu = resources.cpu { settings += try unifiedCPU(cpu) }
        if has("cpuset") {
            if let cpus = resources.cpu?.cpus, !cpus.isEmpty { settings.append(Setting("cpuset.cpus", cpus)) }
            if let nodes = resources.cpu?.mems, !nodes.isEmpty {
                settings.append(Setting("cpuset.mems", nodes))
            }
        }
        if has("pids"), let limit = resources.pids?.limit, limit > 0 {
            settings.append(Setting("pids.max", String(limit)))
        }
        if has("io"), let io = resources.blockIO { settings += unifiedBlockIO(io) }
        if has("hugetlb") {
            for limit in resources.hugepageLimits ?? [] {
                settings.append(Setting("hugetlb.\(try pageSize(limit.pageSize)).max", String(limit.limit)))
            }
        }
        if has("rdma") { settings += rdma(resources) }
        // The caller's own words last: they hold against what was converted.
        for (file, value) in (resources.unified ?? [:]).sorted(by: { $0.key < $1.key }) {
            settings.append(Setting(file, value))
        }
        return settings
    }

    private static func unifiedMemory(_ memory: RuntimeSpec.Memory) throws(Failure) -> [Setting] {
        try refuse("memory.kernel", memory.kernel != nil, "cgroup v2 has no limit of kernel memory alone")
        try refuse("memory.kernelTCP", memory.kernelTCP != nil, "cgroup v2 has no limit of TCP memory alone")
        try refuse("memory.swappiness", memory.swappiness != nil, "cgroup v2 has no swappiness of its own")
        try refuse(
            "memory.disableOOMKiller", memory.disableOOMKiller == true,
            "cgroup v2 cannot switch the OOM killer off")
        try refuse(
            "memory.useHierarchy", memory.useHierarchy == false, "the kernel always counts hierarchically")
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
                guard let limit = memory.limit, limit >= 0, swap >= limit else {
                    throw Failure(
                        .invalidArgument,
                        "linux.resources.memory.swap: \(swap) needs a memory limit that is not above it")
                }
                settings.append(Setting("memory.swap.max", String(swap - limit), optional: true))
            }
        }
        return settings
    }

    private static func unifiedCPU(_ cpu: RuntimeSpec.CPU) throws(Failure) -> [Setting] {
        try refuse(
            "cpu.realtimeRuntime", cpu.realtimeRuntime != nil || cpu.realtimePeriod != nil,
            "cgroup v2 has no real-time limits")
        var settings: [Setting] = []
        if let idle = cpu.idle { settings.append(Setting("cpu.idle", String(idle))) }
        if let shares = cpu.shares, shares > 0 {
            settings.append(Setting("cpu.weight", String(weight(ofShares: shares))))
        }
        if cpu.quota != nil || cpu.period != nil {
            let quota = cpu.quota.map { $0 <= 0 ? "max" : String($0) } ?? "max"
            settings.append(Setting("cpu.max", "\(quota) \(cpu.period ?? 100_000)"))
        }
        if let burst = cpu.burst { settings.append(Setting("cpu.max.burst", String(burst))) }
        return settings
    }

    /// v1's shares (2...262144, default 1024) to v2's weight (1...10000, default 100), so that default meets default
    /// and both ends meet: a parabola through the three points in logarithms, as runc 1.3.2 and crun 1.23 convert.
    static func weight(ofShares shares: UInt64) -> Int {
        let shares = min(max(shares, 2), 262_144)
        let l = log2(Double(shares))
        let exponent = (l * l + 125 * l) / 612 - 7.0 / 34.0
        return min(max(Int(pow(10, exponent).rounded(.up)), 1), 10_000)
    }

    private static func unifiedBlockIO(_ io: RuntimeSpec.BlockIO) -> [Setting] {
        var settings: [Setting] = []
        // 10...1000 to 1...10000.
        let scaled = { (weight: UInt16) in 1 + (max(Int(weight), 10) - 10) * 9_999 / 990 }
        if let weight = io.weight { settings.append(Setting("io.weight", "default \(scaled(weight))")) }
        for device in io.weightDevice ?? [] {
            if let weight = device.weight {
                settings.append(Setting("io.weight", "\(device.major):\(device.minor) \(scaled(weight))"))
            }
        }
        for (file, devices) in throttles(io) {
            for device in devices {
                settings.append(
                    Setting("io.max", "\(device.major):\(device.minor) \(file.new)=\(device.rate ?? 0)"))
            }
        }
        return settings
    }

    private static func rdma(_ resources: RuntimeSpec.Resources) -> [Setting] {
        (resources.rdma ?? [:]).sorted { $0.key < $1.key }.map { device, limit in
            let values = [
                limit.hcaHandles.map { "hca_handle=\($0)" }, limit.hcaObjects.map { "hca_object=\($0)" },
            ]
            return Setting("rdma.max", ([device] + values.compactMap { $0 }).joined(separator: " "))
        }
    }

    /// `2MB`, as the files' names have it.
    private static func pageSize(_ text: String) throws(Failure) -> String {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        guard !number.isEmpty, ["KB", "MB", "GB"].contains(text.dropFirst(number.count)) else {
            throw Failure(
                .invalidArgument, "linux.resources.hugepageLimits: \(text) is no page size such as 2MB")
        }
        return text
    }
}
