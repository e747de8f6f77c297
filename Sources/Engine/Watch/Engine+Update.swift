internal import CommandTable
internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// What `update` changes; nil and 0 leave it as it is.
package struct UpdateRequest: Sendable {
    package var memory: Int64?
    package var memorySwap: Int64?
    package var memoryReservation: Int64?
    package var nanoCPUs: Int64?
    package var cpuShares: Int64?
    package var cpuPeriod: Int64?
    package var cpuQuota: Int64?
    package var cpuRealtimePeriod: Int64?
    package var cpuRealtimeRuntime: Int64?
    package var cpusetCPUs: String?
    package var cpusetMems: String?
    package var blkioWeight: Int64?
    /// 0 and -1 take the limit away.
    package var pidsLimit: Int64?
    package var restart: String?

    package init() {}
}

extension Engine {
    /// Changes the limits: of the running container's cgroups at once, and in the record, which is durable.
    package func update(_ record: ContainerRecord, _ request: UpdateRequest) throws(Failure) {
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        guard var record = try containerStore.record(of: record.id) else {
            throw Failure(.notFound, "No such container: \(record.name)")
        }
        let before = record.settings
        try record.settings.apply(request)
        let host = try hostFacts()
        var options = SpecOptions()
        try options.resources.set(record.settings)
        var resources = try SpecBuilder.limits(options, host: host)
        try placement(record.id, resources, host, parent: record.settings.cgroupParent)?.check(resources)
        resources.keepChanged(from: before, to: record.settings, request)
        if let run = try runState(of: record), run.isAlive {
            if run.status == .running, resources != RuntimeSpec.Resources() {
                try change(resources, of: run, record.id, try cgroupLayout())
            }
            if let restart = request.restart { try tellMonitor(restart, record) }
        }
        try containerStore.update(record)
        tell("update", record)
    }

    private func change(
        _ resources: RuntimeSpec.Resources, of run: RunState, _ id: String, _ layout: CgroupLayout
    ) throws(Failure) {
        let change = try CgroupChange(
            resources, at: try location(of: run, id), layout: layout, now: CgroupChange.content)
        if !change.joined.isEmpty {
            // Noted first: what is noted and not there is no harm, what is there and not noted would stay.
            let directory = runDirectory(of: id)
            let all = Engine.joinedDirectories(directory) + change.joined.map(\.directory)
            try during("note the cgroups of \(id.prefix(12))") { () throws(SystemError) in
                let runDirectory = try Directory.open(directory)
                try AtomicFile.write(
                    Array((all.joined(separator: "\n") + "\n").utf8), to: "joined", in: runDirectory.raw,
                    durable: false)
            }
        }
        try change.apply()
    }

    /// The monitor that lives beside the container looks at `restart` in the run directory when a run has ended.
    private func tellMonitor(_ policy: String, _ record: ContainerRecord) throws(Failure) {
        let directory = runDirectory(of: record.id)
        try during("change the restart policy of \(record.name)") { () throws(SystemError) in
            let runDirectory = try Directory.open(directory)
            try AtomicFile.write(
                Array(policy.utf8), to: RestartNote.fileName, in: runDirectory.raw, durable: false)
        }
    }
}

extension ContainerSettings {
    /// docker's rules of what may be changed beside what.
    fileprivate mutating func apply(_ request: UpdateRequest) throws(Failure) {
        func asked(_ value: Int64?) -> Int64? { value == 0 ? nil : value }
        if let restart = request.restart {
            if autoRemove, restart != "no" {
                throw Failure(
                    .conflict,
                    "Restart policy cannot be updated because AutoRemove is enabled for the container")
            }
            self.restart = restart
        }
        if let nano = asked(request.nanoCPUs) {
            if asked(cpuPeriod) != nil || asked(cpuQuota) != nil {
                throw Failure(
                    .conflict,
                    "Conflicting options: Nano CPUs cannot be updated as CPU Period or CPU Quota has already been set"
                )
            }
            nanoCPUs = nano
        }
        if asked(request.cpuPeriod) != nil || asked(request.cpuQuota) != nil, asked(nanoCPUs) != nil {
            throw Failure(
                .conflict,
                "Conflicting options: CPU Period and CPU Quota cannot be updated as NanoCPUs has already been set"
            )
        }
        if let limit = asked(request.memory) {
            if let both = asked(memorySwap), both > 0, limit > both, asked(request.memorySwap) == nil {
                throw Failure(
                    .conflict,
                    "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
                )
            }
            memory = limit
        }
        memorySwap = asked(request.memorySwap) ?? memorySwap
        memoryReservation = asked(request.memoryReservation) ?? memoryReservation
        cpuShares = asked(request.cpuShares) ?? cpuShares
        cpuPeriod = asked(request.cpuPeriod) ?? cpuPeriod
        cpuQuota = asked(request.cpuQuota) ?? cpuQuota
        cpuRealtimePeriod = asked(request.cpuRealtimePeriod) ?? cpuRealtimePeriod
        cpuRealtimeRuntime = asked(request.cpuRealtimeRuntime) ?? cpuRealtimeRuntime
        if let cpus = request.cpusetCPUs, !cpus.isEmpty { cpusetCPUs = cpus }
        if let nodes = request.cpusetMems, !nodes.isEmpty { cpusetMems = nodes }
        blkioWeight = asked(request.blkioWeight) ?? blkioWeight
        if let limit = request.pidsLimit { pidsLimit = limit <= 0 ? nil : limit }
    }
}

extension RuntimeSpec.Resources {
    /// Leaves only those limits that an update named, each whole: one of v2 may be made of several of v1.
    fileprivate mutating func keepChanged(
        from before: ContainerSettings, to after: ContainerSettings, _ request: UpdateRequest
    ) {
        let isMemory =
            request.memory ?? 0 != 0 || request.memorySwap ?? 0 != 0 || request.memoryReservation ?? 0 != 0
        if !isMemory { memory = nil }
        memory?.disableOOMKiller = nil
        memory?.swappiness = nil
        let changed = cpu
        cpu = RuntimeSpec.CPU()
        if request.cpuShares ?? 0 != 0 { cpu?.shares = changed?.shares }
        if request.nanoCPUs ?? 0 != 0 || request.cpuPeriod ?? 0 != 0 || request.cpuQuota ?? 0 != 0 {
            cpu?.period = changed?.period
            cpu?.quota = changed?.quota
        }
        if request.cpuRealtimePeriod ?? 0 != 0 || request.cpuRealtimeRuntime ?? 0 != 0 {
            cpu?.realtimePeriod = changed?.realtimePeriod
            cpu?.realtimeRuntime = changed?.realtimeRuntime
        }
        if before.cpusetCPUs != after.cpusetCPUs { cpu?.cpus = changed?.cpus }
        if before.cpusetMems != after.cpusetMems { cpu?.mems = changed?.mems }
        if cpu == RuntimeSpec.CPU() { cpu = nil }
        pids = request.pidsLimit.map { RuntimeSpec.Pids(limit: $0 <= 0 ? -1 : $0) }
        if request.blkioWeight ?? 0 == 0 {
            blockIO = nil
        } else {
            let weight = blockIO?.weight
            blockIO = RuntimeSpec.BlockIO()
            blockIO?.weight = weight
        }
    }
}
