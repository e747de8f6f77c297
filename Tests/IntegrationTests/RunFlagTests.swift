import Foundation
import Testing

/// Each flag with something inside the container that would be otherwise if the flag were ignored.
@Suite("run: flags of the process", .needs())
struct RunFlagTests {
    @Test func environment() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let file = try ctr.file("vars", "# comment\nFROM_FILE=f 1\nSHARED=file\nCTR_TEST_PASSED\n\n")
            let text = try ctr.ok(
                "run", "--rm", "-e", "GIVEN=v=1", "--env", "SHARED=flag", "--env-file", file, "-e",
                "CTR_TEST_TAKEN", "-e",
                "CTR_TEST_ABSENT", image, "env",
                environment: ["CTR_TEST_PASSED": "p", "CTR_TEST_TAKEN": "t", "CTR_TEST_OTHER": "o"])
            let lines = Set(text.components(separatedBy: "\n"))
            #expect(
                lines.isSuperset(of: [
                    "GIVEN=v=1", "SHARED=flag", "FROM_FILE=f 1", "CTR_TEST_PASSED=p", "CTR_TEST_TAKEN=t",
                ]))
            #expect(!text.contains("CTR_TEST_OTHER"))
            #expect(!text.contains("CTR_TEST_ABSENT"))
            #expect(lines.contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
            #expect(lines.contains("HOME=/root"))
            #expect(lines.contains { $0.hasPrefix("HOSTNAME=") })
        }
    }

    @Test func workdir() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ok("run", "--rm", image, "pwd") == "/")
            #expect(try ctr.ok("run", "--rm", "-w", "/etc", image, "pwd") == "/etc")
            #expect(try ctr.ok("run", "--rm", "--workdir", "/made/for/it", image, "pwd") == "/made/for/it")
            try ctr.refuses("run", "--rm", "-w", "relative", image, "pwd", code: 125, says: ["relative"])
        }
    }

    @Test func entrypoint() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", #"ENTRYPOINT ["echo", "entry"]"#, "-c", #"CMD ["cmd"]"#,
                try ctr.file("b.tar", Busybox.tar), "entry:1")
            #expect(try ctr.ok("run", "--rm", "entry:1") == "entry cmd")
            #expect(try ctr.ok("run", "--rm", "entry:1", "other") == "entry other")
            #expect(try ctr.ok("run", "--rm", "--entrypoint", "printf", "entry:1", "<%s>", "x") == "<x>")
            // A replaced entrypoint takes the image's command away.
            try ctr.prints("run", "--rm", "--entrypoint", "env", "entry:1", including: "PATH=")
        }
    }

    @Test(arguments: [
        ("app", "1000 1000 1000 2000 2001"), ("1000", "1000 1000 1000 2000 2001"), ("1000:1", "1000 1 1"),
        ("app:extra", "1000 2000 2000"), ("4321", "4321 0 0"), ("4321:8765", "4321 8765 8765"),
    ])
    func user(_ name: String, _ expected: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let found = try ctr.ok(
                "run", "--rm", "-u", name, image, "sh", "-c",
                #"echo $(id -u) $(id -g) $(sed -n 's/^Groups://p' /proc/self/status)"#)
            // The primary group may or may not be listed among the supplementary ones; the others must be right.
            let words = found.split(separator: " ").map(String.init)
            let wanted = expected.split(separator: " ").map(String.init)
            #expect(words.prefix(2) == wanted.prefix(2), "\(found)")
            #expect(
                Set(words.dropFirst(2)).union([wanted[1]]) == Set(wanted.dropFirst(2)).union([wanted[1]]),
                "\(found)")
        }
    }

    @Test func homeIsTheUsers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ok("run", "--rm", "-u", "app", image, "sh", "-c", "echo $HOME") == "/home/app")
            #expect(try ctr.ok("run", "--rm", "-u", "77", image, "sh", "-c", "echo $HOME") == "/")
        }
    }

    @Test func groupAdd() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let groups = try ctr.ok(
                "run", "--rm", "--group-add", "extra", "--group-add", "4444", image, "sh", "-c",
                "sed -n 's/^Groups://p' /proc/self/status")
            #expect(Set(groups.split(separator: " ")).isSuperset(of: ["2000", "4444"]))
        }
    }

    @Test func initReapsAndForwards() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ok("run", "--rm", image, "sh", "-c", "cat /proc/1/comm; true") == "sh")
            let name = try ctr.ok(
                "run", "--rm", "--init", image, "sh", "-c", "cat /proc/1/comm; cat /proc/$$/comm; true")
            #expect(name.components(separatedBy: "\n").first != "sh")
            #expect(name.hasSuffix("sh"))
            // Without --init process 1 would ignore TERM (no handler) and stop would need its whole timeout.
            try ctr.ok("run", "-d", "--init", "--name", "i1", image, "sleep", "60")
            let before = Date()
            try ctr.ok("stop", "i1")
            #expect(Date().timeIntervalSince(before) < 5)
            #expect(try ctr.inspect("i1", "{{.State.ExitCode}}") == "143")
            #expect(try ctr.ctr("run", "--rm", "--init", image, "sh", "-c", "exit 9").code == 9)
            // An orphan of the container is reaped by it.
            let zombies = try ctr.ok(
                "run", "--rm", "--init", image, "sh", "-c",
                "sh -c 'sleep 0.1 & exit 0'; sleep 0.6; grep -c '^State:.Z' /proc/[0-9]*/status | grep -c ':1$'; true"
            )
            #expect(zombies == "0")
        }
    }

    @Test func hostnameAndDomainname() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let text = try ctr.ok(
                "run", "--rm", "-h", "given-name", "--domainname", "given.domain", image, "sh", "-c",
                "hostname; cat /etc/hostname; cat /proc/sys/kernel/domainname; grep given-name /etc/hosts | wc -l"
            )
            #expect(
                text.components(separatedBy: "\n").prefix(3) == ["given-name", "given-name", "given.domain"])
            let id = try ctr.ok("create", image, "hostname")
            #expect(try ctr.ok("start", "-a", id) == String(id.prefix(12)))
        }
    }

    @Test func labelsAndAnnotations() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let file = try ctr.file("labels", "c=3\n")
            try ctr.ok(
                "create", "--name", "l1", "-l", "a=1", "--label", "b", "--label-file", file, "--annotation",
                "x.y=z", image)
            #expect(
                try ctr.inspect(
                    "l1",
                    #"{{index .Config.Labels "a"}}|{{index .Config.Labels "b"}}|{{index .Config.Labels "c"}}"#
                ) == "1||3")
            #expect(try ctr.ok("ps", "-a", "--filter", "label=a=1", "--format", "{{.Names}}") == "l1")
            #expect(try ctr.ok("ps", "-a", "--filter", "label=a=2", "-q") == "")
            let spec = ctr.path("bundle-of-l")
            try ctr.ok("bundle", "l1", spec)
            #expect(ctr.contents(spec + "/config.json").contains("x.y"))
        }
    }

    @Test func ulimits() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok(
                    "run", "--rm", "--ulimit", "nofile=123:456", "--ulimit", "core=0", image, "sh", "-c",
                    "ulimit -S -n; ulimit -H -n; ulimit -c") == "123\n456\n0")
        }
    }

    @Test func stopSignalAndTimeout() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "trap 'exit 42' USR1; echo up; while :; do sleep 0.05; done"
            try ctr.ok("run", "-d", "--name", "s1", "--stop-signal", "USR1", image, "sh", "-c", script)
            try ctr.eventually("it is up") { try ctr.ok("logs", "s1") == "up" }
            try ctr.ok("stop", "s1")
            #expect(try ctr.inspect("s1", "{{.State.ExitCode}}") == "42")
            try ctr.ok("run", "-d", "--name", "t1", "--stop-timeout", "1", image, "sleep", "60")
            let before = Date()
            try ctr.ok("stop", "t1")
            let took = Date().timeIntervalSince(before)
            #expect(took > 0.8 && took < 6, "\(took) s")
            #expect(try ctr.inspect("t1", "{{.State.ExitCode}}") == "137")
        }
    }

    @Test func restartPolicy() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "r1", "--restart", "on-failure:2", image, "sh", "-c",
                "echo again; exit 5")
            try ctr.eventually("two restarts", within: 15) {
                try ctr.inspect("r1", "{{.RestartCount}} {{.State.Status}}") == "2 exited"
            }
            #expect(try ctr.ok("logs", "r1") == "again\nagain\nagain")
            #expect(try ctr.inspect("r1", "{{.State.ExitCode}}") == "5")
            try ctr.ok(
                "run", "-d", "--name", "al", "--restart", "always", image, "sh", "-c", "echo x; sleep 0.1")
            try ctr.eventually("it runs again", within: 15) { try ctr.ok("logs", "al").contains("x\nx") }
            try ctr.ok("stop", "-t", "0", "al")
            usleep(700_000)
            #expect(try ctr.inspect("al", "{{.State.Status}}") == "exited")
            try ctr.refuses(
                "run", "--rm", "--restart", "always", image, "true", code: 125, says: ["--restart", "--rm"])
        }
    }

    @Test func pullNeverRefusesWhatIsNotThere() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses(
                "run", "--rm", "--pull", "never", "nothing:here", "true", code: 125, says: ["nothing:here"])
            try ctr.ok("run", "--rm", "--pull", "never", image, "true")
        }
    }

    @Test func platformThatIsNotTheImagesIsRefused() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses(
                "run", "--rm", "--pull", "never", "--platform", "linux/s390x", image, "true", code: 125,
                says: ["s390x"])
        }
    }

    @Test func oomScoreAdjust() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok("run", "--rm", "--oom-score-adj", "321", image, "cat", "/proc/self/oom_score_adj")
                    == "321")
        }
    }

    @Test func logDriverNone() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok("run", "--name", "quiet", "--log-driver", "none", image, "echo", "shown")
                    == "shown")
            let logs = try ctr.ctr("logs", "quiet")
            #expect(!logs.stdout.contains("shown"))
        }
    }

    @Test func flagsEndAtTheImage() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ok("run", "--rm", image, "echo", "--rm", "-e", "x") == "--rm -e x")
        }
    }
}
