import Foundation
import Testing

@Suite("run: exit codes and stdio", .needs())
struct RunTests {
    @Test func theExitCodeIsTheCommands() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ctr("run", "--rm", image, "true").code == 0)
            #expect(try ctr.ctr("run", "--rm", image, "sh", "-c", "exit 7").code == 7)
            #expect(try ctr.ctr("run", "--rm", image, "sh", "-c", "exit 255").code == 255)
            // A child's signal is the shell's 128+n.
            #expect(try ctr.ctr("run", "--rm", image, "sh", "-c", "sh -c 'kill -9 $$'; exit $?").code == 137)
        }
    }

    @Test func aKilledProcessOneGives137() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let run = try ctr.start("run", "--name", "victim", image, "sh", "-c", "echo up; sleep 60")
            try run.waitFor("up")
            try ctr.ok("kill", "victim")
            #expect(run.finish(timeout: 20).code == 137)
            #expect(try ctr.inspect("victim", "{{.State.ExitCode}}") == "137")
        }
    }

    @Test func aCommandThatIsNotThereGives127() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses("run", "--rm", image, "no-such-command", code: 127, says: ["no-such-command"])
            try ctr.refuses("run", "--rm", image, "/no/such/file", code: 127, says: ["/no/such/file"])
            #expect(try ctr.ok("ps", "-aq").isEmpty)
        }
    }

    @Test func aCommandThatCannotBeExecutedGives126() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses("run", "--rm", image, "/etc/passwd", code: 126, says: ["/etc/passwd"])
            try ctr.refuses("run", "--rm", image, "/etc", code: 126, says: ["/etc"])
        }
    }

    @Test func aFailedStartWithoutRmLeavesACreatedContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses("run", "--name", "bad", image, "no-such-command", code: 127)
            #expect(try ctr.ok("ps", "-a", "--format", "{{.Names}}") == "bad")
            #expect(try ctr.inspect("bad", "{{.State.ExitCode}}") == "127")
            try ctr.ok("rm", "bad")
        }
    }

    @Test func outputsStayApart() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(
                "run", "--rm", image, "sh", "-c", "echo to-out; echo to-err >&2; printf 'no newline'")
            #expect(outcome.stdout == "to-out\nno newline")
            #expect(outcome.stderr == "to-err\n")
        }
    }

    @Test func stdinIsPassedOnlyWithInteractive() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ok("run", "--rm", "-i", image, "cat", input: "one\ntwo\n") == "one\ntwo")
            #expect(try ctr.ok("run", "--rm", image, "cat", input: "unseen\n") == "")
        }
    }

    @Test func manyBytesPassUnchanged() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            var bytes = [UInt8](repeating: 0, count: 5_000_000)
            var state: UInt32 = 12345
            for index in bytes.indices {
                state = state &* 1_664_525 &+ 1_013_904_223
                bytes[index] = UInt8(state >> 24)
            }
            let outcome = try ctr.ctr(["run", "--rm", "-i", image, "cat"], input: bytes)
            #expect(outcome.code == 0)
            let same = outcome.output == bytes  // outside the macro, which would look for the difference for hours
            #expect(same, "\(outcome.output.count) bytes came back")
            // And the end of a slow reader's pipe is not lost.
            let counted = try ctr.ok(
                "run", "--rm", image, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
            #expect(counted.utf8.count == 3_000_000)
        }
    }

    @Test func theReaderThatGoesAwayEndsNothingButItself() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ChildProcess(
                [
                    "/bin/sh", "-c",
                    "\(ctr.words(["run", "--rm", image, "yes"]).joined(separator: " ")) | head -1",
                ],
                environment: ctr.environment
            ).finish(timeout: 30)
            #expect(outcome.stdout == "y\n")
            #expect(!outcome.timedOut)
        }
    }

    @Test func detachedPrintsTheIdAndLetsGoOfStdout() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let id = try ctr.ok("run", "-d", image, "sleep", "60")
            #expect(id.utf8.count == 64 && id.allSatisfy(\.isHexDigit))
            #expect(try ctr.ok("ps", "-q") == String(id.prefix(12)))
            #expect(try ctr.ok("ps", "-q", "--no-trunc") == id)
            try ctr.ok("rm", "-f", String(id.prefix(6)))
        }
    }

    @Test func runRmLeavesNothing() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let file = ctr.path("cid")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--cidfile", file, image, "sh", "-c", "echo x > /written; cat /written")
                    == "x")
            let id = ctr.contents(file)
            #expect(id.utf8.count == 64)
            #expect(try ctr.ok("ps", "-aq").isEmpty)
            try ctr.eventually("the container's directory is gone") {
                !FileManager.default.fileExists(atPath: "\(ctr.root)/containers/\(id)")
            }
            try ctr.eventually("its cgroups are gone") { Leftovers.cgroups(of: [id]).isEmpty }
            try ctr.refuses("run", "--rm", "--cidfile", file, image, "true", code: 125, says: [file])
        }
    }

    @Test func runDetachedWithRmRemovesItselfAtTheEnd() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--rm", "--name", "brief", image, "sleep", "0.3")
            try ctr.eventually("it removed itself") { try ctr.ok("ps", "-aq").isEmpty }
            // The name is free again.
            try ctr.ok("run", "--rm", "--name", "brief", image, "true")
        }
    }

    @Test func signalsOfTheClientReachTheProcess() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script =
                "trap 'echo got-term; exit 3' TERM; trap 'echo got-hup' HUP; echo up; while :; do sleep 0.05; done"
            let run = try ctr.start("run", "--rm", image, "sh", "-c", script)
            try run.waitFor("up")
            run.signal(SIGHUP)
            try run.waitFor("got-hup")
            run.signal(SIGTERM)
            let outcome = run.finish(timeout: 20)
            #expect(outcome.code == 3)
            #expect(outcome.stdout.contains("got-term"))
        }
    }

    @Test func withoutSigProxyASignalEndsTheClientOnly() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let run = try ctr.start(
                "run", "--sig-proxy=false", "--name", "stays", image, "sh", "-c",
                "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done")
            try run.waitFor("up")
            run.signal(SIGTERM)
            _ = run.finish(timeout: 20)
            #expect(try ctr.inspect("stays", "{{.State.Status}}") == "running")
            try ctr.ok("rm", "-f", "stays")
        }
    }

    @Test func theClientsDeathLeavesTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let run = try ctr.start("run", "--name", "orphan", image, "sh", "-c", "echo up; sleep 30; exit 4")
            try run.waitFor("up")
            run.signal(SIGKILL)
            _ = run.finish(timeout: 10)
            #expect(try ctr.inspect("orphan", "{{.State.Running}}") == "true")
            #expect(try ctr.ok("exec", "orphan", "echo", "alive") == "alive")
            try ctr.ok("rm", "-f", "orphan")
        }
    }

    @Test func namesAndPrefixesAndTheirConflicts() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let id = try ctr.ok("create", "--name", "one", image, "true")
            try ctr.refuses("create", "--name", "one", image, "true", code: 125, says: ["one", "in use"])
            #expect(try ctr.inspect(String(id.prefix(12)), "{{.Name}}") == "/one")
            try ctr.refuses("create", "--name", "-bad", image, code: 125, says: ["-bad"])
            try ctr.refuses("create", "--name", "a/b", image, code: 125, says: ["a/b"])
            try ctr.refuses("rm", "no-such", says: ["no-such"])
            #expect(try ctr.ok("ps", "-aq").components(separatedBy: "\n").count == 1)
        }
    }
}
