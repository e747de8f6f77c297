import Foundation
import Testing

@Suite("isolation", .needs())
struct IsolationTests {
    @Test func onlyThreeDescriptorsAreOpen() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            // Descriptors of the caller that nobody closed do not reach the container either.
            let words = ctr.words(["run", "--rm", image, "sh", "-c", "ls /proc/$$/fd; true"])
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", "exec 7</etc/passwd 9</; exec \"$@\"", "sh"] + words,
                environment: ctr.environment
            ).finish()
            #expect(outcome.text == "0\n1\n2", "\(outcome)")
        }
    }

    @Test func theEnvironmentOfTheCallerStaysOutside() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(
                "run", "--rm", image, "env", environment: ["SECRET_OF_CALLER": "1", "LD_PRELOAD": "/x.so"])
            #expect(!outcome.stdout.contains("SECRET_OF_CALLER") && !outcome.stdout.contains("LD_PRELOAD"))
        }
    }

    @Test func masksAndReadOnlyPaths() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = """
                for f in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats /proc/interrupts; do
                  [ -e $f ] && [ "$(head -c 1 $f | wc -c)" != 0 ] && echo "seen: $f"; done
                for d in /proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap; do
                  [ -d $d ] && [ -n "$(ls -A $d)" ] && echo "seen: $d"; done
                for f in /proc/sys/kernel/panic /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/irq/default_smp_affinity; do
                  [ -e $f ] && (echo x > $f) 2>/dev/null && echo "written: $f"; done
                (mkdir /sys/fs/cgroup/x) 2>/dev/null && echo "written: cgroup"
                (echo 1 > /sys/kernel/mm/ksm/run) 2>/dev/null && echo "written: sys"
                echo end
                """
            #expect(try ctr.ok("run", "--rm", image, "sh", "-c", script) == "end")
        }
    }

    @Test func theDevicesAreDockers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let names = Set(try ctr.ok("run", "--rm", image, "ls", "/dev").components(separatedBy: "\n"))
            #expect(
                names == [
                    "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                    "stdout", "tty",
                    "urandom", "zero",
                ], "\(names.sorted())")
            #expect(
                try ctr.ok(
                    "run", "--rm", image, "sh", "-c",
                    "echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo y > /dev/stdout")
                    == "3\ny")
        }
    }

    @Test func theMountsAreThose() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let mounts = try ctr.ok("run", "--rm", image, "cat", "/proc/self/mounts")
            func options(_ target: String) -> String {
                mounts.components(separatedBy: "\n").first {
                    $0.split(separator: " ").dropFirst().first == Substring(target)
                } ?? ""
            }
            #expect(options("/").contains(" overlay "))
            for (target, wanted) in [
                ("/proc", "nosuid,nodev,noexec"), ("/sys", "ro,nosuid,nodev,noexec"),
                ("/dev/shm", "nosuid,nodev,noexec"),
                ("/dev/mqueue", "nosuid,nodev,noexec"), ("/dev", "nosuid"), ("/dev/pts", "nosuid,noexec"),
            ] {
                for option in wanted.split(separator: ",") {
                    #expect(
                        options(target).contains(option), "\(target) is not \(option): \(options(target))")
                }
            }
            // The old root is gone.
            #expect(mounts.components(separatedBy: "\n").filter { $0.contains(" / ") }.count == 1)
        }
    }

    @Test func seccompRefusesWhatDockersDoes() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            for command in [
                ["unshare", "-U", "true"], ["unshare", "-m", "true"], ["mount", "-t", "tmpfs", "x", "/tmp"],
            ] {
                let outcome = try ctr.ctr(["run", "--rm", image] + command)
                #expect(
                    outcome.code != 0 && outcome.stderr.contains(/not permitted|permission denied/),
                    "\(outcome)")
            }
            #expect(
                try ctr.ok("run", "--rm", image, "sh", "-c", "sed -n 's/^Seccomp:.//p' /proc/self/status")
                    == "2")
            // Other users are held by it too.
            #expect(
                try ctr.ok(
                    "run", "--rm", "-u", "1000", image, "sh", "-c",
                    "sed -n 's/^Seccomp:.//p' /proc/self/status") == "2")
        }
    }

    @Test func theHostSeesNoMountOfIt() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            #expect(Leftovers.mounts(below: ctr.directory).isEmpty)
        }
    }

    @Test func oneContainerDoesNotSeeAnother() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "a1", image, "sh", "-c", "echo a > /only-a; exec sleep 4242")
            #expect(try ctr.ctr("run", "--rm", image, "cat", "/only-a").code != 0)
            #expect(!(try ctr.ctr("run", "--rm", image, "ps", "-o", "args").stdout.contains("4242")))
            #expect(try ctr.ctr("run", "--rm", image, "kill", "-0", "2").code != 0)
        }
    }

    @Test func theStoreIsForRootOnly() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            _ = image
            let mode =
                try FileManager.default.attributesOfItem(atPath: ctr.root)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o700)
        }
    }
}

