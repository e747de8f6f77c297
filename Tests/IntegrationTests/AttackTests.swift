import Foundation
import Testing

/// Images and containers of an enemy, a test for each advisory whose mistake it would show. Those with races are in
/// RaceTests, the first ones in IsolationTests, those of a bundle in OCIAttackTests.
@Suite("attacks: images and containers", .needs(), .needsProbe)
struct AttackTests {
    private func withProbe(
        _ more: (inout TarArchive) -> Void = { _ in }, _ body: (Fixture) throws -> Void
    ) throws {
        try withFixture { ctr in
            var tar = Probe.image
            more(&tar)
            try ctr.ok("import", try ctr.file("probe.tar", tar.finished), "probe:1")
            try body(ctr)
        }
    }

    private func bytes(_ paths: [String]) -> [Data?] {
        paths.map { FileManager.default.contents(atPath: $0) }
    }

    // MARK: The runtime's own programs

    @Test(arguments: [[], ["--cap-add", "SYS_PTRACE"], ["--privileged"], ["--init"]])
    func cve2019_5736_theHostsProgramsStayAsTheyAre(_ flags: [String]) throws {
        try withProbe({ tar in
            tar.file("entry", "#!/proc/self/exe\n", mode: 0o755)
            tar.symbolicLink("bin/self", to: "/proc/self/exe")
        }) { ctr in
            let programs = [Program.ctr, Program.monitor, Program.transfer]
            let before = bytes(programs)
            // A container whose program, or whose shell, is whatever looks at it.
            for words in [["/entry"], ["/bin/self"], ["/proc/self/exe"]] {
                try ctr.ctr(["run", "--rm"] + flags + ["probe:1"] + words, timeout: 30)
                try ctr.ctr(
                    ["run", "--rm", "--entrypoint", words[0]] + flags + ["probe:1", "-c", "true"], timeout: 30
                )
            }
            // Another process inside looks at everybody who comes, and keeps what it saw until that is not busy.
            try ctr.ok(["run", "-d", "--name", "box"] + flags + ["probe:1", "/probe", "overwrite", "200"])
            try ctr.ctr("exec", "box", "rm", "-f", "/bin/sh")
            try ctr.ok("exec", "box", "ln", "-s", "/proc/self/exe", "/bin/sh")
            // With the right to trace it sees some of them, which takes its luck and a processor.
            let traces = flags.contains("SYS_PTRACE") || flags == ["--privileged"]
            for round in 0..<400 {
                if try round >= 40 && (!traces || ctr.ok("logs", "box").contains("seen: ")) { break }
                let words = [["true"], ["sh"], ["/entry"], ["/bin/self", "-c", "true"]][round % 4]
                try ctr.ctr(["exec", "box"] + words, timeout: 20)
            }
            try ctr.ok("exec", "box", "touch", "/enough")
            try ctr.ok("wait", "box")
            let told = try ctr.ok("logs", "box")
            #expect(told.contains(" seen, 0 opened for writing"), "\(told)")
            if traces { #expect(told.contains("seen: "), "\(told)") }
            #expect(bytes(programs) == before)
        }
    }

    // MARK: Working directories

    @Test func cve2024_21626_workingDirectoriesOfImagesAndBuilds() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let archive = ctr.path("busybox.tar")
            let script =
                "cat ../../../../../../..\(archive) 2>/dev/null | wc -c; cat ../../\(archive) 2>/dev/null | wc -c"
            for number in 3...20 {
                try ctr.ok("import", "-c", "WORKDIR /proc/self/fd/\(number)", archive, "work:\(number)")
                let outcome = try ctr.ctr("run", "--rm", "work:\(number)", "sh", "-c", script)
                #expect(outcome.code == 125 || outcome.text == "0\n0", "\(outcome)")
                try ctr.ok("run", "-d", "--name", "box\(number)", "-w", "/", "work:\(number)", "sleep", "100")
                for flags in [[], ["-w", "/proc/self/fd/\(number)"], ["-w", "/proc/1/fd/\(number)"]] {
                    let outcome = try ctr.ctr(["exec"] + flags + ["box\(number)", "sh", "-c", script])
                    #expect([125, 126, 127].contains(outcome.code) || outcome.text == "0\n0", "\(outcome)")
                }
                try ctr.ok("rm", "-f", "box\(number)")
            }
            for number in [3, 7, 8, 15] {
                let context = try ctr.context(
                    """
                    FROM busybox:test
                    WORKDIR /proc/self/fd/\(number)
                    RUN for up in ../../../../../.. ../..; do if cat $up\(archive) >/dev/null 2>&1; then echo REA''CHED; fi; done
                    """)
                let outcome = try ctr.ctr("build", "--progress", "plain", context)
                #expect(!outcome.stderr.contains("REACHED"), "\(outcome.whole)")
            }
        }
    }

    // MARK: Code of the container

    @Test(.needs(.strace))
    func cve2019_14271_cve2026_41567_noCodeOfTheContainerIsLoaded() throws {
        let libraries = [
            "libnss_files.so.2", "libnss_dns.so.2", "libnss_compat.so.2", "libgcc_s.so.1", "libc.so.6",
        ]
        let programs = [
            "xz", "zstd", "tar", "gzip", "unpigz", "unxz", "bzip2", "lz4", "git", "ps", "nsenter",
        ]
        try withProbe({ tar in
            for name in ["usr/lib", "lib", "lib64", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"] {
                tar.directory(name)
                for library in libraries { tar.file("\(name)/\(library)", "evil", mode: 0o755) }
            }
            for program in programs {
                tar.file("usr/bin/\(program)", "#!/bin/sh\ntouch /loaded\n", mode: 0o755)
            }
            tar.file("etc/ld.so.preload", "/lib/libnss_files.so.2\n")
            tar.file("etc/nsswitch.conf", "passwd: files dns\n")
        }) { ctr in
            try ctr.ok("run", "-d", "--name", "box", "probe:1", "sleep", "100")
            try ctr.ok("create", "--name", "stopped", "probe:1", "true")
            let tree = try ctr.makeDirectory("tree")
            try ctr.file("tree/file", "text")
            let trace = ctr.path("trace")
            let archive = ctr.path("tree.tar.gz")
            try ctr.tool(.tar, "-C", tree, "-czf", archive, ".")
            try ctr.context("Dockerfile", "FROM probe:1\nADD tree.tar.gz /added\nCOPY tree.tar.gz /copied\n")
            _ = try ChildProcess(["/bin/cp", archive, ctr.path("Dockerfile")]).finish()
            for words in [
                ["cp", "box:/etc", ctr.path("out")], ["cp", tree, "box:/tmp"], ["cp", tree, "stopped:/tmp"],
                ["cp", "stopped:/etc", ctr.path("out2")], ["export", "-o", ctr.path("export"), "box"],
                ["diff", "box"], ["top", "box"], ["exec", "-u", "app", "box", "true"],
                ["build", "-q", ctr.path("Dockerfile")], ["import", archive, "packed:1"],
            ] {
                let outcome = try ChildProcess(
                    [
                        Tool.strace.path ?? "", "-f", "-qq", "-s", "300", "-e",
                        "trace=execve,execveat,open,openat,openat2",
                        "-o", trace,
                    ] + ctr.words(words), environment: ctr.environment
                ).finish(timeout: 60)
                #expect(outcome.code == 0, "\(outcome)")
                let lines = ctr.contents(trace).components(separatedBy: "\n")
                // Each program's own libraries are opened before it has opened anything below a descriptor.
                var working: Set<Substring> = []
                for line in lines {
                    let process = line.prefix { $0 != " " }
                    if line.contains(" execve") {
                        working.remove(process)
                    } else if !line.contains("(AT_FDCWD") && line.contains(" open") {
                        working.insert(process)
                    } else if libraries.contains(where: { line.contains("\($0)\"") }) {
                        #expect(!working.contains(process), "\(words[0]): \(line)")
                    }
                }
                for line in lines where line.contains("execve") && !line.contains("ENOENT") {
                    #expect(!programs.contains { line.contains("/\($0)\"") }, "\(words[0]): \(line)")
                }
                #expect(
                    !lines.contains { $0.contains("gconv") || $0.contains("locale-archive") }, "\(words[0])")
            }
            #expect(try ctr.ctr("exec", "box", "test", "-e", "/loaded").code == 1)
        }
    }

    // MARK: Users

    private static let badUsers = [
        "4294967296", "4294967295", "2147483648", "-1", "99999999999999999999", "0x0", " 0", "0 ", "+0",
        "1000:4294967296",
        "1000:-1", "0:0x0", "٠",
    ]

    @Test func cve2024_40635_cve2026_30892_usersThatAreNoNumbers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", "-u", "1000", image, "sleep", "100")
            for user in Self.badUsers {
                for words in [
                    ["run", "--rm", "-u", user, image, "id", "-u"], ["exec", "-u", user, "box", "id", "-u"],
                ] {
                    let outcome = try ctr.ctr(words)
                    ctr.expectRefusal(outcome, code: 125, says: [])
                    #expect(outcome.stdout == "", "\(outcome)")
                }
                // What an image says of its user is held to the same.
                if try ctr.ctr("import", "-c", "USER \(user)", ctr.path("busybox.tar"), "user:bad").code == 0,
                    !user.contains(" ")
                {
                    #expect(try ctr.ctr("run", "--rm", "user:bad", "id", "-u").code == 125, "\(user)")
                }
            }
            // docker: nobody said is the container's own.
            #expect(try ctr.ok("exec", "box", "id", "-u") == "1000")
        }
    }

    /// The container's passwd is made something else while it runs; exec and the next start read it.
    @Test(arguments: ["link", "fifo", "device", "directory", "huge", "long line"])
    func cve2026_47262_cve2024_9676_passwdBecomesSomethingElse(_ kind: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", "-u", "app", "--cap-add", "MKNOD", image, "sleep", "100")
            let script =
                switch kind {
                case "link": "ln -s ../../../../../../../etc/shadow /etc/passwd"
                case "fifo": "mkfifo /etc/passwd"
                case "device": "mknod /etc/passwd c 1 5"
                case "directory": "mkdir /etc/passwd"
                case "huge": "truncate -s 5G /etc/passwd"
                default: "head -c 9000000 /dev/zero | tr '\\0' a > /etc/passwd"
                }
            try ctr.ok("exec", "-u", "0", "box", "sh", "-c", "rm /etc/passwd; \(script)")
            let shadow = try #require(ctr.contents("/etc/shadow").split(separator: ":").first)
            for user in ["app", "1000", String(shadow), "0"] {
                let start = Date()
                let outcome = try ctr.ctr("exec", "-u", user, "box", "id", "-u", timeout: 20)
                #expect(Date().timeIntervalSince(start) < 10)
                // A number needs no passwd; a name is nobody's.
                let isNumber = user.allSatisfy(\.isNumber)
                #expect(outcome.code == 125 || (isNumber && outcome.text == user), "\(outcome)")
                #expect(outcome.code == 0 || outcome.stderr.hasPrefix("ctr: "), "\(outcome)")
            }
            try ctr.ok("stop", "-t", "0", "box")
            let again = try ctr.ctr("start", "box", timeout: 20)
            #expect(again.code != 0, "\(again)")
        }
    }

    // MARK: Capabilities

    @Test
    func cve2022_24769_cve2022_29162_cve2022_27649_cve2022_27650_nothingIsInheritableAnywhere() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "sed -n 's/^Cap\\(...\\):.\\(.*\\)/\\1 \\2/p' /proc/self/status"
            func sets(_ text: String) -> [String: String] {
                Dictionary(
                    text.components(separatedBy: "\n").compactMap { line -> (String, String)? in
                        let words = line.split(separator: " ")
                        return words.count == 2 ? (String(words[0]), String(words[1])) : nil
                    }, uniquingKeysWith: { one, _ in one })
            }
            let none = "0000000000000000"
            let docker = "00000000a80425fb"
            func expect(_ text: String, permitted: String, bounding: String) {
                let expected = [
                    "Inh": none, "Prm": permitted, "Eff": permitted, "Bnd": bounding, "Amb": none,
                ]
                #expect(sets(text) == expected, "\(text)")
            }
            expect(try ctr.ok("run", "--rm", image, "sh", "-c", script), permitted: docker, bounding: docker)
            expect(
                try ctr.ok("run", "--rm", "-u", "1000", image, "sh", "-c", script), permitted: none,
                bounding: docker)
            expect(
                try ctr.ok(
                    "run", "--rm", "--cap-drop", "ALL", "--cap-add", "CHOWN", image, "sh", "-c", script),
                permitted: "0000000000000001", bounding: "0000000000000001")
            let all = sets(try ctr.ok("run", "--rm", "--privileged", image, "sh", "-c", script))
            #expect(all["Inh"] == none && all["Amb"] == none, "\(all)")

            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "\(script) > /checked", "--health-interval",
                "100s",
                "--health-start-period", "60s", "--health-start-interval", "100ms", image, "sleep", "100")
            expect(try ctr.ok("exec", "box", "sh", "-c", script), permitted: docker, bounding: docker)
            expect(
                try ctr.ok("exec", "-u", "1000", "box", "sh", "-c", script), permitted: none, bounding: docker
            )
            let privileged = sets(try ctr.ok("exec", "--privileged", "box", "sh", "-c", script))
            #expect(privileged["Inh"] == none && privileged["Amb"] == none, "\(privileged)")
            try ctr.eventually("the check has run") {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy"
            }
            expect(try ctr.ok("exec", "box", "cat", "/checked"), permitted: docker, bounding: docker)

            let context = try ctr.context(
                "FROM \(image)\nRUN \(script) > /one\nUSER 1000\nRUN \(script) > /tmp/two\n")
            try ctr.ok("build", "-q", "-t", "made:1", context)
            expect(try ctr.ok("run", "--rm", "made:1", "cat", "/one"), permitted: docker, bounding: docker)
            expect(try ctr.ok("run", "--rm", "made:1", "cat", "/tmp/two"), permitted: none, bounding: docker)
        }
    }

    // MARK: Sockets

    @Test func cve2020_15257_noSocketOfOursCanBeConnectedTo() throws {
        try withProbe { ctr in
            try ctr.ok("run", "-d", "--name", "other", "-i", "probe:1", "sleep", "100")
            let id = try ctr.inspect("other", "{{.Id}}")
            // They are there, on the host.
            let sockets = ctr.contents("/proc/net/unix").components(separatedBy: "\n")
            #expect(sockets.contains { $0.hasSuffix("/attach") })
            for part in ["attach", id, "ctr"] {
                let told = try ctr.ok("run", "--rm", "--network", "host", "probe:1", "/probe", "knock", part)
                #expect(told.contains(" asked") && !told.contains("connected"), "\(told)")
            }
            #expect(!sockets.contains { $0.contains(" @") && ($0.contains("ctr") || $0.contains(id)) })
        }
    }

    /// There is no API and no plugin that could be got around; what there is are files that root alone can open.
    @Test func cve2024_41110_cve2026_34040_nothingListensButFilesOfRoot() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", "--restart", "always", image, "sleep", "100")
            let monitors = Leftovers.processes(of: ctr.directory).map(\.pid)
            #expect(!monitors.isEmpty)
            let files = ctr.contents("/proc/net/unix")
            let others = ["tcp", "tcp6", "udp", "udp6", "raw", "packet", "netlink"].map {
                ctr.contents("/proc/net/\($0)")
            }
            let box = try ctr.inspect("box", "{{.State.Pid}}")
            let inside = ["tcp", "udp"].map { ctr.contents("/proc/\(box)/net/\($0)") }
            for pid in monitors {
                let links = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? [])
                    .compactMap {
                        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
                    }
                for link in links where link.hasPrefix("socket:[") {
                    let inode = link.dropFirst(8).dropLast()
                    // In the container's own network: the server of its names.
                    if inside.contains(where: { $0.contains(" \(inode) ") }) { continue }
                    #expect(files.contains(" \(inode)"), "\(link) of \(pid) is of another kind")
                    #expect(!others.contains { $0.contains(" \(inode) ") })
                }
            }
            // The one that has a name: below directories that are root's alone.
            let found = try ChildProcess(
                ["/usr/bin/find", ctr.runRoot, "-type", "s", "-printf", "%p %m %U\n"],
                environment: ctr.environment
            ).finish().lines
            #expect(found.contains { $0.contains("/attach ") }, "\(found)")
            for socket in found { #expect(socket.hasSuffix(" 600 0"), "\(socket)") }
            let places = try ChildProcess(
                ["/usr/bin/find", ctr.runRoot, "-name", "attach", "-printf", "%h\n"],
                environment: ctr.environment
            ).finish().lines
            for place in places {
                var status = stat()
                #expect(stat(place, &status) == 0 && status.st_mode & 0o777 == 0o700, "\(place)")
            }
        }
    }

    // MARK: The kernel

    /// The calls that these holes begin with are refused, whatever the kernel is.
    @Test
    func
        cve2021_3493_cve2022_0185_cve2022_0492_cve2023_0386_cve2023_2640_cve2023_32629_cve2026_31431_refused()
        throws
    {
        try withProbe { ctr in
            try ctr.ok("run", "-d", "--name", "box", "probe:1", "sleep", "100")
            for words in [
                ["run", "--rm", "probe:1"], ["run", "--rm", "-u", "1000", "probe:1"], ["exec", "box"],
            ] {
                let report = Set(try ctr.ok(words + Probe.report).components(separatedBy: "\n"))
                for call in [
                    "unshare", "setns", "mount", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
                    "open_tree", "bpf",
                    "io_uring_setup", "io_uring_enter", "userfaultfd", "keyctl", "add_key", "request_key",
                    "perf_event_open",
                ] {
                    #expect(report.contains("call \(call): EPERM"), "\(call) by \(words)")
                }
                #expect(report.contains("call clone3: ENOSYS"))
                for name in ["NEWUSER", "NEWNS", "NEWCGROUP", "NEWUSER with high bits"] {
                    #expect(report.contains("clone CLONE_\(name): EPERM"), "\(name)")
                }
                for family in ["ALG", "VSOCK", "ALG with high bits", "VSOCK with high bits"] {
                    #expect(report.contains("socket \(family): EPERM"), "\(family)")
                }
                #expect(!report.contains("~cgroup.procs: writable"))
            }
            // The file that the host runs when a cgroup of v1 is empty.
            let script = """
                mkdir /tmp/c; for type in cgroup cgroup2; do mount -t $type -o memory x /tmp/c && echo mounted; done
                unshare -UrmC true && echo unshared
                for f in $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs); do
                  (: >> $f) && echo "opened $f"; done 2>/dev/null
                echo end
                """
            for flags in [[], ["--network", "host", "--pid", "host"], ["--cgroupns", "host"]] {
                #expect(
                    try ctr.ctr(["run", "--rm"] + flags + ["probe:1", "sh", "-c", script]).text == "end")
            }
        }
    }

    /// An image's volume over /proc would be a /proc of its own making: labels and masks would go there.
    @Test(arguments: ["/proc", "/proc/self/attr", "/proc/sys", "/x/../proc", "/procs/../proc/self"])
    func cve2019_16884_cve2023_28642_aVolumeOverProc(_ path: String) throws {
        try withFixture { ctr in
            try ctr.busybox()
            try ctr.ok("import", "-c", "VOLUME \(path)", ctr.path("busybox.tar"), "volume:evil")
            let byImage = try ctr.ctr("run", "--rm", "volume:evil", "cat", "/proc/self/status")
            ctr.expectRefusal(byImage, code: 125, says: ["/proc"])
            for flags in [
                ["-v", "data:\(path)"], ["--tmpfs", path], ["--mount", "type=volume,dst=\(path)"],
            ] {
                let byFlag = try ctr.ctr(["run", "--rm"] + flags + ["busybox:test", "true"])
                #expect(byFlag.code == 125, "\(byFlag)")
            }
            #expect(
                try ctr.ok("run", "--rm", "-v", "/proc:/proc:ro", "busybox:test", "ls", "/proc/self/status")
                    != "")
        }
    }

    /// A link for /proc, alone and into a volume in which another /proc has been made.
    @Test func cve2019_19921_procIsALinkIntoAVolume() throws {
        try withFixture { ctr in
            for target in ["evil/proc", "/evil/proc", "evil/../evil/proc", "/evil/up"] {
                var tar = TarArchive()
                for name in ["bin", "dev", "etc", "sys", "tmp", "evil"] { tar.directory(name) }
                tar.add(
                    "bin/busybox", mode: 0o755,
                    content: Array(FileManager.default.contents(atPath: Tool.busybox.path ?? "") ?? Data()))
                tar.symbolicLink("proc", to: target)
                try ctr.ok("import", try ctr.file("x.tar", tar.finished), "links:1")
                let volume = try ctr.makeDirectory("volume-\(UInt32.random(in: 0...UInt32.max))")
                for name in ["proc", "proc/self", "proc/self/attr", "proc/sys", "proc/1"] {
                    mkdir("\(volume)/\(name)", 0o755)
                }
                symlink("proc", volume + "/up")
                let before = try FileTree.describe(volume)
                let outcome = try ctr.ctr(
                    "run", "--rm", "-v", "\(volume):/evil", "links:1", "/bin/busybox", "true")
                ctr.expectRefusal(outcome, code: 125, says: ["/proc"])
                #expect(try FileTree.describe(volume) == before)
            }
        }
    }
}
