import Foundation
import Testing

/// config.md, "Process", and what config-linux.md says of the process itself.
@Suite("oci: process", .needs())
struct OCIProcessTests {
    private static let status =
        "sed -n 's/^Cap\\(...\\):.*0\\([0-9a-f]\\{8\\}\\)$/\\1 \\2/p' /proc/self/status"

    @Test func argumentsAndEnvironmentAreAsTheyAre() throws {
        try withBundle { box in
            box.config["process.args"] = ["printf", "%s|", "a b", "", "$HOME", "ü\n"]
            #expect(try box.run().stdout == "a b||$HOME|ü\n|")
            box.config["process.env"] = ["PATH=/bin", "A=1", "B=x y", "HOME=/h", "CTR_TEST=\(box.mark)"]
            box.config["process.args"] = ["env"]
            let lines = Set(try box.run().lines)
            #expect(lines == ["PATH=/bin", "A=1", "B=x y", "HOME=/h", "CTR_TEST=\(box.mark)"], "\(lines)")
        }
    }

    @Test func theHomeOfAUser() throws {
        try withBundle { box in
            try box.fixture.file(
                "bundle/rootfs/etc/passwd", "root:x:0:0::/of-root:/bin/sh\nu:x:7:8::/of-u:/bin/sh\n")
            #expect(try box.prints("echo $HOME") == "/of-root")
            for (uid, home) in [(7, "/of-u"), (9, "/"), (4_000_000_000, "/")] {
                box.config["process.user"] = ["uid": uid, "gid": 8] as [String: Any]
                #expect(try box.prints("echo $HOME") == home)
            }
            box.config["process.user"] = ["uid": 0, "gid": 0] as [String: Any]
            try box.runSleeping()
            #expect(try box.ok("exec", "-u", "7", box.id, "sh", "-c", "echo $HOME") == "/of-u")
            #expect(try box.ok("exec", "-e", "HOME=/told", box.id, "sh", "-c", "echo $HOME") == "/told")
        }
        // What cannot be read is no reason not to start, and leads nowhere else.
        try withBundle { box in
            try? FileManager.default.removeItem(atPath: box.rootfs + "/etc/passwd")
            symlink("/proc/self/environ", box.rootfs + "/etc/passwd")
            #expect(try box.prints("echo $HOME").hasPrefix("/"))
            try? FileManager.default.removeItem(atPath: box.rootfs + "/etc/passwd")
            try FileManager.default.createDirectory(
                atPath: box.rootfs + "/etc/passwd", withIntermediateDirectories: true)
            #expect(try box.prints("echo $HOME") == "/")
        }
    }

    @Test func theProgramIsFoundByItsOwnPath() throws {
        try withBundle { box in
            try box.fixture.file("bundle/rootfs/data/tool", "#!/bin/sh\necho tool\n", mode: 0o755)
            box.config["process.env"] = ["PATH=/data:/bin", "CTR_TEST=\(box.mark)"]
            box.config["process.args"] = ["tool"]
            #expect(try box.run().stdout == "tool\n")
            box.config["process.cwd"] = "/data"
            box.config["process.args"] = ["./tool"]
            #expect(try box.run().stdout == "tool\n")
        }
    }

    @Test func workingDirectory() throws {
        try withBundle { box in
            box.config["process.cwd"] = "/data"
            #expect(try box.prints("pwd") == "/data")
            // One that is not there is made, as other runtimes make it.
            box.config["process.cwd"] = "/not/there"
            #expect(try box.prints("pwd") == "/not/there")
            // Never out of the root by a link of the image.
            symlink("/proc/self/fd/1", box.rootfs + "/out")
            box.config["process.cwd"] = "/out"
            try box.refusesToCreate(says: ["/out"])
        }
    }

