import Foundation
import Testing

/// runtime.md: operations, their order, and what is left when one cannot be.
@Suite("oci: life", .needs())
struct OCILifeTests {
    @Test func createStartStateKillDelete() throws {
        try withBundle { box in
            box.config["process.args"] = [
                "sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done",
            ]
            box.config["annotations"] = ["org.example.key": "value", "with space": "ü"]
            try box.create(["--pid-file", box.fixture.path("pid")])
            let created = try box.state()
            #expect(created.text("ociVersion").hasPrefix("1."))
            #expect(created.text("id") == box.id)
            #expect(created.text("status") == "created")
            #expect(created.text("bundle") == box.bundle)
            #expect(
                created["annotations"] as? [String: String] == [
                    "org.example.key": "value", "with space": "ü",
                ])
            let pid = created.number("pid")
            #expect(pid > 0 && kill(pid_t(pid), 0) == 0)
            #expect(box.fixture.contents(box.fixture.path("pid")) == String(pid))
            #expect(box.output == "", "the program runs before start")

            try box.start()
            #expect(try box.status() == "running")
            #expect(try box.pid() == pid_t(pid), "start keeps the process that create made")
            try box.fixture.eventually("it runs") { box.output == "up\n" }
            try box.ok("kill", box.id)
            try box.waitForStop()
            try box.ok("delete", box.id)
            try box.refuses("state", box.id, says: ["does not exist", box.id])
        }
    }

    @Test func wrongTransitions() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            try box.refuses("create", "--bundle", box.bundle, box.id, says: ["already exists", box.id])
            try box.refuses("resume", box.id, says: [box.id, "created"])
            #expect(try box.status() == "created", "a refusal changes nothing")
            try box.start()
            try box.refuses("start", box.id, says: [box.id, "running"])
            try box.refuses("delete", box.id, says: [box.id, "not stopped"])
            try box.refuses("run", "--bundle", box.bundle, box.id, says: ["already exists"])
            try box.ok("kill", box.id, "KILL")
            try box.waitForStop()
            try box.refuses("start", box.id, says: [box.id, "stopped"])
            try box.refuses("kill", box.id, says: [box.id, "not running"])
            try box.refuses("kill", box.id, "KILL", says: [box.id, "not running"])
            try box.refuses("exec", box.id, "true", says: [box.id, "stopped"], code: 255)
            try box.refuses("pause", box.id, says: [box.id, "stopped"])
            #expect(try box.ok("ps", "--format", "json", box.id) == "[]")
            try box.refuses("create", "--bundle", box.bundle, box.id, says: ["already exists"])
            try box.ok("delete", box.id)
            // The id is free again.
            try box.create()
            try box.delete()
        }
    }

    /// containerd removes a task that was never started in this way.
    @Test func whatWasNeverStartedIsDeleted() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            let pid = try #require(try box.state()["pid"] as? Int)
            try box.ok("delete", box.id)
            // Whom nobody has waited for has no words any more either.
            #expect((FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()).isEmpty)
            try box.refuses("state", box.id, says: ["does not exist"])
        }
    }

    @Test(arguments: ["start", "state", "kill", "delete", "pause", "resume", "ps"])
    func anUnknownContainer(verb: String) throws {
        try withBundle { box in
            try box.refuses(verb, "nobody", says: ["does not exist", "nobody"])
        }
    }

    @Test func anUnknownContainerForExecAndForce() throws {
        try withBundle { box in
            try box.refuses("exec", "nobody", "true", says: ["does not exist", "nobody"], code: 255)
            #expect(try box.oci("delete", "--force", "nobody").code == 0)
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "../x", "a b", "a\nb", "ü", "a;b"])
    func badIDs(id: String) throws {
        try withBundle { box in
            box.config["process.args"] = ["true"]
            try box.write()
            try box.refuses("create", "--bundle", box.bundle, id, says: ["invalid container id"])
            try box.refuses("delete", "--force", id, says: ["invalid container id"])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func wordsThatAreNotThere() throws {
        try withBundle { (box) throws in
            #expect(try box.oci("create").code != 0)
            #expect(try box.oci("nosuchverb", "x").code != 0)
            #expect(try box.oci("create", "--no-such-flag", "x").code != 0)
            #expect(try box.oci("kill", "a", "b", "c").code != 0)
        }
    }

    @Test func theConfigurationIsThatOfCreate() throws {
        try withBundle { box in
            box.config["process.args"] = ["sh", "-c", "echo $WHICH"]
            let before = box.config
            box.config.environment("WHICH=first")
            try box.create()
            box.config = before
            box.config.environment("WHICH=second")
            try box.write()
            try box.start()
            try box.fixture.eventually("it ran") { box.output == "first\n" }
        }
    }

    @Test func forceOnCreatedRunningPausedAndStopped() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
            try box.runSleeping()
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
            try box.runSleeping()
            try box.ok("pause", box.id)
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
            box.config["process.args"] = ["true"]
            try box.create()
            try box.start()
            try box.waitForStop()
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func stoppedHasNoPID() throws {
        try withBundle { box in
            box.config["process.args"] = ["true"]
            try box.create()
            try box.start()
            try box.waitForStop()
            let state = try box.state()
            #expect([0, -1].contains(state.number("pid")))
            #expect(state.text("bundle") == box.bundle)
        }
    }

    /// A process that dies between create and start.
    @Test func aCreatedContainerThatIsKilled() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            try box.ok("kill", box.id, "KILL")
            try box.waitForStop()
            try box.refuses("start", box.id, says: ["stopped"])
            try box.ok("delete", box.id)
        }
    }

    // MARK: Signals

    @Test(arguments: [("USR1", 10), ("SIGUSR2", 12), ("1", 1), ("sigint", 2), ("RTMIN+3", 37)])
    func signals(name: String, number: Int) throws {
        try withBundle { box in
            box.config["process.args"] = [
                "sh", "-c",
                "for s in 1 2 10 12 37; do trap \"echo got $s; exit 0\" $s; done; echo up; while :; do sleep 0.02; done",
            ]
            try box.create()
            try box.start()
            try box.fixture.eventually("it runs") { box.output.hasPrefix("up") }
            try box.ok("kill", box.id, name)
            try box.fixture.eventually("the signal came") { box.output.contains("got \(number)\n") }
        }
    }

    /// kill(2): signal 0 asks whether there is somebody.
    @Test func theSignalThatIsNone() throws {
        try withBundle { box in
            try box.runSleeping()
            try box.ok("kill", box.id, "0")
            #expect(try box.status() == "running")
            try box.ok("kill", box.id, "KILL")
            try box.waitForStop()
            try box.refuses("kill", box.id, "0", says: ["not running"])
        }
    }

    @Test func badSignals() throws {
        try withBundle { box in
            try box.runSleeping()
            for name in ["NOSUCH", "99", "0x9", ""] { try box.refuses("kill", box.id, name) }
            #expect(try box.status() == "running")
        }
    }

    @Test func killAll() throws {
        try withBundle { box in
            box.config.removeNamespace("pid")
            box.config["process.args"] = ["sh", "-c", "sleep 300 & sleep 300 & echo up; wait"]
            try box.create()
            try box.start()
            try box.fixture.eventually("it runs") { box.output == "up\n" }
            try box.ok("kill", "--all", box.id, "KILL")
            try box.waitForStop()
            try box.ok("delete", box.id)
        }
    }

    /// Without a pid namespace others of the container outlive its first process; delete ends them.
    @Test func deleteEndsWhatIsLeft() throws {
        try withBundle { box in
            box.config.removeNamespace("pid")
            box.config["process.args"] = ["sh", "-c", "setsid sleep 300 & exit 0"]
            try box.create()
            try box.start()
            try box.waitForStop()
            try box.ok("delete", box.id)
        }
    }

    // MARK: run

    @Test(arguments: [0, 1, 7, 125, 255])
    func exitCodes(code: Int) throws {
        try withBundle { (box) throws in
            #expect(try box.run("exit \(code)").code == Int32(code))
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func standardStreams() throws {
        try withBundle { box in
            let outcome = try box.run("cat; echo error >&2", input: "in\n")
            #expect(outcome.stdout == "in\n" && outcome.stderr == "error\n", "\(outcome)")
            box.config.removeNamespace("pid")
            #expect(try box.run("kill -9 $$").code == 137)
            #expect(try box.run("kill -TERM $$").code == 143)
        }
    }

    @Test func runForwardsSignals() throws {
        try withBundle { box in
            box.config["process.args"] = [
                "sh", "-c", "trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.02; done",
            ]
            try box.write()
            let run = try ChildProcess(
                box.words(["run", "--bundle", box.bundle, box.id]), environment: box.fixture.environment)
            try run.waitFor("up")
            run.signal(SIGTERM)
            let outcome = run.finish(timeout: 10)
            #expect(outcome.code == 5 && outcome.stdout == "up\nterm\n", "\(outcome)")
        }
    }

    @Test func runDetachedAndKept() throws {
        try withBundle { box in
            box.config["process.args"] = ["sh", "-c", "echo up; exec sleep 300"]
            try box.write()
            let outcome = try box.leaving([
                "run", "-d", "--bundle", box.bundle, "--pid-file", box.fixture.path("pid"), box.id,
            ])
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try box.status() == "running")
            #expect(try box.fixture.contents(box.fixture.path("pid")) == String(box.pid()))
            try box.fixture.eventually("it runs") { box.output == "up\n" }
            try box.delete()
            #expect(try box.run("exit 4", flags: ["--keep"]).code == 4)
            #expect(try box.status() == "stopped")
            try box.ok("delete", box.id)
        }
    }

    @Test func runOfWhatCannotBeLeavesNothing() throws {
        try withBundle { box in
            box.config["process.args"] = ["no-such-program"]
            let outcome = try box.run()
            #expect(outcome.code != 0 && outcome.stderr.contains("no-such-program"), "\(outcome)")
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    /// What fails when the process is there already ends it.
    @Test func aPIDFileThatCannotBeWritten() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            let file = box.fixture.path("no/such/place")
            for verb in [["create"], ["run", "-d"], ["run"]] {
                let outcome = try box.leaving(verb + ["--bundle", box.bundle, "--pid-file", file, box.id])
                #expect(outcome.code == 1 && outcome.stderr.contains("no/such"), "\(outcome)")
                #expect(box.leftovers().isEmpty, "\(verb): \(box.leftovers())")
            }
        }
    }

    @Test func theBundleIsTheWorkingDirectory() throws {
        try withBundle { box in
            box.config["process.args"] = ["echo", "here"]
            try box.write()
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", "cd \(box.bundle) && exec \"$@\"", "sh"] + box.words(["run", box.id]),
                environment: box.fixture.environment
            ).finish()
            #expect(outcome.stdout == "here\n", "\(outcome)")
            // Relative paths of the command line are the caller's, not the bundle's.
            let relative = try ChildProcess(
                ["/bin/sh", "-c", "cd \(box.fixture.directory) && exec \"$@\"", "sh"]
                    + box.words(["run", "--bundle", "bundle", "--pid-file", "pid", box.id]),
                environment: box.fixture.environment
            ).finish()
            #expect(relative.stdout == "here\n", "\(relative)")
            #expect(pid_t(box.fixture.contents(box.fixture.path("pid"))) != nil)
        }
    }

    // MARK: list and ps

    @Test func list() throws {
        try withBundle { box in
            #expect(try box.ok("list", "-q") == "")
            #expect(try box.ok("list", "--format", "json").hasPrefix("["), "an empty list is one too")
            try box.runSleeping()
            #expect(try box.ok("list", "-q") == box.id)
            let table = try box.ok("list").components(separatedBy: "\n")
            #expect(
                table.first?.split(separator: " ").map(String.init)
                    == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
            let row = table.last?.split(separator: " ").map(String.init) ?? []
            let pid = String(try box.pid())
            #expect(
                row.count == 6 && row[0] == box.id && row[1] == pid && row[2] == "running"
                    && row[3] == box.bundle
                    && row[5] == "root", "\(row)")
            let text = try box.ok("list", "--format", "json")
            let all = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
            #expect(all?.count == 1 && all?.first?["id"] as? String == box.id, "\(text)")
            #expect(all?.first?["status"] as? String == "running")
            #expect((all?.first?["created"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test func ps() throws {
        try withBundle { box in
            box.config["process.args"] = ["sh", "-c", "sleep 301 & sleep 302 & echo up; wait"]
            try box.create()
            try box.start()
            try box.fixture.eventually("it runs") { box.output == "up\n" }
            let text = try box.ok("ps", "--format", "json", box.id)
            let pids = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Int] ?? []
            #expect(try pids.count == 3 && pids.contains(Int(box.pid())), "\(text)")
            let table = try box.ok("ps", box.id).components(separatedBy: "\n")
            #expect(table.count == 4 && table[0].contains("PID"), "\(table)")
            #expect(table.contains { $0.hasSuffix("sleep 301") })
            let own = try box.ok("ps", box.id, "-o", "pid,comm").components(separatedBy: "\n")
            #expect(own.count == 4 && own[0].split(separator: " ") == ["PID", "COMMAND"], "\(own)")
        }
    }

    // MARK: pause

    @Test func pauseAndResume() throws {
        try withBundle { box in
            box.config["process.args"] = ["sh", "-c", "while :; do echo x; sleep 0.01; done"]
            try box.create()
            try box.start()
            try box.fixture.eventually("it runs") { !box.output.isEmpty }
            try box.ok("pause", box.id)
            #expect(try box.status() == "paused")
            let before = box.output.count
            usleep(100_000)
            #expect(box.output.count == before)
            try box.refuses("pause", box.id, says: ["paused"])
            try box.refuses("start", box.id, says: ["paused"])
            try box.refuses("exec", box.id, "true", says: ["paused"], code: 255)
            try box.ok("resume", box.id)
            #expect(try box.status() == "running")
            try box.fixture.eventually("it goes on") { box.output.count > before }
            try box.refuses("resume", box.id, says: ["running"])
            // A killed one that is paused ends.
            try box.ok("pause", box.id)
            try box.ok("kill", box.id, "KILL")
            try box.waitForStop()
        }
    }

    // MARK: Two at once

    @Test func oneOfManyGetsTheID() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            let silent = "exec \"$@\" </dev/null >/dev/null 2>&1"
            let all = try (0..<8).map { _ in
                try ChildProcess(
                    ["/bin/sh", "-c", silent, "sh"] + box.words(["create", "--bundle", box.bundle, box.id]),
                    environment: box.fixture.environment)
            }
            let codes = all.map { $0.finish(timeout: 20).code }
            #expect(codes.filter { $0 == 0 }.count == 1, "\(codes)")
            #expect(codes.filter { $0 == 1 }.count == 7, "\(codes)")
            #expect(try box.status() == "created")
        }
    }

    /// Whatever a killed create has reached, delete --force removes it.
    @Test func aKilledCreate() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            for pause in stride(from: 500, through: 12_000, by: 500) {
                let create = try ChildProcess(
                    ["/bin/sh", "-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh"]
                        + box.words(["create", "--bundle", box.bundle, box.id]),
                    environment: box.fixture.environment)
                usleep(UInt32(pause))
                create.signal(SIGKILL)
                _ = create.finish(timeout: 10)
                let outcome = try box.oci("delete", "--force", box.id)
                #expect(outcome.code == 0, "\(outcome)")
            }
            try box.fixture.eventually("nothing is left", within: 5) { box.leftovers().isEmpty }
        }
    }
}
