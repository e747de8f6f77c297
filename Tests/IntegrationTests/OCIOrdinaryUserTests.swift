import Foundation
import Testing

/// `ctr oci` as an ordinary user calls it, outside of any namespace: the container's user namespace is all that there is.
@Suite("oci: an ordinary user", .needs(.setpriv, .unshare))
struct OCIOrdinaryUserTests {
    private static let uid = 54322

    /// The user's own program, bundle and states.
    private struct User {
        let box: RuntimeBundle
        let program: String

        /// - Parameter before: a shell's words that root runs first, in a mount namespace of the call's own.
        func oci(_ arguments: [String], before: String = ":", leaving: Bool = false) throws -> Outcome {
            let uid = String(OCIOrdinaryUserTests.uid)
            var environment = box.fixture.environment.filter { !$0.key.hasPrefix("CTR_") }
            environment["XDG_RUNTIME_DIR"] = box.root
            let script = """
                \(before) && exec setpriv --reuid \(uid) --regid \(uid) --clear-groups "$@" \
                \(leaving ? "</dev/null >/dev/null 2>&1" : "")
                """
            return try ChildProcess(
                ["/usr/bin/unshare", "-m", "sh", "-c", script, "sh", program, "oci"] + arguments,
                environment: environment
            ).finish(timeout: 20)
        }

        func ok(
            _ arguments: String..., leaving: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> String {
            let outcome = try oci(arguments, leaving: leaving)
            try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
            return outcome.text
        }

        func runs(_ script: String, before: String = ":") throws -> Outcome {
            box.config["process.args"] = ["sh", "-c", script]
            try box.write()
            return try oci(["run", "--bundle", box.bundle, box.id], before: before)
        }
    }

    private func withUser(_ body: (User) throws -> Void) throws {
        try withBundle { box in
            chmod(box.fixture.directory, 0o755)
            let programs = try box.fixture.makeDirectory("programs")
            // By another process: a descriptor of ours, open for writing at some fork, would make it "busy".
            _ = try ChildProcess(["/bin/cp", Program.ctr, programs]).finish()
            let user = User(box: box, program: programs + "/ctr")
            for path in [box.bundle, try box.fixture.makeDirectory("oci")] {
                chown(path, uid_t(Self.uid), gid_t(Self.uid))
            }
            // The bundle that `spec --rootless` writes is the one that is tried, with the test's mark in its environment.
            _ = try user.ok("spec", "--rootless", "--bundle", box.bundle)
            let written = try JSONObject(box.fixture.contents(box.bundle + "/config.json"))
            for field in ["linux", "mounts", "hostname", "root"] { box.config[field] = written[field] }
            box.config["process.capabilities"] = written["process.capabilities"]
            // Its states are below XDG_RUNTIME_DIR: the bundle's own clean-up looks in `--root`.
            defer { _ = try? user.oci(["delete", "--force", box.id]) }
            try body(user)
        }
    }

    @Test func theBundleOfSpecRuns() throws {
        try withUser { user in
            let outcome = try user.runs("id -u; cat /proc/self/uid_map; hostname; exit 6")
            #expect(outcome.code == 6, "\(outcome)")
            let lines = outcome.stdout.split(separator: "\n").map {
                $0.split(separator: " ").map(String.init)
            }
            #expect(lines == [["0"], ["0", String(Self.uid), "1"], ["ctr"]], "\(outcome)")
        }
    }

    @Test func aLife() throws {
        try withUser { user in
            let (box, id) = (user.box, user.box.id)
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            _ = try user.ok("create", "--bundle", box.bundle, id, leaving: true)
            let state = try JSONObject(try user.ok("state", id))
            #expect(state.text("status") == "created" && state.text("owner") == String(Self.uid))
            let status = box.fixture.contents("/proc/\(state.number("pid"))/status")
            #expect(status.contains("Uid:\t54322\t54322\t54322\t54322"))
            #expect(FileManager.default.fileExists(atPath: "\(box.root)/ctr-oci/\(id)/config.json"))
            _ = try user.ok("start", id)
            let inside = "cat /proc/1/comm; id -u; readlink /proc/1/ns/user; readlink /proc/self/ns/user"
            let words = try user.ok("exec", id, "sh", "-c", inside).components(separatedBy: "\n")
            #expect(
                words.count == 4 && words[0] == "sleep" && words[1] == "0" && words[2] == words[3], "\(words)"
            )
            #expect(try user.oci(["exec", id, "sh", "-c", "exit 9"]).code == 9)
            _ = try user.ok("kill", id, "KILL")
            try box.fixture.eventually("it stops") { try user.ok("state", id).contains("stopped") }
            _ = try user.ok("delete", id)
            #expect(try user.ok("list", "-q") == "")
        }
    }

