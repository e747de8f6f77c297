import Failure
import LaunchPlan
import OCI
import Testing
@testable import Runtime

extension PlannerTests {
    private var limited: SpecOptions {
        var options = plain
        options.readOnlyRoot = true
        options.workingDirectory = "/srv/app"
        options.mounts = [
            RuntimeSpec.Mount(
                destination: "/var/lib/db", type: "bind", source: "/volumes/db",
                options: ["rbind", "rprivate"]),
            RuntimeSpec.Mount(
                destination: "/etc/app.conf", type: "bind", source: "/etc/app.conf", options: ["bind", "ro"]),
            RuntimeSpec.Mount(
                destination: "/mnt", type: "bind", source: "/mnt", options: ["rbind", "rro", "rslave"]),
            RuntimeSpec.Mount(
                destination: "/tmp", type: "tmpfs", source: "tmpfs",
                options: ["noexec", "nosuid", "nodev", "size=1m", "tmpcopyup"]),
        ]
        options.limits = [SpecOptions.Limit(name: "nofile", soft: 1024, hard: 4096)]
        options.resources.memory = 64 << 20
        options.resources.nanoCPUs = 1_500_000_000
        options.resources.pidsLimit = 100
        options.resources.cpusetCPUs = "0"
        options.oomScoreAdjustment = 500
        return options
    }

    @Test func readOnlyWithVolumesAndLimits() throws {
        try expect(
            limited,
            """
            - cgroup write /sys/fs/cgroup/cgroup.subtree_control +memory +pids
            - cgroup write /sys/fs/cgroup/ctr/cgroup.subtree_control +memory +pids
            - slot 1 standardInput
            - slot 2 standardOutput
            - slot 3 standardError
            - streams 1 2 3
            - chdir /
            + cgroup write /sys/fs/cgroup/cgroup.subtree_control +memory +pids +cpu +cpuset
            + cgroup write /sys/fs/cgroup/ctr/cgroup.subtree_control +memory +pids +cpu +cpuset
            + cgroup write /sys/fs/cgroup/ctr/c1/memory.max 67108864
            + cgroup write /sys/fs/cgroup/ctr/c1/memory.swap.max 67108864 (optional)
            + cgroup write /sys/fs/cgroup/ctr/c1/cpu.max 150000 100000
            + cgroup write /sys/fs/cgroup/ctr/c1/cpuset.cpus 0
            + cgroup write /sys/fs/cgroup/ctr/c1/pids.max 100
            + slot 1 bind /mnt recursive +0x0 -0x0 below +0x1 -0x0
            + slot 2 bind /etc/app.conf +0x1 -0x0
            + slot 3 bind /volumes/db recursive +0x0 -0x0
            + slot 4 standardInput
            + slot 5 standardOutput
            + slot 6 standardError
            + attach 1 /mnt directory 0x84000
            + mount tmpfs tmpfs /tmp 0xe size=1m copy-up
            + attach 2 /etc/app.conf file 0x44000
            + attach 3 /var/lib/db directory 0x44000
            + mkdir /srv/app 0755
            + read-only-root
            + root-propagation 0x84000
            + streams 4 5 6
            + chdir /srv/app
            + rlimit 7 1024 4096
            + oom-score 500
            """)
    }

