import Foundation
import Testing

/// Devices of the Container Device Interface, by specs of the test's own.
@Suite("run: CDI devices and GPUs", .needs())
struct CDIDeviceTests {
    /// What CTR_CDI_SPEC_DIRS is to be.
    private func directories(_ ctr: Fixture) throws -> [String: String] {
        let all = [try ctr.makeDirectory("cdi/etc"), try ctr.makeDirectory("cdi/run")]
        return ["CTR_CDI_SPEC_DIRS": all.joined(separator: ":")]
    }

    private func spec(_ edits: String, all: String = "{}", kind: String = "v.com/c", name: String = "d")
        -> String
    {
        """
        {"cdiVersion":"1.0.0","kind":"\(kind)","devices":[{"name":"\(name)","containerEdits":\(edits)}],"containerEdits":\(all)}
        """
    }

    @Test func everythingOfASpecIsInTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            let file = try ctr.file("driver/library", "of the driver\n")
            let directory = try ctr.makeDirectory("driver/more")
            try ctr.file("driver/more/x", "below\n")
            try ctr.file(
                "cdi/etc/v.json",
                spec(
                    """
                    {"env":["OF_DEVICE=1","SHARED=device"],
                     "deviceNodes":[{"path":"/dev/given","hostPath":"/dev/null","permissions":"rw"},
                      {"path":"/dev/deep/own","hostPath":"/dev/zero","fileMode":288,"uid":7,"gid":8}],
                     "mounts":[{"hostPath":"\(file)","containerPath":"/usr/lib/library","options":["ro","nosuid","nodev","bind"]},
                      {"hostPath":"\(directory)","containerPath":"/opt/more"}],
                     "additionalGids":[4444,0]}
                    """, all: #"{"env":["OF_ALL=1","SHARED=all"]}"#))
            let script = """
                echo $OF_ALL $OF_DEVICE $SHARED; stat -c '%F %t:%T %a %u:%g' /dev/given /dev/deep/own
                echo x >/dev/given && head -c 3 /dev/deep/own | wc -c
                cat /usr/lib/library /opt/more/x; echo y 2>/dev/null >/usr/lib/library || echo read-only
                sed -n 's/^Groups://p' /proc/self/status
                """
            for flags in [[], ["--read-only"]] {
                let text = try ctr.ok(
                    ["run", "--rm", "--device", "v.com/c=d"] + flags + [image, "sh", "-c", script],
                    environment: environment)
                let lines = text.components(separatedBy: "\n")
                #expect(
                    lines.prefix(7) == [
                        "1 1 device", "character special file 1:3 666 0:0",
                        "character special file 1:5 440 7:8", "3",
                        "of the driver", "below", "read-only",
                    ], "\(text)")
                #expect(lines.last?.split(whereSeparator: \.isWhitespace).contains("4444") == true, "\(text)")
            }
            // A node of nobody's else is the process's user's; a command in the container has its variables and groups.
            try ctr.ok(
                "run", "-d", "--name", "box", "-u", "1000:1000", "--device", "v.com/c=d", image, "sleep",
                "300",
                environment: environment)
            #expect(try ctr.ok("exec", "box", "stat", "-c", "%u:%g", "/dev/given") == "1000:1000")
            #expect(
                try ctr.ok(
                    "exec", "box", "sh", "-c", "echo $OF_DEVICE; grep -c 4444 /proc/self/status",
                    environment: environment) == "1\n1")
            #expect(
                try ctr.inspect("box", "{{json .HostConfig.DeviceRequests}} {{json .HostConfig.Devices}}")
                    == #"[{"Driver":"cdi","Count":0,"DeviceIDs":["v.com/c=d"],"Capabilities":null,"Options":null}] []"#
            )
        }
    }

    @Test func yamlSaysTheSame() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            try ctr.file(
                "cdi/run/nvidia.yaml",
                """
                ---
                cdiVersion: 0.6.0
                kind: nvidia.com/gpu
                devices:
                - name: "0"
                  containerEdits:
                    deviceNodes:
                    - path: /dev/nvidia0
                      hostPath: /dev/null
                      fileMode: 0640
                - name: all
                  containerEdits:
                    deviceNodes:
                    - path: /dev/nvidia0
                      hostPath: /dev/null
                    - {path: /dev/nvidia1, hostPath: /dev/zero}
                containerEdits:
                  env:
                  - NVIDIA_VISIBLE_DEVICES=void
                """)
            let script = "echo $NVIDIA_VISIBLE_DEVICES; cd /dev; stat -c '%n %a' nvidia*"
            #expect(
                try ctr.ok(
                    "run", "--rm", "--gpus", "all", image, "sh", "-c", script, environment: environment)
                    == "void\nnvidia0 666\nnvidia1 666")
            for words in [["--gpus", "1"], ["--gpus", "device=0"], ["--device", "nvidia.com/gpu=0"]] {
                #expect(
                    try ctr.ok(
                        ["run", "--rm"] + words + [image, "sh", "-c", script], environment: environment)
                        == "void\nnvidia0 640", "\(words)")
            }
            try ctr.refuses(
                "run", "--rm", "--gpus", "2", image, "true", code: 125,
                says: ["no CDI device nvidia.com/gpu=1", "of this kind there are: 0, all"],
                environment: environment)
        }
    }

    @Test func whatIsNotThereIsToldAtCreate() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            try ctr.refuses(
                "create", "--gpus", "all", image, code: 125,
                says: ["no CDI device nvidia.com/gpu=all", "/cdi/etc and ", "nvidia-ctk cdi generate"],
                environment: environment)
            try ctr.refuses(
                "create", "--device", "v.com/c=d", "not:there", code: 125, says: ["no CDI device v.com/c=d"],
                environment: environment)
            try ctr.refuses(
                "create", "--device", "v.com/c=", image, code: 125, says: ["vendor.com/class=name"],
                environment: environment)
            try ctr.refuses(
                "create", "--gpus", "driver=amd,count=1", image, code: 125, says: ["amd", "only nvidia"],
                environment: environment)
            try ctr.file("cdi/etc/a.json", spec(#"{"deviceNodes":[{"path":"/dev/nowhere"}]}"#))
            try ctr.refuses(
                "create", "--device", "v.com/c=d", image, code: 125, says: ["/dev/nowhere"],
                environment: environment)
            try ctr.file(
                "cdi/etc/a.json", spec(#"{"mounts":[{"hostPath":"/no/such","containerPath":"/x"}]}"#))
            try ctr.refuses(
                "create", "--device", "v.com/c=d", image, code: 125, says: ["/no/such"],
                environment: environment)
            try ctr.file("cdi/etc/a.json", spec(#"{"intelRdt":{"closID":"x"}}"#))
            try ctr.refuses(
                "create", "--device", "v.com/c=d", image, code: 125, says: ["intelRdt"],
                environment: environment)
            try ctr.file("cdi/etc/b.json", spec("{}"))
            try ctr.refuses(
                "create", "--device", "v.com/c=d", image, code: 125,
                says: ["/cdi/etc/a.json and ", "/cdi/etc/b.json"],
                environment: environment)
            #expect(try ctr.ok("ps", "-aq").isEmpty)
        }
    }

    /// Drivers change while a container is there: names are kept, not what they meant.
    @Test func eachStartReadsTheSpecsAnew() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            let file = try ctr.file("cdi/etc/a.json", spec(#"{"env":["DRIVER=1"]}"#))
            try ctr.ok(
                "create", "--name", "box", "--device", "v.com/c=d", image, "sh", "-c", "echo $DRIVER",
                environment: environment)
            // Without the variable: where the specs are is the container's.
            #expect(try ctr.ok("start", "-a", "box") == "1")
            try ctr.file("cdi/etc/a.json", spec(#"{"env":["DRIVER=2"]}"#))
            #expect(try ctr.ok("start", "-a", "box") == "2")
            try FileManager.default.removeItem(atPath: file)
            try ctr.refuses("start", "box", says: ["no CDI device v.com/c=d"])
        }
    }

    private static let kinds = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    @Test func hooksRunInTheirOrderAndFindTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            let place = try ctr.makeDirectory("place", mode: 0o777)
            // A hook of createContainer works as those of drivers do: by the bundle's config.json it finds the root, and
            // writes there. That of startContainer runs in it.
            let hooks = Self.kinds.map { kind in
                let more =
                    kind == "createContainer"
                    ? #"b=$(sed -n 's/.*\"bundle\":\"\\([^\"]*\\)\".*/\\1/p' \#(place)/createContainer); grep -q '\"path\":\"rootfs\"' $b/config.json && echo linked >$b/rootfs/mark; ls $b/rootfs/bin/busybox && "#
                    : ""
                let script = "cat >\(place)/\(kind); \(more)echo \(kind) $OF_HOOK >>\(place)/order"
                return
                    #"{"hookName":"\#(kind)","path":"/bin/sh","args":["sh","-c","\#(script)"],"env":["OF_HOOK=x","PATH=/usr/bin:/bin"]}"#
            }
            try ctr.file(
                "cdi/etc/a.json",
                spec(
                    #"{"hooks":[\#(hooks.joined(separator: ","))],"mounts":[{"hostPath":"\#(place)","containerPath":"\#(place)"}]}"#
                ))
            #expect(
                try ctr.ok(
                    "run", "--name", "box", "--annotation", "key=value", "--device", "v.com/c=d", image, "sh",
                    "-c",
                    "echo program >>\(place)/order; cat /mark", environment: environment) == "linked")
            let order = ctr.contents("\(place)/order").split(separator: "\n").map(String.init)
            #expect(order.filter { $0 != "program" } == Self.kinds.map { "\($0) x" })
            #expect((order.firstIndex(of: "program") ?? 0) > (order.firstIndex(of: "startContainer x") ?? 99))
            let id = try ctr.inspect("box", "{{.Id}}")
            let statuses = ["creating", "creating", "creating", "created", "running", "stopped"]
            for (kind, status) in zip(Self.kinds, statuses) {
                let state = try #require(
                    try JSONSerialization.jsonObject(with: Data(ctr.contents("\(place)/\(kind)").utf8))
                        as? [String: Any], "\(kind)")
                #expect(state["status"] as? String == status, "\(kind)")
                #expect(state["id"] as? String == id)
                #expect((state["annotations"] as? [String: String])?["key"] == "value")
                let pid = state["pid"] as? Int ?? -1
                #expect(kind == "poststop" ? pid == 0 : pid > 0, "\(kind)")
            }
            // Again, and detached.
            try FileManager.default.removeItem(atPath: "\(place)/order")
            try ctr.ok("start", "box")
            try ctr.eventually("the last hook") { ctr.contents("\(place)/order").contains("poststop") }
        }
    }

    /// A driver's hooks make links and caches in the root, also where the container may not.
    @Test func hooksWriteToARootThatIsReadOnly() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            let script =
                #"b=$(sed -n 's/.*\"bundle\":\"\\([^\"]*\\)\".*/\\1/p'); echo of a hook >$b/rootfs/mark"#
            try ctr.file(
                "cdi/etc/a.json",
                spec(
                    #"{"hooks":[{"hookName":"createContainer","path":"/bin/sh","args":["sh","-c","\#(script)"],"env":["PATH=/usr/bin:/bin"]}]}"#
                ))
            #expect(
                try ctr.ok(
                    "run", "--rm", "--read-only", "--device", "v.com/c=d", image, "sh", "-c",
                    "cat /mark; touch /own 2>/dev/null || echo read-only", environment: environment)
                    == "of a hook\nread-only")
        }
    }

    @Test(arguments: kinds.dropLast())
    func aHookThatFailsEndsTheStart(_ kind: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            let mark = ctr.path("mark")
            let hooks = [
                #"{"hookName":"\#(kind)","path":"/bin/sh","args":["sh","-c","echo no driver >&2; exit 3"]}"#,
                #"{"hookName":"poststop","path":"/bin/sh","args":["sh","-c","echo end >\#(mark)"]}"#,
            ]
            try ctr.file("cdi/etc/a.json", spec(#"{"hooks":[\#(hooks.joined(separator: ","))]}"#))
            try ctr.refuses(
                "run", "--rm", "--device", "v.com/c=d", image, "sleep", "60", code: 125,
                says: ["hooks.\(kind).0", "/bin/sh"], environment: environment)
            #expect(ctr.contents(mark) == "end\n")
            #expect(try ctr.ok("ps", "-aq").isEmpty)
        }
    }

    @Test func aUserNamespaceOfTheContainers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            try ctr.file(
                "cdi/etc/a.json",
                spec(#"{"deviceNodes":[{"path":"/dev/given","hostPath":"/dev/null"}],"env":["A=b"]}"#))
            #expect(
                try ctr.ok(
                    "run", "--rm", "--uidmap", "0:100000:65536", "--device", "v.com/c=d", image, "sh", "-c",
                    "echo x >/dev/given && stat -c %t:%T /dev/given; echo $A", environment: environment)
                    == "1:3\nb")
            try ctr.file(
                "cdi/etc/a.json", spec(#"{"hooks":[{"hookName":"createContainer","path":"/bin/true"}]}"#))
            try ctr.refuses(
                "create", "--uidmap", "0:100000:65536", "--device", "v.com/c=d", image, code: 125,
                says: ["createContainer", "user namespace"], environment: environment)
        }
    }

    @Test func anOrdinaryUser() throws {
        try withOrdinaryUser { user in
            let directory = try user.fixture.makeDirectory("cdi")
            let place = try user.fixture.makeDirectory("place", mode: 0o777)
            let environment = ["CTR_CDI_SPEC_DIRS": directory]
            let script =
                #"cat >\#(place)/state; b=$(sed -n 's/.*\"bundle\":\"\\([^\"]*\\)\".*/\\1/p' \#(place)/state); echo of a hook >$b/rootfs/mark"#
            try user.fixture.file(
                "cdi/a.json",
                spec(
                    #"{"deviceNodes":[{"path":"/dev/given","hostPath":"/dev/null"}],"hooks":[{"hookName":"createContainer","path":"/bin/sh","args":["sh","-c","\#(script)"],"env":["PATH=/usr/bin:/bin"]}]}"#
                ))
            let outcome = try user.ctr(
                [
                    "run", "--rm", "--device", "v.com/c=d", "busybox:test", "sh", "-c",
                    "echo x >/dev/given && cat /mark",
                ],
                environment: environment)
            #expect(outcome.code == 0 && outcome.text == "of a hook", "\(outcome)")
        }
    }

    /// A device of a namespace of the test's own, from which ctr runs.
    @Test(.needs(.unshare, .ip))
    func networkDevicesBecomeTheContainers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let environment = try directories(ctr)
            try ctr.file(
                "cdi/etc/a.json",
                spec(#"{"netDevices":[{"hostInterfaceName":"given0","name":"own0"}]}"#)
                    .replacingOccurrences(of: "1.0.0", with: "1.1.0"))
            let words = ctr.words([
                "run", "--rm", "--network", "none", "--device", "v.com/c=d", image, "ip", "-o", "addr",
                "show", "own0",
            ])
            let outcome = try ChildProcess(
                [
                    "/usr/bin/unshare", "-n", "/bin/sh", "-c",
                    #"ip link add given0 type veth peer name other0 && ip addr add 192.0.2.7/24 dev given0 && "$@" && ! ip link show given0 2>/dev/null"#,
                    "sh",
                ] + words, environment: ctr.environment.merging(environment) { $1 }
            ).finish(timeout: 60)
            #expect(outcome.code == 0 && outcome.stdout.contains("192.0.2.7/24"), "\(outcome)")
            try ctr.refuses(
                "create", "--network", "host", "--device", "v.com/c=d", image, code: 125,
                says: ["netDevices", "network"], environment: environment)
        }
    }
}
