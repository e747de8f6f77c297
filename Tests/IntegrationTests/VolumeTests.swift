import Foundation
import Testing

@Suite("volumes, binds and tmpfs", .needs())
struct VolumeTests {
    /// An image with `/data` (owner 1000, mode 750, one file) declared as a volume.
    private func imageWithData(_ ctr: Fixture) throws -> String {
        var tar = Busybox.archive
        tar.directory("data", mode: 0o750, uid: 1000, gid: 2000)
        tar.file("data/seed", "from the image\n", mode: 0o604, uid: 1000, gid: 2000)
        try ctr.ok("import", "-c", "VOLUME /data", "-c", #"CMD ["sh"]"#, try ctr.file("v.tar", tar.finished), "data:1")
        return "data:1"
    }

    @Test func createListInspectRemove() throws {
        try withFixture { ctr in
            #expect(try ctr.ok("volume", "create", "--label", "k=v", "one") == "one")
            let anonymous = try ctr.ok("volume", "create")
            #expect(anonymous.utf8.count == 64)
            #expect(
                try ctr.ok("volume", "ls", "-q").components(separatedBy: "\n").sorted()
                    == [anonymous, "one"].sorted())
            #expect(try ctr.ok("volume", "inspect", "--format", "{{.Name}} {{.Labels.k}}", "one") == "one v")
            let mountpoint = try ctr.ok("volume", "inspect", "--format", "{{.Mountpoint}}", "one")
            #expect(mountpoint.hasPrefix(ctr.root) && FileManager.default.fileExists(atPath: mountpoint))
            #expect(try ctr.ok("volume", "create", "one") == "one")
            #expect(try ctr.ok("volume", "rm", "one", anonymous) == "one\n\(anonymous)")
            try ctr.refuses("volume", "rm", "one", says: ["one"])
            try ctr.refuses("volume", "inspect", "one", says: ["one"])
            try ctr.refuses("volume", "create", "../x", says: ["../x"])
        }
    }

