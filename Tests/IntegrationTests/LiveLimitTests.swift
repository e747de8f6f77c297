import Foundation
import Testing

@Suite("update, pause, limits of devices", .needs(), .serialized)
struct LiveLimitTests {
    /// A file of the container's cgroup, v1's name and v2's.
    private func limit(_ ctr: Fixture, _ name: String, _ controller: String, _ v1: String, _ v2: String)
        throws
        -> String
    {
        let (mount, isV2) = try #require(Cgroups.controller(controller))
        let pid = try ctr.inspect(name, "{{.State.Pid}}")
        let line = ctr.contents("/proc/\(pid)/cgroup").components(separatedBy: "\n").first {
            let fields = $0.split(separator: ":", omittingEmptySubsequences: false)
            return fields.count > 2
                && (isV2
                    ? fields[0] == "0" : fields[1].split(separator: ",").contains(Substring(controller)))
        }
        let path = try #require(line).split(separator: ":", omittingEmptySubsequences: false).dropFirst(2)
            .joined(separator: ":")
        return ctr.contents("\(mount)\(path)/\(isV2 ? v2 : v1)").trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    @Test func aRunningContainerGetsNewLimitsAndKeepsThem() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", "-m", "64m", image, "sleep", "60")
            // Up and down: v1 wants one order of the two limits for each.
            for size in [256, 32, 128] {
                #expect(try ctr.ok("update", "-m", "\(size)m", "box") == "box")
                #expect(
                    try limit(ctr, "box", "memory", "memory.limit_in_bytes", "memory.max")
                        == "\(size << 20)")
            }
            // Of controllers that it was not in.
            try ctr.ok(
                "update", "--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "44",
                "box")
            #expect(
                ["50000", "50000 100000"].contains(
                    try limit(ctr, "box", "cpu", "cpu.cfs_quota_us", "cpu.max")))
            #expect(
                ["512", "59"].contains(try limit(ctr, "box", "cpu", "cpu.shares", "cpu.weight")))
            #expect(try limit(ctr, "box", "cpuset", "cpuset.cpus", "cpuset.cpus") == "0")
            #expect(try limit(ctr, "box", "pids", "pids.max", "pids.max") == "44")
            // What an exec starts is under them too.
            #expect(
                try ctr.ok("exec", "box", "grep", "Cpus_allowed_list", "/proc/self/status").hasSuffix("\t0"))
            try ctr.ok("update", "--pids-limit", "-1", "box")
            #expect(try limit(ctr, "box", "pids", "pids.max", "pids.max") == "max")
            #expect(
                try ctr.inspect(
                    "box",
                    "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpusetCpus}} {{.HostConfig.PidsLimit}}"
                ) == "134217728 500000000 0 0")
            try ctr.ok("restart", "-t", "0", "box")
            #expect(
                try limit(ctr, "box", "memory", "memory.limit_in_bytes", "memory.max") == "\(128 << 20)")
            #expect(try limit(ctr, "box", "cpuset", "cpuset.cpus", "cpuset.cpus") == "0")
        }
    }

    @Test func aStoppedContainerGetsThemAtItsStart() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image, "sleep", "60")
            try ctr.ok("update", "-m", "48m", "--restart", "on-failure:3", "box")
            #expect(
                try ctr.inspect(
                    "box",
                    "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}")
                    == "on-failure 3")
            try ctr.ok("start", "box")
            #expect(try limit(ctr, "box", "memory", "memory.limit_in_bytes", "memory.max") == "\(48 << 20)")
        }
    }

    @Test func aRestartPolicyCanBeTakenFromARunningContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--restart", "always", image, "sh", "-c",
                "while [ ! -e /end ]; do sleep 0.05; done; exit 3")
            try ctr.ok("update", "--restart", "no", "box")
            try ctr.ok("exec", "box", "touch", "/end")
            #expect(try ctr.ok("wait", "box") == "3")
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.RestartCount}}") == "exited 0")
        }
    }

    @Test func updatesThatCannotBeAreRefused() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "create", "--name", "box", "-m", "64m", "--memory-swap", "100m", "--cpus", "1", image, "true")
            ctr.expectRefusal(
                try ctr.ctr("update", "-m", "200m", "box"), code: 1, says: ["update the memoryswap"])
            ctr.expectRefusal(
                try ctr.ctr("update", "--cpu-quota", "5000", "box"), code: 1, says: ["NanoCPUs"])
            ctr.expectRefusal(try ctr.ctr("update", "-m", "1m", "box"), code: 1, says: ["6MB"])
            ctr.expectRefusal(
                try ctr.ctr("update", "-m", "64m", "nobody"), code: 1, says: ["No such container"])
            try ctr.ok("create", "--name", "gone", "--rm", image, "true")
            ctr.expectRefusal(
                try ctr.ctr("update", "--restart", "always", "gone"), code: 1, says: ["AutoRemove"])
            #expect(try ctr.inspect("box", "{{.HostConfig.Memory}}") == "\(64 << 20)")
        }
    }

    @Test func aPausedContainerStandsStill() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "while :; do echo tick; sleep 0.02; done")
            try ctr.eventually("it came about") { try ctr.ok("logs", "box").contains("tick") }
            #expect(try ctr.ok("pause", "box") == "box")
            #expect(
                try ctr.inspect("box", "{{.State.Status}} {{.State.Paused}} {{.State.Running}}")
                    == "paused true true")
            #expect(try ctr.ok("ps", "--format", "{{.Status}} {{.State}}").hasSuffix("(Paused) paused"))
            #expect(try ctr.ok("ps", "-q", "--filter", "status=paused") != "")
            Thread.sleep(forTimeInterval: 0.1)
            let before = try ctr.ok("logs", "box")
            Thread.sleep(forTimeInterval: 0.3)
            #expect(try ctr.ok("logs", "box") == before)
            ctr.expectRefusal(try ctr.ctr("pause", "box"), code: 1, says: ["already paused"])
            ctr.expectRefusal(
                try ctr.ctr("exec", "box", "true"), code: 125, says: ["unpause the container before exec"])
            ctr.expectRefusal(try ctr.ctr("start", "box"), code: 1, says: ["try unpause"])
            ctr.expectRefusal(try ctr.ctr("attach", "box"), code: 125, says: ["paused container"])
            #expect(try ctr.ok("unpause", "box") == "box")
            try ctr.eventually("it came about") { try ctr.ok("logs", "box") != before }
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.State.Paused}}") == "running false")
            ctr.expectRefusal(try ctr.ctr("unpause", "box"), code: 1, says: ["not paused"])
            try ctr.ok("kill", "box")
            try ctr.ok("wait", "box")
            ctr.expectRefusal(try ctr.ctr("pause", "box"), code: 1, says: ["not running"])
        }
    }

    @Test func stopAndRemovalReachAPausedContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "trap 'exit 5' TERM; while :; do sleep 0.02; done"
            try ctr.ok("run", "-d", "--name", "box", image, "sh", "-c", script)
            try ctr.ok("pause", "box")
            try ctr.ok("stop", "box")
            #expect(try ctr.inspect("box", "{{.State.ExitCode}} {{.State.Paused}}") == "5 false")
            try ctr.ok("start", "box")
            try ctr.ok("exec", "box", "true")
            try ctr.ok("pause", "box")
            try ctr.ok("rm", "-f", "box")
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }

    @Test func anyProcessThatTheKernelKillsCounts() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "-m", "16m", "--memory-swap", "16m", image, "sh", "-c",
                "sleep 0.3; dd if=/dev/zero of=/dev/null bs=200M count=1; echo survived; sleep 60")
            try ctr.eventually("it came about") { try ctr.ok("logs", "box").contains("survived") }
            #expect(try ctr.inspect("box", "{{.State.OOMKilled}} {{.State.Running}}") == "true true")
            try ctr.ok("stop", "-t", "0", "box")
            #expect(try ctr.inspect("box", "{{.State.OOMKilled}}") == "true")
            let events = try ctr.ok("events", "--since", "1m", "--until", "0s", "--format", "{{.Action}}")
            #expect(events.components(separatedBy: "\n").contains("oom"))
            // The next run begins anew.
            try ctr.ok("start", "box")
            #expect(try ctr.inspect("box", "{{.State.OOMKilled}}") == "false")
        }
    }

    @Test(arguments: [
        (["--device-read-bps", "/dev/null:1mb"], "not a block device"),
        (["--device-write-iops", "/dev/nothing:5"], "/dev/nothing"),
        (["--device-read-bps", "sda:1mb"], "not of the form"),
        (["--blkio-weight", "5000"], "the most is 1000"),
        (["--blkio-weight-device", "/dev/null:5"], "10 to 1000"),
        (["--memory-swappiness", "101"], "the most is 100"),
        (["--device-cgroup-rule", "everything"], "c 1:3 rwm"),
        (["--cgroup-parent", "../elsewhere"], "--cgroup-parent"),
    ])
    func limitsThatCannotBeAreRefused(_ flags: [String], _ says: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            ctr.expectRefusal(
                try ctr.ctr(["run", "--rm"] + flags + [image, "true"]), code: 125, says: [says])
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }

    @Test func cgroupsAreMadeBelowTheParent() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let isScoped = FileManager.default.fileExists(atPath: "/run/systemd/system")
            let parent =
                isScoped ? "ctr-test.slice" : "/ctr-test/\(ProcessInfo.processInfo.processIdentifier)"
            try ctr.ok(
                "run", "-d", "--name", "box", "--cgroup-parent", parent, "--device-cgroup-rule", "c 10:* rwm",
                image, "sleep", "60")
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            #expect(ctr.contents("/proc/\(pid)/cgroup").contains(isScoped ? "/ctr-test.slice/" : parent))
            #expect(
                try ctr.inspect("box", "{{.HostConfig.CgroupParent}} {{.HostConfig.DeviceCgroupRules}}")
                    == "\(parent) [c 10:* rwm]")
            try ctr.ok("rm", "-f", "box")
            if !isScoped {
                for mount in try FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup") {
                    rmdir("/sys/fs/cgroup/\(mount)\(parent)")
                    rmdir("/sys/fs/cgroup/\(mount)/ctr-test")
                }
            }
        }
    }
}
