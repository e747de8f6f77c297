import Foundation
import Testing

/// What the other suites of `ctr oci` leave: flags of a launch, what is joined, and what is said when it fails.
@Suite("oci: launches", .needs())
struct OCILaunchTests {
    // MARK: Flags

    @Test func pidfdSockets() throws {
        try withBundle { box in
            func pid(_ receiver: DescriptorReceiver) throws -> String {
                let (_, descriptors) = try receiver.receive()
                defer { descriptors.forEach { close($0) } }
                #expect(descriptors.count == 1)
                let info = box.fixture.contents("/proc/self/fdinfo/\(descriptors.first ?? -1)")
                let line = info.split(separator: "\n").first { $0.hasPrefix("Pid:") } ?? ""
                return line.dropFirst(4).trimmingCharacters(in: .whitespaces)
            }
            box.config["process.args"] = ["sleep", "300"]
            let first = try DescriptorReceiver(in: box.fixture.directory, "first")
            try box.create(["--pidfd-socket", first.path])
            #expect(try pid(first) == String(box.pid()))
            try box.start()
            let second = try DescriptorReceiver(in: box.fixture.directory, "second")
            let file = box.fixture.path("exec.pid")
            let outcome = try box.leaving([
                "exec", "-d", "--pidfd-socket", second.path, "--pid-file", file, box.id, "sleep", "300",
            ])
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try pid(second) == box.fixture.contents(file))
            try box.delete()
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            let nobody = [
                "create", "--bundle", box.bundle, "--pidfd-socket", box.fixture.path("none"), box.id,
            ]
            let refused = try box.leaving(nobody)
            #expect(refused.code == 1 && refused.stderr.contains("none"), "\(refused)")
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func theKeyring() throws {
        try withBundle { (box) throws in
            let own = "cat /proc/keys | grep -c ctr-\(box.id)"
            // In this order: the kernel forgets a keyring some time after its last process.
            #expect(try box.run(own, flags: ["--no-new-keyring"]).text == "0")
            #expect(try box.run(own).text == "1")
        }
    }

    /// What create was told of the keyring holds for every process of the container.
    @Test func theKeyringOfExec() throws {
        for (flags, hasOne) in [(["--no-new-keyring"], false), ([], true)] {
            try withBundle { box in
                box.config["process.args"] = ["sleep", "300"]
                try box.create(flags)
                try box.start()
                #expect(try box.exec("cat", "/proc/keys").contains("ctr-\(box.id)") == hasOne)
            }
        }
    }

    /// Without pivot_root another process of the container must come to the same root, also where hooks saw it elsewhere.
    @Test(arguments: [false, true])
    func execWithoutPivot(hooks: Bool) throws {
        try withBundle { box in
            if hooks { box.config["hooks.createRuntime"] = [["path": "/bin/true"]] }
            box.config["process.args"] = ["sleep", "300"]
            try box.create(["--no-pivot"])
            try box.start()
            #expect(try box.exec("ls", "/bin").contains("busybox"))
            #expect(
                try box.exec("stat", "-c", "%d:%i", "/") == box.exec("stat", "-Lc", "%d:%i", "/proc/1/root"))
        }
    }

    /// runtime.md, "Start": "This operation MUST generate an error if `process` was not set", and has no effect.
    @Test func withoutAProcess() throws {
        try withBundle { box in
            box.config["process"] = nil
            try box.create()
            #expect(try box.status() == "created")
            try box.refuses("start", box.id, says: ["process"])
            #expect(try box.status() == "created")
            try box.refuses("exec", box.id, "true", says: ["process"], code: 255)
            try box.delete()
            let run = try box.run()
            #expect(run.code == 1 && run.stderr.contains("process: missing"), "\(run)")
            #expect(box.leftovers().isEmpty)
        }
    }

