import Foundation
import Testing

@Suite("exec", .needs())
struct ExecTests {
    private func withContainer(_ flags: [String] = [], _ body: (Fixture) throws -> Void) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(["run", "-d", "--name", "box"] + flags + [image, "sleep", "120"])
            try #require(outcome.code == 0, "\(outcome)")
            try body(ctr)
        }
    }

    @Test func exitCodesAndStdio() throws {
        try withContainer { ctr in
            #expect(try ctr.ctr("exec", "box", "sh", "-c", "exit 9").code == 9)
            #expect(try ctr.ctr("exec", "box", "sh", "-c", "kill -9 $$").code == 137)
            let outcome = try ctr.ctr("exec", "box", "sh", "-c", "echo o; echo e >&2")
            #expect(outcome.stdout == "o\n")
            #expect(outcome.stderr == "e\n")
            #expect(try ctr.ok("exec", "-i", "box", "cat", input: "in\n") == "in")
            #expect(try ctr.ok("exec", "box", "cat", input: "unseen") == "")
            try ctr.refuses("exec", "box", "no-such-command", code: 127, says: ["no-such-command"])
            try ctr.refuses("exec", "box", "/etc/passwd", code: 126, says: ["/etc/passwd"])
        }
    }

    @Test func theNamespacesAreTheContainers() throws {
        try withContainer { ctr in
            for name in ["mnt", "pid", "uts", "ipc", "net", "cgroup"] {
                let own = try ctr.ok("exec", "box", "readlink", "/proc/self/ns/\(name)")
                #expect(try ctr.ok("exec", "box", "readlink", "/proc/1/ns/\(name)") == own)
                #expect(
                    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)") != own)
            }
            #expect(try ctr.ok("exec", "box", "sh", "-c", "cat /proc/1/comm") == "sleep")
            // And its cgroup, in every hierarchy.
            let script =
                "cat /proc/1/cgroup | sed 's|/[^/]*$||' | sort; echo --; cat /proc/self/cgroup | sed 's|/[^/]*$||' | sort"
            let groups = try ctr.ok("exec", "box", "sh", "-c", script).components(separatedBy: "--\n")
            #expect(groups.count == 2)
        }
    }

    @Test func environmentUserAndWorkdir() throws {
        try withContainer(["-e", "FROM_RUN=1", "-w", "/etc", "-u", "app"]) { ctr in
            let text = try ctr.ok(
                "exec", "-e", "MORE=2", "box", "sh", "-c", "echo $FROM_RUN $MORE; pwd; id -u; echo $HOME")
            #expect(text == "1 2\n/etc\n1000\n/home/app")
            #expect(
                try ctr.ok("exec", "-u", "0", "-w", "/tmp", "box", "sh", "-c", "id -u; pwd; echo $HOME")
                    == "0\n/tmp\n/root")
            #expect(try ctr.ok("exec", "-u", "daemon:extra", "box", "sh", "-c", "id -u; id -g") == "1\n2000")
            try ctr.refuses("exec", "-u", "nobody-here", "box", "true", code: 125, says: ["nobody-here"])
            #expect(try ctr.ctr("exec", "-w", "/no/such/dir", "box", "pwd").code != 0)
        }
    }

    @Test func capabilitiesAreTheContainers() throws {
        try withContainer(["--cap-drop", "ALL", "--cap-add", "CHOWN"]) { ctr in
            let script = "sed -n 's/^CapEff:.//p;s/^Seccomp:.//p;s/^NoNewPrivs:.//p' /proc/self/status"
            #expect(try ctr.ok("exec", "box", "sh", "-c", script) == "0000000000000001\n0\n2")
            let all = try ctr.ok(
                "exec", "--privileged", "box", "sh", "-c", "sed -n 's/^CapEff:.//p' /proc/self/status")
            #expect(all.hasPrefix("000001") || all.hasPrefix("000003"), "\(all)")
        }
    }

    @Test func onlyThreeDescriptorsAreOpen() throws {
        try withContainer { ctr in
            let open = try ctr.ok("exec", "box", "sh", "-c", "ls /proc/$$/fd; true")
            #expect(open == "0\n1\n2")
        }
    }

    @Test func detachedGoesOnByItself() throws {
        try withContainer { ctr in
            try ctr.ok("exec", "-d", "box", "sh", "-c", "sleep 0.3; echo done > /mark")
            try ctr.eventually("it ended its work") {
                try ctr.ctr("exec", "box", "cat", "/mark").text == "done"
            }
        }
    }

    @Test func onATerminal() throws {
        try withContainer { ctr in
            let session = try ctr.terminal("exec", "-it", "box", "sh", rows: 33, columns: 111)
            session.type("stty size; tty; exit 5\n")
            try session.waitFor("33 111")
            try session.waitFor("/dev/pts/")
            let outcome = session.finish()
            #expect(outcome.code == 5)
            #expect(session.isCooked)
        }
    }

    @Test func aDeadClientsCommandIsEnded() throws {
        try withContainer { ctr in
            let client = try ctr.start("exec", "box", "sh", "-c", "echo up; exec sleep 777")
            try client.waitFor("up")
            client.signal(SIGTERM)
            _ = client.finish(timeout: 10)
            try ctr.eventually("the command has ended") {
                !(try ctr.ok("exec", "box", "ps", "-o", "args")).contains("sleep 777")
            }
        }
    }

    @Test func refusesWhatDoesNotRun() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "--name", "box", image, "true")
            try ctr.refuses("exec", "box", "true", code: 125, says: ["box", "not running"])
            try ctr.refuses("exec", "nobody", "true", code: 125, says: ["nobody"])
        }
    }

    @Test func twentyAtOnce() throws {
        try withContainer { ctr in
            let runs = try (0..<20).map { try ctr.start("exec", "box", "sh", "-c", "echo \($0); exit \($0)") }
            for (index, run) in runs.enumerated() {
                let outcome = run.finish(timeout: 40)
                #expect(outcome.code == Int32(index))
                #expect(outcome.stdout == "\(index)\n", "\(outcome)")
            }
        }
    }
}
