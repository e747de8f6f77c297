import Foundation
import Testing

/// config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace".
@Suite("oci: namespaces", .needs())
struct OCINamespaceTests {
    private static let all = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"]

    private func own(_ name: String, of process: String = "self") throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/\(name)")
    }

    private func look(_ box: RuntimeBundle) throws -> [String: String] {
        let names = OCINamespaceTests.all
        let text = try box.prints(
            "for n in \(names.joined(separator: " ")); do readlink /proc/self/ns/$n; done")
        return Dictionary(uniqueKeysWithValues: zip(names, text.components(separatedBy: "\n")))
    }

    @Test func allNew() throws {
        try withBundle { box in
            for type in ["cgroup", "time"] { box.config.namespace(type) }
            box.config.mapIDs(to: 100_000)
            chown(box.rootfs, 100_000, 100_000)
            let inside = try look(box)
            for name in OCINamespaceTests.all { #expect(try inside[name] != own(name), "\(name)") }
        }
    }

    @Test func thoseThatAreNotListedAreTheRuntimes() throws {
        try withBundle { box in
            box.config["linux.namespaces"] = [["type": "mount"]]
            let inside = try look(box)
            for name in OCINamespaceTests.all where name != "mnt" {
                #expect(try inside[name] == own(name), "\(name)")
            }
            #expect(try inside["mnt"] != own("mnt"))
        }
    }

    @Test func aNewNetworkHasALoopbackThatIsUp() throws {
        try withBundle { (box) throws in
            #expect(
                try box.prints(
                    "ip -o link | wc -l; cat /sys/class/net/lo/flags 2>/dev/null; ip -o link show lo"
                ).contains("UP"))
        }
    }

    @Test(arguments: [
        ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("cgroup", "cgroup"), ("pid", "pid"),
    ])
    func joinedByPath(type: String, name: String) throws {
        try withBundle { owner in
            owner.config.namespace("cgroup")
            owner.config["hostname"] = "owner"
            try owner.runSleeping()
            let pid = try owner.pid()
            try withBundle { (other) throws in
                other.config.namespace(type, path: "/proc/\(pid)/ns/\(name)")
                #expect(
                    try other.prints("readlink /proc/self/ns/\(name)") == own(name, of: String(pid)))
                if type == "uts" { #expect(try other.prints("hostname") == "owner") }
                if type == "pid" { #expect(try other.prints("cat /proc/1/comm") == "sleep") }
            }
        }
    }

    @Test func namespacesThatCannotBeJoined() throws {
        try withBundle { box in
            box.config.namespace("network", path: "/nowhere/ns")
            try box.refusesToCreate(says: ["/nowhere/ns"])
            box.config.namespace("network", path: "/proc/self/ns/ipc")
            try box.refusesToCreate(says: ["network"])
            box.config.namespace("network", path: "relative")
            try box.refusesToCreate(says: ["namespaces"])
        }
    }

    @Test func timeOffsets() throws {
        try withBundle { box in
            box.config.namespace("time")
            box.config["linux.timeOffsets"] =
                [
                    "monotonic": ["secs": 7200, "nanosecs": 5], "boottime": ["secs": 1_000_000],
                ] as [String: Any]
            let offsets = try box.prints("cat /proc/self/timens_offsets").split(separator: "\n").map {
                $0.split(separator: " ").map(String.init)
            }
            #expect(offsets == [["monotonic", "7200", "5"], ["boottime", "1000000", "0"]], "\(offsets)")
            #expect(try box.prints("cut -d. -f1 /proc/uptime").count >= 7)
            // exec sees the same clock.
            try box.runSleeping()
            #expect(try box.exec("cut", "-d.", "-f1", "/proc/uptime").count >= 7)
        }
    }

    // MARK: User namespaces

    @Test func mappings() throws {
        try withBundle { box in
            box.config.namespace("user")
            box.config["linux.uidMappings"] = [
                ["containerID": 0, "hostID": 100_000, "size": 10],
                ["containerID": 1000, "hostID": 200_000, "size": 5],
            ]
            box.config["linux.gidMappings"] = [["containerID": 0, "hostID": 300_000, "size": 2000]]
            let text = try box.prints("cat /proc/self/uid_map; echo --; cat /proc/self/gid_map; id -u; id -g")
            let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
            #expect(
                words == ["0", "100000", "10", "1000", "200000", "5", "--", "0", "300000", "2000", "0", "0"],
                "\(words)")
            // What it makes belongs to the mapped ids on the host.
            let data = try box.fixture.makeDirectory("data", mode: 0o777)
            box.config.mount("/data", data, type: "bind", ["bind"])
            #expect(try box.prints("touch /data/root; echo ok") == "ok")
            box.config["process.user"] = ["uid": 1003, "gid": 1500, "additionalGids": [7]] as [String: Any]
            #expect(try box.prints("touch /data/user; id -u; id -G") == "1003\n1500 7")
            var status = stat()
            lstat(data + "/root", &status)
            #expect(status.st_uid == 100_000 && status.st_gid == 300_000)
            lstat(data + "/user", &status)
            #expect(status.st_uid == 200_003 && status.st_gid == 301_500)
        }
    }

    @Test func anIDThatIsNotMapped() throws {
        try withBundle { box in
            box.config.mapIDs(to: 100_000, size: 10)
            box.config["process.user"] = ["uid": 500, "gid": 0]
            try box.refusesToCreate(says: ["500"])
        }
    }

    @Test func everythingWorksInAUserNamespace() throws {
        try withBundle { box in
            box.config.mapIDs(to: 100_000)
            box.config.namespace("cgroup")
            box.config["hostname"] = "mapped"
            box.config["linux.sysctl"] = ["net.ipv4.ip_forward": "1"]
            box.config["linux.maskedPaths"] = ["/proc/kcore", "/proc/scsi"]
            box.config["linux.readonlyPaths"] = ["/proc/sys"]
            box.config["process.rlimits"] = [
                ["type": "RLIMIT_NOFILE", "soft": 64, "hard": 128] as [String: Any]
            ]
            box.config["process.oomScoreAdj"] = 200
            box.config["process.noNewPrivileges"] = true
            box.config.mount("/sys", "sysfs", type: "sysfs", ["nosuid", "noexec", "nodev", "ro"])
            box.config.mount("/dev/mqueue", "mqueue", type: "mqueue", ["nosuid", "noexec", "nodev"])
            box.config.mount("/dev/shm", "shm", type: "tmpfs", ["mode=1777", "size=1m"])
            let text = try box.prints(
                """
                hostname; cat /proc/sys/net/ipv4/ip_forward; (echo 0 > /proc/sys/net/ipv4/ip_forward) 2>/dev/null || echo ro
                head -c 3 /dev/zero | wc -c; echo x > /dev/null; ulimit -n; cat /proc/self/oom_score_adj
                touch /dev/shm/x && stat -c %u /dev/shm/x; ls /sys/class >/dev/null && echo sys; sed -n 's/^CapBnd:.*0000//p' /proc/self/status
                """)
            #expect(
                text == "mapped\n1\nro\n3\n64\n200\n0\nsys\n080004eb"
                    || text.hasPrefix("mapped\n1\nro\n3\n64\n200\n0\nsys\n"), "\(text)")
        }
    }

    @Test func aUserNamespaceByPath() throws {
        try withBundle { owner in
            owner.config.mapIDs(to: 100_000)
            try owner.runSleeping()
            let pid = try owner.pid()
            try withBundle { other in
                other.config.namespace("user", path: "/proc/\(pid)/ns/user")
                let text = try other.prints(
                    "readlink /proc/self/ns/user; id -u; awk '{print $2}' /proc/self/uid_map; readlink /proc/self/ns/net"
                )
                let lines = text.components(separatedBy: "\n")
                #expect(try lines.prefix(3) == [own("user", of: String(pid)), "0", "100000"], "\(text)")
                #expect(try lines.last != own("net", of: String(pid)))
                // With the owner's others too, as the containers of a pod.
                for (type, name) in [("network", "net"), ("ipc", "ipc"), ("uts", "uts")] {
                    other.config.namespace(type, path: "/proc/\(pid)/ns/\(name)")
                }
                #expect(
                    try other.prints("readlink /proc/self/ns/net; readlink /proc/self/ns/ipc")
                        == "\(try own("net", of: String(pid)))\n\(try own("ipc", of: String(pid)))")
                // And with a process that stays, into which exec goes.
                other.config.namespace("network")
                try other.runSleeping()
                #expect(
                    try other.exec("sh", "-c", "id -u; readlink /proc/self/ns/user")
                        == "0\n\(try own("user", of: String(pid)))")
            }
        }
    }

    @Test func execIntoAUserNamespace() throws {
        try withBundle { box in
            box.config.mapIDs(to: 100_000)
            try box.runSleeping()
            #expect(
                try box.exec("sh", "-c", "id -u; id -g; awk '{print $2}' /proc/self/uid_map")
                    == "0\n0\n100000")
            let outcome = try box.oci(["exec", "--user", "7:8", box.id, "id"])
            #expect(outcome.text.hasPrefix("uid=7 gid=8"), "\(outcome)")
        }
    }

    @Test func aTerminalInAUserNamespace() throws {
        try withBundle { box in
            box.config.mapIDs(to: 100_000)
            box.config["process.terminal"] = true
            box.config["process.user"] = ["uid": 5, "gid": 5]
            box.config["process.args"] = ["sh", "-c", "stat -c %u $(tty); echo end"]
            let socket = try DescriptorReceiver(in: box.fixture.directory, "tty.sock")
            try box.create(["--console-socket", socket.path])
            let terminal = try socket.receiveTerminal()
            try box.start()
            try terminal.waitFor("end")
            #expect(terminal.screen.hasPrefix("5\r\n"), "\(terminal.screen)")
        }
    }

    /// "If a namespace type is not specified in the `namespaces` array, the container MUST inherit the runtime namespace of
    /// that type": the mounts are the host's, and go with the container.
    @Test(arguments: [nil, "/proc/self/ns/mnt"])
    func theRuntimesMountNamespace(path: String?) throws {
        try withBundle { box in
            box.config.removeNamespace("mount")
            if let path { box.config.namespace("mount", path: path) }
            box.config["linux.maskedPaths"] = ["/proc/keys"]
            box.config["root.readonly"] = true
            try box.runSleeping()
            #expect(try own("mnt", of: String(box.pid())) == own("mnt"))
            let mounts = Leftovers.mounts(below: box.rootfs)
            #expect(mounts.count == 5, "\(mounts)")
            #expect(try box.exec("ls", "/").split(separator: "\n").contains("bin"))
            #expect(try box.exec("sh", "-c", "cat /proc/keys; touch /x || echo no") == "no")
            let created = try box.exec("readlink", "/proc/1/ns/mnt")
            #expect(try created == own("mnt"))
            try box.delete()
            #expect(Leftovers.mounts(below: box.rootfs).isEmpty)
            // What comes to nothing leaves nothing.
            box.config["process.args"] = ["no-such-program"]
            try box.refusesToCreate(says: ["no-such-program"])
        }
    }

    /// Its root would become the machine's. The init here is one of a pid namespace of the test's; the runtime is in another
    /// mount namespace than that, for its own would be as good as none.
    @Test(.needs(.unshare)) func theMountNamespaceOfTheMachinesInit() throws {
        try withBundle { box in
            box.config.removeNamespace("mount")
            box.config.namespace("mount", path: "/proc/1/ns/mnt")
            try box.write()
            let outcome = try ChildProcess(
                [
                    "/usr/bin/unshare", "-mpf", "--mount-proc", "/bin/sh", "-c", "unshare -m \"$@\"; exit $?",
                    "sh",
                ]
                    + box.words(["create", "--bundle", box.bundle, box.id]),
                environment: box.fixture.environment
            ).finish(timeout: 20)
            box.expectRefusal(
                outcome, says: ["linux.namespaces", "/proc/1/ns/mnt", "the machine's init"],
                sourceLocation: #_sourceLocation)
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    /// What others have mounted over the bundle's root in the meantime is theirs.
    @Test func aMountOverTheRootOfAnother() throws {
        try withBundle { box in
            box.config.removeNamespace("mount")
            try box.runSleeping()
            try box.fixture.tool(.mount, "-t", "tmpfs", "theirs", box.rootfs)
            try box.delete()
            #expect(Leftovers.mounts(below: box.rootfs).count >= 1)
            // The topmost first; below it is the container's, which only its own name hid.
            while !Leftovers.mounts(below: box.rootfs).isEmpty {
                try box.fixture.tool(.umount, "-l", box.rootfs)
            }
        }
    }

    @Test func aUserNamespaceNeedsMountsOfItsOwn() throws {
        try withBundle { box in
            box.config.removeNamespace("mount")
            box.config.mapIDs(to: 100_000)
            try box.refusesToCreate(says: ["mount namespace"])
        }
    }
}
