import Foundation
import Testing

@Suite("health checks", .needs())
struct HealthTests {
    @Test func healthyThenUnhealthyThenHealthy() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "echo checked; test ! -e /bad; ",
                "--health-interval", "150ms", "--health-retries", "2", image, "sleep", "300")
            #expect(try ctr.inspect("box", "{{.State.Health.Status}}") == "starting")
            try ctr.prints("ps", including: "(health: starting)")
            try ctr.eventually("healthy") { try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy" }
            try ctr.prints("ps", including: "(healthy)")
            #expect(try ctr.ok("ps", "-q", "--filter", "health=healthy") != "")
            #expect(try ctr.ok("ps", "-q", "--filter", "health=none") == "")
            let first = try ctr.inspect("box", "{{json (index .State.Health.Log 0)}}")
            #expect(first.contains(#""ExitCode":0,"Output":"checked\n""#), "\(first)")
            try ctr.ok("exec", "box", "touch", "/bad")
            try ctr.eventually("unhealthy") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "unhealthy"
            }
            #expect(Int(try ctr.inspect("box", "{{.State.Health.FailingStreak}}")) ?? 0 >= 2)
            try ctr.prints("ps", including: "(unhealthy)")
            try ctr.ok("exec", "box", "rm", "/bad")
            try ctr.eventually("healthy again") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy"
            }
            try ctr.eventually("five results") {
                try ctr.inspect("box", "{{len .State.Health.Log}}") == "5"
            }
        }
    }

    @Test func aHangingCheckIsKilledWithItsChildren() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "echo begun; sleep 4711 & sleep 4711",
                "--health-interval", "50ms", "--health-timeout", "300ms", "--health-retries", "1", image,
                "sleep", "300")
            try ctr.eventually("unhealthy") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "unhealthy"
            }
            let log = try ctr.inspect("box", "{{json (index .State.Health.Log 0)}}")
            #expect(
                log.contains(#""ExitCode":-1,"Output":"Health check exceeded timeout (300ms): begun\n""#),
                "\(log)")
            // At most the processes of the check that runs now.
            let processes = try ctr.ok("exec", "box", "ps").components(separatedBy: "\n")
            #expect(
                processes.filter { $0.contains("4711") && !$0.contains("begun") }.count <= 2, "\(processes)")
        }
    }

    @Test func whatTheImageSaysAndItsRefusal() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", #"CMD ["sleep", "300"]"#, "-c",
                #"HEALTHCHECK --interval=100ms --retries=1 CMD ["true"]"#,
                try ctr.file("busybox.tar", Busybox.tar), "checked:test")
            try ctr.ok("run", "-d", "--name", "one", "checked:test")
            try ctr.eventually("healthy") { try ctr.inspect("one", "{{.State.Health.Status}}") == "healthy" }
            try ctr.ok("run", "-d", "--name", "two", "--no-healthcheck", "checked:test")
            #expect(try ctr.inspect("two", "{{json .State}}").contains("Health") == false)
            #expect(try ctr.inspect("two", "{{json .Config.Healthcheck.Test}}") == #"["NONE"]"#)
            try ctr.refuses(
                "run", "--no-healthcheck", "--health-cmd", "true", "checked:test", code: 125,
                says: ["--no-healthcheck conflicts"])
            try ctr.refuses(
                "run", "--health-interval", "10us", "checked:test", code: 125, says: ["less than 1ms"])
        }
    }

    @Test func aCommandThatIsNotThere() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", #"CMD ["sleep", "300"]"#, "-c",
                #"HEALTHCHECK --interval=50ms --retries=1 CMD ["nosuch"]"#,
                try ctr.file("busybox.tar", Busybox.tar), "checked:test")
            try ctr.ok("run", "-d", "--name", "box", "checked:test")
            try ctr.eventually("unhealthy") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "unhealthy"
            }
            let log = try ctr.inspect("box", "{{json (index .State.Health.Log 0)}}")
            #expect(
                log.contains(#""ExitCode":-1"#) && log.contains("nosuch: executable file not found"), "\(log)"
            )
        }
    }

    @Test func theStartPeriodForgives() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "test -e /ready", "--health-interval", "30s",
                "--health-start-period", "60s", "--health-start-interval", "50ms", "--health-retries", "1",
                image, "sleep", "300")
            try ctr.eventually("five failures") {
                try ctr.inspect("box", "{{with .State.Health}}{{len .Log}}{{end}}") == "5"
            }
            #expect(
                try ctr.inspect("box", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}")
                    == "starting 0")
            try ctr.ok("exec", "box", "touch", "/ready")
            try ctr.eventually("healthy") { try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy" }
        }
    }

    @Test func waitIsForHealthyOrTheReason() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let id = try ctr.ok(
                "run", "-d", "--wait=healthy", "--name", "good", "--health-cmd", "test -e /ready",
                "--health-interval", "50ms", "--health-retries", "1000", image, "sh", "-c",
                "sleep 0.3; touch /ready; sleep 300")
            #expect(id.count == 64)
            #expect(try ctr.inspect("good", "{{.State.Health.Status}}") == "healthy")
            try ctr.refuses(
                "run", "-d", "--wait=healthy", "--health-cmd", "echo no; exit 3", "--health-interval", "50ms",
                "--health-retries", "1", image, "sleep", "300", code: 1,
                says: ["became unhealthy: exit code 3: no"])
            try ctr.refuses(
                "run", "-d", "--wait=healthy", "--health-cmd", "true", image, "sh", "-c", "sleep 0.2; exit 9",
                code: 9, says: ["ended with exit code 9 before it was healthy"])
            try ctr.refuses(
                "run", "-d", "--wait=healthy", "--wait-timeout", "300ms", "--health-cmd", "true", image,
                "sleep", "300", code: 124, says: ["not healthy within 300ms"])
            try ctr.refuses(
                "run", "-d", "--wait=healthy", image, "true", code: 125, says: ["has no health check"])
            try ctr.refuses("run", "--wait=healthy", image, "true", code: 125, says: ["-d"])
        }
    }

    @Test func healthcheckRunIsOneOfThem() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "test ! -e /bad", "--health-retries", "1",
                image,
                "sleep", "300")
            #expect(try ctr.ok("healthcheck", "run", "box") == "")
            #expect(try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy")
            try ctr.ok("exec", "box", "touch", "/bad")
            let outcome = try ctr.ctr("healthcheck", "run", "box")
            #expect(outcome.code == 1 && outcome.text == "unhealthy", "\(outcome)")
            try ctr.ok("run", "-d", "--name", "plain", image, "sleep", "300")
            try ctr.refuses("healthcheck", "run", "plain", says: ["no defined healthcheck"])
            try ctr.ok("stop", "-t", "0", "box")
            try ctr.refuses("healthcheck", "run", "box", says: ["not running"])
            #expect(try ctr.inspect("box", "{{.State.Health.Status}}") == "unhealthy")
        }
    }

    @Test(arguments: ["kill", "stop", "restart"]) func onFailure(_ action: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "test ! -e /bad", "--health-interval", "50ms",
                "--health-retries", "1", "--health-on-failure", action, image, "sh", "-c",
                "trap 'exit 5' TERM; rm -f /bad; while :; do sleep 0.05; done")
            try ctr.ok("exec", "box", "touch", "/bad")
            if action == "restart" {
                try ctr.eventually("restarted") { try ctr.inspect("box", "{{.RestartCount}}") == "1" }
                try ctr.eventually("healthy again") {
                    try ctr.inspect("box", "{{.State.Status}} {{.State.Health.Status}}") == "running healthy"
                }
                // The policy is its own again: a stop is a stop.
                try ctr.ok("stop", "box")
                #expect(try ctr.inspect("box", "{{.State.Status}} {{.State.ExitCode}}") == "exited 5")
            } else {
                try ctr.eventually("ended") {
                    try ctr.inspect("box", "{{.State.Status}} {{.State.ExitCode}}")
                        == (action == "kill" ? "exited 137" : "exited 5")
                }
            }
        }
    }

    @Test func itRunsAsTheContainersUserWithItsCapabilities() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--user", "12:34", "-e", "WORD=here", "-w", "/tmp",
                "--cap-drop",
                "ALL", "--health-cmd", "id -u; id -g; echo $WORD; pwd; grep CapBnd /proc/self/status",
                image, "sleep", "300")
            try ctr.ok("healthcheck", "run", "box")
            let output = try ctr.inspect("box", "{{(index .State.Health.Log 0).Output}}")
            #expect(output == "12\n34\nhere\n/tmp\nCapBnd:\t0000000000000000", "\(output)")
        }
    }

    @Test func aFrozenContainerIsNotChecked() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "echo >> /checks", "--health-interval", "50ms",
                "--health-timeout", "300ms", "--health-retries", "1", image, "sleep", "300")
            try ctr.eventually("five results") { try ctr.inspect("box", "{{len .State.Health.Log}}") == "5" }
            let id = try ctr.inspect("box", "{{.Id}}")
            let files = ["/unified/ctr/\(id)/cgroup.freeze", "/ctr/\(id)/cgroup.freeze"]
            let freezer = try #require(
                files.map { path -> String in "/sys/fs/cgroup\(path)" }.first { access($0, W_OK) == 0 })
            try "1".write(toFile: freezer, atomically: false, encoding: .utf8)
            usleep(700_000)
            let last = try ctr.inspect("box", "{{(index .State.Health.Log 4).End}}")
            usleep(400_000)
            #expect(try ctr.inspect("box", "{{(index .State.Health.Log 4).End}}") == last)
            #expect(try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy")
            try "0".write(toFile: freezer, atomically: false, encoding: .utf8)
            try ctr.eventually("checks go on") {
                try ctr.inspect("box", "{{(index .State.Health.Log 4).End}}") != last
            }
            #expect(try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy")
        }
    }

    @Test func anAdoptingMonitorChecksOn() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "test ! -e /bad", "--health-interval", "100ms",
                "--health-retries", "1", "--restart", "always", "--log-driver", "k8s-file", image, "sh", "-c",
                "while :; do date +%N; sleep 0.1; done")
            try ctr.eventually("healthy") { try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy" }
            try ctr.killMonitor(of: "box")
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.State.Health.Status}}") == "running healthy")
            try ctr.ok("exec", "box", "touch", "/bad")
            try ctr.eventually("unhealthy") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "unhealthy"
            }
            let before = try ctr.ok("logs", "box").count
            try ctr.eventually("the log goes on") { try ctr.ok("logs", "box").count > before }
            // The policy is kept by the adopting monitor as well.
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            kill(try #require(pid_t(pid)), SIGKILL)
            try ctr.eventually("started again") {
                let now = try ctr.inspect("box", "{{.State.Pid}}")
                return now != pid && now != "0"
            }
        }
    }
}

extension Fixture {
    /// kill -9 of a container's monitor.
    func killMonitor(of name: String) throws {
        let pid = try inspect(name, "{{.State.Pid}}")
        let parent = try #require(
            contents("/proc/\(pid)/status").firstMatch(of: /PPid:\t(\d+)/).flatMap { pid_t($0.1) })
        try #require(parent > 1)
        kill(parent, SIGKILL)
        try eventually("the monitor is gone") {
            kill(parent, 0) != 0 || contents("/proc/\(parent)/stat").contains(") Z")
        }
    }
}