    @Test func aNewVolumeIsFilledOnce() throws {
        try withFixture { ctr in
            let image = try imageWithData(ctr)
            let script = "cat /data/seed; stat -c '%u:%g %a' /data /data/seed"
            #expect(
                try ctr.ok("run", "--rm", "-v", "vol:/data", image, "sh", "-c", script)
                    == "from the image\n1000:2000 750\n1000:2000 604")
            try ctr.ok(
                "run", "--rm", "-v", "vol:/data", image, "sh", "-c", "rm /data/seed; echo mine > /data/own")
            #expect(try ctr.ok("run", "--rm", "-v", "vol:/data", image, "ls", "/data") == "own")
            // nocopy leaves a new one empty; so does mounting elsewhere.
            #expect(try ctr.ok("run", "--rm", "-v", "bare:/data:nocopy", image, "ls", "/data") == "")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--mount", "type=volume,src=bare2,dst=/data,volume-nocopy", image, "ls",
                    "/data") == "")
            #expect(try ctr.ok("run", "--rm", "-v", "other:/elsewhere", image, "ls", "/elsewhere") == "")
            try ctr.ok("volume", "create", "made")
            #expect(try ctr.ok("run", "--rm", "-v", "made:/data", image, "ls", "/data") == "seed")
        }
    }

    @Test func eightFirstUsersFillItOnce() throws {
        try withFixture { ctr in
            let image = try imageWithData(ctr)
            let runs = try (0..<8).map { _ in
                try ctr.start("run", "--rm", "-v", "vol:/data", image, "cat", "/data/seed")
            }
            for run in runs {
                let outcome = run.finish(timeout: 60)
                #expect(outcome.stdout == "from the image\n", "\(outcome)")
            }
        }
    }

    @Test func dataOutlivesTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "--name", "a1", "-v", "keep:/data", image, "sh", "-c", "echo k > /data/f")
            try ctr.refuses("volume", "rm", "keep", says: ["keep", "in use"])
            try ctr.ok("rm", "-v", "a1")
            #expect(try ctr.ok("run", "--rm", "-v", "keep:/data", image, "cat", "/data/f") == "k")
            try ctr.ok("volume", "rm", "keep")
        }
    }

    @Test func anonymousVolumes() throws {
        try withFixture { ctr in
            let image = try imageWithData(ctr)
            try ctr.ok("run", "--rm", image, "sh", "-c", "cat /data/seed; echo x > /data/x")
            #expect(try ctr.ok("volume", "ls", "-q") == "")
            try ctr.ok("run", "--name", "a1", image, "true")
            try ctr.ok("run", "--name", "b1", "-v", "/scratch", image, "touch", "/scratch/f")
            #expect(try ctr.ok("volume", "ls", "-q").components(separatedBy: "\n").count == 3)
            try ctr.ok("rm", "a1")
            #expect(try ctr.ok("volume", "ls", "-q").components(separatedBy: "\n").count == 3)
            try ctr.ok("rm", "-v", "b1")
            #expect(try ctr.ok("volume", "ls", "-q").components(separatedBy: "\n").count == 1)
            try ctr.ok("volume", "create", "named")
            try ctr.ok("volume", "prune", "-f")
            #expect(try ctr.ok("volume", "ls", "-q") == "named")
        }
    }

    @Test func bindMounts() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let host = try ctr.makeDirectory("host")
            try ctr.file("host/f", "host\n")
            #expect(
                try ctr.ok("run", "--rm", "-v", "\(host):/m", image, "sh", "-c", "cat /m/f; echo in > /m/g")
                    == "host")
            #expect(ctr.contents(host + "/g") == "in\n")
            let refused = try ctr.ctr("run", "--rm", "-v", "\(host):/m:ro", image, "touch", "/m/x")
            #expect(refused.code == 1 && refused.stderr.contains("Read-only"))
            let refused2 = try ctr.ctr(
                "run", "--rm", "--mount", "type=bind,source=\(host),target=/m,readonly", image, "touch",
                "/m/x")
            #expect(refused2.code == 1 && refused2.stderr.contains("Read-only"))
            // A file on a file.
            #expect(
                try ctr.ok("run", "--rm", "-v", "\(host)/f:/etc/given", image, "cat", "/etc/given") == "host")
            // -v makes a missing directory, --mount refuses it.
            try ctr.ok("run", "--rm", "-v", "\(ctr.path("made")):/m", image, "true")
            #expect(FileManager.default.fileExists(atPath: ctr.path("made")))
            try ctr.refuses(
                "run", "--rm", "--mount", "type=bind,src=\(ctr.path("absent")),dst=/m", image, "true",
                code: 125,
                says: [ctr.path("absent")])
            #expect(!FileManager.default.fileExists(atPath: ctr.path("absent")))
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }

    @Test func bindPropagationAndNesting() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let host = try ctr.makeDirectory("host")
            let inner = try ctr.makeDirectory("host/inner")
            try ctr.tool(.mount, "-t", "tmpfs", "ctr-test", inner)
            ctr.onCleanUp { _ = try? ctr.tool(.umount, "-l", inner) }
            try ctr.file("host/inner/f", "nested")
            #expect(try ctr.ok("run", "--rm", "-v", "\(host):/m", image, "cat", "/m/inner/f") == "nested")
            // Read-only means all of it where the kernel can (5.12), as docker does since 25.
            #expect(try ctr.ctr("run", "--rm", "-v", "\(host):/m:ro", image, "touch", "/m/inner/x").code == 1)
            // What the host mounts later is seen by a slave and not by a private mount, which is the default.
            try ctr.ok("run", "-d", "--name", "slave", "-v", "\(host):/m:rslave", image, "sleep", "60")
            try ctr.ok("run", "-d", "--name", "private", "-v", "\(host):/m", image, "sleep", "60")
            let later = try ctr.makeDirectory("host/later")
            try ctr.tool(.mount, "-t", "tmpfs", "ctr-test", later)
            ctr.onCleanUp { _ = try? ctr.tool(.umount, "-l", later) }
            try ctr.file("host/later/f", "mounted later")
            #expect(try ctr.ctr("exec", "private", "cat", "/m/later/f").code == 1)
            // /dev/shm is not a shared mount everywhere: then there is nothing to hand on.
            let shared = ctr.contents("/proc/self/mountinfo").components(separatedBy: "\n").contains {
                $0.contains(" /dev/shm ") && $0.contains("shared:")
            }
            if shared { #expect(try ctr.ok("exec", "slave", "cat", "/m/later/f") == "mounted later") }
        }
    }

    @Test func tmpfsMounts() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let text = try ctr.ok(
                "run", "--rm", "--mount", "type=tmpfs,target=/t,tmpfs-size=2m,tmpfs-mode=1770", image, "sh",
                "-c",
                "stat -c %a /t; df -k /t | awk 'NR==2{print $2}'; grep ' /t ' /proc/mounts")
            #expect(text.hasPrefix("1770\n2048\n"))
            for option in ["nosuid", "nodev", "noexec"] { #expect(text.contains(option)) }
        }
    }

    @Test func volumesFrom() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let host = try ctr.makeDirectory("host")
            try ctr.ok("create", "--name", "source", "-v", "vol:/a", "-v", "\(host):/b", "-v", "/c", image)
            #expect(
                try ctr.ok(
                    "run", "--rm", "--volumes-from", "source", image, "sh", "-c",
                    "touch /a/1 /b/2 /c/3; echo ok") == "ok")
            #expect(FileManager.default.fileExists(atPath: host + "/2"))
            #expect(
                try ctr.ok("run", "--rm", "--volumes-from", "source", image, "ls", "/a", "/c")
                    == "/a:\n1\n\n/c:\n3")
            #expect(
                try ctr.ctr("run", "--rm", "--volumes-from", "source:ro", image, "touch", "/a/x").code == 1)
            try ctr.refuses(
                "run", "--rm", "--volumes-from", "nobody", image, "true", code: 125, says: ["nobody"])
        }
    }

    @Test func inspectTellsMountsAndTheirOwners() throws {
        try withFixture { ctr in
            let image = try imageWithData(ctr)
            try ctr.ok("create", "--name", "box", "-v", "vol:/x:ro", image)
            let mounts = try ctr.inspect("box", "{{json .Mounts}}")
            #expect(mounts.contains("\"vol\"") && mounts.contains("/data") && mounts.contains("\"RW\":false"))
            let anonymous = try #require(
                try ctr.ok("volume", "ls", "-q").components(separatedBy: "\n").first { $0 != "vol" })
            let shown = try ctr.ok("volume", "inspect", anonymous)
            #expect(shown.contains("box") && shown.contains(anonymous))
        }
    }

    @Test(arguments: [
        "relative/path:/m", "a:b:c:d", ":/m", "x:relative", "name:/m:bogus-option",
    ])
    func badVolumesAreRefused(_ value: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses("run", "--rm", "-v", value, image, "true", code: 125, says: [value])
            #expect(try ctr.ok("volume", "ls", "-q") == "")
        }
    }

    @Test(arguments: [
        "type=nope,target=/m", "type=volume", "type=bind,target=/m", "type=tmpfs,target=/m,bogus=1", "target",
        "type=tmpfs,target=m",
    ])
    func badMountsAreRefused(_ value: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses("run", "--rm", "--mount", value, image, "true", code: 125, says: [])
        }
    }
}
