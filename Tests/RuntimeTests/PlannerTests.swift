import Failure
import LaunchPlan
import OCI
import Testing

@testable import Runtime

/// Golden texts. The whole plan once; the others as what they have (+) and lack (-) against it.
@Suite struct PlannerTests {
    var plain: SpecOptions {
        var options = SpecOptions()
        options.arguments = ["/bin/true"]
        options.hostname = "c1"
        return options
    }

    func expect(
        _ options: SpecOptions, on layout: CgroupLayout = unifiedLayout, filter: String? = nil,
        _ golden: String,
        change: (inout Planner.Context) -> Void = { _ in }, at location: SourceLocation = #_sourceLocation
    ) throws {
        let plan = try planned(options, on: layout, filter: filter, change: change)
        #expect(changes(plan, from: try planned(plain)) == golden, sourceLocation: location)
    }

    @Test func plainRun() throws {
        let golden = """
            clone time,mount,uts,ipc,pid,network
            cgroup write /sys/fs/cgroup/cgroup.subtree_control +memory +pids
            cgroup mkdir /sys/fs/cgroup/ctr
            cgroup write /sys/fs/cgroup/ctr/cgroup.subtree_control +memory +pids
            cgroup mkdir /sys/fs/cgroup/ctr/c1
            cgroup devices /sys/fs/cgroup/ctr/c1 87 instructions
            cgroup clone-into /sys/fs/cgroup/ctr/c1
            slot 0 root
            slot 1 standardInput
            slot 2 standardOutput
            slot 3 standardError
            unshare cgroup
            session
            keyring ctr-c1
            propagation 0x84000
            root 0
            mount proc proc /proc 0xe\u{20}
            mount tmpfs tmpfs /dev 0x22 mode=755,size=65536k
            mount devpts devpts /dev/pts 0xa newinstance,ptmxmode=0666,mode=0620,gid=5
            mount sysfs sysfs /sys 0xf\u{20}
            mount cgroup2 cgroup /sys/fs/cgroup 0xf\u{20}
            mount mqueue mqueue /dev/mqueue 0xe\u{20}
            mount tmpfs shm /dev/shm 0xe mode=1777,size=67108864
            device /dev/null 020666 1:3 0:0
            device /dev/zero 020666 1:5 0:0
            device /dev/full 020666 1:7 0:0
            device /dev/random 020666 1:8 0:0
            device /dev/urandom 020666 1:9 0:0
            device /dev/tty 020666 5:0 0:0
            symlink /dev/ptmx -> pts/ptmx
            symlink /dev/fd -> /proc/self/fd
            symlink /dev/stdin -> /proc/self/fd/0
            symlink /dev/stdout -> /proc/self/fd/1
            symlink /dev/stderr -> /proc/self/fd/2
            symlink /dev/core -> /proc/kcore
            hostname c1
            loopback-up
            sysctl net/ipv4/ip_unprivileged_port_start = 0
            sysctl net/ipv4/ping_group_range = 0 2147483647
            read-only /proc/bus
            read-only /proc/fs
            read-only /proc/irq
            read-only /proc/sys
            read-only /proc/sysrq-trigger
            read-only /proc/dynamic_debug
            mask /proc/acpi
            mask /proc/asound
            mask /proc/interrupts
            mask /proc/kcore
            mask /proc/keys
            mask /proc/latency_stats
            mask /proc/sched_debug
            mask /proc/scsi
            mask /proc/timer_list
            mask /proc/timer_stats
            mask /sys/devices/virtual/powercap
            mask /sys/firmware
            pivot
            streams 1 2 3
            chdir /
            umask 022
            bounding 0xa80425fb
            identity 0:0 [0]
            capabilities e=0xa80425fb p=0xa80425fb i=0x0 a=0x0
            find /bin/true in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            close 0
            execute ["/bin/true"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "HOME=/root"]
            """
        #expect(text(try planned(plain)) == golden)
    }

    @Test func terminal() throws {
        var options = plain
        options.terminal = true
        options.rows = 24
        options.columns = 80
        try expect(
            options,
            """
            - slot 1 standardInput
            - slot 2 standardOutput
            - slot 3 standardError
            - streams 1 2 3
            - execute ["/bin/true"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "HOME=/root"]
            + slot 1 terminal
            + terminal 1 24x80
            + execute ["/bin/true"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "TERM=xterm", "HOME=/root"]
            """)
    }

    @Test func privileged() throws {
        var options = plain
        options.privileged = true
        options.hostDevices = [
            SpecOptions.Device(pathInContainer: "/dev/fuse", kind: .character, major: 10, minor: 229)
        ]
        try expect(
            options,
            """
            - cgroup devices /sys/fs/cgroup/ctr/c1 87 instructions
            - mount sysfs sysfs /sys 0xf\u{20}
            - mount cgroup2 cgroup /sys/fs/cgroup 0xf\u{20}
            - read-only /proc/bus
            - read-only /proc/fs
            - read-only /proc/irq
            - read-only /proc/sys
            - read-only /proc/sysrq-trigger
            - read-only /proc/dynamic_debug
            - mask /proc/acpi
            - mask /proc/asound
            - mask /proc/interrupts
            - mask /proc/kcore
            - mask /proc/keys
            - mask /proc/latency_stats
            - mask /proc/sched_debug
            - mask /proc/scsi
            - mask /proc/timer_list
            - mask /proc/timer_stats
            - mask /sys/devices/virtual/powercap
            - mask /sys/firmware
            - bounding 0xa80425fb
            - capabilities e=0xa80425fb p=0xa80425fb i=0x0 a=0x0
            + cgroup devices /sys/fs/cgroup/ctr/c1 8 instructions
            + mount sysfs sysfs /sys 0xe\u{20}
            + mount cgroup2 cgroup /sys/fs/cgroup 0xe\u{20}
            + device /dev/fuse 020666 10:229 0:0
            + bounding 0x1ffffffffff
            + capabilities e=0x1ffffffffff p=0x1ffffffffff i=0x0 a=0x0
            """)
    }

