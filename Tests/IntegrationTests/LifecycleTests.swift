import Foundation
import Testing

@Suite("create, start, stop, kill, restart, rm, rename, wait, ps, inspect", .needs())
struct LifecycleTests {
    @Test func createdThenStartedThenExited() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let id = try ctr.ok("create", "--name", "box", image, "sh", "-c", "echo out; exit 3")
            #expect(id.utf8.count == 64)
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.Id}}") == "created \(id)")
            #expect(try ctr.ok("ps", "-q").isEmpty)
            #expect(try ctr.ok("start", "box") == "box")
            #expect(try ctr.ok("wait", "box") == "3")
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.State.ExitCode}}") == "exited 3")
            let outcome = try ctr.ctr("start", "-a", "box")
            #expect(outcome.code == 3)
            #expect(outcome.stdout == "out\n")
            #expect(try ctr.ok("logs", "box") == "out\nout")
            #expect(try ctr.ok("rm", "box") == "box")
            try ctr.refuses("inspect", "box", says: ["box"])
        }
    }

    @Test func startingARunningContainerIsNoError() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            #expect(try ctr.ok("start", "box") == "box")
            #expect(try ctr.inspect("box", "{{.State.Pid}}") == pid)
        }
    }

    @Test func startInteractive() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "-i", "--name", "box", image, "cat")
            #expect(try ctr.ok("start", "-ai", "box", input: "typed\n") == "typed")
        }
    }

    @Test func stopAsksThenKills() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
            try ctr.ok("run", "-d", "--name", "polite", image, "sh", "-c", script)
            try ctr.eventually("up") { try ctr.ok("logs", "polite") == "up" }
            #expect(try ctr.ok("stop", "polite") == "polite")
            #expect(try ctr.inspect("polite", "{{.State.ExitCode}}") == "0")
            #expect(try ctr.ok("logs", "polite") == "up\nbye")
            try ctr.ok("run", "-d", "--name", "deaf", image, "sh", "-c", "trap '' TERM; sleep 60")
            let before = Date()
            try ctr.ok("stop", "-t", "1", "deaf")
            let took = Date().timeIntervalSince(before)
            #expect(took > 0.9 && took < 5, "\(took) s")
            #expect(try ctr.inspect("deaf", "{{.State.ExitCode}}") == "137")
            // Stopping what is stopped is no error.
            #expect(try ctr.ok("stop", "deaf", "polite") == "deaf\npolite")
        }
    }

    @Test func stopTakesTheImagesStopSignal() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", "STOPSIGNAL SIGINT", try ctr.file("b.tar", Busybox.tar), "stopsignal:1")
            try ctr.ok(
                "run", "-d", "--name", "box", "stopsignal:1", "sh", "-c",
                "trap 'exit 22' INT; trap 'exit 15' TERM; echo up; while :; do sleep 0.05; done")
            try ctr.eventually("up") { try ctr.ok("logs", "box") == "up" }
            try ctr.ok("stop", "box")
            #expect(try ctr.inspect("box", "{{.State.ExitCode}}") == "22")
        }
    }

    @Test func killSendsTheGivenSignal() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "trap 'echo usr1' USR1; echo up; while :; do sleep 0.05; done")
            try ctr.eventually("up") { try ctr.ok("logs", "box") == "up" }
            #expect(try ctr.ok("kill", "-s", "USR1", "box") == "box")
            try ctr.eventually("the handler ran") { try ctr.ok("logs", "box") == "up\nusr1" }
            try ctr.ok("kill", "--signal", "9", "box")
            #expect(try ctr.ok("wait", "box") == "137")
            try ctr.refuses("kill", "box", says: ["box", "not running"])
            try ctr.refuses("kill", "-s", "NOSUCH", "box", says: ["NOSUCH"])
        }
    }

    @Test func restartKeepsTheContainersLayer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "date +%N >> /starts; trap 'exit 0' TERM; while :; do sleep 0.05; done")
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            try ctr.eventually("the first start is written") {
                try ctr.ctr("exec", "box", "test", "-s", "/starts").code == 0
            }
            #expect(try ctr.ok("restart", "-t", "2", "box") == "box")
            #expect(try ctr.inspect("box", "{{.State.Pid}}") != pid)
            try ctr.eventually("two starts") {
                try ctr.ok("exec", "box", "wc", "-l", "/starts").hasPrefix("2 ")
            }
        }
    }

    @Test func rmRefusesWhatRuns() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            try ctr.refuses("rm", "box", says: ["box", "running"])
            #expect(try ctr.ok("exec", "box", "echo", "unharmed") == "unharmed")
            #expect(try ctr.ok("rm", "-f", "box") == "box")
            #expect(try ctr.ok("ps", "-aq").isEmpty)
            // docker: -f of what is not there is no error but is said.
            #expect(try ctr.ctr("rm", "-f", "box").code <= 1)
        }
    }

    @Test func severalAtOnceAndTheFailedOneDoesNotStopTheOthers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "a1", image)
            try ctr.ok("create", "--name", "b1", image)
            let outcome = try ctr.ctr("rm", "a1", "nobody", "b1")
            #expect(outcome.code == 1)
            #expect(outcome.lines == ["a1", "b1"])
            #expect(outcome.stderr.contains("nobody"))
            #expect(try ctr.ok("ps", "-aq").isEmpty)
        }
    }

    @Test func renameMovesTheName() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "old", image, "sleep", "60")
            try ctr.ok("create", "--name", "other", image)
            try ctr.refuses("rename", "old", "other", says: ["other", "in use"])
            try ctr.ok("rename", "old", "new")
            #expect(try ctr.ok("exec", "new", "echo", "x") == "x")
            try ctr.refuses("inspect", "old", says: ["old"])
            try ctr.ok("create", "--name", "old", image)
        }
    }

    @Test func waitWaitsForAll() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "a1", image, "sh", "-c", "sleep 0.5; exit 4")
            try ctr.ok("run", "-d", "--name", "b1", image, "sh", "-c", "exit 5")
            #expect(try ctr.ok("wait", "a1", "b1") == "4\n5")
            #expect(try ctr.ok("wait", "b1", "a1") == "5\n4")
            try ctr.refuses("wait", "nobody", says: ["nobody"])
        }
    }

    @Test func psFormatsAndFilters() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let running = try ctr.ok("run", "-d", "--name", "up", image, "sleep", "60")
            try ctr.ctr("run", "--name", "down", image, "sh", "-c", "exit 6")
            let table = try ctr.ok("ps", "-a").components(separatedBy: "\n")
            #expect(table.count == 3)
            for column in ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "NAMES"] {
                #expect(table[0].contains(column))
            }
            #expect(table.contains { $0.contains("Exited (6)") && $0.hasSuffix("down") })
            #expect(table.contains { $0.contains("Up ") && $0.hasPrefix(running.prefix(12)) })
            #expect(try ctr.ok("ps", "--format", "{{.Names}} {{.Image}}") == "up busybox:test")
            #expect(try ctr.ok("ps", "-a", "-f", "status=exited", "--format", "{{.Names}}") == "down")
            #expect(try ctr.ok("ps", "-a", "-f", "name=ow", "--format", "{{.Names}}") == "down")
            #expect(try ctr.ok("ps", "-a", "-f", "exited=6", "--format", "{{.Names}}") == "down")
            #expect(try ctr.ok("ps", "-l", "--format", "{{.Names}}") == "down")
            #expect(try ctr.ok("ps", "-n", "1", "-q").components(separatedBy: "\n").count == 1)
            let json = try ctr.ok("ps", "--format", "json")
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            #expect(object?["Names"] as? String == "up")
            try ctr.refuses("ps", "--format", "{{.NoSuchField}}", says: ["NoSuchField"])
        }
    }

    @Test func inspectIsDockersDocument() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let id = try ctr.ok("run", "-d", "--name", "box", "-e", "A=b", "-m", "64m", image, "sleep", "60")
            let json = try ctr.ok("inspect", "box")
            let list = try #require(
                try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
            let container = try #require(list.first)
            #expect(container["Id"] as? String == id)
            #expect(container["Name"] as? String == "/box")
            #expect((container["State"] as? [String: Any])?["Running"] as? Bool == true)
            #expect((container["HostConfig"] as? [String: Any])?["Memory"] as? Int == 67_108_864)
            #expect(((container["Config"] as? [String: Any])?["Env"] as? [String])?.contains("A=b") == true)
            #expect((container["Config"] as? [String: Any])?["Cmd"] as? [String] == ["sleep", "60"])
            let pid = try #require((container["State"] as? [String: Any])?["Pid"] as? Int)
            #expect(ctr.contents("/proc/\(pid)/cmdline").hasPrefix("sleep"))
            let missing = try ctr.ctr("inspect", "box", "nobody")
            #expect(missing.code == 1)
            #expect(missing.stderr.contains("nobody"))
        }
    }

    @Test func infoAndVersion() throws {
        try withFixture { ctr in
            try ctr.prints("version", including: "Version:")
            try ctr.prints("info", including: ctr.root)
            try ctr.prints("--version", including: "ctr version")
            try ctr.prints("--help", including: "run")
            try ctr.prints("run", "--help", including: "--read-only")
        }
    }
}
