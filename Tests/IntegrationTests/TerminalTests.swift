import Foundation
import Testing

@Suite("terminals, attach and detach", .needs())
struct TerminalTests {
    @Test func aShellOnATerminal() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let session = try ctr.terminal("run", "-it", "--rm", image, "sh", rows: 30, columns: 100)
            session.type("tty; stty size; echo TERM=$TERM\n")
            try session.waitFor("/dev/pts/0")
            try session.waitFor("30 100")
            try session.waitFor("TERM=xterm")
            #expect(!session.isCooked)
            session.type("exit 6\n")
            #expect(session.finish().code == 6)
            #expect(session.isCooked)
        }
    }

    @Test func theWindowsSizeFollows() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let session = try ctr.terminal(
                "run", "-it", "--rm", image, "sh", "-c",
                "trap 'stty size' WINCH; echo up; while :; do sleep 0.1; done", rows: 24, columns: 80)
            try session.waitFor("up")
            session.resize(rows: 41, columns: 142)
            try session.waitFor("41 142")
            session.type("\u{3}")
            #expect(session.finish().code == 130)
        }
    }

    @Test func controlCReachesTheForegroundProcess() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let session = try ctr.terminal("run", "-it", "--rm", image, "sh")
            session.type("echo ready; sleep 100\n")
            try session.waitFor("ready\r\n")
            usleep(300_000)
            session.type("\u{3}")
            session.type("echo after-$((1+1))\n")
            try session.waitFor("after-2")
            session.type("exit\n")
            _ = session.finish()
        }
    }

    @Test func detachAndAttachAgain() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let first = try ctr.terminal("run", "-it", "--name", "box", image, "sh")
            first.type("VALUE=kept; echo set-$VALUE\n")
            try first.waitFor("set-kept")
            first.type("\u{10}\u{11}")
            #expect(first.finish().code == 0)
            #expect(first.isCooked)
            #expect(try ctr.inspect("box", "{{.State.Running}}") == "true")
            let second = try ctr.terminal("attach", "box")
            second.type("echo again-$VALUE\n")
            try second.waitFor("again-kept")
            second.type("exit 8\n")
            #expect(second.finish().code == 8)
        }
    }

    @Test func otherDetachKeys() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let session = try ctr.terminal(
                "run", "-it", "--detach-keys", "ctrl-x,q", "--name", "box", image, "sh")
            session.type("echo ready\n")
            try session.waitFor("ready\r\n")
            // The default keys are ordinary bytes now.
            session.type("\u{10}\u{11}echo still-$((2+2))\n")
            try session.waitFor("still-4")
            session.type("\u{18}q")
            #expect(session.finish().code == 0)
            #expect(try ctr.inspect("box", "{{.State.Running}}") == "true")
            try ctr.refuses("attach", "--detach-keys", "ctrl-", "box", code: 125, says: ["ctrl-"])
        }
    }

    @Test func attachWithoutATerminal() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-di", "--name", "box", image, "sh", "-c", "while read l && [ $l != end ]; do echo got-$l; done; exit 12")
            let attached = try ctr.start("attach", "box", keepInputOpen: true)
            attached.send("a\n")
            try attached.waitFor("got-a\n")
            // A second client sees the same.
            let watching = try ctr.start("attach", "--no-stdin", "box")
            usleep(300_000)
            attached.send("b\n")
            try attached.waitFor("got-b\n")
            try watching.waitFor("got-b\n")
            #expect(!watching.stdout.contains("got-a"))
            // The container was not started for this client: the end of its input is not the end of the container's.
            attached.send("end\n")
            attached.closeInput()
            #expect(attached.finish(timeout: 15).code == 12)
            #expect(watching.finish(timeout: 15).code == 12)
            #expect(try ctr.ok("logs", "box") == "got-a\ngot-b")
        }
    }

    @Test func attachPassesSignals() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "trap 'echo hup' HUP; trap 'exit 2' TERM; while :; do sleep 0.05; done")
            let attached = try ctr.start("attach", "box")
            usleep(300_000)
            attached.signal(SIGHUP)
            try attached.waitFor("hup")
            attached.signal(SIGTERM)
            #expect(attached.finish(timeout: 15).code == 2)
        }
    }

    @Test func aTerminalIsNeededForTty() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr("run", "-it", "--rm", image, "true")
            #expect(outcome.code != 0)
            #expect(outcome.stderr.contains("terminal") || outcome.stderr.lowercased().contains("tty"))
            // Without -i a terminal can be had by anyone; its log is what the terminal showed.
            try ctr.ok("run", "-dt", "--name", "box", image, "sh", "-c", "tty; echo line")
            try ctr.ok("wait", "box")
            #expect(try ctr.ctr("logs", "box").stdout == "/dev/pts/0\r\nline\r\n")
        }
    }

    @Test func attachRefusesWhatDoesNotRun() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image)
            #expect(try ctr.ctr("attach", "box").code != 0)
            try ctr.refuses("attach", "nobody", code: 125, says: ["nobody"])
        }
    }
}