    @Test func userWithNoNewPrivileges() throws {
        var options = plain
        options.user = UserIdentity(uid: 1000, gid: 1001, groups: [1001, 10], home: "/home/app")
        options.securityOptions = ["no-new-privileges"]
        try expect(
            options, filter: "/cache/f",
            """
            - identity 0:0 [0]
            - capabilities e=0xa80425fb p=0xa80425fb i=0x0 a=0x0
            - execute ["/bin/true"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "HOME=/root"]
            + slot 4 file /cache/f
            + identity 1000:1001 [1001, 10]
            + capabilities e=0x0 p=0x0 i=0x0 a=0x0
            + no-new-privileges
            + seccomp 4 0
            + execute ["/bin/true"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "HOME=/home/app"]
            """)
    }

    @Test func initAndStartLater() throws {
        try expect(
            plain, filter: "/cache/f",
            """
            + slot 4 file /cache/f
            + slot 5 startFIFO
            + seccomp 4 0
            + await-start 5
            + reap
            """,
            change: {
                $0.initProcess = true
                $0.waitsForStart = true
            })
    }

    @Test func hostNetworkAndPID() throws {
        var options = plain
        options.namespaces.network = .host
        options.namespaces.pid = .host
        // And no init of ours beside the host's.
        try expect(
            options,
            """
            - clone time,mount,uts,ipc,pid,network
            - loopback-up
            - sysctl net/ipv4/ip_unprivileged_port_start = 0
            - sysctl net/ipv4/ping_group_range = 0 2147483647
            + clone time,mount,uts,ipc
            """, change: { $0.initProcess = true })
    }

    @Test func anotherContainersNamespaces() throws {
        var options = plain
        options.namespaces.network = .joined(path: "/proc/7/ns/net")
        options.namespaces.pid = .joined(path: "/proc/7/ns/pid")
        options.namespaces.ipc = .joined(path: "/proc/7/ns/ipc")
        try expect(
            options,
            """
            - clone time,mount,uts,ipc,pid,network
            - slot 0 root
            - slot 1 standardInput
            - slot 2 standardOutput
            - slot 3 standardError
            - root 0
            - loopback-up
            - sysctl net/ipv4/ip_unprivileged_port_start = 0
            - sysctl net/ipv4/ping_group_range = 0 2147483647
            - streams 1 2 3
            + clone time,mount,uts
            + join-pid 1
            + slot 0 file /proc/7/ns/net
            + slot 1 file /proc/7/ns/pid
            + slot 2 file /proc/7/ns/ipc
            + slot 3 root
            + slot 4 standardInput
            + slot 5 standardOutput
            + slot 6 standardError
            + join 0 network
            + join 2 ipc
            + root 3
            + streams 4 5 6
            """)
    }

    @Test func exec() throws {
        let host = HostFacts(cgroups: hybridLayout)
        let spec = try SpecBuilder.build(plain, host: host)
        let placement = try CgroupPlacement(
            layout: hybridLayout, containerID: "c1", resources: spec.linux?.resources)
        let context = Planner.Context(
            containerID: "c1", host: host, placement: placement, seccompFilter: "/cache/f")
        let process = try SpecBuilder.execProcess(
            in: spec, arguments: ["sh"], environment: ["A=1"], workingDirectory: "/srv",
            user: UserIdentity(uid: 5, gid: 6, groups: [6], home: "/x"), terminal: true, host: host)
        let plan = try Planner.execPlan(process, in: spec, location: placement.location, context)
        let golden = """
            clone\u{20}
            join-pid 0
            cgroup open /sys/fs/cgroup/memory/ctr/c1/tasks as 1
            cgroup open /sys/fs/cgroup/pids/ctr/c1/tasks as 2
            cgroup clone-into /sys/fs/cgroup/unified/ctr/c1
            slot 0 containerPIDFD
            slot 1 cgroupFile
            slot 2 cgroupFile
            slot 3 terminal
            slot 4 file /cache/f
            join-cgroup 1
            join-cgroup 2
            dumpable false
            join 0 time,mount,cgroup,uts,ipc,network
            session
            keyring ctr-c1
            terminal 3 0x0
            chdir /srv
            umask 022
            bounding 0xa80425fb
            seccomp 4 0
            identity 5:6 [6]
            capabilities e=0x0 p=0x0 i=0x0 a=0x0
            find sh in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            close 0
            execute ["sh"] ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=c1", "TERM=xterm", "A=1", "HOME=/x"]
            """
        #expect(text(plan) == golden)
    }
}
