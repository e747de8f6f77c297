import Foundation
import Testing

/// `exec`, and the terminals of it and of create.
@Suite("oci: exec and terminals", .needs())
struct OCIExecTests {
    @Test func exitCodesAndStreams() throws {
        try withBundle { box in
            try box.runSleeping()
            for code in [0, 1, 7, 125, 255] {
                #expect(try box.oci("exec", box.id, "sh", "-c", "exit \(code)").code == Int32(code))
            }
            #expect(try box.oci("exec", box.id, "sh", "-c", "kill -9 $$").code == 137)
            let outcome = try box.oci("exec", box.id, "sh", "-c", "cat; echo e >&2", input: "in\n")
            #expect(outcome.stdout == "in\n" && outcome.stderr == "e\n", "\(outcome)")
            try box.refuses("exec", box.id, "no-such-program", says: ["no-such-program"], code: 255)
            try box.refuses("exec", box.id, "/etc/passwd", says: ["/etc/passwd"], code: 255)
            #expect(try box.oci("exec", box.id).code != 0)
            #expect(try box.status() == "running")
        }
    }

    @Test func itIsInTheContainer() throws {
        try withBundle { box in
            box.config.namespace("cgroup")
            try box.runSleeping()
            let pid = try box.pid()
            for name in ["mnt", "pid", "net", "ipc", "uts", "cgroup"] {
                #expect(
                    try box.exec("readlink", "/proc/self/ns/\(name)")
                        == FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(name)"))
            }
            #expect(try box.exec("cat", "/proc/1/comm") == "sleep")
            #expect(try box.exec("sh", "-c", "ls /proc/self/fd | wc -l") == "4")
        }
    }