    /// A state directory and a log that are named from the caller's working directory, not the bundle's.
    @Test func relativePaths() throws {
        try withBundle { box in
            box.config["process.args"] = ["no-such-program"]
            try box.write()
            let script = "cd \(box.fixture.directory) && \"$@\"; ls here; cat log"
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", script, "sh", Program.ctr, "oci", "--root", "here", "--log", "log", "run"]
                    + ["--bundle", "bundle", box.id], environment: box.fixture.environment
            ).finish(timeout: 20)
            #expect(
                outcome.stdout.contains("level=error") && !outcome.stdout.contains(box.id + "\n"),
                "\(outcome)")
        }
    }

    @Test func theSpecGoesWhereItIsAsked() throws {
        try withBundle { box in
            let place = try box.fixture.makeDirectory("elsewhere")
            try box.ok("spec", "--bundle", place)
            let spec = try JSONObject(box.fixture.contents(place + "/config.json"))
            #expect(spec.text("ociVersion") == "1.3.0" && spec.text("root.path") == "rootfs")
            try box.refuses("spec", "--bundle", place, says: [place, "exists"])
        }
    }

    // MARK: Namespaces that are joined

    /// Of a time namespace the clocks.
    @Test func aTimeNamespaceByPath() throws {
        try withBundle { owner in
            owner.config.namespace("time")
            owner.config["linux.timeOffsets"] = ["boottime": ["secs": 3_000_000]] as [String: Any]
            try owner.runSleeping()
            let path = "/proc/\(try owner.pid())/ns/time"
            try withBundle { other in
                other.config.namespace("time", path: path)
                let text = try other.prints("readlink /proc/self/ns/time; cut -d. -f1 /proc/uptime")
                let lines = text.components(separatedBy: "\n")
                #expect(try lines.first == FileManager.default.destinationOfSymbolicLink(atPath: path))
                #expect((Int(lines.last ?? "") ?? 0) >= 3_000_000, "\(lines)")
            }
        }
    }

    /// A mount namespace that somebody made for the container: its root becomes the bundle's.
    @Test(.needs(.unshare)) func aMountNamespaceByPath() throws {
        try withBundle { box in
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
            let holder = try ChildProcess(
                ["/usr/bin/unshare", "-m", "sleep", "300"], environment: box.fixture.environment)
            defer { holder.signal(SIGKILL) }
            let path = "/proc/\(holder.pid)/ns/mnt"
            func there() -> String {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? own
            }
            try box.fixture.eventually("it has one") { there() != own }
            box.config.namespace("mount", path: path)
            let lines = try box.prints("readlink /proc/self/ns/mnt; ls /").components(separatedBy: "\n")
            #expect(lines.first == there() && lines.contains("bin") && !lines.contains("usr"), "\(lines)")
        }
    }

    // MARK: config-linux.md: netDevices, memoryPolicy; config.md: execCPUAffinity

    /// Whether this kernel makes pairs of network devices, in a network of their own.
    private static let hasPairs: Bool = {
        let words = ["-n", "ip", "link", "add", "src0", "type", "veth", "peer", "name", "src1"]
        return (try? ChildProcess(["/usr/bin/unshare"] + words).finish().code) == 0
    }()

    @Test(.enabled(if: hasPairs, "not run: no pairs of network devices here, or no ip"))
    func networkDevices() throws {
        try withBundle { box in
            func run(_ devices: [String: Any], _ script: String) throws -> Outcome {
                box.config["linux.netDevices"] = devices
                box.config["process.args"] = ["sh", "-c", script]
                try box.write()
                let prepare = """
                    ip link add src0 type veth peer name src1 && ip addr add 10.77.0.2/24 dev src0 && "$@"; code=$?
                    ip -o link; exit $code
                    """
                return try ChildProcess(
                    ["/usr/bin/unshare", "-n", "sh", "-c", prepare, "sh"]
                        + box.words(["run", "--bundle", box.bundle, box.id]),
                    environment: box.fixture.environment
                ).finish(timeout: 20)
            }
            let renamed = try run(["src0": ["name": "eth7"], "src1": [String: Any]()], "ip addr show")
            #expect(renamed.code == 0, "\(renamed)")
            #expect(
                renamed.stdout.contains("eth7") && renamed.stdout.contains("10.77.0.2/24")
                    && renamed.stdout.contains("src1"), "\(renamed)")
            #expect(!renamed.stdout.contains(": src0"), "it is not the host's any more: \(renamed)")
            // "the user has provided a template by appending `%d` to the new name"
            let template = try run(
                ["src0": ["name": "eth%d"], "src1": ["name": "eth%d"]], "ip -o link; ip addr show")
            #expect(
                template.code == 0 && template.stdout.contains("eth0") && template.stdout.contains("eth1")
                    && template.stdout.contains("10.77.0.2/24"), "\(template)")
            let partly = try run(["src0": ["name": "a"], "src1": ["name": "lo"]], "true")
            #expect(partly.code == 1 && partly.stdout.contains("src0"), "all or none: \(partly)")
            let missing = try run(["nosuch0": [String: Any]()], "true")
            #expect(missing.code == 1 && missing.stderr.contains("linux.netDevices: nosuch0"), "\(missing)")
            let taken = try run(["src0": ["name": "lo"]], "true")
            #expect(taken.code == 1 && taken.stderr.contains("linux.netDevices: src0"), "\(taken)")
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test(
        .enabled(if: access("/proc/self/numa_maps", R_OK) == 0, "not run: this kernel has no memory policies")
    )
    func memoryPolicy() throws {
        try withBundle { box in
            func policy(_ value: [String: Any]) throws -> String {
                box.config["linux.memoryPolicy"] = value
                return try box.prints("head -n1 /proc/self/numa_maps").split(separator: " ").dropFirst().first
                    .map(String.init) ?? ""
            }
            #expect(try policy(["mode": "MPOL_BIND", "nodes": "0"]) == "bind:0")
            #expect(try policy(["mode": "MPOL_INTERLEAVE", "nodes": "0"]) == "interleave:0")
            #expect(try policy(["mode": "MPOL_PREFERRED", "nodes": "0"]) == "prefer:0")
            #expect(
                try policy(["mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]])
                    == "bind=static:0")
            box.config["linux.memoryPolicy"] = ["mode": "MPOL_BIND", "nodes": "1023"]
            try box.refusesToCreate(says: ["memory policy"])
            box.config["linux.memoryPolicy"] = ["mode": "MPOL_NOSUCH"]
            try box.refusesToCreate(says: ["linux.memoryPolicy.mode"])
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "not run: one processor"))
    func processorsOfExec() throws {
        try withBundle { box in
            try box.runSleeping()
            func allowed(_ affinity: String) throws -> String {
                let file = try box.fixture.file(
                    "process.json",
                    """
                    {"args":["grep","Cpus_allowed_list","/proc/self/status"],"cwd":"/",
                     "env":["PATH=/bin","CTR_TEST=\(box.mark)"],"execCPUAffinity":\(affinity)}
                    """)
                return try box.ok("exec", "--process", file, box.id).components(separatedBy: "\t").last ?? ""
            }
            #expect(try allowed(#"{"initial":"0"}"#) == "0")
            #expect(try allowed(#"{"initial":"0","final":"1"}"#) == "1")
            #expect(try allowed(#"{"final":"0-1"}"#) == "0-1")
        }
    }

    // MARK: Cgroups that are there already

    @Test func aCgroupThatIsThere() throws {
        try withBundle { box in
            let path = "ctr-test/\(box.mark)"
            box.config["linux.cgroupsPath"] = "/\(path)"
            for hierarchy in Cgroups.hierarchies {
                try? FileManager.default.createDirectory(
                    atPath: "\(hierarchy)/\(path)", withIntermediateDirectories: true)
            }
            #expect(try box.prints("echo ran") == "ran")
            // Somebody else's: it would be frozen and killed with the container.
            try box.runSleeping()
            try withBundle { other in
                other.config["linux.cgroupsPath"] = "/\(path)"
                try other.refusesToCreate(says: ["is not empty", path])
            }
            #expect(try box.status() == "running")
            try box.delete()
            for hierarchy in Cgroups.hierarchies {
                rmdir("\(hierarchy)/\(path)")
                rmdir("\(hierarchy)/ctr-test")
            }
        }
    }

    // MARK: What is said

    /// runtime.md, "State", and what other runtimes add to it.
    @Test func theFieldsOfTheState() throws {
        try withBundle { box in
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            let created = try box.state()
            #expect(
                Set(created.value.keys) == [
                    "ociVersion", "id", "status", "pid", "bundle", "rootfs", "created", "owner",
                ], "without annotations there is no such field: \(created.value.keys)")
            #expect(created.text("rootfs") == box.rootfs && created.text("owner") == "root")
            #expect(created.text("created").hasSuffix("Z"))
            try box.delete()
            box.config["annotations"] = ["org.example.\"a\" : b": "c\\\" : d"]
            try box.create()
            // As scripts look for it; a text with a colon stays what it is.
            let text = try box.ok("state", box.id)
            #expect(text.contains(#""status": "created""#) && !text.contains(#""status" :"#), "\(text)")
            let annotations = try box.state().value["annotations"] as? [String: String]
            #expect(annotations == ["org.example.\"a\" : b": "c\\\" : d"])
            try box.delete()
            box.config["annotations"] = ["": "x"]
            try box.refusesToCreate(says: ["annotations"])
            box.config["annotations"] = ["org.example": 5]
            try box.refusesToCreate(says: ["annotations.org.example"])
        }
    }

    @Test func aMissingInterpreter() throws {
        try withBundle { box in
            try box.fixture.file("bundle/rootfs/bin/script", "#!/no/such/interpreter\n")
            chmod(box.rootfs + "/bin/script", 0o755)
            box.config["process.args"] = ["script"]
            let run = try box.run()
            #expect(run.code == 1 && run.stderr.contains("the program is there"), "\(run)")
            try box.create()
            try box.refuses("start", box.id, says: ["the program is there"])
        }
    }

    @Test func hooksAreNamed() throws {
        try withBundle { box in
            let fine = ["path": "/bin/busybox", "args": ["true"]] as [String: Any]
            let bad = ["path": "/bin/busybox", "args": ["false"]] as [String: Any]
            box.config["process.args"] = ["sleep", "300"]
            for kind in ["prestart", "createRuntime", "createContainer"] {
                box.config["hooks"] = [kind: [fine, bad]]
                try box.refusesToCreate(says: ["hooks.\(kind).1", "/bin/busybox", "exit status 1"])
            }
            box.config["hooks"] = ["startContainer": [fine, fine, bad]]
            let run = try box.run()
            #expect(run.code == 1 && run.stderr.contains("hooks.startContainer.2: run the hook"), "\(run)")
            try box.create()
            try box.refuses("start", box.id, says: ["hooks.startContainer.2", "exit status 1"])
        }
    }

    @Test func wordsThatAreNotUnderstood() throws {
        try withBundle { box in
            try box.refuses("create", "--no-such-flag", "x", says: ["unknown flag: --no-such-flag"])
            try box.refuses("list", "--format", "yaml", says: ["yaml"])
            try box.refuses("nosuchverb", "x", says: ["nosuchverb"])
        }
    }
}
