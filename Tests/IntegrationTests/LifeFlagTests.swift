import Foundation
import Testing

@Suite("flags about the start and the life", .needs())
struct LifeFlagTests {
    @Test func secretsAreReadInsideAndNowhereElse() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let value = "s3cr3t-\(UInt64.random(in: 0...UInt64.max))"
            let id = try ctr.ok("secret", "create", "db", "-", input: value)
            #expect(try ctr.ok("secret", "ls", "-q") == id)
            try ctr.refuses("secret", "create", "db", "-", says: ["in use"], input: "x")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--secret", "db", image, "sh", "-c",
                    "cat /run/secrets/db; stat -c ' %a %u %g' /run/secrets/db; touch /run/secrets/db 2>/dev/null || echo read-only"
                )
                    == "\(value) 444 0 0\nread-only")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--user", "12", "--secret", "db,target=/etc/pw,uid=12,gid=34,mode=0400",
                    image,
                    "sh", "-c", "cat /etc/pw; stat -c ' %a %u %g' /etc/pw") == "\(value) 400 12 34")
            try ctr.ok(
                "run", "-d", "--name", "box", "--secret", "db,type=env,target=PW", "--secret", "db", image,
                "sleep", "300")
            #expect(try ctr.ok("exec", "box", "sh", "-c", "echo $PW") == value)
            #expect(!(try ctr.ok("inspect", "box")).contains(value))
            #expect(!(try ctr.ok("secret", "inspect", "db")).contains(value))
            #expect(try ctr.inspect("box", "{{(index .Config.Secrets 0).Name}}") == "db")
            // Below the root it is nowhere as it is; its own file has it in digits.
            #expect(try ctr.ctr("secret", "ls", "--format", "json").stdout.contains(value) == false)
            let found = try ChildProcess(
                ["/bin/grep", "-rlF", value, ctr.root, "--exclude-dir", "proc"], environment: ctr.environment
            ).finish()
            #expect(found.lines.isEmpty, "\(found)")
            #expect(try ctr.ok("secret", "rm", "db") == id)
            try ctr.refuses(
                "run", "--rm", "--secret", "db", image, "true", code: 125, says: ["no such secret: db"])
        }
    }

    @Test func environment() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", "ENV ONE=1 TWO=2", "-c", #"CMD ["env"]"#,
                try ctr.file("busybox.tar", Busybox.tar),
                "env:test")
            func env(_ flags: String...) throws -> [String] {
                try ctr.ctr(
                    ["run", "--rm"] + flags + ["env:test"], environment: ["OUTSIDE": "yes", "TWO": "host"]
                )
                .lines
            }
            #expect(try env().contains("ONE=1"))
            let one = try env("--unsetenv", "ONE")
            #expect(!one.contains("ONE=1") && one.contains("TWO=2"))
            let none = try env("--unsetenv-all", "-e", "THREE=3")
            #expect(!none.contains("TWO=2") && none.contains("THREE=3"))
            let host = try env("--env-host")
            #expect(host.contains("OUTSIDE=yes") && host.contains("TWO=2"))
        }
    }

    @Test func replaceAndRequires() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let first = try ctr.ok("run", "-d", "--name", "box", image, "sleep", "300")
            let second = try ctr.ok("run", "-d", "--replace", "--name", "box", image, "sleep", "300")
            #expect(try ctr.inspect("box", "{{.Id}}") == second && first != second)
            try ctr.refuses("run", "-d", "--replace", image, "true", code: 125, says: ["--name"])
            try ctr.ok("create", "--name", "base", image, "sleep", "300")
            try ctr.ok("run", "--rm", "--requires", "base", image, "true")
            #expect(try ctr.inspect("base", "{{.State.Running}}") == "true")
            try ctr.refuses("run", "--requires", "nosuch", image, "true", code: 125, says: ["nosuch"])
        }
    }

    @Test func aLifeHasAnEnd() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let begin = Date()
            let outcome = try ctr.ctr("run", "--rm", "--timeout", "1", image, "sleep", "300")
            #expect(outcome.code == 137 && Date().timeIntervalSince(begin) < 8, "\(outcome)")
            #expect(try ctr.ctr("run", "--rm", "--timeout", "60", image, "true").code == 0)
        }
    }

    @Test func aDirectoryAsTheRoot() throws {
        try withFixture { ctr in
            let root = try ctr.makeDirectory("tree")
            try ctr.file("busybox.tar", Busybox.tar)
            try ctr.tool(.tar, "-xf", ctr.path("busybox.tar"), "-C", root)
            #expect(
                try ctr.ok(
                    "run", "--name", "box", "--rootfs", root, "sh", "-c", "echo here > /made; cat /made")
                    == "here")
            #expect(ctr.contents(root + "/made") == "here\n")
            #expect(try ctr.inspect("box", "{{.Config.Image}}") == root)
            try ctr.ok("rm", "box")
            #expect(ctr.contents(root + "/made") == "here\n")
            try ctr.refuses("run", "--rootfs", "/nosuch", "true", code: 125, says: ["/nosuch"])
        }
    }

    @Test func imageVolumesAndReadOnlyTmpfs() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", "VOLUME /data", "-c", #"CMD ["sh"]"#,
                try ctr.file("busybox.tar", Busybox.tar), "vol:test")
            func type(_ word: String) throws -> String {
                try ctr.ok(
                    "run", "--rm", "--image-volume", word, "vol:test", "sh", "-c",
                    "grep ' /data ' /proc/mounts | cut -d' ' -f3")
            }
            #expect(try type("tmpfs") == "tmpfs")
            #expect(try type("ignore") == "")
            #expect(try type("anonymous") != "")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--read-only", "--read-only-tmpfs", "vol:test", "sh", "-c",
                    "touch /run/a /tmp/b /var/tmp/c && stat -c %a /tmp; touch /d 2>/dev/null || echo no")
                    == "1777\nno")
        }
    }

    @Test func theImageGoesWithTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "--name", "other", image, "true")
            try ctr.ok("run", "--rmi", image, "true")
            try ctr.prints("images", including: "busybox")
            try ctr.ok("rm", "other")
            try ctr.ok("run", "--rmi", image, "true")
            #expect(!(try ctr.ok("images")).contains("busybox"))
        }
    }

    @Test func theRest() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses(
                "run", "--storage-opt", "size=1g", image, "true", code: 125, says: ["--storage-opt"])
            try ctr.refuses(
                "run", "--tz", "Nowhere/At_All", image, "true", code: 125, says: ["Nowhere/At_All"])
            try ctr.ok("run", "--rm", "--isolation", "default", "--volume-driver", "local", image, "true")
            if access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) == 0 {
                #expect(try ctr.ok("run", "--rm", "--tz", "Asia/Tokyo", image, "date", "+%Z") == "JST")
            }
        }
    }
}
