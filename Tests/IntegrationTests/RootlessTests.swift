import Foundation
import Testing

/// ctr as a user without subordinate ids: one id, which is root inside. What a login user of systemd has beyond that is
/// tried in the QEMU host (Tests/Host/rootless-job).
@Suite("an ordinary user", .needs())
struct RootlessTests {
    private static let uid = "54321"

    /// The user's own ctr; its namespace's holder ends with the test.
    private struct User {
        let fixture: Fixture
        let program: String
        let home: String
        let run: String

        func ctr(_ arguments: [String], input: String? = nil) throws -> Outcome {
            var environment = fixture.environment.filter { !$0.key.hasPrefix("CTR_") }
            environment["HOME"] = home
            environment["XDG_RUNTIME_DIR"] = run
            environment["XDG_DATA_HOME"] = nil
            return try ChildProcess(
                [
                    "/usr/bin/setpriv", "--reuid", RootlessTests.uid, "--regid", RootlessTests.uid,
                    "--clear-groups",
                    program,
                ] + arguments, input: input.map { Array($0.utf8) }, environment: environment
            ).finish(timeout: 30)
        }

        func ok(_ arguments: String...) throws -> String {
            let outcome = try ctr(arguments)
            #expect(outcome.code == 0, "\(arguments): \(outcome)")
            return outcome.stdout.trimmingCharacters(in: .newlines)
        }

        /// The process that holds the user's namespaces.
        var holder: Int32? {
            let text = (try? String(contentsOfFile: run + "/ctr/namespace", encoding: .utf8)) ?? ""
            let words = text.split { $0 == " " || $0 == "\n" }
            return words.count == 3 ? Int32(words[1]) : nil
        }
    }

    private func withUser(_ body: (User) throws -> Void) throws {
        try withFixture { ctr in
            chmod(ctr.directory, 0o755)
            let programs = try ctr.makeDirectory("programs")
            // By another process: a descriptor of ours, open for writing at some fork, would make them "busy".
            _ = try ChildProcess(["/bin/cp", Program.ctr, Program.transfer, Program.monitor, programs])
                .finish()
            let user = User(
                fixture: ctr, program: programs + "/ctr", home: try ctr.makeDirectory("home"),
                run: try ctr.makeDirectory("run-user"))
            for path in [user.home, user.run] {
                #expect(chown(path, UInt32(RootlessTests.uid) ?? 0, UInt32(RootlessTests.uid) ?? 0) == 0)
            }
            let archive = try ctr.file("busybox.tar", Busybox.tar)
            chmod(archive, 0o644)
            defer {
                _ = try? user.ctr(["rm", "-f", "box"])
                if let holder = user.holder { kill(holder, SIGKILL) }
            }
            _ = try user.ok("import", archive, "busybox:test")
            try body(user)
        }
    }

    @Test func containersRunAndAreTheUsersOwn() throws {
        try withUser { user in
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
        try withUser { user in
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
        try withUser { user throws in
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
        try withUser { user in
            let outcome = try user.ctr(["run", "--rm", "-m", "64m", "busybox:test", "true"])
            #expect(outcome.code == 125)
            #expect(outcome.stderr.contains("limits need cgroups") && outcome.stderr.contains("ctr doctor"))
        }
    }

    @Test func oneNamespaceServesAllCalls() throws {
        try withUser { user in
            let first = try #require(user.holder)
            _ = try user.ok("run", "--rm", "busybox:test", "true")
            #expect(user.holder == first)
            kill(first, SIGKILL)
            // A new one is made when the old one is gone.
            #expect(try user.ok("run", "--rm", "busybox:test", "echo", "again") == "again")
            #expect(user.holder != first)
        }
    }

    @Test func aBuildRunsToo() throws {
        try withUser { user in
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
