import Foundation
import Testing

@Suite("cp, diff, export, bundle", .needs())
struct CopyTests {
    @Test func bothWaysRunningAndStopped() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            let local = try ctr.file("in/file", "content\n", mode: 0o640)
            for state in ["running", "stopped"] {
                if state == "stopped" { try ctr.ok("stop", "-t", "0", "box") }
                try ctr.ok("cp", local, "box:/tmp/\(state)")
                let out = ctr.path("out-\(state)")
                try ctr.ok("cp", "box:/tmp/\(state)", out)
                #expect(ctr.contents(out) == "content\n")
                let attributes = try FileManager.default.attributesOfItem(atPath: out)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o640)
            }
            try ctr.ok("start", "box")
            #expect(try ctr.ok("exec", "box", "cat", "/tmp/stopped") == "content")
        }
    }

    @Test func directoriesByDockersRules() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            try ctr.file("tree/a", "A")
            try ctr.file("tree/sub/b", "B")
            let tree = ctr.path("tree")
            try ctr.ok("cp", tree, "box:/new")  // does not exist: becomes it
            #expect(try ctr.ok("exec", "box", "cat", "/new/a", "/new/sub/b") == "AB")
            try ctr.ok("cp", tree, "box:/tmp")  // exists: goes into it
            #expect(try ctr.ok("exec", "box", "cat", "/tmp/tree/sub/b") == "B")
            try ctr.ok("cp", tree + "/.", "box:/home")  // contents only
            #expect(try ctr.ok("exec", "box", "cat", "/home/sub/b") == "B")
            let back = try ctr.makeDirectory("back")
            try ctr.ok("cp", "box:/new/.", back)
            #expect(ctr.contents(back + "/sub/b") == "B")
            try ctr.refuses("cp", tree, "box:/etc/passwd", says: ["/etc/passwd"])
            try ctr.refuses("cp", "box:/no/such", back, says: ["/no/such"])
            try ctr.refuses("cp", ctr.path("none"), "box:/tmp", says: ["none"])
            try ctr.refuses("cp", "box:/etc", "box:/tmp", says: [])
        }
    }

    @Test func streams() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image)
            var tar = TarArchive()
            tar.file("streamed", "by tar", uid: 1000, gid: 1000)
            let outcome = try ctr.ctr(["cp", "-", "box:/tmp"], input: tar.finished)
            #expect(outcome.code == 0, "\(outcome)")
            let back = try ctr.ctr("cp", "box:/tmp/streamed", "-")
            #expect(try ctr.tool(.tar, "-xO", input: back.output).stdout == "by tar")
        }
    }

    @Test func linksInTheContainerStayInside() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.file("secret", "host secret")
            try ctr.ok(
                "run", "--name", "box", image, "sh", "-c",
                "ln -s \(ctr.directory) /out; ln -s / /root-link; ln -s ../../../../../../../..\(ctr.directory) /climb"
            )
            let file = try ctr.file("payload", "payload")
            for name in ["out", "climb"] {
                let read = try ctr.ctr("cp", "box:/\(name)/secret", ctr.path("stolen-\(name)"))
                #expect(read.code != 0)
                #expect(!ctr.contents(ctr.path("stolen-\(name)")).contains("host secret"))
                try ctr.ctr("cp", file, "box:/\(name)/planted")
                #expect(!FileManager.default.fileExists(atPath: ctr.path("planted")))
            }
            try ctr.ctr("cp", file, "box:/root-link/planted")
            #expect(!FileManager.default.fileExists(atPath: "/planted"))
        }
    }

    @Test func diffTellsWhatChanged() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--name", "box", image, "sh", "-c",
                "echo x > /added; mkdir /home/new; rm /etc/group; echo more >> /etc/passwd; rm -r /var/lib")
            let lines = Set(try ctr.ok("diff", "box").components(separatedBy: "\n"))
            #expect(
                lines == [
                    "A /added", "C /home", "A /home/new", "C /etc", "D /etc/group", "C /etc/passwd", "C /var",
                    "D /var/lib",
                ])
        }
    }

    @Test func exportIsTheMergedTree() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--name", "box", image, "sh", "-c",
                "echo exported > /tmp/e; chown 1000:1000 /tmp/e; rm /etc/group; ln -s /x /tmp/l; ln /tmp/e /tmp/h"
            )
            let file = ctr.path("box.tar")
            try ctr.ok("export", "-o", file, "box")
            let list = try ctr.tool(.tar, "--numeric-owner", "-tvf", file).stdout
            #expect(list.contains("tmp/l -> /x"))
            #expect(list.contains("1000/1000"))
            #expect(!list.contains("etc/group"))
            #expect(list.contains("bin/busybox"))
            // It makes an image again.
            try ctr.ok("import", file, "again:1")
            #expect(try ctr.ok("run", "--rm", "again:1", "/bin/busybox", "cat", "/tmp/h") == "exported")
            let piped = try ctr.ctr("export", "box")
            #expect(piped.output.count == (try Data(contentsOf: URL(fileURLWithPath: file))).count)
        }
    }
}

@Suite("bundle: another runtime runs it", .needs(.crun, .unshare))
struct BundleTests {
    /// crun refuses hybrid cgroups: it gets a mount namespace in which the v2 hierarchy of a hybrid machine is not mounted.
    private func crun(_ ctr: Fixture, bundle: String, id: String) throws -> Outcome {
        let program = try #require(Tool.crun.path)
        let unshare = try #require(Tool.unshare.path)
        return try ChildProcess(
            [
                unshare, "-m", "--propagation", "private", "/bin/sh", "-c",
                "umount /sys/fs/cgroup/unified 2>/dev/null; exec \(program) --root \(ctr.path("crun")) run --bundle \(bundle) \(id)",
            ], environment: ctr.environment
        ).finish(timeout: 60)
    }

    @Test func ofAnImage() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c",
                #"CMD ["sh", "-c", "echo by-crun; id -u; cat /proc/self/status | grep CapEff; pwd"]"#, "-c",
                "USER app", "-c", "WORKDIR /home/app", try ctr.file("b.tar", Busybox.tar), "bundled:1")
            let bundle = ctr.path("bundle")
            try ctr.ok("bundle", "bundled:1", bundle)
            let outcome = try crun(ctr, bundle: bundle, id: "ctr-test-image-\(getpid())")
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.lines.first == "by-crun", "\(outcome)")
            #expect(outcome.lines.dropFirst().first == "1000")
            #expect(outcome.lines.last == "/home/app")
        }
    }

    @Test func ofAContainerWithItsChanges() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", "-e", "MARK=1", image, "sh", "-c", "echo $MARK; cat /tmp/f")
            try ctr.ok("cp", try ctr.file("f", "copied in"), "box:/tmp/f")
            let bundle = ctr.path("bundle")
            try ctr.ok("bundle", "box", bundle)
            let outcome = try crun(ctr, bundle: bundle, id: "ctr-test-container-\(getpid())")
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.text == "1\ncopied in")
            try ctr.refuses("bundle", "box", bundle, says: [bundle])
        }
    }
}
