import Failure
import LaunchPlan
import OCI
import Testing

@testable import Runtime

/// What `update` writes into cgroups that processes live in, by layout and by what the files hold.
@Suite struct CgroupChangeTests {
    private func lines(
        _ layout: CgroupLayout, created: (inout RuntimeSpec.Resources) -> Void = { _ in },
        files: [String: String] = [:], _ change: (inout RuntimeSpec.Resources) -> Void
    ) throws -> [String] {
        var before = RuntimeSpec.Resources()
        created(&before)
        var resources = RuntimeSpec.Resources()
        change(&resources)
        let location = try CgroupPlacement(layout: layout, containerID: "c1", resources: before).location
        let change = try CgroupChange(
            resources, at: location, layout: layout,
            now: { path in files.first { path.hasSuffix("/\($0.key)") }?.value })
        let steps = change.steps.map { step in
            switch step {
            case .write(let path, let value, let optional): "\(path) \(value)\(optional ? " ?" : "")"
            case .makeDirectory(let path): "mkdir \(path)"
            default: "?"
            }
        }
        return (steps + change.joined.map { "join \($0.directory)" }).map {
            String($0.split(separator: "/sys/fs/cgroup/").joined())
        }
    }

    private func memory(_ limit: Int64?, swap: Int64? = nil, check: Bool? = nil)
        -> (inout RuntimeSpec.Resources) -> Void
    {
        { resources in
            resources.memory = .init()
            resources.memory?.limit = limit
            resources.memory?.swap = swap
            resources.memory?.checkBeforeUpdate = check
        }
    }