    @Test func readOnlyWithVolumesAndLimitsOnHybridCgroups() throws {
        try expect(
            limited, on: hybridLayout,
            """
            - cgroup write /sys/fs/cgroup/cgroup.subtree_control +memory +pids
            - cgroup mkdir /sys/fs/cgroup/ctr
            - cgroup write /sys/fs/cgroup/ctr/cgroup.subtree_control +memory +pids
            - cgroup mkdir /sys/fs/cgroup/ctr/c1
            - cgroup devices /sys/fs/cgroup/ctr/c1 87 instructions
            - cgroup clone-into /sys/fs/cgroup/ctr/c1
            - slot 0 root
            - slot 1 standardInput
            - slot 2 standardOutput
            - slot 3 standardError
            - root 0
            - mount cgroup2 cgroup /sys/fs/cgroup 0xf\u{20}
            - streams 1 2 3
            - chdir /
            + cgroup mkdir /sys/fs/cgroup/unified/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/cpu/ctr/c1
            + cgroup write /sys/fs/cgroup/cpu/ctr/c1/cpu.cfs_period_us 100000
            + cgroup write /sys/fs/cgroup/cpu/ctr/c1/cpu.cfs_quota_us 150000
            + cgroup mkdir /sys/fs/cgroup/cpuset/ctr/c1
            + cgroup write /sys/fs/cgroup/cpuset/ctr/cpuset.cpus 0-1
            + cgroup write /sys/fs/cgroup/cpuset/ctr/cpuset.mems 0
            + cgroup write /sys/fs/cgroup/cpuset/ctr/c1/cpuset.cpus 0
            + cgroup write /sys/fs/cgroup/cpuset/ctr/c1/cpuset.mems 0
            + cgroup mkdir /sys/fs/cgroup/memory/ctr/c1
            + cgroup write /sys/fs/cgroup/memory/ctr/c1/memory.limit_in_bytes 67108864
            + cgroup write /sys/fs/cgroup/memory/ctr/c1/memory.memsw.limit_in_bytes 134217728 (optional)
            + cgroup mkdir /sys/fs/cgroup/pids/ctr/c1
            + cgroup write /sys/fs/cgroup/pids/ctr/c1/pids.max 100
            + cgroup devices /sys/fs/cgroup/unified/ctr/c1 87 instructions
            + cgroup open /sys/fs/cgroup/cpu/ctr/c1/tasks as 0
            + cgroup open /sys/fs/cgroup/cpuset/ctr/c1/tasks as 1
            + cgroup open /sys/fs/cgroup/memory/ctr/c1/tasks as 2
            + cgroup open /sys/fs/cgroup/pids/ctr/c1/tasks as 3
            + cgroup clone-into /sys/fs/cgroup/unified/ctr/c1
            + slot 0 cgroupFile
            + slot 1 cgroupFile
            + slot 2 cgroupFile
            + slot 3 cgroupFile
            + slot 4 root
            + slot 5 bind /mnt recursive +0x0 -0x0 below +0x1 -0x0
            + slot 6 bind /etc/app.conf +0x1 -0x0
            + slot 7 bind /volumes/db recursive +0x0 -0x0
            + slot 8 standardInput
            + slot 9 standardOutput
            + slot 10 standardError
            + join-cgroup 0
            + join-cgroup 1
            + join-cgroup 2
            + join-cgroup 3
            + root 4
            + mount tmpfs tmpfs /sys/fs/cgroup 0xe mode=755
            + mkdir /sys/fs/cgroup/cpu 0755
            + mkdir /sys/fs/cgroup/cpuset 0755
            + mkdir /sys/fs/cgroup/memory 0755
            + mkdir /sys/fs/cgroup/pids 0755
            + mkdir /sys/fs/cgroup/unified 0755
            + read-only /sys/fs/cgroup
            + mount cgroup cgroup /sys/fs/cgroup/cpu 0xf cpu
            + mount cgroup cgroup /sys/fs/cgroup/cpuset 0xf cpuset
            + mount cgroup cgroup /sys/fs/cgroup/memory 0xf memory
            + mount cgroup cgroup /sys/fs/cgroup/pids 0xf pids
            + mount cgroup2 cgroup /sys/fs/cgroup/unified 0xf\u{20}
            + attach 5 /mnt directory 0x84000
            + mount tmpfs tmpfs /tmp 0xe size=1m copy-up
            + attach 6 /etc/app.conf file 0x44000
            + attach 7 /var/lib/db directory 0x44000
            + mkdir /srv/app 0755
            + read-only-root
            + root-propagation 0x84000
            + streams 8 9 10
            + chdir /srv/app
            + rlimit 7 1024 4096
            + oom-score 500
            """)
    }
}
