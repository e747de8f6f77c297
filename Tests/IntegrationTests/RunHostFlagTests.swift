import Foundation
import Testing

/// The flags that open or close ways to the host.
@Suite("run: flags of the host and of namespaces", .needs())
struct RunHostFlagTests {
    private func link(_ name: String) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)")) ?? ""
    }

    @Test(arguments: ["mnt", "pid", "uts", "ipc", "net", "cgroup"])
    func everyNamespaceIsItsOwn(_ name: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let inside = try ctr.ok("run", "--rm", image, "readlink", "/proc/self/ns/\(name)")
            #expect(inside.hasPrefix("\(name):["))
            #expect(inside != link(name))
        }
    }

    @Test(arguments: [
        ("--network", "net"), ("--ipc", "ipc"), ("--uts", "uts"), ("--pid", "pid"), ("--cgroupns", "cgroup"),
    ])
    func hostNamespacesOnRequest(_ flag: String, _ name: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok("run", "--rm", flag, "host", image, "readlink", "/proc/self/ns/\(name)")
                    == link(name))
        }
    }

    @Test(arguments: [("--ipc", "ipc"), ("--pid", "pid")])
    func anotherContainersNamespaces(_ flag: String, _ name: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let shareable = flag == "--ipc" ? ["--ipc", "shareable"] : []
            try ctr.ctr(["run", "-d", "--name", "first"] + shareable + [image, "sleep", "60"])
            let first = try ctr.ok("exec", "first", "readlink", "/proc/self/ns/\(name)")
            #expect(
                try ctr.ok("run", "--rm", flag, "container:first", image, "readlink", "/proc/self/ns/\(name)")
                    == first)
            try ctr.refuses(
                "run", "--rm", flag, "container:nobody", image, "true", code: 125, says: ["nobody"])
        }
    }

    @Test func theNetworkIsTheBridgeOrNoneWithLoopbackUp() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let text = try ctr.ok("run", "--rm", image, "ip", "-o", "addr")
            #expect(text.contains("127.0.0.1/8"))
            #expect(text.contains("eth0"))
            let interfaces = try ctr.ok(
                "run", "--rm", "--network", "none", image, "ls", "/sys/class/net")
            #expect(!interfaces.contains("eth"))
        }
    }

    @Test func capabilities() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "sed -n 's/^Cap\\(Inh\\|Prm\\|Eff\\|Bnd\\|Amb\\):.//p' /proc/self/status"
            // docker's 14: chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot
            // mknod audit_write setfcap.
            let standard = "00000000a80425fb"
            let none = "0000000000000000"
            func sets(_ flags: String...) throws -> [String] {
                try ctr.ctr(["run", "--rm"] + flags + [image, "sh", "-c", script]).lines
            }
            #expect(try sets() == [none, standard, standard, standard, none])
            #expect(try sets("--cap-drop", "ALL") == [none, none, none, none, none])
            #expect(try sets("--cap-drop", "all", "--cap-add", "NET_ADMIN")[1] == "0000000000001000")
            #expect(try sets("--cap-add", "CAP_SYS_PTRACE")[1] == "00000000a80c25fb")
            #expect(try sets("--cap-drop", "CHOWN", "--cap-drop", "mknod")[3] == "00000000a00425fa")
            // Another user has none of them but keeps the bounding set.
            #expect(try sets("-u", "1000") == [none, none, none, standard, none])
            try ctr.refuses("run", "--rm", "--cap-add", "NOPE", image, "true", code: 125, says: ["NOPE"])
        }
    }

    @Test func privileged() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ctr("run", "--rm", image, "mount", "-t", "tmpfs", "x", "/tmp").code != 0)
            #expect(
                try ctr.ok(
                    "run", "--rm", "--privileged", image, "sh", "-c",
                    "mount -t tmpfs x /tmp && grep -c ' /tmp tmpfs' /proc/mounts")
                    == "1")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--privileged", image, "sh", "-c",
                    "grep Seccomp: /proc/self/status; ls /dev/kmsg"
                )
                .hasSuffix("/dev/kmsg"))
        }
    }

    @Test func securityOptions() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let script = "sed -n 's/^\\(NoNewPrivs\\|Seccomp\\):.//p' /proc/self/status"
            func flags(_ options: String...) throws -> [String] {
                try ctr.ctr(
                    ["run", "--rm"] + options.flatMap { ["--security-opt", $0] } + [
                        image, "sh", "-c", script,
                    ]
                ).lines
            }
            #expect(try flags() == ["0", "2"])
            #expect(try flags("no-new-privileges") == ["1", "2"])
            #expect(try flags("no-new-privileges:true") == ["1", "2"])
            #expect(try flags("seccomp=unconfined") == ["0", "0"])
            let profile = try ctr.file(
                "profile.json",
                #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#
            )
            let refused = try ctr.ctr(
                "run", "--rm", "--security-opt", "seccomp=\(profile)", image, "mkdir", "/tmp/x")
            #expect(refused.code == 1)
            #expect(refused.stderr.contains("Operation not permitted"))
            try ctr.refuses(
                "run", "--rm", "--security-opt", "seccomp=/no/such.json", image, "true", code: 125,
                says: ["/no/such.json"])
            // Without SELinux they are read and mean nothing.
            #expect(try flags("label=type:spc_t", "label=level:s0:c1,c2", "label=disable") == ["0", "2"])
            try ctr.refuses(
                "run", "--rm", "--security-opt", "label=colour:red", image, "true", code: 125,
                says: ["label=colour:red", "filetype"])
            try ctr.refuses(
                "run", "--rm", "--security-opt", "bogus=1", image, "true", code: 125, says: ["bogus"])
        }
    }

    @Test func sysctls() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok(
                    "run", "--rm", "--sysctl", "net.ipv4.ip_unprivileged_port_start=77", "--sysctl",
                    "kernel.msgmax=4321", image,
                    "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/kernel/msgmax")
                    == "77\n4321")
            let before = ctr.contents("/proc/sys/kernel/panic")
            try ctr.refuses(
                "run", "--rm", "--sysctl", "kernel.panic=99", image, "true", code: 125, says: ["kernel.panic"]
            )
            #expect(ctr.contents("/proc/sys/kernel/panic") == before)
        }
    }

    @Test func devices() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(try ctr.ctr("run", "--rm", image, "ls", "/dev/loop-control").code != 0)
            #expect(
                try ctr.ok(
                    "run", "--rm", "--device", "/dev/loop-control:/dev/given:r", image, "stat", "-c", "%t:%T",
                    "/dev/given")
                    == "a:ed")
            // The node of a device that was not given can be made (CAP_MKNOD) but not opened.
            let opened = try ctr.ctr(
                "run", "--rm", image, "sh", "-c", "mknod /tmp/loop c 10 237 && : < /tmp/loop")
            #expect(opened.code != 0)
            #expect(
                opened.stderr.contains("Operation not permitted")
                    || opened.stderr.contains("Permission denied"))
            func open(_ device: String, _ redirection: String) throws -> Int32 {
                try ctr.ctr(
                    "run", "--rm", "--device", device, image, "sh", "-c", ": \(redirection) /dev/loop-control"
                ).code
            }
            #expect(try open("/dev/loop-control", "<") == 0)
            #expect(try open("/dev/loop-control", "<>") == 0)
            #expect(try open("/dev/loop-control:/dev/loop-control:r", "<") == 0)
            #expect(try open("/dev/loop-control:/dev/loop-control:r", "<>") != 0)
            try ctr.refuses(
                "run", "--rm", "--device", "/dev/nope", image, "true", code: 125, says: ["/dev/nope"])
        }
    }

    @Test func addHost() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let hosts = try ctr.ok("run", "--rm", "--add-host", "db:10.1.2.3", image, "cat", "/etc/hosts")
            #expect(hosts.contains("10.1.2.3\tdb") || hosts.contains("10.1.2.3 db"))
            #expect(hosts.contains("127.0.0.1"))
        }
    }

    @Test func readOnlyAndTmpfs() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let refused = try ctr.ctr("run", "--rm", "--read-only", image, "touch", "/x")
            #expect(refused.code == 1)
            #expect(refused.stderr.contains("Read-only file system"))
            let mounts = try ctr.ok(
                "run", "--rm", "--read-only", "--tmpfs", "/run:size=1m,mode=700", "--tmpfs", "/var/cache",
                image, "sh", "-c",
                "touch /run/x /var/cache/y && stat -c %a /run && df -k /run | awk 'NR==2{print $2}' && touch /dev/shm/z && echo ok"
            )
            #expect(mounts == "700\n1024\nok")
        }
    }

    @Test func shmSize() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let size = "df -k /dev/shm | awk 'NR==2{print $2}'"
            #expect(try ctr.ok("run", "--rm", image, "sh", "-c", size) == "65536")
            #expect(try ctr.ok("run", "--rm", "--shm-size", "8m", image, "sh", "-c", size) == "8192")
        }
    }
}
