internal import Failure
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

    /// What a file of the cgroup holds now, by its name; for a cgroup that is only to be made there is none. Some
    /// limits can be changed in one order only, and some values of v2 are made of two of v1, of which a caller may
    /// give one.
    typealias Reading = (_ file: String) -> String?

    /// The controllers, by v2's names, that have something to do: those of limits, and memory and pids always, which
    /// tell of OOM kills and of what runs.
    ///
    /// - Parameter isLive: only those of limits: the cgroups are there.
    /// - Throws: `unsupported` where the host has no such controller.
    static func neededControllers(
        _ resources: RuntimeSpec.Resources, layout: CgroupLayout, isLive: Bool = false
    ) throws(Failure) -> [String] {
        let limited: [(controller: String, isAsked: Bool)] = [
            ("memory", resources.memory.map(limitsMemory) ?? false),
            ("pids", isLive ? resources.pids != nil : (resources.pids?.limit ?? -1) >= 0),
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
            if isOffered, isAsked || !isLive && (controller == "memory" || controller == "pids") {
                needed.append(layout.hierarchy(of: old) != nil ? old : controller)
            }
        }
        for key in (resources.unified ?? [:]).keys.sorted() {
            let controller = String(key.prefix { $0 != "." })
            guard !key.contains("/"), controller != key else {
                throw Failure(
                    .invalidArgument,
                    "linux.resources.unified: \(key) is not the name of a file such as memory.high")
            }
            if controller == "cgroup" { continue }
            guard layout.unifiedControllers.contains(controller) else {
                throw Failure(
                    .unsupported,
                    "linux.resources.unified: \(key) needs the cgroup2 controller \(controller), which this host does not offer"
                )
            }
            if !needed.contains(controller) { needed.append(controller) }
        }
        if layout.unifiedMount == nil, !isLive {
            needed += ["freezer", "devices", "cpuacct"].filter { layout.hierarchy(of: $0) != nil }
        }
        return needed
    }

    /// `kernel` limits nothing any more, and the last two are no limits.
    private static func limitsMemory(_ memory: RuntimeSpec.Memory) -> Bool {
        var other = memory
        other.kernel = nil
        other.useHierarchy = nil
        other.checkBeforeUpdate = nil
        return other != RuntimeSpec.Memory()
    }

    private static func limitsTime(_ cpu: RuntimeSpec.CPU) -> Bool {
        var other = cpu
        other.cpus = nil
        other.mems = nil
        return other != RuntimeSpec.CPU()
    }

    static func refuse(_ field: String, _ isUsed: Bool, _ why: String) throws(Failure) {
        if isUsed { throw Failure(.unsupported, "linux.resources.\(field): \(why)") }
    }

    /// -1 is unlimited.
    static func amount(_ bytes: Int64) -> String { bytes < 0 ? "max" : String(bytes) }

    /// Below 0 there is no limit: what a new cgroup has, and what is written to one that had a limit. With 0 nothing can be
    /// started: a new cgroup gets it when its process is in it (`CgroupPlacement`).
    static func pids(_ resources: RuntimeSpec.Resources, _ now: Reading?) -> [Setting] {
        guard let limit = resources.pids?.limit, limit > 0 || now != nil else { return [] }
        return [Setting("pids.max", limit >= 0 ? String(limit) : "max")]
    }

    /// `checkBeforeUpdate`: a limit below what is in use would kill what uses it.
    static func checkUsage(_ memory: RuntimeSpec.Memory, _ present: String?) throws(Failure) {
        guard memory.checkBeforeUpdate == true, let limit = memory.limit, limit >= 0,
            let usage = present.flatMap({ Int64($0) }), usage > limit
        else {
            return
        }
        throw Failure(
            .conflict, "linux.resources.memory.limit: \(limit) is below the \(usage) bytes that are in use")
    }

    static func refuseLeafWeights(_ io: RuntimeSpec.BlockIO) throws(Failure) {
        let isUsed = io.leafWeight != nil || io.weightDevice?.contains { $0.leafWeight != nil } == true
        try refuse("blockIO.leafWeight", isUsed, "leaf weights left the kernel with its CFQ scheduler")
    }

    static func rdma(_ resources: RuntimeSpec.Resources) -> [Setting] {
        (resources.rdma ?? [:]).sorted { $0.key < $1.key }.map { device, limit in
            let values = [
                limit.hcaHandles.map { "hca_handle=\($0)" }, limit.hcaObjects.map { "hca_object=\($0)" },
            ]
            return Setting("rdma.max", ([device] + values.compactMap { $0 }).joined(separator: " "))
        }
    }

    /// `2MB`, as the files' names have it.
    static func pageSize(_ text: String) throws(Failure) -> String {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        guard !number.isEmpty, ["KB", "MB", "GB"].contains(text.dropFirst(number.count)) else {
            throw Failure(
                .invalidArgument, "linux.resources.hugepageLimits: \(text) is no page size such as 2MB")
        }
        return text
    }

    static func throttles(_ io: RuntimeSpec.BlockIO) -> [(
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
