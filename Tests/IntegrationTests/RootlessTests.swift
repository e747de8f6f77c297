import Foundation
import Testing

/// ctr as a user without subordinate ids: one id, which is root inside. What a login user of systemd has beyond that is
/// tried in the QEMU host (Tests/Host/rootless-job).
@Suite("an ordinary user", .needs())
struct RootlessTests {
    @Test func containersRunAndAreTheUsersOwn() throws {
        try withOrdinaryUser { user in
            #expect(try user.ok("run", "--rm", "busybox:test", "id", "-u") == "0")
            let map = try user.ok("run", "--rm", "busybox:test", "cat", "/proc/self/uid_map")
            #expect(map.split(separator: " ") == ["0", "54321", "1"])
            #expect(try user.ctr(["run", "--rm", "busybox:test", "sh", "-c", "exit 7"]).code == 7)
            _ = try user.ok("run", "-d", "--name", "box", "busybox:test", "sleep", "300")
            #expect(
                try user.ok("exec", "box", "sh", "-c", "echo x >/file; stat -c %u /file; cat /file") == "0\nx"
            )
            #expect(try user.ok("ps", "-q", "--no-trunc").count == 64)
            let pid = try user.ok("inspect", "-f", "{{.State.Pid}}", "box")
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.contains("Uid:\t54321\t54321\t54321\t54321"))
            #expect(try user.ok("stop", "-t", "0", "box") == "box")
            #expect(try user.ok("rm", "box") == "box")
            #expect(FileManager.default.fileExists(atPath: user.home + "/.local/share/ctr/VERSION"))
        }
    }

    @Test func volumesTerminalsAndTheHostsNetwork() throws {
        try withOrdinaryUser { user in
            _ = try user.ok(
                "run", "--rm", "-v", "data:/data", "busybox:test", "sh", "-c", "echo kept >/data/x")
            #expect(
                try user.ok("run", "--rm", "-v", "data:/data", "busybox:test", "cat", "/data/x") == "kept")
            let host = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            #expect(
                try user.ok(
                    "run", "--rm", "--network", "host", "busybox:test", "readlink", "/proc/self/ns/net")
                    == host)
            // Nothing of the host can be changed through the bound /sys.
            #expect(
                try user.ctr([
                    "run", "--rm", "--network", "host", "busybox:test", "sh", "-c",
                    "echo 1 >/sys/kernel/mm/ksm/run",
                ]).code != 0)
        }
    }

    @Test func theDevicesAreTheHostsAndNoMore() throws {
        try withOrdinaryUser { user throws in
            #expect(
                try user.ok(
                    "run", "--rm", "busybox:test", "sh", "-c", "echo x >/dev/null; head -c4 /dev/zero | wc -c"
                ) == "4")
            #expect(
                try user.ctr([
                    "run", "--rm", "--cap-add", "MKNOD", "busybox:test", "mknod", "/d", "b", "7", "0",
                ]).code != 0)
        }
    }

    @Test func limitsWithoutCgroupsAreRefused() throws {
        try withOrdinaryUser { user in
            let outcome = try user.ctr(["run", "--rm", "-m", "64m", "busybox:test", "true"])
            #expect(outcome.code == 125)
            #expect(outcome.stderr.contains("limits need cgroups") && outcome.stderr.contains("ctr doctor"))
        }
    }

    @Test func oneNamespaceServesAllCalls() throws {
        try withOrdinaryUser { user in
            let first = try #require(user.holder)
            _ = try user.ok("run", "--rm", "busybox:test", "true")
            #expect(user.holder == first)
            kill(first, SIGKILL)
            let gone = Date() + 10
            while kill(first, 0) == 0, Date() < gone { usleep(10_000) }
            // A new one is made when the old one is gone.
            #expect(try user.ok("run", "--rm", "busybox:test", "echo", "again") == "again")
            #expect(user.holder != first)
        }
    }

    @Test func aBuildRunsToo() throws {
        try withOrdinaryUser { user in
            let context = user.home + "/context"
            try FileManager.default.createDirectory(atPath: context, withIntermediateDirectories: true)
            try "FROM busybox:test\nRUN echo built >/built\nCOPY f /f\n".write(
                toFile: context + "/Dockerfile", atomically: false, encoding: .utf8)
            try "f".write(toFile: context + "/f", atomically: false, encoding: .utf8)
            _ = try user.ok("build", "-q", "-t", "made:1", context)
            #expect(try user.ok("run", "--rm", "made:1", "cat", "/built", "/f") == "built\nf")
        }
    }
}

/// The same with 65536 subordinate ids, by newuidmap and newgidmap.
@Suite("an ordinary user: --userns", .needs(.unshare, .mount, .newuidmap))
struct RootlessNamespaceTests {
    private func user(_ body: (OrdinaryUser) throws -> Void) throws {
        try withOrdinaryUser(subordinateIDs: true, body)
    }

    @Test func idsOfTheUserAreInTheNamespace() throws {
        try user { user in
            let map = try user.ok("run", "--rm", "busybox:test", "cat", "/proc/self/uid_map")
            #expect(map.split { $0 == " " || $0 == "\n" } == ["0", "54321", "1", "1", "700000", "65536"])
        }
    }