    @Test func userAndGroups() throws {
        try withBundle { (box) throws in
            box.config["process.user"] =
                ["uid": 1000, "gid": 1001, "additionalGids": [5, 2000]] as [String: Any]
            #expect(try box.prints("id -u; id -g; id -G; umask") == "1000\n1001\n1001 5 2000\n0022")
            box.config["process.user"] = ["uid": 7, "gid": 8, "umask": 0o077] as [String: Any]
            #expect(
                try box.prints("id -u; id -G; umask; touch /tmp/f; stat -c '%a %u %g' /tmp/f")
                    == "7\n8\n0077\n600 7 8")
        }
    }

    @Test func usersWriteToTheirOwnStreams() throws {
        try withBundle { box in
            box.config["process.user"] = ["uid": 1000, "gid": 1000]
            let outcome = try box.run("echo out > /dev/stdout; echo err > /dev/stderr")
            #expect(outcome.stdout == "out\n" && outcome.stderr == "err\n", "\(outcome)")
        }
    }

    // MARK: Capabilities

    @Test func capabilitySets() throws {
        try withBundle { (box) throws in
            // CHOWN 0, KILL 5, NET_BIND_SERVICE 10, SETUID 7
            box.config["process.capabilities"] = [
                "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETUID"],
                "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
                "effective": ["CAP_CHOWN", "CAP_KILL"],
                "inheritable": ["CAP_NET_BIND_SERVICE"], "ambient": ["CAP_NET_BIND_SERVICE"],
            ]
            // As an ordinary user the sets after execve are what ambient gives.
            box.config["process.user"] = ["uid": 1000, "gid": 1000]
            #expect(
                try box.prints(OCIProcessTests.status)
                    == "Inh 00000400\nPrm 00000400\nEff 00000400\nBnd 000004a1\nAmb 00000400")
            // Root's are all of the bounding set after execve (capabilities(7)), and what is inheritable.
            box.config["process.user"] = ["uid": 0, "gid": 0]
            #expect(
                try box.prints(OCIProcessTests.status)
                    == "Inh 00000400\nPrm 000004a1\nEff 000004a1\nBnd 000004a1\nAmb 00000400")
        }
    }

    @Test func noCapabilities() throws {
        try withBundle { (box) throws in
            box.config["process.capabilities"] = nil
            let none = "Inh 00000000\nPrm 00000000\nEff 00000000\nBnd 00000000\nAmb 00000000"
            #expect(try box.prints(OCIProcessTests.status) == none)
            box.config["process.capabilities"] = [String: [String]]()
            #expect(try box.prints(OCIProcessTests.status) == none)
        }
    }

    /// config.md: a value that cannot be mapped to a kernel interface is warned of, not failed on.
    @Test func anUnknownCapabilityIsNoFailure() throws {
        try withBundle { (box) throws in
            let names = ["CAP_CHOWN", "CAP_FROM_THE_FUTURE"]
            box.config["process.capabilities"] = ["bounding": names, "permitted": names, "effective": names]
            #expect(try box.prints("echo runs") == "runs")
            let told = try box.run("true").stderr
            #expect(told.contains("warning") && told.contains("CAP_FROM_THE_FUTURE"), "\(told)")
            #expect(!told.contains("CAP_CHOWN"))
            // With a log, stderr is the container's.
            let log = box.fixture.path("log")
            box.globals = ["--log", log, "--log-format", "json"]
            #expect(try box.run("true").stderr.isEmpty)
            let entry = try JSONObject(box.fixture.contents(log))
            #expect(entry.text("level") == "warning" && entry.text("msg").contains("CAP_FROM_THE_FUTURE"))
        }
    }

    @Test func noNewPrivileges() throws {
        try withBundle { (box) throws in
            let look = "sed -n 's/^NoNewPrivs:.//p' /proc/self/status"
            #expect(try box.prints(look) == "0")
            box.config["process.noNewPrivileges"] = true
            #expect(try box.prints(look) == "1")
        }
    }

    // MARK: Limits and the like

    @Test func resourceLimits() throws {
        try withBundle { box in
            func limit(_ type: String, _ soft: Int, _ hard: Int) -> [String: Any] {
                ["type": type, "soft": soft, "hard": hard]
            }
            box.config["process.rlimits"] = [
                limit("RLIMIT_NOFILE", 100, 200), limit("RLIMIT_CORE", 0, 0), limit("RLIMIT_NPROC", 300, 400),
                limit("RLIMIT_STACK", 1 << 20, 1 << 21), limit("RLIMIT_FSIZE", 4096, 8192),
            ]
            let text = try box.prints("cat /proc/self/limits")
            func has(_ name: String, _ soft: Int, _ hard: Int) -> Bool {
                text.split(separator: "\n").contains { line in
                    line.hasPrefix(name)
                        && line.dropFirst(name.count).split(separator: " ").prefix(2) == [
                            "\(soft)", "\(hard)",
                        ]
                }
            }
            #expect(
                has("Max open files", 100, 200) && has("Max core file size", 0, 0)
                    && has("Max processes", 300, 400)
                    && has("Max stack size", 1 << 20, 1 << 21) && has("Max file size", 4096, 8192), "\(text)")
        }
    }

    @Test func outOfMemoryScore() throws {
        try withBundle { box in
            box.config["process.oomScoreAdj"] = 321
            #expect(try box.prints("cat /proc/self/oom_score_adj") == "321")
            box.config["process.oomScoreAdj"] = 1001
            try box.refusesToCreate(says: ["oomScoreAdj"])
        }
    }

    @Test func scheduler() throws {
        try withBundle { box in
            // policy and priority are the 41st and the 40th field of stat.
            let look = "cut -d' ' -f19,41 /proc/self/stat"
            box.config["process.scheduler"] = ["policy": "SCHED_BATCH", "nice": 5] as [String: Any]
            #expect(try box.prints(look) == "5 3")
            box.config["process.scheduler"] = ["policy": "SCHED_IDLE"]
            #expect(try box.prints(look) == "0 5")
            box.config["process.scheduler"] =
                [
                    "policy": "SCHED_OTHER", "nice": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"],
                ] as [String: Any]
            #expect(try box.run("cut -d' ' -f19,41 /proc/1/stat").text == "7 0")
            box.config["process.scheduler"] = ["policy": "SCHED_NOSUCH"]
            try box.refusesToCreate(says: ["scheduler"])
        }
    }

    /// REQUIRED in config.md, and taken for 0 by runc 1.1 and crun 1.8 all the same.
    @Test func idsThatAreLeftOut() throws {
        try withBundle { box in
            let users: [([String: Any]?, String)] = [
                (nil, "0 0"), ([:], "0 0"), (["uid": 5], "5 0"), (["gid": 5], "0 5"),
                (["uid": NSNull(), "gid": 3], "0 3"), (["username": "app"], "0 0"),
            ]
            for (user, ids) in users {
                box.config["process.user"] = user
                #expect(try box.prints("echo $(id -u) $(id -g)") == ids)
            }
            box.config["process.args"] = ["id"]
            // runc refuses it.
            box.config["process.user"] = ["uid": "0", "gid": 0] as [String: Any]
            try box.refusesToCreate(says: ["process.user.uid"])
        }
    }

    @Test(.needs(.ionice)) func ioPriority() throws {
        try withBundle { box in
            // REQUIRED, too, and 0 where it is left out.
            box.config["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE"]
            try box.runSleeping()
            #expect(try box.fixture.tool(.ionice, "-p", String(box.pid())).text == "best-effort: prio 0")
            try box.delete()
            box.config["process.args"] = ["sleep", "300"]
            for (name, said) in [("IOPRIO_CLASS_BE", "best-effort: prio 4"), ("IOPRIO_CLASS_IDLE", "idle")] {
                box.config["process.ioPriority"] = ["class": name, "priority": 4] as [String: Any]
                try box.runSleeping()
                #expect(try box.fixture.tool(.ionice, "-p", String(box.pid())).text == said)
                try box.delete()
            }
            box.config["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE", "priority": 9] as [String: Any]
            try box.refusesToCreate(says: ["ioPriority"])
        }
    }

    @Test func personality() throws {
        try withBundle { (box) throws in
            #if arch(x86_64)
                let (wide, narrow) = ("x86_64", "i686")
            #else
                let (wide, narrow) = ("aarch64", "armv8l")
            #endif
            box.config["linux.personality"] = ["domain": "LINUX32"]
            #expect(try box.prints("uname -m") == narrow)
            box.config["linux.personality"] = ["domain": "LINUX"]
            #expect(try box.prints("uname -m") == wide)
        }
    }

    @Test func hostAndDomainName() throws {
        try withBundle { (box) throws in
            box.config["hostname"] = "boxhost"
            box.config["domainname"] = "box.example"
            #expect(
                try box.prints("cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname")
                    == "boxhost\nbox.example")
        }
    }

    @Test func sysctls() throws {
        try withBundle { box in
            box.config["linux.sysctl"] = [
                "net.ipv4.ip_forward": "1", "kernel.shmmax": "1048576", "fs.mqueue.msg_max": "20",
                "net/ipv4/conf/lo/log_martians": "1",
            ]
            #expect(
                try box.prints(
                    "cd /proc/sys; cat net/ipv4/ip_forward kernel/shmmax fs/mqueue/msg_max net/ipv4/conf/lo/log_martians"
                )
                    == "1\n1048576\n20\n1")
            box.config["linux.sysctl"] = ["net.ipv4.no_such_thing": "1"]
            try box.refusesToCreate(says: ["no_such_thing"])
            box.config["linux.sysctl"] = ["kernel.shmmax": "1"]
            box.config.namespace("ipc", path: "/proc/self/ns/ipc")
            try box.refusesToCreate(says: ["kernel.shmmax", "change the host"])
            box.config.removeNamespace("ipc")
            try box.refusesToCreate(says: ["sysctl", "kernel.shmmax"])
        }
    }

    // MARK: Descriptors

    @Test func onlyPreservedDescriptorsReachTheProcess() throws {
        try withBundle { box in
            box.config["process.args"] = [
                "sh", "-c", "ls /proc/self/fd | wc -l; cat <&3; readlink /proc/self/fd/4",
            ]
            try box.fixture.file("three", "three\n")
            try box.fixture.file("four", "four\n")
            try box.write()
            func run(_ flags: [String], _ script: String) throws -> Outcome {
                try ChildProcess(
                    ["/bin/sh", "-c", "\(script) exec \"$@\"", "sh"]
                        + box.words(["run", "--bundle", box.bundle] + flags + [box.id]),
                    environment: box.fixture.environment
                ).finish()
            }
            let opens = "exec 3<\(box.fixture.path("three")) 4<\(box.fixture.path("four")) 7</;"
            // 0, 1, 2, what ls opens, and those that are kept.
            let two = try run(["--preserve-fds", "2"], opens)
            #expect(two.lines.prefix(2) == ["6", "three"], "\(two)")
            #expect(two.lines.count == 3 && two.lines.last?.hasSuffix("/four") == true, "\(two)")
            let one = try run(["--preserve-fds", "1"], opens)
            #expect(one.lines == ["5", "three"], "\(one)")
            box.config["process.args"] = ["sh", "-c", "ls /proc/self/fd | wc -l"]
            try box.write()
            #expect(try run([], opens).text == "4")
            // More than there are: none of the runtime's own.
            let beyond = try run(["--preserve-fds", "3"], "exec 3<\(box.fixture.path("three")) ;")
            #expect(beyond.code != 0 || beyond.text == "5", "\(beyond)")
        }
    }

    @Test func socketActivation() throws {
        try withBundle { box in
            box.config["process.args"] = ["sh", "-c", "cat <&3; echo $LISTEN_FDS:$LISTEN_PID"]
            try box.fixture.file("three", "three\n")
            try box.write()
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", "exec 3<\(box.fixture.path("three")); exec \"$@\"", "sh"]
                    + box.words(["run", "--bundle", box.bundle, box.id]),
                environment: box.fixture.environment.merging(["LISTEN_FDS": "1"]) { $1 }
            ).finish()
            #expect(outcome.stdout == "three\n1:1\n", "\(outcome)")
        }
    }

    @Test func theEnvironmentAndKeyringOfTheCallerStayOutside() throws {
        try withBundle { box in
            box.config["process.args"] = ["env"]
            try box.write()
            let outcome = try box.oci(
                ["run", "--bundle", box.bundle, box.id], environment: ["SECRET_OF_CALLER": "1"])
            #expect(outcome.code == 0 && !outcome.stdout.contains("SECRET"), "\(outcome)")
        }
    }

    /// CVE-2019-5736: what starts containers cannot be written to from inside.
    @Test func theProgramIsSealed() throws {
        try withBundle { box in
            let before =
                try FileManager.default.attributesOfItem(atPath: Program.ctr)[.modificationDate] as? Date
            box.config["process.args"] = ["sleep", "300"]
            box.config["linux.namespaces"] = [["type": "mount"]]
            box.config["process.capabilities"] = [
                "bounding": ["CAP_SYS_PTRACE"], "permitted": ["CAP_SYS_PTRACE"],
                "effective": ["CAP_SYS_PTRACE"],
            ]
            try box.create()
            let pid = try box.pid()
            // The runtime's own image waits for start: it is there to be looked at, but on a mount that is read-only.
            let link = open("/proc/\(pid)/exe", O_WRONLY)
            #expect(link < 0 && (errno == EROFS || errno == ETXTBSY))
            if link >= 0 { close(link) }
            let after =
                try FileManager.default.attributesOfItem(atPath: Program.ctr)[.modificationDate] as? Date
            #expect(before == after)
        }
    }
}