    @Test func legacyMemoryIsNeverAboveMemoryAndSwap() throws {
        let present = ["memory.memsw.limit_in_bytes": "400"]
        let raised = try lines(hybridLayout, files: present, memory(500, swap: 1000))
        #expect(
            raised == [
                "memory/ctr/c1/memory.memsw.limit_in_bytes 1000 ?",
                "memory/ctr/c1/memory.limit_in_bytes 500",
            ])
        let lowered = try lines(hybridLayout, files: present, memory(100, swap: 200))
        #expect(
            lowered == [
                "memory/ctr/c1/memory.limit_in_bytes 100",
                "memory/ctr/c1/memory.memsw.limit_in_bytes 200 ?",
            ])
        #expect(
            try lines(hybridLayout, files: present, memory(-1)) == [
                "memory/ctr/c1/memory.memsw.limit_in_bytes -1 ?", "memory/ctr/c1/memory.limit_in_bytes -1",
            ])
        let refused = #expect(throws: Failure.self) {
            try lines(hybridLayout, files: present, memory(500))
        }
        #expect(refused?.message.contains("limit of memory and swap, 400") == true)
    }

    @Test func unifiedSwapIsWithoutMemory() throws {
        #expect(
            try lines(unifiedLayout, memory(500, swap: 1200)) == [
                "ctr/c1/memory.max 500", "ctr/c1/memory.swap.max 700 ?",
            ])
        #expect(
            try lines(unifiedLayout, files: ["memory.max": "500"], memory(nil, swap: 600)) == [
                "ctr/c1/memory.swap.max 100 ?"
            ])
        #expect(
            try lines(unifiedLayout, memory(-1)) == [
                "ctr/c1/memory.max max", "ctr/c1/memory.swap.max max ?",
            ])
        #expect(throws: Failure.self) {
            try lines(unifiedLayout, files: ["memory.max": "max"], memory(nil, swap: 600))
        }
    }

    @Test func usageIsLookedAtWhenItIsAskedFor() throws {
        let files = ["memory.current": "300"]
        let refused = #expect(throws: Failure.self) {
            try lines(unifiedLayout, files: files, memory(200, check: true))
        }
        #expect(refused?.message.contains("300 bytes") == true)
        #expect(try lines(unifiedLayout, files: files, memory(400, check: true)).count == 1)
        #expect(try lines(unifiedLayout, files: files, memory(200)).count == 1)
    }

    @Test func theHalfOfAQuotaKeepsTheOtherHalf() throws {
        let cpu = { (resources: inout RuntimeSpec.Resources) in resources.cpu = .init() }
        let files = ["cpu.max": "20000 50000", "cgroup.subtree_control": "memory pids cpu"]
        #expect(
            try lines(
                unifiedLayout,
                created: {
                    $0.cpu = .init(); $0.cpu?.quota = 1000
                }, files: files
            ) {
                cpu(&$0); $0.cpu?.period = 80_000
            } == ["ctr/c1/cpu.max 20000 80000"])
        #expect(
            try lines(
                unifiedLayout,
                created: {
                    $0.cpu = .init(); $0.cpu?.quota = 1000
                }, files: files
            ) {
                cpu(&$0); $0.cpu?.quota = -1
            } == ["ctr/c1/cpu.max max 50000"])
    }

    @Test func quotasAreWrittenInTheOrderThatStaysSmall() throws {
        let created = { (resources: inout RuntimeSpec.Resources) in
            resources.cpu = .init()
            resources.cpu?.quota = 1000
        }
        let files = [
            "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000", "cpu.cfs_burst_us": "20000",
        ]
        let change = { (period: UInt64, quota: Int64, burst: UInt64?) in
            { (resources: inout RuntimeSpec.Resources) in
                resources.cpu = .init()
                resources.cpu?.period = period
                resources.cpu?.quota = quota
                resources.cpu?.burst = burst
            }
        }
        let shorter = try lines(hybridLayout, created: created, files: files, change(10_000, 5_000, 1_000))
        #expect(
            shorter.map { String($0.split(separator: "/").last ?? "") } == [
                "cpu.cfs_burst_us 1000", "cpu.cfs_quota_us 5000", "cpu.cfs_period_us 10000",
            ])
        let longer = try lines(hybridLayout, created: created, files: files, change(200_000, 60_000, 30_000))
        #expect(
            longer.map { String($0.split(separator: "/").last ?? "") } == [
                "cpu.cfs_period_us 200000", "cpu.cfs_quota_us 60000", "cpu.cfs_burst_us 30000",
            ])
    }

    @Test func noLimitOfProcessesIsWritten() throws {
        #expect(try lines(unifiedLayout) { $0.pids = .init(limit: -1) } == ["ctr/c1/pids.max max"])
        #expect(try lines(hybridLayout) { $0.pids = .init(limit: 0) } == ["pids/ctr/c1/pids.max 0"])
        #expect(try lines(hybridLayout) { $0.pids = .init(limit: 9) } == ["pids/ctr/c1/pids.max 9"])
    }

    /// A container joins at its start only what it needs.
    @Test func controllersThatALimitNeedsAreAdded() throws {
        let shares = { (resources: inout RuntimeSpec.Resources) in
            resources.cpu = .init()
            resources.cpu?.shares = 1024
        }
        #expect(
            try lines(hybridLayout, shares) == [
                "mkdir cpu/ctr/c1", "cpu/ctr/c1/cpu.shares 1024", "join cpu/ctr/c1",
            ])
        #expect(
            try lines(unifiedLayout, files: ["cgroup.subtree_control": "memory pids"], shares) == [
                "cgroup.subtree_control +cpu", "ctr/cgroup.subtree_control +cpu", "ctr/c1/cpu.weight 100",
            ])
        // systemd hands down to its scope: only what is missing is written.
        let scoped = try lines(
            systemdLayout, files: ["system.slice/cgroup.subtree_control": "cpu memory pids"], shares)
        #expect(scoped.contains("system.slice/ctr-c1.scope/cgroup.subtree_control +cpu"))
        #expect(!scoped.contains { $0.hasPrefix("system.slice/cgroup.subtree_control") })
        #expect(scoped.last == "system.slice/ctr-c1.scope/container/cpu.weight 100")
    }

    @Test func cpusetsOfANewHierarchyAreFilledFirst() throws {
        let change = try lines(hybridLayout) {
            $0.cpu = .init()
            $0.cpu?.cpus = "0"
        }
        #expect(change.contains("cpuset/ctr/c1/cpuset.cpus 0"))
        #expect(change.contains("cpuset/ctr/c1/cpuset.mems \(hybridLayout.cpusetNodes)"))
        #expect(change.last == "join cpuset/ctr/c1")
        // One that is there is changed, and what is not named stays.
        let live = try lines(
            hybridLayout,
            created: {
                $0.cpu = .init()
                $0.cpu?.cpus = "0-1"
            }
        ) {
            $0.cpu = .init()
            $0.cpu?.cpus = "1"
        }
        #expect(live == ["cpuset/ctr/c1/cpuset.cpus 1"])
    }

    @Test func whatTheHostLacksIsRefusedByName() throws {
        var poor = unifiedLayout
        poor.unifiedControllers = ["memory"]
        let missing = #expect(throws: Failure.self) { try lines(poor) { $0.pids = .init(limit: 5) } }
        #expect(missing?.message.contains("controller pids") == true)
        let leaf = #expect(throws: Failure.self) {
            try lines(unifiedLayout) {
                $0.blockIO = .init()
                $0.blockIO?.leafWeight = 100
            }
        }
        #expect(leaf?.message.contains("blockIO.leafWeight") == true)
        #expect(throws: Failure.self) { try lines(unifiedLayout) { $0.unified = ["../memory.max": "1"] } }
    }

    @Test func weightsGoToWhatWeighs() throws {
        let io = { (resources: inout RuntimeSpec.Resources) in
            resources.blockIO = .init()
            resources.blockIO?.weight = 100
        }
        let files = ["cgroup.subtree_control": "io"]
        #expect(
            try lines(unifiedLayout, files: files, io) == [
                "ctr/c1/io.bfq.weight default 100 ?", "ctr/c1/io.weight default 910",
            ])
        var withoutModel = unifiedLayout
        withoutModel.hasCostWeight = false
        #expect(try lines(withoutModel, files: files, io) == ["ctr/c1/io.bfq.weight default 100"])
    }

    @Test func aRunningContainersCgroupsAreKnownAgain() throws {
        var before = RuntimeSpec.Resources()
        before.cpu = .init()
        before.cpu?.shares = 5
        let placed = try CgroupPlacement(layout: hybridLayout, containerID: "c1", resources: before).location
        let found = CgroupLocation(
            running: placed.cgroupDirectory, tasks: placed.legacy.map { "\($0.directory)/tasks" },
            layout: hybridLayout, now: { _ in "hugetlb\n" })
        #expect(found.legacy == placed.legacy)
        #expect(found.unified == placed.unified)
        #expect(found.unifiedControllers == ["hugetlb"])
    }
}
