import Foundation
import Testing

@Suite("after a boot", .needs())
struct BootTests {
    /// What a power cut leaves: no process, no run directory.
    private func cutPower(_ ctr: Fixture, _ names: [String]) throws {
        for name in names {
            guard try ctr.inspect(name, "{{.State.Running}}") == "true" else { continue }
            let id = try ctr.inspect(name, "{{.Id}}")
            let pid = try #require(pid_t(try ctr.inspect(name, "{{.State.Pid}}")))
            try ctr.killMonitor(of: name)
            kill(pid, SIGKILL)
            for mount in [
                "", "/unified", "/memory", "/pids", "/cpu", "/cpuset", "/devices", "/freezer", "/blkio",
            ] {
                let cgroup = "/sys/fs/cgroup\(mount)/ctr/\(id)"
                try ctr.eventually("\(cgroup) is gone") { rmdir(cgroup) == 0 || errno == ENOENT }
            }
        }
        try FileManager.default.removeItem(atPath: ctr.runRoot)
    }

    @Test func policiesDecideWhatStarts() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            func run(_ name: String, _ policy: String, _ command: String...) throws {
                try ctr.ctr(["run", "-d", "--name", name, "--restart", policy, image] + command)
            }
            try run("no", "no", "sleep", "300")
            try run("always", "always", "sleep", "300")
            try run("always-stopped", "always", "sleep", "300")
            try run("unless", "unless-stopped", "sleep", "300")
            try run("unless-stopped", "unless-stopped", "sleep", "300")
            try run("failing", "on-failure", "sleep", "300")
            try run("done", "on-failure", "true")
            try ctr.ok("create", "--name", "never", "--restart", "always", image, "sleep", "300")
            try ctr.ok("stop", "-t", "0", "always-stopped", "unless-stopped")
            try ctr.ok("wait", "done")
            try cutPower(ctr, ["no", "always", "unless", "failing"])
            // Before anything is started: the truth about what ran.
            #expect(
                try ctr.inspect("always", "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}")
                    == "exited 255 the machine went down while the container ran")
            let started = try ctr.ok("system", "boot").components(separatedBy: "\n").sorted()
            #expect(started == ["always", "always-stopped", "failing", "unless"])
            for name in started { #expect(try ctr.inspect(name, "{{.State.Running}}") == "true") }
            #expect(try ctr.ok("system", "boot") == "")
        }
    }

    @Test func restartsBackOffAndCount() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let begin = Date()
            try ctr.ok(
                "run", "-d", "--name", "box", "--restart", "on-failure:3", image, "sh", "-c",
                "echo run; exit 4")
            #expect(try ctr.ok("wait", "box") == "4")
            try ctr.eventually("over") { try ctr.inspect("box", "{{.State.Status}}") == "exited" }
            // 100, 200 and 400 ms.
            #expect(Date().timeIntervalSince(begin) > 0.7)
            #expect(try ctr.inspect("box", "{{.RestartCount}}") == "3")
            #expect(try ctr.ok("logs", "box") == "run\nrun\nrun\nrun")
        }
    }

    @Test func theUnitIsWrittenAndRemoved() throws {
        try withFixture { ctr in
            let outcome = try ctr.ctr(
                "system", "install", "--user", environment: ["XDG_CONFIG_HOME": ctr.path("config")])
            #expect(outcome.code == 0, "\(outcome)")
            let line = try #require(outcome.lines.first { $0.hasPrefix("wrote ") })
            let path = String(line.dropFirst("wrote ".count))
            #expect(path.hasPrefix(ctr.path("config") + "/systemd/user/ctr-boot-"))
            #expect(ctr.contents(path).contains("\"system\" \"boot\""))
            #expect(outcome.stdout.contains("Type=oneshot"))
            let removal = try ctr.ctr(
                "system", "uninstall", "--user", environment: ["XDG_CONFIG_HOME": ctr.path("config")])
            #expect(removal.code == 0, "\(removal)")
            #expect(!FileManager.default.fileExists(atPath: path))
            try ctr.refuses(
                "system", "uninstall", "--user", says: ["is not there"],
                environment: ["XDG_CONFIG_HOME": ctr.path("config")])
        }
    }

    @Test func stopTellsOfAProcessThatDoesNotHeedIt() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "deaf", image, "sleep", "300")
            let deaf = try ctr.ctr("stop", "-t", "1", "deaf")
            #expect(deaf.code == 0 && deaf.text == "deaf", "\(deaf)")
            #expect(
                deaf.stderr.contains("the process of deaf did not end on SIGTERM within 1 s and was killed"))
            #expect(deaf.stderr.contains("--init"))
            try ctr.ok(
                "run", "-d", "--name", "slow", image, "sh", "-c",
                "trap 'true' TERM; touch /ready; while :; do sleep 0.1; done")
            try ctr.eventually("the trap is set") {
                try ctr.ctr("exec", "slow", "test", "-e", "/ready").code == 0
            }
            let slow = try ctr.ctr("stop", "-t", "1", "slow")
            #expect(
                slow.stderr.contains("the process of slow did not end") && !slow.stderr.contains("--init"))
            try ctr.ok("run", "-d", "--name", "good", "--init", image, "sleep", "300")
            #expect(try ctr.ctr("stop", "-t", "5", "good").stderr == "")
        }
    }
}
