import Foundation
import Testing

/// config.md, "POSIX-platform Hooks", and their places in runtime.md's "Lifecycle".
@Suite("oci: hooks", .needs())
struct OCIHookTests {
    private static let kinds = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    /// The host's shell for hooks of the runtime's namespace, the container's for the two of its own.
    private func hook(_ script: String, more: [String: Any] = [:]) -> [String: Any] {
        ["path": "/bin/sh", "args": ["sh", "-c", script]].merging(more) { $1 }
    }

    /// A directory that host and container see at the same path.
    private func shared(_ box: RuntimeBundle) throws -> String {
        let place = try box.fixture.makeDirectory("shared", mode: 0o777)
        box.config.mount(place, place, type: "bind", ["bind"])
        return place
    }

    private func addAll(_ box: RuntimeBundle, _ place: String) throws {
        // Also written to by ids of a user namespace.
        try box.fixture.file("shared/order", "", mode: 0o666)
        for kind in OCIHookTests.kinds {
            box.config["hooks.\(kind)"] = (0..<2).map {
                hook("echo \(kind)\($0) >> \(place)/order; cat > \(place)/\(kind)\($0)")
            }
        }
    }

    @Test func orderAndState() throws {
        try withBundle { box in
            let place = try shared(box)
            try addAll(box, place)
            box.config["annotations"] = ["key": "value"]
            box.config["process.args"] = ["sh", "-c", "echo program >> \(place)/order; exec sleep 300"]
            try box.create()
            func order() -> [String] {
                box.fixture.contents("\(place)/order").split(separator: "\n").map(String.init)
            }
            let created = ["prestart", "createRuntime", "createContainer"].flatMap { ["\($0)0", "\($0)1"] }
            #expect(order() == created)
            let pid = try box.pid()
            try box.start()
            try box.fixture.eventually("the program runs") { order().contains("program") }
            // poststart is after the start; the program itself may write before it or after.
            #expect(
                order().filter { $0 != "program" } == created + [
                    "startContainer0", "startContainer1", "poststart0", "poststart1",
                ])
            #expect(
                (order().firstIndex(of: "program") ?? 0) > (order().firstIndex(of: "startContainer1") ?? 99))
            try box.delete()
            #expect(order().suffix(2) == ["poststop0", "poststop1"])

