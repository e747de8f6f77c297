import Failure
import LaunchPlan
import OCI
import Testing
@testable import Runtime

/// The same container on the three kinds of hosts that are not cgroup v2 alone.
extension PlannerTests {
    @Test func onHybridCgroups() throws {
        try expect(
            plain, on: hybridLayout,
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
            + cgroup mkdir /sys/fs/cgroup/unified/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/memory/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/pids/ctr/c1
            + cgroup devices /sys/fs/cgroup/unified/ctr/c1 87 instructions
            + cgroup open /sys/fs/cgroup/memory/ctr/c1/tasks as 0
            + cgroup open /sys/fs/cgroup/pids/ctr/c1/tasks as 1
            + cgroup clone-into /sys/fs/cgroup/unified/ctr/c1
            + slot 0 cgroupFile
            + slot 1 cgroupFile
            + slot 2 root
            + slot 3 standardInput
            + slot 4 standardOutput
            + slot 5 standardError
            + join-cgroup 0
            + join-cgroup 1
            + root 2
            + mount tmpfs tmpfs /sys/fs/cgroup 0xe mode=755
            + mkdir /sys/fs/cgroup/memory 0755
            + mkdir /sys/fs/cgroup/pids 0755
            + mkdir /sys/fs/cgroup/unified 0755
            + read-only /sys/fs/cgroup
            + mount cgroup cgroup /sys/fs/cgroup/memory 0xf memory
            + mount cgroup cgroup /sys/fs/cgroup/pids 0xf pids
            + mount cgroup2 cgroup /sys/fs/cgroup/unified 0xf\u{20}
            + streams 3 4 5
            """)
    }

    @Test func withSystemd() throws {
        try expect(
            plain, on: systemdLayout,
            """
            - cgroup write /sys/fs/cgroup/cgroup.subtree_control +memory +pids
            - cgroup mkdir /sys/fs/cgroup/ctr
            - cgroup write /sys/fs/cgroup/ctr/cgroup.subtree_control +memory +pids
            - cgroup mkdir /sys/fs/cgroup/ctr/c1
            - cgroup devices /sys/fs/cgroup/ctr/c1 87 instructions
            - cgroup clone-into /sys/fs/cgroup/ctr/c1
            + cgroup scope ctr-c1.scope in system.slice: ctr container c1
            + cgroup mkdir /sys/fs/cgroup/system.slice/ctr-c1.scope/monitor
            + cgroup move-self /sys/fs/cgroup/system.slice/ctr-c1.scope/monitor/cgroup.procs
            + cgroup write /sys/fs/cgroup/system.slice/ctr-c1.scope/cgroup.subtree_control +memory +pids
            + cgroup mkdir /sys/fs/cgroup/system.slice/ctr-c1.scope/container
            + cgroup devices /sys/fs/cgroup/system.slice/ctr-c1.scope/container 87 instructions
            + cgroup clone-into /sys/fs/cgroup/system.slice/ctr-c1.scope/container
            """)
    }

    @Test func onLegacyCgroups() throws {
        try expect(
            plain, on: legacyLayout,
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
            + cgroup mkdir /sys/fs/cgroup/cpu,cpuacct/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/memory/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/devices/ctr/c1
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.deny a
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 5:1 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.deny c 10:229 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c *:* m
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow b *:* m
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 1:3 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 1:8 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 1:7 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 5:0 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 1:5 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 1:9 rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 136:* rwm
            + cgroup write /sys/fs/cgroup/devices/ctr/c1/devices.allow c 5:2 rwm
            + cgroup mkdir /sys/fs/cgroup/freezer/ctr/c1
            + cgroup mkdir /sys/fs/cgroup/pids/ctr/c1
            + cgroup open /sys/fs/cgroup/cpu,cpuacct/ctr/c1/tasks as 0
            + cgroup open /sys/fs/cgroup/memory/ctr/c1/tasks as 1
            + cgroup open /sys/fs/cgroup/devices/ctr/c1/tasks as 2
            + cgroup open /sys/fs/cgroup/freezer/ctr/c1/tasks as 3
            + cgroup open /sys/fs/cgroup/pids/ctr/c1/tasks as 4
            + slot 0 cgroupFile
            + slot 1 cgroupFile
            + slot 2 cgroupFile
            + slot 3 cgroupFile
            + slot 4 cgroupFile
            + slot 5 root
            + slot 6 standardInput
            + slot 7 standardOutput
            + slot 8 standardError
            + join-cgroup 0
            + join-cgroup 1
            + join-cgroup 2
            + join-cgroup 3
            + join-cgroup 4
            + root 5
            + mount tmpfs tmpfs /sys/fs/cgroup 0xe mode=755
            + mkdir /sys/fs/cgroup/cpu,cpuacct 0755
            + mkdir /sys/fs/cgroup/memory 0755
            + mkdir /sys/fs/cgroup/devices 0755
            + mkdir /sys/fs/cgroup/freezer 0755
            + mkdir /sys/fs/cgroup/pids 0755
            + symlink /sys/fs/cgroup/cpu -> cpu,cpuacct
            + symlink /sys/fs/cgroup/cpuacct -> cpu,cpuacct
            + read-only /sys/fs/cgroup
            + mount cgroup cgroup /sys/fs/cgroup/cpu,cpuacct 0xf cpu,cpuacct
            + mount cgroup cgroup /sys/fs/cgroup/memory 0xf memory
            + mount cgroup cgroup /sys/fs/cgroup/devices 0xf devices
            + mount cgroup cgroup /sys/fs/cgroup/freezer 0xf freezer
            + mount cgroup cgroup /sys/fs/cgroup/pids 0xf pids
            + streams 6 7 8
            """)
    }
}