    @Test func theUserKeepsItsID() throws {
        try user { user in
            let flags = ["run", "--rm", "--userns", "keep-id"]
            #expect(
                try user.ok(
                    flags + ["busybox:test", "sh", "-c", "id -u; id -g; stat -c %u:%g /bin /etc/passwd"])
                    == "54321\n54321\n0:0\n0:0")
            #expect(try user.ok(flags + ["-u", "0", "busybox:test", "id", "-u"]) == "0")
            let shared = user.home + "/shared"
            try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: false)
            #expect(chown(shared, OrdinaryUser.uid, OrdinaryUser.uid) == 0)
            _ = try user.ok(flags + ["-v", shared + ":/shared", "busybox:test", "touch", "/shared/mine"])
            var status = stat()
            #expect(lstat(shared + "/mine", &status) == 0 && status.st_uid == OrdinaryUser.uid)
            #expect(
                try user.ok([
                    "run", "--rm", "--userns", "keep-id:uid=7,gid=8", "busybox:test", "sh", "-c",
                    "echo $(id -u):$(id -g)",
                ]) == "7:8")
        }
    }

    @Test(arguments: [[], ["--read-only"]])
    func theUserWhoKeepsItsIDHasAName(_ more: [String]) throws {
        try user { user in
            let flags = ["--userns", "keep-id", "-w", "/tmp"] + more
            let script = "id -un; id -gn; echo $HOME; grep -c :54321: /etc/passwd /etc/group"
            let told = "someone\nsomeone\n/tmp\n/etc/passwd:1\n/etc/group:1"
            _ = try user.ok(["run", "--name", "named"] + flags + ["busybox:test", "sh", "-c", script])
            _ = try user.ok("start", "named")
            _ = try user.ok("wait", "named")
            #expect(try user.ok("logs", "named") == told + "\n" + told)
            // As a start leaves it that was killed between both files.
            let half = user.home + "/half"
            try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: false)
            try "FROM busybox:test\nRUN echo someone:x:54321:54321::/tmp:/bin/sh >>/etc/passwd\n".write(
                toFile: half + "/Dockerfile", atomically: false, encoding: .utf8)
            _ = try user.ok("build", "-q", "-t", "half", half)
            #expect(try user.ok(["run", "--rm"] + flags + ["half", "sh", "-c", script]) == told)
            // A name that the image gave to another, and an image that knows no names at all.
            let other = "FROM busybox:test\nRUN echo someone:x:7:7::/:/bin/sh >>/etc/passwd\n"
            let none = "FROM busybox:test\nRUN rm /etc/passwd /etc/group\n"
            for (name, dockerfile) in [("other", other), ("none", none)] {
                let context = user.home + "/\(name)"
                try FileManager.default.createDirectory(atPath: context, withIntermediateDirectories: false)
                try dockerfile.write(toFile: context + "/Dockerfile", atomically: false, encoding: .utf8)
                _ = try user.ok("build", "-q", "-t", name, context)
                let left = try user.ok(
                    ["run", "--rm"] + flags + [
                        name, "sh", "-c", "id -u; cat /etc/passwd 2>&1 | grep -c :54321:; true",
                    ])
                #expect(left == "54321\n0")
            }
        }
    }

    @Test func nomapLeavesTheUserOut() throws {
        try user { user in
            let map = try user.ok(
                "run", "--rm", "--userns", "nomap", "busybox:test", "cat", "/proc/self/uid_map")
            #expect(map.split(separator: " ") == ["0", "1", "65536"])
        }
    }

    @Test func autoAndItsLayerVolumesAndCopies() throws {
        try user { user in
            _ = try user.ok(
                "run", "-d", "--name", "box", "--userns", "auto", "-v", "data:/data", "busybox:test", "sleep",
                "300")
            let map = try user.ok("exec", "box", "cat", "/proc/self/uid_map")
            #expect(map.split(separator: " ") == ["0", "1", "1024"])
            #expect(
                try user.ok(
                    "exec", "box", "sh", "-c",
                    "touch /new /data/x; chown 5:6 /new; stat -c %u:%g /new /data/x /bin")
                    == "5:6\n0:0\n0:0")
            #expect(try user.ok("diff", "box") == "A /data\nA /new")
            let file = user.home + "/file"
            try "x".write(toFile: file, atomically: false, encoding: .utf8)
            chmod(file, 0o644)
            _ = try user.ok("cp", file, "box:/copied")
            #expect(try user.ok("exec", "box", "stat", "-c", "%u:%g", "/copied") == "0:0")
            _ = try user.ok("stop", "-t", "0", "box")
            _ = try user.ok("cp", file, "box:/again")
            _ = try user.ok("start", "box")
            #expect(try user.ok("exec", "box", "stat", "-c", "%u:%g", "/again", "/new") == "0:0\n5:6")
            let other = try user.ok(
                "run", "--rm", "--userns", "auto", "--read-only", "busybox:test", "cat", "/proc/self/uid_map")
            #expect(other.split(separator: " ") == ["0", "1025", "1024"])
            _ = try user.ok("rm", "-f", "box")
            let none = try user.ctr(["run", "--rm", "--userns", "auto:size=65537", "busybox:test", "true"])
            #expect(none.code == 125 && none.stderr.contains("no 65537 ids are free"))
        }
    }
}
