import Foundation
import Testing

@Suite("limits of memory, processors and processes", .needs(), .serialized)
struct LimitTests {
    @Test func outOfMemoryIs137AndSaid() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(
                "run", "--name", "box", "-m", "16m", "--memory-swap", "16m", image, "sh", "-c",
                "echo up; x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo survived")
            #expect(outcome.code == 137 || outcome.code == 2, "\(outcome)")
            #expect(!outcome.stdout.contains("survived"))
            let second = try ctr.ctr(
                "run", "--name", "box2", "-m", "16m", "--memory-swap", "16m", image, "dd", "if=/dev/zero",
                "of=/dev/null", "bs=200M", "count=1")
            #expect(second.code == 137, "\(second)")
            #expect(try ctr.inspect("box2", "{{.State.OOMKilled}}") == "true")
            #expect(try ctr.inspect("box2", "{{.State.ExitCode}}") == "137")
            try ctr.ok("run", "--name", "box3", "-m", "64m", image, "true")
            #expect(try ctr.inspect("box3", "{{.State.OOMKilled}}") == "false")
        }
    }

    @Test func theKernelsFilesHoldTheNumbers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "-m", "64m", "--cpus", "0.5", "--pids-limit", "33",
                "--cpuset-cpus", "0",
                "--cpu-shares", "512", image, "sleep", "60")
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            func value(_ controller: String, _ v1: String, _ v2: String) throws -> String {
                let (mount, isV2) = try #require(Cgroups.controller(controller))
                let line = ctr.contents("/proc/\(pid)/cgroup").components(separatedBy: "\n").first {
                    let fields = $0.split(separator: ":", omittingEmptySubsequences: false)
                    return fields.count > 2
                        && (isV2
                            ? fields[0] == "0"
                            : fields[1].split(separator: ",").contains(Substring(controller)))
                }
                let path = try #require(
                    line?.split(separator: ":", omittingEmptySubsequences: false).dropFirst(2).joined(
                        separator: ":"))
                // The limit may be on the container's directory or on a parent of the process's own.
                var directory = mount + path
                while directory.count > mount.count {
                    let text = ctr.contents("\(directory)/\(isV2 ? v2 : v1)").trimmingCharacters(
                        in: .whitespacesAndNewlines)
                    if !text.isEmpty, text != "max", text != "max 100000", !text.hasPrefix("92233720"),
                        text != "-1", text != "100", text != "1024"
                    {
                        return text
                    }
                    directory = (directory as NSString).deletingLastPathComponent
                }
                return ""
            }
            #expect(try value("memory", "memory.limit_in_bytes", "memory.max") == "67108864")
            #expect(["50000", "50000 100000"].contains(try value("cpu", "cpu.cfs_quota_us", "cpu.max")))
            #expect(try value("pids", "pids.max", "pids.max") == "33")
            #expect(try value("cpuset", "cpuset.cpus", "cpuset.cpus") == "0")
            #expect(["512", "20", "59"].contains(try value("cpu", "cpu.shares", "cpu.weight")))
            #expect(
                try ctr.inspect(
                    "box", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}")
                    == "67108864 500000000 33")
        }
    }

    @Test func processorTimeIsLimited() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let text = try ctr.ok(
                "run", "--rm", "--cpus", "0.2", image, "sh", "-c",
                "timeout 1.5 sh -c 'while :; do :; done'; cat /proc/$$/stat")
            let fields = text.split(separator: " ")
            // cutime in hundredths of a second: all children waited for.
            let used = (Double(fields[15]) ?? 0) + (Double(fields[16]) ?? 0)
            #expect(used > 5 && used < 75, "\(used / 100) s of processor time in 1.5 s at 0.2 processors")
        }
    }

    @Test func processesAreLimited() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(
                "run", "--rm", "--pids-limit", "10", image, "sh", "-c",
                "i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1)); done; echo all-of-them")
            #expect(!outcome.stdout.contains("all-of-them") || outcome.stderr.contains("fork"), "\(outcome)")
            try ctr.ok("run", "--rm", "--pids-limit", "-1", image, "true")
        }
    }

    @Test func execIsUnderTheSameLimit() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", "-m", "16m", "--memory-swap", "16m", image, "sleep", "60")
            let outcome = try ctr.ctr("exec", "box", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1")
            #expect(outcome.code == 137, "\(outcome)")
        }
    }

    @Test(arguments: [
        ["-m", "1k"], ["-m", "lots"], ["--cpus", "-1"], ["--cpus", "x"], ["--cpus", "1000"],
        ["--cpuset-cpus", "900"],
        ["--memory-swap", "1m", "-m", "64m"], ["--memory-swap", "64m"], ["--pids-limit", "x"],
        ["--cpu-shares", "-3"],
        ["--shm-size", "x"], ["--ulimit", "bogus=1"], ["--ulimit", "nofile=5:4"], ["--stop-signal", "NOPE"],
    ])
    func valuesThatCannotBeAreRefused(_ flags: [String]) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(["run", "--rm"] + flags + [image, "true"])
            ctr.expectRefusal(outcome, code: 125, says: [])
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }
}