/// Named after the advisories whose mistake they would show.
@Suite("attacks that broke others", .needs())
struct AdvisoryTests {
    private func digest(_ path: String) -> Int {
        (FileManager.default.contents(atPath: path) ?? Data()).hashValue
    }

    /// An image of busybox with more in it, and what its configuration says.
    private func image(
        _ ctr: Fixture, _ instructions: [String] = [], _ more: (inout TarArchive) -> Void = { _ in }
    ) throws -> String {
        var tar = Busybox.archive
        more(&tar)
        let file = try ctr.file("image-\(UInt32.random(in: 0...UInt32.max)).tar", tar.finished)
        let outcome = try ctr.ctr(["import"] + instructions.flatMap { ["-c", $0] } + [file, "attack:1"])
        try #require(outcome.code == 0, "\(outcome)")
        return "attack:1"
    }

    @Test func cve2019_5736_theProgramIsNotWritableThroughProcSelfExe() throws {
        try withFixture { ctr in
            let before = (digest(Program.ctr), digest(Program.monitor))
            let image = try image(ctr) { $0.file("evil", "#!/proc/self/exe\n", mode: 0o755) }
            let script =
                "exec 3<> /proc/1/exe; echo x >&3; (: > /proc/1/exe); (echo y >> /proc/self/exe); true"
            try ctr.ctr("run", "--rm", image, "/evil", timeout: 30)
            try ctr.ctr("run", "--rm", image, "/proc/self/exe", timeout: 30)
            try ctr.ctr("run", "--rm", image, "sh", "-c", script, timeout: 30)
            try ctr.ctr("run", "--rm", "--init", image, "sh", "-c", script, timeout: 30)
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "while :; do for p in /proc/[0-9]*; do (echo x > $p/exe); done 2>/dev/null; done")
            for _ in 0..<20 { try ctr.ctr("exec", "box", "/proc/self/exe", timeout: 20) }
            try ctr.ctr("exec", "box", "/evil", timeout: 20)
            #expect(digest(Program.ctr) == before.0)
            #expect(digest(Program.monitor) == before.1)
        }
    }

    @Test func cve2024_21626_aWorkingDirectoryOutsideIsNotReached() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            for number in 3...20 {
                for outcome in [
                    try ctr.ctr(
                        "run", "--rm", "-w", "/proc/self/fd/\(number)", image, "sh", "-c",
                        "cat ../../../../../../..\(ctr.directory)/busybox.tar | wc -c; pwd"),
                    try ctr.ctr(
                        "exec", "-w", "/proc/self/fd/\(number)", "box", "sh", "-c",
                        "cat ../../../../../../..\(ctr.directory)/busybox.tar | wc -c; pwd"),
                ] {
                    #expect(outcome.code != 0 || outcome.lines.first == "0", "\(outcome)")
                }
            }
        }
    }

    @Test(arguments: ["/proc", "/sys", "/dev", "/dev/shm", "/dev/pts"])
    func cve2026_41579_cve2019_19921_mountTargetsThatAreLinks(_ target: String) throws {
        try withFixture { ctr in
            let victim = try ctr.makeDirectory("victim")
            for to in [victim, "../../../../../../../../..\(victim)", "/etc"] {
                var tar = TarArchive()
                tar.directory("bin")
                tar.directory("etc")
                tar.directory("tmp")
                if let path = Tool.busybox.path {
                    tar.add(
                        "bin/busybox", mode: 0o755,
                        content: Array(FileManager.default.contents(atPath: path) ?? Data()))
                }
                if target.hasPrefix("/dev/") { tar.directory("dev") }
                tar.symbolicLink(String(target.dropFirst()), to: to)
                try ctr.ok("import", try ctr.file("x.tar", tar.finished), "links:1")
                // Refused, or mounted inside: never anything of the host.
                try ctr.ctr(
                    "run", "--rm", "links:1", "/bin/busybox", "sh", "-c",
                    "echo x > /proc/sysrq-trigger; echo x > \(target)/new")
                #expect(try FileManager.default.contentsOfDirectory(atPath: victim).isEmpty)
            }
        }
    }

    @Test func cve2025_31133_theMaskIsTheRealNull() throws {
        try withFixture { ctr in
            for target in ["/proc/sys/kernel/core_pattern", "/etc/passwd", "/proc/sysrq-trigger"] {
                let image = try image(ctr) { tar in tar.symbolicLink("dev/null", to: target) }
                let outcome = try ctr.ctr(
                    "run", "--rm", image, "sh", "-c",
                    "cat /proc/kcore | head -c 1 | wc -c; (echo evil > /dev/null); (echo evil > /proc/sys/kernel/core_pattern) 2>/dev/null && echo written"
                )
                #expect(!outcome.stdout.contains("written"))
                if outcome.code == 0 { #expect(outcome.lines.first == "0") }
            }
            #expect(!ctr.contents("/proc/sys/kernel/core_pattern").contains("evil"))
        }
    }

    @Test func cve2025_52565_theConsoleIsNotASwappedPath() throws {
        try withFixture { ctr in
            let image = try image(ctr) { tar in tar.symbolicLink("dev/console", to: "/proc/sysrq-trigger") }
            let session = try ctr.terminal(
                "run", "-t", "--rm", image, "sh", "-c", "stat -c %F /dev/console; echo end")
            _ = session.finish()
            #expect(
                session.screen.contains("end") ? session.screen.contains("character special file") : true,
                "\(session.screen)")
        }
    }

    @Test(arguments: ["4294967296", "-1", "99999999999999999999", "0x0", " 0", "1000:4294967296", "+0", ""])
    func cve2024_40635_usersThatOverflow(_ user: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr("run", "--rm", "-u", user, image, "id", "-u")
            if user.isEmpty {
                #expect(outcome.text == "0")  // docker: an empty user is the image's
            } else {
                ctr.expectRefusal(outcome, code: 125, says: [])
                #expect(outcome.stdout == "")
            }
        }
    }

    @Test func cve2024_9676_passwdThatIsNoFile() throws {
        try withFixture { ctr in
            for kind in ["link", "fifo", "device"] {
                var tar = TarArchive()
                tar.directory("bin")
                tar.directory("etc")
                if let path = Tool.busybox.path {
                    tar.add(
                        "bin/busybox", mode: 0o755,
                        content: Array(FileManager.default.contents(atPath: path) ?? Data()))
                }
                switch kind {
                case "link": tar.symbolicLink("etc/passwd", to: "../../../../../../etc/shadow")
                case "fifo": tar.add("etc/passwd", .fifo)
                default: tar.add("etc/passwd", .characterDevice, device: (1, 5))  // /dev/zero
                }
                try ctr.ok("import", try ctr.file("\(kind).tar", tar.finished), "passwd:\(kind)")
                let outcome = try ctr.ctr(
                    "run", "--rm", "-u", "1234", "passwd:\(kind)", "/bin/busybox", "id", "-u", timeout: 20)
                #expect(!outcome.timedOut)
                #expect(outcome.text == "1234" || outcome.code == 125, "\(outcome)")
                let named = try ctr.ctr(
                    "run", "--rm", "-u", "root", "passwd:\(kind)", "/bin/busybox", "true", timeout: 20)
                #expect(!named.timedOut)
            }
        }
    }

    @Test func cve2022_23648_aVolumeOfTheImageIsInsideTheImage() throws {
        try withFixture { ctr in
            try ctr.file("secret/f", "host secret")
            for path in ["/../../../../../../..\(ctr.path("secret"))", "/x/../../../..\(ctr.path("secret"))"]
            {
                let imported = try ctr.ctr(
                    "import", "-c", "VOLUME \(path)", try ctr.file("v.tar", Busybox.tar), "volume:evil")
                guard imported.code == 0 else { continue }
                let outcome = try ctr.ctr(
                    "run", "--rm", "volume:evil", "sh", "-c", "cat \(ctr.path("secret"))/f /secret/f")
                #expect(!outcome.stdout.contains("host secret"))
            }
        }
    }

    @Test func cve2026_53488_labelsOfAnImageCommandNothing() throws {
        try withFixture { ctr in
            let marker = ctr.path("marker")
            let image = try image(
                ctr,
                [
                    "LABEL containerd.io/restart.loguri=binary:///bin/touch?\(marker)",
                    "LABEL ctr.log=binary:///bin/touch?\(marker)",
                    "LABEL io.podman.annotations.privileged=TRUE", "LABEL ctr.privileged=true",
                    "LABEL run.oci.keep_original_groups=1",
                ])
            #expect(
                try ctr.ok("run", "--rm", image, "sh", "-c", "sed -n 's/^CapEff:.//p' /proc/self/status")
                    == "00000000a80425fb")
            #expect(!FileManager.default.fileExists(atPath: marker))
        }
    }
}
