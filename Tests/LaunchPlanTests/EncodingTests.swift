import Failure
import LaunchPlan
import Testing

@Suite struct EncodingTests {
    static let plan: MonitorPlan = {
        let steps: [Step] = [
            .awaitParent(stage: 1), .joinCgroup(3), .joinNamespace(4, flags: 0x2000_0000),
            .unshare(flags: 0x0200_0000),
            .newSession, .newKeyring(name: "k"), .setPropagation(flags: 1 << 19),
            .attachRoot(0, at: "/b", sharesMounts: true),
            .mount(
                type: "tmpfs", source: "tmpfs", inRoot: "/dev", attributes: 2,
                options: [MountOption("mode", "755"), MountOption("noswap")], copyUp: true),
            .attachMount(1, inRoot: "/data", isDirectory: true, propagation: 1 << 18),
            .bind(source: "/a", inRoot: "/b", attributes: 1, recursive: true),
            .makeDirectory(inRoot: "/d", mode: 0o755),
            .makeDevice(inRoot: "/dev/null", mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 5),
            .symlink(target: "/proc/self/fd", inRoot: "/dev/fd"), .mask(inRoot: "/proc/kcore"),
            .readOnlyPath(inRoot: "/proc/sys"), .readOnlyRoot, .setRootPropagation(flags: 1 << 20),
            .pivotRoot,
            .hostname("h"), .domainname("d"), .sysctl(key: "net/ipv4/ip_forward", value: "1"), .loopbackUp,
            .resourceLimit(resource: 7, soft: 1024, hard: .max), .oomScoreAdjustment(-500), .umask(0o22),
            .terminal(5, rows: 24, columns: 80), .standardStreams(6, 7, 8),
            .workingDirectory("/w", create: true), .parentDeathSignal(9), .personality(8),
            .scheduler(policy: 3, flags: 1, nice: -5, priority: 0, runtime: 1, deadline: 2, period: 3),
            .ioPriority(0x4004), .dumpable(false), .boundingSet(0xa80425fb),
            .identity(uid: 1000, gid: 100, groups: [4, 24], keepsGroups: true),
            .capabilities(effective: 1, permitted: 3, inheritable: 0, ambient: 0), .noNewPrivileges,
            .seccomp(2, flags: 2), .execLabel(module: "apparmor", label: "exec docker-default"),
            .closeDescriptors(keep: 1), .findProgram(name: "sh", searchPath: "/bin:/usr/bin"), .awaitStart(9),
            .hook(
                Hook(
                    .startContainer, index: 2, path: "/h", arguments: ["h", "-x"], environment: ["A=b"],
                    milliseconds: 2000,
                    state: ("{\"pid\":", "}"))),
            .becomeRoot, .timeOffsets("boottime 1 2\n"), .propagation(inRoot: "/m", flags: 1 << 20),
            .changeRoot,
            .memoryPolicy(mode: 2, nodes: [1, 3]), .cpuAffinity([5]), .ownStreams(uid: 7),
            .bindHost(directory: "/sys/fs/cgroup/x", inRoot: "/c", attributes: 1),
            .enterRoot(3),
            .remount(
                inRoot: "/dev", change: AttributeChange(set: 1, clear: 2),
                options: [MountOption("size", "1m")]),
            .reap, .execute(arguments: ["sh", "-c", "echo \u{e9}"], environment: ["A=b", "SECRET=x y"]),
        ]
        let slots: [SlotSource] = [
            .root,
            .bind(
                path: "/var/lib/ctr/volumes/db/data", recursive: true,
                attributes: AttributeChange(set: 1, clear: 2)),
            .file(path: "/f"), .cgroupFile, .containerPIDFD, .terminal, .standardInput, .standardOutput,
            .standardError,
            .startFIFO,
            .bind(
                path: "/m", recursive: false, attributes: AttributeChange(),
                attributesBelow: AttributeChange(set: 4),
                ids: IDMaps(uids: "0 1 2\n", gids: "3 4 5\n", recursive: true)),
        ]
        let cgroup: [CgroupStep] = [
            .startScope(name: "ctr-a.scope", slice: "system.slice", description: "d"), .makeDirectory("/c"),
            .write(path: "/c/pids.max", value: "200", optional: true),
            .moveSelf(path: "/c/monitor/cgroup.procs"),
            .attachDeviceFilter(path: "/c", program: [1, 2, 3]), .cloneInto(path: "/c"),
            .delegate(path: "/c", uid: 100_000),
            .openForChild(path: "/v1/tasks", slot: 3),
        ]
        var plan = MonitorPlan(
            mode: .container, containerID: "abc",
            launch: LaunchPlan(
                namespaces: 0x6c02_0000, joinPIDNamespace: 4, cgroup: cgroup, steps: steps, slots: slots))
        plan.launch.preparation = [.joinNamespace(2, flags: 0x1000_0000), .becomeRoot]
        plan.launch.parent = [
            .idMaps(IDMaps(uids: "0 100000 65536\n", gids: "0 100000 65536\n")), .oomScore(-5),
            .resourceLimit(resource: 7, soft: 1, hard: .max),
        ]
        plan.runDirectory = "/run/ctr/x"
        plan.containerDirectory = "/var/lib/ctr/containers/x"
        plan.engineArguments = ["/usr/bin/ctr", "--root", "/var/lib/ctr"]
        plan.terminal = true
        plan.openStdin = true
        plan.log = .json(maximumSize: 1 << 20, maximumFiles: 3, attributes: ["tag", "x"])
        plan.lifetime = 77
        plan.health = HealthCheck(
            interval: 1, timeout: 2, startPeriod: 3, startInterval: 4, retries: 5, onFailure: .stop,
            plan: [1, 2, 3])
        plan.childCgroups = "/c"
        plan.ownCgroup = "exec-1-2"
        plan.residentMonitor = 9
        plan.residentMonitorStart = 1 << 40
        plan.restart = .onFailure(maximumTries: 4)
        plan.restartCount = 2
        plan.autoRemove = true
        plan.uid = 1000
        plan.gid = 100
        plan.rows = 24
        plan.columns = 80
        plan.detachKeys = [16, 17]
        plan.cgroupDirectory = "/c"
        plan.cgroupsToRemove = ["/c", "/v1"]
        plan.oomFile = "/c/memory.events"
        plan.stopSignal = 3
        plan.stopTimeout = -1
        plan.eventAttributes = Array("image=busybox\tname=c".utf8)
        plan.volumes = [.init(name: "data", attributes: Array("driver=local".utf8))]
        plan.hooks = [
            Hook(
                .createRuntime, index: 1, path: "/h", arguments: ["h", ""], environment: ["A=b"],
                milliseconds: 5,
                state: ("{", "}")),
            Hook(
                .poststop, index: 0, path: "/i", arguments: [], environment: [], milliseconds: 0,
                state: ("", "")),
        ]
        plan.netDevices = ["eth1": "net0", "eth2": ""]
        return plan
    }()

