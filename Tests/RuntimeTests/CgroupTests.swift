import Failure
import LinuxSystem
import OCI
import Testing

@testable import Runtime

@Suite struct CgroupTests {
    private func layout(_ lines: String) -> CgroupLayout { CgroupLayout(mountinfo: lines) }

    @Test func layoutsOutOfMountinfo() {
        let unified = layout(
            """
            27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
            32 31 0:29 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
            40 27 0:50 / /other/cgroup rw - cgroup2 cgroup2 rw
            """)
        #expect(unified.mode == .unified)
        #expect(unified.unifiedMount == "/sys/fs/cgroup")
        let hybrid = layout(
            """
            33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
            34 32 0:31 / /sys/fs/cgroup/memory rw,relatime shared:5 master:4 - cgroup cgroup rw,xattr,memory
            35 32 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
            41 32 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
            """)
        #expect(hybrid.mode == .hybrid)
        #expect(hybrid.hierarchies.map(\.controllers) == [["cpu", "cpuacct"], ["memory"], ["name=systemd"]])
        #expect(hybrid.hierarchy(of: "cpuacct")?.mount == "/sys/fs/cgroup/cpu,cpuacct")
        // systemd's own named hierarchy limits nothing.
        let named = layout(
            """
            32 31 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
            35 32 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
            """)
        #expect(named.mode == .unified)
        #expect(layout("34 32 0:31 / /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,memory").mode == .legacy)
        #expect(
            layout("34 32 0:31 / /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,memory").hierarchies[0].mount
                == "/sys/fs/cgroup/a b")
        for torn in ["", "34", "34 32 0:31 / /sys/fs/cgroup - cgroup", "- - - - - - - - -"] {
            #expect(layout(torn).unifiedMount == nil)
        }
    }

    @Test func thisHostIsRead() throws {
        let facts = try HostFacts.read()
        #expect(facts.cgroups.unifiedMount != nil || !facts.cgroups.hierarchies.isEmpty)
        #expect(CapabilitySet.all.isSuperset(of: facts.capabilities))
    }

    private func settings(_ change: (inout RuntimeSpec.Resources) -> Void, legacy: Bool) throws -> [String] {
        var resources = RuntimeSpec.Resources()
        change(&resources)
        let controllers = [
            "memory", "cpu", "cpuset", "pids", "io", "blkio", "hugetlb", "rdma", "net_cls", "net_prio",
        ]
        let all =
            legacy
            ? try CgroupLimits.legacy(resources, controllers: controllers)
            : try CgroupLimits.unified(resources, controllers: controllers)
        return all.map { "\($0.file) \($0.value)\($0.optional ? " ?" : "")" }
    }

    private func everything(_ resources: inout RuntimeSpec.Resources) {
        resources.memory = RuntimeSpec.Memory()
        resources.memory?.limit = 1000
        resources.memory?.reservation = 500
        resources.memory?.swap = 1500
        resources.cpu = RuntimeSpec.CPU()
        resources.cpu?.shares = 512
        resources.cpu?.quota = -1
        resources.cpu?.period = 50_000
        resources.cpu?.burst = 10
        resources.pids = RuntimeSpec.Pids(limit: 7)
        resources.blockIO = RuntimeSpec.BlockIO()
        resources.blockIO?.weight = 500
        resources.blockIO?.throttleReadBpsDevice = [.init(major: 8, minor: 0, rate: 1_000_000)]
        resources.blockIO?.throttleWriteIOPSDevice = [.init(major: 8, minor: 16, rate: 20)]
        resources.hugepageLimits = [.init(pageSize: "2MB", limit: 4 << 20)]
        resources.rdma = ["mlx5_1": .init(hcaHandles: 3, hcaObjects: 10)]
    }

    @Test func limitsOfUnified() throws {
        #expect(
            try settings(everything, legacy: false) == [
                "memory.max 1000", "memory.low 500", "memory.swap.max 500 ?", "cpu.weight 59",
                "cpu.max max 50000", "cpu.max.burst 10", "pids.max 7", "io.bfq.weight default 500 ?",
                "io.weight default 4950",
                "io.max 8:0 rbps=1000000", "io.max 8:16 wiops=20", "hugetlb.2MB.max 4194304",
                "hugetlb.2MB.rsvd.max 4194304 ?",
                "rdma.max mlx5_1 hca_handle=3 hca_object=10",
            ])
        #expect(
            try settings({ $0.unified = ["memory.high": "5", "cpu.idle": "1"] }, legacy: false) == [
                "cpu.idle 1", "memory.high 5",
            ])
        #expect(throws: Failure.self) {
            try settings(
                {
                    $0.memory = .init(); $0.memory?.swap = 5
                }, legacy: false)
        }
        #expect(throws: Failure.self) {
            try settings(
                {
                    $0.memory = .init(); $0.memory?.swappiness = 5
                }, legacy: false)
        }
        #expect(throws: Failure.self) {
            try settings(
                {
                    $0.cpu = .init(); $0.cpu?.realtimeRuntime = 5
                }, legacy: false)
        }
        #expect(throws: Failure.self) {
            try settings({ $0.hugepageLimits = [.init(pageSize: "../x", limit: 1)] }, legacy: false)
        }
    }

    @Test func limitsOfLegacy() throws {
        #expect(
            try settings(everything, legacy: true) == [
                "memory.limit_in_bytes 1000", "memory.memsw.limit_in_bytes 1500 ?",
                "memory.soft_limit_in_bytes 500",
                "cpu.shares 512", "cpu.cfs_period_us 50000", "cpu.cfs_quota_us -1", "cpu.cfs_burst_us 10",
                "pids.max 7",
                "blkio.bfq.weight 500", "blkio.throttle.read_bps_device 8:0 1000000",
                "blkio.throttle.write_iops_device 8:16 20", "hugetlb.2MB.limit_in_bytes 4194304",
                "hugetlb.2MB.rsvd.limit_in_bytes 4194304 ?",
                "rdma.max mlx5_1 hca_handle=3 hca_object=10",
            ])
    }

    @Test func sharesMeetWeightsAtThreePoints() {
        #expect(CgroupLimits.weight(ofShares: 0) == 1)
        #expect(CgroupLimits.weight(ofShares: 2) == 1)
        #expect(CgroupLimits.weight(ofShares: 1024) == 100)
        #expect(CgroupLimits.weight(ofShares: 262_144) == 10_000)
        #expect(CgroupLimits.weight(ofShares: UInt64.max) == 10_000)
    }

    private func placement(
        _ layout: CgroupLayout, parent: String? = nil, path: String? = nil,
        _ change: (inout RuntimeSpec.Resources) -> Void = { _ in }
    ) throws -> CgroupPlacement {
        var resources = RuntimeSpec.Resources()
        change(&resources)
        return try CgroupPlacement(
            layout: layout, containerID: "c1", parent: parent, cgroupsPath: path, resources: resources)
    }

    @Test func placesAndFiles() throws {
        let hybrid = try placement(hybridLayout).location
        #expect(hybrid.oomFile == "/sys/fs/cgroup/memory/ctr/c1/memory.oom_control")
        #expect(hybrid.killFile == "/sys/fs/cgroup/unified/ctr/c1/cgroup.kill")
        #expect(hybrid.freezer?.file == "/sys/fs/cgroup/unified/ctr/c1/cgroup.freeze")
        #expect(hybrid.cpuUsageFile == "/sys/fs/cgroup/unified/ctr/c1/cpu.stat")
        #expect(hybrid.pidsFile == "/sys/fs/cgroup/pids/ctr/c1/pids.current")
        #expect(
            hybrid.toRemove == [
                "/sys/fs/cgroup/unified/ctr/c1", "/sys/fs/cgroup/memory/ctr/c1", "/sys/fs/cgroup/pids/ctr/c1",
            ])
        let systemd = try placement(systemdLayout, parent: "machine-app.slice").location
        #expect(systemd.unified == "/sys/fs/cgroup/machine.slice/machine-app.slice/ctr-c1.scope/container")
        #expect(systemd.oomFile?.hasSuffix("/ctr-c1.scope/container/memory.events") == true)
        #expect(
            try placement(systemdLayout, path: "user.slice:crio:abc").location.unified
                == "/sys/fs/cgroup/user.slice/crio-abc.scope/container")
        #expect(
            try placement(systemdLayout, path: "/own/place").location.unified == "/sys/fs/cgroup/own/place")
        #expect(
            try placement(unifiedLayout, parent: "/team/a").location.unified == "/sys/fs/cgroup/team/a/c1")
        let legacy = try placement(legacyLayout).location
        #expect(legacy.freezer?.freeze == "FROZEN")
        #expect(legacy.killFile == nil)
        #expect(legacy.cpuUsageFile == "/sys/fs/cgroup/cpu,cpuacct/ctr/c1/cpuacct.usage")
    }

    @Test func placesOutsideAreRefused() {
        for wrong in ["../x", "/a/../../b", "/", "a/./b"] {
            #expect(throws: Failure.self) { try placement(unifiedLayout, path: wrong) }
            #expect(throws: Failure.self) {
                try placement(unifiedLayout, parent: wrong == "/" ? ".." : wrong)
            }
        }
        #expect(throws: Failure.self) { try placement(systemdLayout, parent: "/not/a/slice") }
    }

    @Test func limitsThatTheHostCannotHoldAreRefused() throws {
        var poor = unifiedLayout
        poor.unifiedControllers = ["pids"]
        let error = #expect(throws: Failure.self) {
            try placement(poor) {
                $0.memory = .init(); $0.memory?.limit = 1 << 30
            }
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("memory") == true)
        #expect(try placement(poor).location.unifiedControllers == ["pids"])
        #expect(throws: Failure.self) { try placement(hybridLayout) { $0.unified = ["memory.high": "1"] } }
    }
}