    /// CVE-2019-5736: a program that the user may write to is sealed all the same.
    @Test func theUsersOwnProgramIsSealed() throws {
        try withUser { user in
            #expect(chown(user.program, uid_t(Self.uid), gid_t(Self.uid)) == 0)
            user.box.config["process.args"] = ["sleep", "300"]
            try user.box.write()
            _ = try user.ok("create", "--bundle", user.box.bundle, user.box.id, leaving: true)
            let pid = try JSONObject(try user.ok("state", user.box.id)).number("pid")
            func isReadOnly(_ path: String) -> Bool {
                var facts = statvfs()
                return statvfs(path, &facts) == 0 && facts.f_flag & UInt(ST_RDONLY) != 0
            }
            // The runtime's own image waits for start.
            #expect(isReadOnly("/proc/\(pid)/exe") && !isReadOnly(user.program))
        }
    }

    @Test(.enabled(if: access("/usr/bin/newuidmap", X_OK) == 0, "not run: newuidmap is not installed"))
    func rangesAreMappedByNewuidmap() throws {
        try withUser { user in
            let fixture = user.box.fixture
            let name = "u\(Self.uid)"
            let passwd = try fixture.file(
                "passwd", "root:x:0:0::/:\n\(name):x:\(Self.uid):\(Self.uid)::/:/bin/sh\n")
            let subordinate = try fixture.file("subid", "\(name):300000:1000\n")
            let files = [("passwd", passwd), ("subuid", subordinate), ("subgid", subordinate)]
            let before = files.map { "mount --bind \($1) /etc/\($0)" }.joined(separator: " && ")
            for kind in ["uid", "gid"] {
                user.box.config["linux.\(kind)Mappings"] = [
                    ["containerID": 0, "hostID": Self.uid, "size": 1],
                    ["containerID": 1, "hostID": 300_000, "size": 1000],
                ]
            }
            user.box.config["process.user"] = ["uid": 5, "gid": 6, "additionalGids": [7]]
            let outcome = try user.runs("id -u; id -G; tail -n1 /proc/self/uid_map", before: before)
            let words = outcome.stdout.split { $0 == "\n" || $0 == " " }.map(String.init)
            #expect(words == ["5", "6", "7", "1", "300000", "1000"], "\(outcome)")
            // What /etc/subuid does not give is not taken.
            let refused = try user.runs("true")
            #expect(refused.code == 1 && refused.stderr.contains("newuidmap"), "\(refused)")
        }
    }

    @Test func refusals() throws {
        try withUser { user in
            let good = user.box.config
            func refuses(_ says: String, _ change: (inout BundleConfig) -> Void) throws {
                user.box.config = good
                change(&user.box.config)
                let outcome = try user.runs("true")
                #expect(
                    outcome.code == 1 && outcome.stderr.hasPrefix("ctr-oci: ")
                        && outcome.stderr.contains(says),
                    "\(outcome)")
            }
            try refuses("needs a user namespace") {
                $0.removeNamespace("user")
                $0["linux.uidMappings"] = nil
                $0["linux.gidMappings"] = nil
            }
            try refuses("linux.uidMappings: id 0 must be \(Self.uid)") {
                $0["linux.uidMappings"] = [["containerID": 0, "hostID": 1000, "size": 1]]
            }
            try refuses("cgroup") { $0["linux.resources"] = ["memory": ["limit": 64 << 20]] }
            #expect(try user.oci(["exec", "nobody", "true"]).stderr.contains("does not exist: nobody"))
        }
    }
}