    @Test func everyStepComesBack() throws {
        let decoded = try MonitorPlan(decoding: Self.plan.encoded())
        #expect(decoded.launch.steps.count == StepCode.allCases.count)
        #expect(decoded == Self.plan)
    }

    @Test func everyLogDriverAndPolicyComesBack() throws {
        var plan = Self.plan
        for restart in [MonitorPlan.Restart.no, .always, .unlessStopped] {
            plan.restart = restart
            plan.log = .none
            plan.mode = .exec
            plan.launch.joinPIDNamespace = nil
            #expect(try MonitorPlan(decoding: plan.encoded()) == plan)
        }
        for log in [
            MonitorPlan.LogDriver.kubernetes(maximumSize: 5, maximumFiles: 6), .journal(fields: ["A", "b"]),
        ] {
            plan.log = log
            plan.health = nil
            #expect(try MonitorPlan(decoding: plan.encoded()) == plan)
        }
    }

    @Test func oneStepIsFoundByItsIndex() throws {
        let bytes = Self.plan.encoded()
        try bytes.withUnsafeBytes { buffer in
            let file = try PlanFile(buffer)
            #expect(try file.step(at: 8) == Self.plan.launch.steps[8])
            #expect(try file.step(at: 1000) == nil)
            #expect(try file.plan(withSteps: false).launch.steps.isEmpty)
        }
    }

    @Test func anotherVersionIsRefused() {
        var bytes = Self.plan.encoded()
        bytes[4] = 200
        let failure = #expect(throws: Failure.self) { try MonitorPlan(decoding: bytes) }
        #expect(failure?.code == .unsupported)
    }

    @Test func everyCutIsRefused() {
        let bytes = Self.plan.encoded()
        for size in 0..<bytes.count {
            #expect(throws: Failure.self) { try MonitorPlan(decoding: Array(bytes[..<size])) }
        }
    }

    /// Bytes that are not a plan are a Failure or another plan, never a crash.
    @Test func rubbishIsSurvived() {
        var random = SystemRandomNumberGenerator()
        let whole = Self.plan.encoded()
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                bytes[at] = Bool.random(using: &random) ? 0xff : UInt8.random(in: 0...255, using: &random)
            }
            _ = try? MonitorPlan(decoding: bytes)
        }
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<512, using: &random)
            _ = try? MonitorPlan(decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test func wordsOfSteps() {
        let launch = Self.plan.launch
        func words(_ index: Int) -> String { launch.words(for: launch.steps[index]) }
        #expect(words(1) == "join the cgroup /v1/tasks")
        #expect(words(2) == "join the pid namespace")
        #expect(words(8) == "mount tmpfs at /dev")
        #expect(words(9) == "mount volume db at /data")
        #expect(words(21) == "set sysctl net.ipv4.ip_forward to 1")
        #expect(words(35) == "become user 1000:100")
        #expect(words(launch.steps.count - 1) == "exec sh")
        #expect(Step.names(ofNamespaces: 0x6c02_0000) == "the mount, uts, ipc, pid and network namespaces")
    }

    @Test func printedPlan() {
        var launch = Self.plan.launch
        launch.preparation = [.becomeRoot]
        launch.parent = [launch.parent[0]]
        launch.steps = [launch.steps[8], launch.steps[24], launch.steps[launch.steps.count - 1]]
        launch.slots = Array(launch.slots.prefix(2))
        launch.cgroup = [launch.cgroup[2]]
        #expect(
            launch.printed == """
                namespaces the mount, uts, ipc, pid and network namespaces (0x6c020000)
                join the pid namespace of slot 4
                parent: map ids of uids 0 100000 65536, gids 0 100000 65536,
                before: becomeRoot
                slot 0 = the root
                slot 1 = bind "/var/lib/ctr/volumes/db/data" recursive +0x1 -0x2
                cgroup: write "200" to /c/pids.max if the kernel has it
                0 mount 2 1 "tmpfs" "tmpfs" "/dev" "mode" "755" "noswap" ""
                1 oomScoreAdjustment 0xfffffffffffffe0c
                2 execute 3 "sh" "-c" "echo \u{e9}" "A=…" "SECRET=…"

                """)
    }
}