            let statuses = [
                "prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
                "startContainer": "created", "poststart": "running", "poststop": "stopped",
            ]
            for kind in OCIHookTests.kinds {
                let state = try JSONObject(box.fixture.contents("\(place)/\(kind)1"))
                #expect(
                    state.text("id") == box.id && state.text("bundle") == box.bundle,
                    "\(kind): \(state.value)")
                #expect(state.text("status") == statuses[kind], "\(kind): \(state.value)")
                #expect(state.text("ociVersion").hasPrefix("1."))
                #expect(state["annotations"] as? [String: String] == ["key": "value"])
                switch kind {
                case "prestart", "createRuntime", "poststart":
                    #expect(state.number("pid") == Int(pid), "\(kind)")
                // In the container's pid namespace it is the first.
                case "createContainer", "startContainer":
                    #expect(state.number("pid") == 1, "\(kind): \(state.value)")
                default: #expect([-1, 0].contains(state.number("pid")), "\(kind): \(state.value)")
                }
            }
        }
    }

    @Test func runHasThemToo() throws {
        try withBundle { box in
            let place = try shared(box)
            try addAll(box, place)
            #expect(try box.prints("echo program") == "program")
            let order = box.fixture.contents("\(place)/order").split(separator: "\n").map(String.init)
            #expect(order == OCIHookTests.kinds.flatMap { ["\($0)0", "\($0)1"] }, "\(order)")
        }
    }

    @Test func theirNamespaces() throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hostname"] = "inside"
            for kind in OCIHookTests.kinds {
                box.config["hooks.\(kind)"] = [
                    hook(
                        "hostname > \(place)/\(kind); readlink /proc/self/ns/mnt >> \(place)/\(kind); readlink /proc/self/ns/net >> \(place)/\(kind)"
                    )
                ]
            }
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            let pid = try box.pid()
            try box.start()
            func own(_ name: String, _ process: String) -> String {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/\(name)"))
                    ?? "?"
            }
            let (mount, network) = (own("mnt", String(pid)), own("net", String(pid)))
            try box.delete()
            for kind in OCIHookTests.kinds {
                let seen = box.fixture.contents("\(place)/\(kind)").split(separator: "\n").map(String.init)
                let inside = ["createContainer", "startContainer"].contains(kind)
                #expect(seen.count == 3, "\(kind): \(seen)")
                guard seen.count == 3 else { continue }
                #expect(seen[1] == (inside ? mount : own("mnt", "self")), "\(kind)")
                #expect(seen[2] == (inside ? network : own("net", "self")), "\(kind)")
            }
            #expect(box.fixture.contents("\(place)/startContainer").hasPrefix("inside\n"))
        }
    }

    /// createContainer is called before the root is changed, and finds the container's mounts in the bundle's root; its
    /// path is the host's. startContainer's is the container's.
    @Test func whereTheirPathsAre() throws {
        try withBundle { box in
            let place = try shared(box)
            try box.fixture.file(
                "bundle/rootfs/data/inside", "#!/bin/sh\necho ran > \(place)/inside\n", mode: 0o755)
            let outside = try box.fixture.file(
                "outside",
                "#!/bin/sh\necho ran > \(place)/outside; grep -c ' \(box.rootfs)' /proc/self/mountinfo > \(place)/mounts\n",
                mode: 0o755)
            box.config["hooks"] = [
                "createContainer": [["path": outside]], "startContainer": [["path": "/data/inside"]],
            ]
            #expect(try box.prints("echo ok") == "ok")
            #expect(box.fixture.contents("\(place)/outside") == "ran\n")
            #expect(box.fixture.contents("\(place)/inside") == "ran\n")
            #expect((Int(box.fixture.contents("\(place)/mounts").trimmingCharacters(in: .newlines)) ?? 0) > 3)
        }
    }

    @Test func createRuntimeSeesTheNetwork() throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.createRuntime"] = [
                hook(
                    "sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' > \(place)/pid; readlink /proc/$(cat \(place)/pid)/ns/net > \(place)/net"
                )
            ]
            let inside = try box.prints("readlink /proc/self/ns/net")
            #expect(box.fixture.contents("\(place)/net") == inside + "\n")
        }
    }

    @Test func argumentsAndEnvironment() throws {
        try withBundle { box in
            let place = try shared(box)
            for kind in ["createRuntime", "startContainer"] {
                box.config["hooks.\(kind)"] = [
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            "echo \"$0|$1|$A|$B|$SECRET\" > \(place)/\(kind); pwd >> \(place)/\(kind)",
                            "zero", "a b",
                        ],
                        "env": ["A=1", "B=x y"],
                    ] as [String: Any]
                ]
            }
            try box.write()
            box.config["process.args"] = ["true"]
            try box.write()
            let outcome = try box.oci(
                ["run", "--bundle", box.bundle, box.id], environment: ["SECRET": "caller's"])
            #expect(outcome.code == 0, "\(outcome)")
            for kind in ["createRuntime", "startContainer"] {
                let lines = box.fixture.contents("\(place)/\(kind)").split(separator: "\n").map(String.init)
                #expect(lines.first == "zero|a b|1|x y|", "\(kind): \(lines)")
            }
            // The runtime's hooks are where the bundle is.
            #expect(box.fixture.contents("\(place)/createRuntime").hasSuffix("\(box.bundle)\n"))
        }
    }

    @Test func theirOutputDoesNotMixWithTheProgramsInput() throws {
        try withBundle { box in
            // A hook that reads everything gets the state alone.
            box.config["hooks.createRuntime"] = [hook("cat > /dev/null")]
            box.config["hooks.startContainer"] = [hook("cat > /dev/null")]
            let outcome = try box.run("cat", input: "for the program\n")
            #expect(outcome.stdout == "for the program\n", "\(outcome)")
        }
    }

    /// One that does not read its state is no failure.
    @Test func aHookThatDoesNotRead() throws {
        try withBundle { (box) throws in
            for kind in OCIHookTests.kinds { box.config["hooks.\(kind)"] = [hook("exec <&-; exit 0")] }
            box.config["annotations"] = ["long": String(repeating: "x", count: 200_000)]
            #expect(try box.prints("echo ok") == "ok")
        }
    }

    // MARK: Failures

    @Test(arguments: ["prestart", "createRuntime", "createContainer"])
    func aHookThatFailsCreate(kind: String) throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.\(kind)"] = [
                hook("echo first >> \(place)/order"), hook("echo 'the reason' >&2; exit 7"),
                hook("echo third >> \(place)/order"),
            ]
            // "called after the container is deleted"
            box.config["hooks.poststop"] = [
                hook("cat > \(place)/poststop; test ! -e \(box.root)/\(box.id)"), hook("exit 1"),
            ]
            box.config["process.args"] = ["sh", "-c", "echo ran >> \(place)/order"]
            try box.write()
            let outcome = try box.leaving(["create", "--bundle", box.bundle, box.id])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("/bin/sh: exit status 7"), "\(outcome)")
            #expect(outcome.stderr.contains("the reason"), "\(outcome)")
            #expect(box.fixture.contents("\(place)/order") == "first\n")
            #expect(
                !outcome.stderr.contains("hooks.poststop.0") && outcome.stderr.contains("hooks.poststop.1"),
                "a warning of what failed: \(outcome)")
            // runtime.md, "Lifecycle": stop, and on to poststop.
            let state = try? JSONObject(box.fixture.contents("\(place)/poststop"))
            #expect(state?.text("status") == "stopped", "\(String(describing: state))")
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test(arguments: ["startContainer", "poststart"])
    func aHookThatFailsStart(kind: String) throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.\(kind)"] = [hook("exit 7")]
            box.config["hooks.poststop"] = [hook("cat > \(place)/poststop")]
            box.config["process.args"] = ["sleep", "300"]
            try box.create()
            let outcome = try box.oci("start", box.id)
            #expect(
                outcome.code == 1 && outcome.stderr.contains("hooks.\(kind)")
                    && outcome.stderr.contains("exit status 7"),
                "\(outcome)")
            try box.waitForStop()
            try box.ok("delete", box.id)
            #expect(!box.fixture.contents("\(place)/poststop").isEmpty)
        }
    }

    @Test(arguments: ["startContainer", "poststart"])
    func aHookThatFailsRun(kind: String) throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.\(kind)"] = [hook("exit 7")]
            box.config["hooks.poststop"] = [hook("cat > \(place)/poststop")]
            box.config["process.args"] = ["sleep", "300"]
            let outcome = try box.run()
            #expect(outcome.code == 1 && outcome.stderr.contains("/bin/sh: exit status 7"), "\(outcome)")
            #expect(!box.fixture.contents("\(place)/poststop").isEmpty)
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test func aPoststopThatFailsIsAWarning() throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.poststop"] = [hook("exit 7"), hook("echo second > \(place)/second")]
            box.config["process.args"] = ["true"]
            try box.create()
            try box.start()
            try box.waitForStop()
            let outcome = try box.oci("delete", box.id)
            #expect(outcome.code == 0 && outcome.stderr.contains("poststop"), "\(outcome)")
            #expect(box.fixture.contents("\(place)/second") == "second\n")
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    /// Each in the bundle's directory, whichever call runs it.
    @Test func theirWorkingDirectory() throws {
        try withBundle { box in
            let place = try shared(box)
            for kind in ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] {
                box.config["hooks.\(kind)"] = [hook("pwd -P >> \(place)/where")]
            }
            box.config["process.args"] = ["true"]
            try box.create()
            try box.start()
            try box.waitForStop()
            try box.ok("delete", box.id)
            let real = try #require(realpath(box.bundle, nil).map { String(cString: $0) })
            let found = box.fixture.contents("\(place)/where").split(separator: "\n").map(String.init)
            #expect(found == Array(repeating: real, count: 5), "\(found)")
        }
    }

    @Test(arguments: ["createRuntime", "createContainer"])
    func aHookThatTakesTooLong(kind: String) throws {
        try withBundle { box in
            let place = try shared(box)
            box.config["hooks.\(kind)"] = [
                hook("echo $$ > \(place)/pid; exec sleep 300", more: ["timeout": 1])
            ]
            let before = Date()
            try box.refusesToCreate(says: ["/bin/sh", "took too long"])
            #expect(Date().timeIntervalSince(before) < 5)
            #expect(!box.fixture.contents("\(place)/pid").isEmpty)
        }
    }

    @Test(arguments: ["createRuntime", "createContainer"])
    func aHookThatIsNotThere(kind: String) throws {
        try withBundle { box in
            box.config["hooks.\(kind)"] = [["path": "/no/such/hook"]]
            try box.refusesToCreate(says: ["/no/such/hook"])
            box.config["hooks.\(kind)"] = [["path": "/etc/passwd"]]
            try box.refusesToCreate(says: ["/etc/passwd"])
        }
    }

    @Test func hooksInAUserNamespace() throws {
        try withBundle { box in
            box.config.mapIDs(to: 100_000)
            let place = try shared(box)
            try addAll(box, place)
            #expect(try box.prints("echo program") == "program")
            let order = box.fixture.contents("\(place)/order").split(separator: "\n").map(String.init)
            #expect(order == OCIHookTests.kinds.flatMap { ["\($0)0", "\($0)1"] }, "\(order)")
        }
    }
}