    @Test func flags() throws {
        try withBundle { box in
            box.config.environment("FROM_CONFIG=1")
            box.config["process.cwd"] = "/data"
            try box.runSleeping()
            #expect(try box.exec("sh", "-c", "pwd; echo $FROM_CONFIG") == "/data\n1")
            func exec(_ flags: [String], _ script: String) throws -> String {
                let outcome = try box.oci(["exec"] + flags + [box.id, "sh", "-c", script])
                return outcome.code == 0 ? outcome.text : "\(outcome)"
            }
            #expect(try exec(["--cwd", "/etc"], "pwd") == "/etc")
            #expect(try exec(["--env", "A=1", "-e", "B=2 3"], "echo $A $B $FROM_CONFIG") == "1 2 3 1")
            #expect(try exec(["--env", "FROM_CONFIG=2"], "echo $FROM_CONFIG") == "2")
            #expect(try exec(["--user", "1000"], "id -u; id -g") == "1000\n0")
            #expect(try exec(["--user", "1000:1001"], "id -u; id -g; id -G") == "1000\n1001\n1001")
            #expect(try exec(["-u", "1:2", "-g", "7", "--additional-gids", "8"], "id -G") == "2 7 8")
            let effective = "sed -n 's/^CapEff:.*\\(........\\)$/\\1/p' /proc/self/status"
            #expect(try exec([], effective) == "080004eb")
            let with = try exec(["--cap", "CAP_SYS_PTRACE", "-c", "CAP_NET_RAW"], effective)
            #expect(
                with == "080824eb" || UInt32(with, radix: 16).map { $0 & 0x8_2000 } == 0x8_2000, "\(with)")
            #expect(try exec(["--no-new-privs"], "sed -n 's/^NoNewPrivs:.//p' /proc/self/status") == "1")
            try box.refuses("exec", "--user", "app", box.id, "id", says: ["app"], code: 255)
            try box.refuses("exec", "--cap", "CAP_NOSUCH", box.id, "id", says: ["CAP_NOSUCH"], code: 255)
            try box.refuses("exec", "--cwd", "/not/there", box.id, "pwd", says: ["/not/there"], code: 255)
        }
    }

    @Test func aProcessFile() throws {
        try withBundle { box in
            try box.runSleeping()
            let file = try box.fixture.file(
                "process.json",
                """
                {"args":["sh","-c","id -u; pwd; echo $ONLY; echo $PATH; cat /proc/self/oom_score_adj; umask"],
                 "cwd":"/etc","env":["ONLY=this","PATH=/bin","CTR_TEST=\(box.mark)"],
                 "user":{"uid":5,"gid":6,"umask":63},"oomScoreAdj":77,"noNewPrivileges":true}
                """)
            #expect(try box.ok("exec", "--process", file, box.id) == "5\n/etc\nthis\n/bin\n77\n0077")
            try box.refuses(
                "exec", "--process", box.fixture.path("none.json"), box.id, says: ["none.json"], code: 255)
            let bad = try box.fixture.file("bad.json", #"{"args":["sh"]}"#)
            try box.refuses("exec", "--process", bad, box.id, says: ["cwd"], code: 255)
            let broken = try box.fixture.file("broken.json", "{")
            try box.refuses("exec", "--process", broken, box.id, says: ["broken.json"], code: 255)
        }
    }

    @Test func detached() throws {
        try withBundle { box in
            try box.runSleeping()
            let pidFile = box.fixture.path("exec.pid")
            let outcome = try box.leaving([
                "exec", "--detach", "--pid-file", pidFile, box.id, "sh", "-c", "echo up; exec sleep 300",
            ])
            #expect(outcome.code == 0, "\(outcome)")
            let pid = pid_t(box.fixture.contents(pidFile)) ?? 0
            try #require(pid > 0)
            try box.fixture.eventually("it runs") {
                box.output == "up\n" && box.fixture.contents("/proc/\(pid)/comm") == "sleep\n"
            }
            #expect(try box.ok("ps", "-f", "json", box.id).contains(String(pid)))
            kill(pid, SIGKILL)
            #expect(try box.status() == "running")
        }
    }

    @Test func preservedDescriptors() throws {
        try withBundle { box in
            try box.runSleeping()
            try box.fixture.file("three", "three\n")
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", "exec 3<\(box.fixture.path("three")) 4</; exec \"$@\"", "sh"]
                    + box.words([
                        "exec", "--preserve-fds", "1", box.id, "sh", "-c",
                        "cat <&3; ls /proc/self/fd | wc -l",
                    ]),
                environment: box.fixture.environment
            ).finish()
            #expect(outcome.stdout == "three\n5\n", "\(outcome)")
        }
    }

    @Test func createdAndStopped() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            #expect(try box.exec("echo", "before start") == "before start")
            #expect(try box.status() == "created")
            try box.start()
            try box.ok("kill", box.id, "KILL")
            try box.waitForStop()
            try box.refuses("exec", box.id, "true", says: ["stopped"], code: 255)
        }
    }

    /// "Runtimes MUST generate an error when invalid or unsupported values are encountered": a label that nobody enforces.
    @Test func labelsThatNobodyEnforces() throws {
        let modules = (try? String(contentsOfFile: "/sys/kernel/security/lsm", encoding: .utf8)) ?? ""
        try withBundle { box in
            try box.runSleeping()
            if !modules.contains("apparmor") {
                try box.refuses("exec", "--apparmor", "x", box.id, "true", says: ["AppArmor"], code: 255)
            }
            if !modules.contains("selinux") {
                try box.refuses("exec", "--process-label", "x", box.id, "true", says: ["SELinux"], code: 255)
            }
            #expect(try box.exec("echo", "runs") == "runs")
        }
    }

    @Test func pausedWithoutAndWithIgnore() throws {
        try withBundle { box in
            try box.runSleeping()
            try box.ok("pause", box.id)
            try box.refuses("exec", box.id, "true", says: ["paused"], code: 255)
            let exec = try ChildProcess(
                box.words(["exec", "--ignore-paused", box.id, "echo", "thawed"]),
                environment: box.fixture.environment)
            usleep(100_000)
            #expect(exec.poll() == nil, "it waits for the thaw")
            try box.ok("resume", box.id)
            #expect(exec.finish(timeout: 10).stdout == "thawed\n")
        }
    }

    @Test func itsCgroup() throws {
        try withBundle { box in
            try box.runSleeping()
            let own = try box.exec("cat", "/proc/self/cgroup")
            let first = try box.exec("cat", "/proc/1/cgroup")
            #expect(own == first)
            try box.refuses("exec", "--cgroup", "no/such", box.id, "true", says: ["no/such"], code: 255)
            let place = Cgroups.hierarchies.compactMap { hierarchy -> String? in
                let path = "\(hierarchy)/ctr/\(box.id)"
                return access(path, F_OK) == 0 ? path : nil
            }
            #expect(!place.isEmpty)
            for path in place { mkdir(path + "/sub", 0o755) }
            let below = try box.ok("exec", "--cgroup", "sub", box.id, "cat", "/proc/self/cgroup")
            #expect(below.contains("\(box.id)/sub"), "\(below)")
            try box.refuses("exec", "--cgroup", "../..", box.id, "true", code: 255)
        }
    }

    @Test func execForwardsSignals() throws {
        try withBundle { box in
            try box.runSleeping()
            let exec = try ChildProcess(
                box.words([
                    "exec", box.id, "sh", "-c",
                    "trap 'echo term; exit 6' TERM; echo up; while :; do sleep 0.02; done",
                ]),
                environment: box.fixture.environment)
            try exec.waitFor("up")
            exec.signal(SIGTERM)
            let outcome = exec.finish(timeout: 10)
            #expect(outcome.code == 6 && outcome.stdout == "up\nterm\n", "\(outcome)")
        }
    }

    @Test func theContainersEndEndsExec() throws {
        try withBundle { box in
            try box.runSleeping()
            let exec = try ChildProcess(
                box.words(["exec", box.id, "sh", "-c", "echo up; exec sleep 300"]),
                environment: box.fixture.environment)
            try exec.waitFor("up")
            try box.delete()
            #expect(exec.finish(timeout: 10).code == 137)
        }
    }

    // MARK: Terminals

    @Test func aTerminalOfCreate() throws {
        try withBundle { box in
            box.config["process.terminal"] = true
            box.config["process.consoleSize"] = ["height": 33, "width": 101]
            box.config["process.user"] = ["uid": 1000, "gid": 1000]
            box.config["process.args"] = [
                "sh", "-c",
                "tty; stty size; stat -c '%u' $(tty); test -e /dev/console && echo console; read line; echo got $line; exit 3",
            ]
            let socket = try DescriptorReceiver(in: box.fixture.directory, "tty.sock")
            try box.create(["--console-socket", socket.path])
            let terminal = try socket.receiveTerminal()
            #expect(isatty(terminal.descriptor) == 1)
            #expect(terminal.size == (33, 101))
            try box.start()
            try terminal.waitFor("console")
            #expect(
                terminal.screen.hasPrefix("/dev/pts/0\r\n33 101\r\n1000\r\nconsole\r\n"), "\(terminal.screen)"
            )
            terminal.type("hello\n")
            try terminal.waitFor("got hello")
            try box.waitForStop()
        }
    }

    @Test func whoNeedsAConsoleSocket() throws {
        try withBundle { box in
            box.config["process.terminal"] = true
            try box.refusesToCreate(says: ["console-socket"])
            try box.refuses("run", "-d", "--bundle", box.bundle, box.id, says: ["console-socket"])
            try box.refuses(
                "create", "--bundle", box.bundle, "--console-socket", box.fixture.path("nobody.sock"), box.id,
                says: ["nobody.sock"])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
            box.config["process.terminal"] = false
            try box.write()
            let socket = try DescriptorReceiver(in: box.fixture.directory, "tty.sock")
            try box.refuses(
                "create", "--bundle", box.bundle, "--console-socket", socket.path, box.id, says: ["terminal"])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func aTerminalWithoutPseudoTerminals() throws {
        try withBundle { box in
            box.config["process.terminal"] = true
            box.config["mounts"] = [["destination": "/proc", "type": "proc", "source": "proc"]]
            let socket = try DescriptorReceiver(in: box.fixture.directory, "tty.sock")
            try box.write()
            try box.refuses(
                "create", "--bundle", box.bundle, "--console-socket", socket.path, box.id, says: ["terminal"])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func runOnATerminal() throws {
        try withBundle { box in
            box.config["process.terminal"] = true
            box.config["process.args"] = ["sh", "-c", "stty size; read line; echo got $line; exit 3"]
            try box.write()
            let person = try TerminalSession(
                box.words(["run", "--bundle", box.bundle, box.id]), rows: 30, columns: 90,
                environment: box.fixture.environment)
            try person.waitFor("30 90")
            person.type("hello\r")
            try person.waitFor("got hello")
            #expect(person.finish().code == 3)
            #expect(person.isCooked)
        }
    }

    @Test func execOnATerminal() throws {
        try withBundle { box in
            try box.runSleeping()
            let person = try TerminalSession(
                box.words([
                    "exec", "-t", box.id, "sh", "-c", "tty; stty size; read line; echo got $line; exit 4",
                ]),
                rows: 31, columns: 91, environment: box.fixture.environment)
            try person.waitFor("31 91")
            #expect(person.screen.hasPrefix("/dev/pts/0"), "\(person.screen)")
            person.type("hello\r")
            try person.waitFor("got hello")
            #expect(person.finish().code == 4)
            #expect(person.isCooked)
        }
    }

    @Test func execWithAConsoleSocket() throws {
        try withBundle { box in
            try box.runSleeping()
            let socket = try DescriptorReceiver(in: box.fixture.directory, "tty.sock")
            let outcome = try box.leaving([
                "exec", "-d", "--tty", "--console-socket", socket.path, "--pid-file", box.fixture.path("pid"),
                box.id,
                "sh", "-c", "tty; read line; echo got $line",
            ])
            #expect(outcome.code == 0, "\(outcome)")
            let terminal = try socket.receiveTerminal()
            try terminal.waitFor("/dev/pts/0")
            terminal.type("hello\n")
            try terminal.waitFor("got hello")
            try box.refuses("exec", "-d", "-t", box.id, "true", says: ["console-socket"], code: 255)
        }
    }
}
