import Foundation
import Testing

/// config-linux.md, "Control groups", and the documents that the runtime writes or reads beside config.json.
@Suite("oci: cgroups and documents", .needs())
struct OCIResourceTests {
    /// A file of the container's cgroup, in v1's hierarchy or in the only one of v2.
    private func value(_ path: String, _ controller: String, v1: String, v2: String) -> String {
        guard let (hierarchy, isV2) = Cgroups.controller(controller) else { return "no \(controller)" }
        let file = "\(hierarchy)/\(path)/\(isV2 ? v2 : v1)"
        return String(
            decoding: FileManager.default.contents(atPath: file) ?? Data("none: \(file)".utf8), as: UTF8.self
        )
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func limits() throws {
        try withBundle { box in
            let path = "ctr-test/\(box.mark)"
            box.config["linux.cgroupsPath"] = "/\(path)"
            box.config["linux.resources"] =
                [
                    "memory": ["limit": 64 << 20, "reservation": 32 << 20],
                    "pids": ["limit": 77],
                    "cpu": ["shares": 512, "quota": 50_000, "period": 100_000, "cpus": "0"],
                ] as [String: Any]
            try box.runSleeping()
            #expect(value(path, "memory", v1: "memory.limit_in_bytes", v2: "memory.max") == String(64 << 20))
            #expect(
                value(path, "memory", v1: "memory.soft_limit_in_bytes", v2: "memory.low") == String(32 << 20))
            #expect(value(path, "pids", v1: "pids.max", v2: "pids.max") == "77")
            #expect(
                ["50000", "50000 100000"].contains(value(path, "cpu", v1: "cpu.cfs_quota_us", v2: "cpu.max")))
            #expect(value(path, "cpuset", v1: "cpuset.cpus", v2: "cpuset.cpus") == "0")
            let isV2 = Cgroups.controller("cpu")?.isV2 == true
            #expect(value(path, "cpu", v1: "cpu.shares", v2: "cpu.weight") == (isV2 ? "20" : "512"))
            let pid = try box.pid()
            for controller in ["memory", "pids", "cpu"] {
                #expect(
                    value(path, controller, v1: "cgroup.procs", v2: "cgroup.procs").contains(String(pid)),
                    "\(controller)")
            }
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
            for hierarchy in Cgroups.hierarchies { rmdir("\(hierarchy)/ctr-test") }
        }
    }

    @Test func theLimitsHold() throws {
        try withBundle { box in
            box.config["linux.resources"] = ["pids": ["limit": 5]]
            let outcome = try box.run("for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo $?")
            #expect(outcome.stderr.contains("fork"), "\(outcome)")
            box.config["linux.resources"] = ["memory": ["limit": 8 << 20, "swap": 8 << 20]]
            let big = try box.run("head -c 60000000 /dev/zero | tail -c 50000000 | wc -c")
            #expect(!big.stdout.contains("50000000"), "\(big)")
        }
    }

    /// "`0` is a valid limit value for the `pids` cgroup controller".
    @Test func noProcessMore() throws {
        try withBundle { box in
            box.config["linux.resources"] = ["pids": ["limit": 0]]
            let outcome = try box.run("echo here; (true); echo there")
            #expect(outcome.text == "here" && outcome.code != 0, "\(outcome)")
            box.config["linux.resources"] = ["pids": ["limit": -1]]
            #expect(try box.prints("(true); echo there") == "there")
        }
    }

    /// Those that are there, in any hierarchy.
    private func found(_ path: String) -> [String] {
        Cgroups.hierarchies.map { "\($0)/\(path)" }.filter { access($0, F_OK) == 0 }
    }

    @Test func directoriesAboveGoWithTheLastBelow() throws {
        try withBundle { box in
            let top = "pods-\(box.mark)"
            box.config["linux.cgroupsPath"] = "/\(top)/pod/one"
            box.config["linux.resources"] = ["pids": ["limit": 50]]
            try box.runSleeping()
            #expect(!found("\(top)/pod/one").isEmpty)
            try withBundle { other in
                other.config["linux.cgroupsPath"] = "/\(top)/pod/two"
                other.config["linux.resources"] = ["pids": ["limit": 50]]
                try other.runSleeping()
                // The first has made what is above both.
                try box.delete()
                #expect(found("\(top)/pod/one").isEmpty)
                #expect(!found("\(top)/pod/two").isEmpty)
                #expect(try other.status() == "running")
                try other.delete()
            }
            #expect(found(top).isEmpty, "\(found(top))")
            // Nor does one stay that came to nothing.
            box.config["process.args"] = ["no-such-program"]
            try box.refusesToCreate(says: ["no-such-program"])
            #expect(found(top).isEmpty, "\(found(top))")
        }
    }

    @Test func directoriesOfOthersStay() throws {
        try withBundle { (box) throws in
            let top = "theirs-\(box.mark)"
            let all: [String] = Cgroups.hierarchies.map { "\($0)/\(top)" }
            let made = all.filter { (path: String) in mkdir(path, 0o755) == 0 }
            box.fixture.onCleanUp { for path in made { rmdir(path) } }
            box.config["linux.cgroupsPath"] = "/\(top)/own/box"
            box.config["linux.resources"] = ["pids": ["limit": 50]]
            #expect(try box.prints("echo ran") == "ran")
            #expect(found("\(top)/own").isEmpty)
            #expect(found(top) == made)
            for path in made { rmdir(path) }
        }
    }

    /// Containers of one directory come and go while others make or remove it.
    @Test func directoriesAboveInARace() throws {
        try withBundle { box in
            let top = "race-\(box.mark)"
            box.config["linux.resources"] = ["pids": ["limit": 50]]
            box.config["process.args"] = ["true"]
            let running = try (0..<40).map { index in
                box.config["linux.cgroupsPath"] = "/\(top)/pod/\(index)"
                let bundle = try box.fixture.makeDirectory("bundle-\(index)")
                try box.fixture.file("bundle-\(index)/config.json", box.config.bytes)
                symlink("\(box.bundle)/rootfs", "\(bundle)/rootfs")
                return try ChildProcess(
                    box.words(["run", "--bundle", bundle, "\(box.id)-\(index)"]),
                    environment: box.fixture.environment)
            }
            for process in running {
                let outcome = process.finish(timeout: 60)
                #expect(outcome.code == 0, "\(outcome)")
            }
            #expect(found(top).isEmpty, "\(found(top))")
        }
    }

    @Test func pathsThatCannotBe() throws {
        try withBundle { box in
            box.config["linux.cgroupsPath"] = "/../escape-\(box.mark)"
            try box.refusesToCreate(says: ["cgroupsPath"])
            box.config["linux.cgroupsPath"] = nil
            box.config["linux.resources"] = ["pids": ["limit": "many"]]
            try box.refusesToCreate(says: ["linux.resources.pids.limit"])
            box.config["linux.resources"] = ["cpu": ["cpus": "99999"]]
            try box.refusesToCreate(says: ["cpuset.cpus"])
            box.config["linux.resources"] = ["unified": ["../x": "1"]]
            try box.refusesToCreate(says: ["unified"])
        }
    }

    /// What a container makes below its own cgroup goes with it.
    @Test func cgroupsBelowAreRemoved() throws {
        try withBundle { box in
            box.config["linux.resources"] = ["pids": ["limit": 20]]
            try box.runSleeping()
            var made = 0
            for hierarchy in Cgroups.hierarchies {
                made += mkdir("\(hierarchy)/ctr/\(box.id)/below", 0o755) == 0 ? 1 : 0
            }
            #expect(made > 0)
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    // MARK: What this host has not

    @Test func refusals() throws {
        try withBundle { box in
            let good = box.config
            func refuses(_ field: String, _ value: Any) throws {
                box.config = good
                box.config[field] = value
                try box.refusesToCreate(says: [
                    field.components(separatedBy: ".").prefix(2).joined(separator: ".")
                ])
            }
            try refuses("linux.intelRdt", ["closID": "x"])
            if access("/sys/kernel/security/apparmor", F_OK) != 0 {
                try refuses("process.apparmorProfile", "some-profile")
                box.config = good
                box.config["process.apparmorProfile"] = "unconfined"
                #expect(try box.prints("echo ok") == "ok")
            }
            if access("/sys/fs/selinux/enforce", F_OK) != 0 {
                try refuses("process.selinuxLabel", "system_u:system_r:container_t:s0")
                try refuses("linux.mountLabel", "system_u:object_r:container_file_t:s0")
            }
            try refuses("linux.personality", ["domain": "LINUX", "flags": ["X"]] as [String: Any])
        }
    }

    // MARK: Documents

    @Test func theLog() throws {
        try withBundle { box in
            let log = box.fixture.path("log.json")
            box.globals = ["--log", log, "--log-format", "json"]
            box.config["process.args"] = ["no-such-program"]
            try box.refusesToCreate(says: ["no-such-program"])
            let lines = box.fixture.contents(log).split(separator: "\n").map(String.init)
            try #require(lines.count == 1, "\(lines)")
            let entry = try JSONObject(lines[0])
            #expect(entry.text("level") == "error" && entry.text("msg").contains("no-such-program"))
            let time = entry.text("time")
            #expect(time.count == 20 && time.hasSuffix("Z") && time.contains("T"), "\(time)")
            // It is added to, and text where that is asked.
            box.globals = ["--log", log, "--log-format", "text"]
            try box.refuses("state", "nobody", says: ["nobody"])
            let second = box.fixture.contents(log).split(separator: "\n").map(String.init)
            #expect(second.count == 2 && second.last?.contains("level=error msg=\"") == true, "\(second)")
            #expect(second.last?.contains("nobody") == true)
            // Nothing is written where nothing is wrong.
            box.config["process.args"] = ["true"]
            #expect(try box.run().code == 0)
            #expect(box.fixture.contents(log).split(separator: "\n").count == 2)
        }
    }

    @Test func features() throws {
        try withBundle { box in
            let features = try JSONObject(try box.ok("features"))
            #expect(
                features.text("ociVersionMin") == "1.0.0" && features.text("ociVersionMax").hasPrefix("1.3"))
            #expect(
                Set(features.texts("hooks")) == [
                    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
                ])
            #expect(
                Set(features.texts("linux.namespaces")) == [
                    "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts",
                ])
            #expect(features.texts("linux.capabilities").contains("CAP_CHECKPOINT_RESTORE"))
            #expect(
                features.flag("linux.seccomp.enabled") && features.flag("linux.mountExtensions.idmap.enabled")
            )
            #expect(features.flag("linux.cgroup.v1") && features.flag("linux.cgroup.v2"))
            #expect(features.flag("linux.intelRdt.enabled") && features.flag("linux.intelRdt.schemata"))
            #expect(features.texts("linux.seccomp.actions").contains("SCMP_ACT_NOTIFY"))
            #expect(features.texts("linux.seccomp.archs").contains("SCMP_ARCH_X86_64"))
            // Every mount option that it names is one that it takes.
            let listed = features.texts("mountOptions")
            #expect(
                Set(listed).isSuperset(of: [
                    "ro", "rro", "idmap", "ridmap", "tmpcopyup", "rbind", "nosymfollow",
                ]))
            let good = box.config
            for option in listed where !["idmap", "ridmap", "bind", "rbind", "remount"].contains(option) {
                box.config = good
                box.config.mount("/data", "tmpfs", type: "tmpfs", [option])
                let outcome = try box.run("echo ok")
                #expect(outcome.stdout == "ok\n", "\(option): \(outcome)")
            }
            #expect(try box.oci("features").stderr.isEmpty)
        }
    }

    @Test func featuresNameEveryCapabilityOfTheKernel() throws {
        try withBundle { box in
            let features = try JSONObject(try box.ok("features"))
            let last =
                Int(box.fixture.contents("/proc/sys/kernel/cap_last_cap").trimmingCharacters(in: .newlines))
                ?? 0
            #expect(features.texts("linux.capabilities").count > last)
        }
    }

    @Test func theSpecThatItWritesRuns() throws {
        try withBundle { box in
            try box.ok("spec", "--bundle", box.bundle)
            try box.refuses("spec", "--bundle", box.bundle, says: ["config.json"])
            let spec = try JSONObject(box.fixture.contents(box.bundle + "/config.json"))
            #expect(spec.text("ociVersion").hasPrefix("1.") && spec.text("root.path") == "rootfs")
            let person = try TerminalSession(
                box.words(["run", "--bundle", box.bundle, box.id]), environment: box.fixture.environment)
            person.type("hostname; touch /x; exit 5\r")
            try person.waitFor("Read-only file system")
            #expect(person.finish().code == 5)
        }
    }

    /// For an ordinary user in a user namespace of his own: one id, no cgroups, the host's network.
    @Test(.needs(.setpriv, .unshare)) func theSpecForOrdinaryUsersRuns() throws {
        try withBundle { box in
            let script = """
                set -e; cd \(box.bundle); \(Program.ctr) oci spec --rootless
                sed -i 's/"terminal" *: *true/"terminal":false/; s/"sh"/"id"/' config.json
                exec \(Program.ctr) oci --root \(box.bundle)/state run \(box.id)
                """
            let outcome = try ChildProcess(
                [
                    "/bin/sh", "-c",
                    """
                    chown -R 4321:4321 \(box.bundle) && exec setpriv --reuid 4321 --regid 4321 --clear-groups \
                    unshare --user --map-root-user --mount sh -c "$1"
                    """, "sh", script,
                ], environment: box.fixture.environment
            ).finish()
            #expect(outcome.code == 0 && outcome.stdout.hasPrefix("uid=0(root) gid=0(root)"), "\(outcome)")
        }
    }

    @Test func versionAndHelp() throws {
        try withBundle { box in
            let version = try box.ok("--version")
            #expect(version.contains("spec: 1.3"), "\(version)")
            #expect(try box.ok("--help").contains("create"))
            #expect(try box.ok("create", "--help").contains("--console-socket"))
        }
    }

    /// The program by its other name.
    @Test func theOtherName() throws {
        try withBundle { box in
            let link = box.fixture.path("ctr-oci")
            symlink(Program.ctr, link)
            let outcome = try ChildProcess(
                [link, "--root", box.root, "list", "-q"], environment: box.fixture.environment
            )
            .finish()
            #expect(outcome.code == 0 && outcome.stdout.isEmpty, "\(outcome)")
            let version = try ChildProcess([link, "--version"], environment: box.fixture.environment).finish()
            #expect(version.stdout.hasPrefix("ctr-oci version"), "\(version)")
        }
    }
}
