import Failure
import LinuxSystem
import OCI
import Testing

@testable import Runtime

@Suite struct SpecBuilderTests {
    private let host = HostFacts(cgroups: unifiedLayout)

    private func build(on layout: CgroupLayout = unifiedLayout, _ change: (inout SpecOptions) -> Void) throws
        -> RuntimeSpec
    {
        var options = SpecOptions()
        options.arguments = ["sh"]
        change(&options)
        let spec = try SpecBuilder.build(options, host: HostFacts(cgroups: layout))
        try spec.check()
        return spec
    }

    private func message(on layout: CgroupLayout = unifiedLayout, _ change: (inout SpecOptions) -> Void)
        -> String?
    {
        #expect(throws: Failure.self) { try build(on: layout, change) }?.message
    }

    @Test func aUserNamespace() throws {
        func map(_ lines: String...) -> IDMap { IDMap(lines: lines) ?? IDMap([]) }
        let spec = try build {
            $0.namespaces.user = .private
            $0.ids = UserMaps(uids: map("0 100000 10", "10 5 1"), gids: map("0 200000 5"))
        }
        #expect(spec.linux?.namespaces?.last == RuntimeSpec.Namespace(.user))
        #expect(
            spec.linux?.uidMappings == [
                RuntimeSpec.IDMapping(containerID: 0, hostID: 100000, size: 10),
                RuntimeSpec.IDMapping(containerID: 10, hostID: 5, size: 1),
            ])
        #expect(
            spec.linux?.gidMappings == [RuntimeSpec.IDMapping(containerID: 0, hostID: 200000, size: 5)])
        // Group 5 is not there, and no other group of the host is named.
        let terminals = spec.mounts?.first { $0.type == "devpts" }?.options ?? []
        #expect(!terminals.contains { $0.hasPrefix("gid=") })
        #expect(spec.linux?.sysctl?["net.ipv4.ping_group_range"] == "0 0")
        let joined = try build {
            $0.namespaces.user = .joined(path: "/proc/7/ns/user")
            $0.ids = UserMaps(uids: map("0 1 9"), gids: map("0 1 9"))
        }
        #expect(joined.linux?.namespaces?.last == RuntimeSpec.Namespace(.user, path: "/proc/7/ns/user"))
        #expect(try build { _ in }.linux?.uidMappings == nil)
    }

    @Test func memoryRules() throws {
        let limited = try build { $0.resources.memory = 64 << 20 }.linux?.resources?.memory
        #expect(limited?.limit == 64 << 20)
        #expect(limited?.swap == 128 << 20, "as much swap again")
        #expect(
            try build {
                $0.resources.memory = 8 << 20; $0.resources.memorySwap = -1
            }.linux?.resources?.memory?.swap == -1)
        #expect(try build { _ in }.linux?.resources?.memory == nil)
        #expect(
            message { $0.resources.memory = 6 << 20 - 1 }?.hasSuffix("minimum memory limit allowed is 6MB")
                == true)
        #expect(
            message { $0.resources.memorySwap = 1 << 30 }
                == "you should always set the memory limit when using --memory-swap")
        #expect(
            message {
                $0.resources.memory = 64 << 20; $0.resources.memorySwap = 32 << 20
            } != nil)
        #expect(
            message {
                $0.resources.memory = 64 << 20; $0.resources.memoryReservation = 65 << 20
            } != nil)
        #expect(message { $0.resources.memorySwappiness = 60 }?.contains("cgroup v2") == true)
        #expect(
            try build(on: hybridLayout) { $0.resources.memorySwappiness = 60 }.linux?.resources?.memory?
                .swappiness == 60)
        #expect(message { $0.resources.oomKillDisable = true }?.contains("cgroup v2") == true)
    }

    @Test func cpuRules() throws {
        let cpu = try build { $0.resources.nanoCPUs = 1_500_000_000 }.linux?.resources?.cpu
        #expect(cpu?.quota == 150_000)
        #expect(cpu?.period == 100_000)
        #expect(
            message {
                $0.resources.nanoCPUs = 1; $0.resources.cpuQuota = 5000
            }?.hasPrefix("conflicting options") == true)
        #expect(message { $0.resources.nanoCPUs = 9_000_000 } == "--cpus: 0.009000000 is below 0.01 CPUs")
        #expect(
            message {
                $0.resources.nanoCPUs = 3_000_000_000; $0.resources.cpusAvailable = 2
            }?.contains("only 2 CPUs") == true)
        #expect(message { $0.resources.cpuPeriod = 999 } != nil)
        #expect(message { $0.resources.cpuQuota = 999 } != nil)
        for wrong in ["0-", "3-1", "a", "0,,1", "-1", "0-1-2"] {
            #expect(
                message { $0.resources.cpusetCPUs = wrong }
                    == "--cpuset-cpus \(wrong): it is a list such as 0-3,7")
        }
    }

    @Test func pidsRules() throws {
        for unlimited in [Int64(0), -1] {
            #expect(try build { $0.resources.pidsLimit = unlimited }.linux?.resources?.pids == nil)
        }
        #expect(try build { $0.resources.pidsLimit = 5 }.linux?.resources?.pids?.limit == 5)
        #expect(message { $0.resources.pidsLimit = -2 } != nil)
    }

    @Test func privilegedIsDockers() throws {
        let linux = try build { $0.privileged = true }.linux
        #expect(linux?.maskedPaths == nil)
        #expect(linux?.readonlyPaths == nil)
        #expect(linux?.resources?.devices == [RuntimeSpec.DeviceRule(allow: true, access: "rwm")])
        let mounts = try build { $0.privileged = true }.mounts ?? []
        for destination in ["/sys", "/sys/fs/cgroup"] {
            #expect(mounts.first { $0.destination == destination }?.options?.contains("ro") == false)
        }
    }

    @Test func environmentAsDocker() throws {
        let environment = try build {
            $0.hostname = "h"
            $0.terminal = true
            $0.user = UserIdentity(uid: 5, gid: 5, groups: [5], home: "/home/x")
            $0.environment = ["A=1", "PATH=/bin", "B=", "A=2", "TERM", "C=x=y", "NOTHERE"]
        }.process?.env
        #expect(environment == ["PATH=/bin", "HOSTNAME=h", "A=2", "B=", "C=x=y", "HOME=/home/x"])
        #expect(try build { $0.environment = ["HOME=/own"] }.process?.env?.last == "HOME=/own")
    }

    @Test func capabilitiesOfOthersThanRoot() throws {
        let root = try build { _ in }.process?.capabilities
        #expect(root?.effective?.count == 14)
        #expect(root?.inheritable == nil && root?.ambient == nil)
        let user = try build {
            $0.user.uid = 1000; $0.capAdd = ["NET_ADMIN"]
        }.process?.capabilities
        #expect(user?.effective == [] && user?.permitted == [])
        #expect(user?.bounding?.contains("CAP_NET_ADMIN") == true)
    }

    @Test func securityOptions() throws {
        #expect(try build { $0.securityOptions = ["no-new-privileges"] }.process?.noNewPrivileges == true)
        #expect(
            try build { $0.securityOptions = ["no-new-privileges:true"] }.process?.noNewPrivileges == true)
        #expect(
            try build { $0.securityOptions = ["no-new-privileges=false"] }.process?.noNewPrivileges == nil)
        let open = try build { $0.securityOptions = ["systempaths=unconfined"] }.linux
        #expect(open?.maskedPaths == nil && open?.readonlyPaths == nil)
        let changed = try build {
            $0.securityOptions = ["mask=/a:/b", "unmask=/proc/kcore", "unmask=/proc/sys"]
        }.linux
        #expect(changed?.maskedPaths?.suffix(2) == ["/a", "/b"])
        #expect(changed?.maskedPaths?.contains("/proc/kcore") == false)
        #expect(
            changed?.readonlyPaths == [
                "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger", "/proc/dynamic_debug",
            ])
        #expect(
            try build { $0.securityOptions = ["apparmor=unconfined", "label=disable"] }.process?
                .apparmorProfile == nil)
        for wrong in [
            "nonsense", "no-new-privileges=maybe", "mask=relative", "label=colour:x", "apparmor=mine",
        ] {
            #expect(
                message { $0.securityOptions = [wrong] }?.contains("--security-opt \(wrong)") == true,
                "\(wrong)")
        }
    }

    @Test func sysctlsByNamespace() throws {
        #expect(
            try build { $0.sysctls = ["net.ipv4.ip_forward": "1"] }.linux?.sysctl?["net.ipv4.ip_forward"]
                == "1")
        #expect(try build { _ in }.linux?.sysctl?.count == 2)
        #expect(try build { $0.namespaces.network = .host }.linux?.sysctl == nil)
        #expect(
            try build { $0.sysctls = ["kernel.shmmax": "1", "fs.mqueue.msg_max": "2"] }.linux?.sysctl?.count
                == 4)
        for wrong in ["kernel.panic", "vm.swappiness", "kernel.hostname", "net"] {
            #expect(
                message { $0.sysctls = [wrong: "1"] }?.hasPrefix("--sysctl \(wrong): not a namespaced")
                    == true)
        }
        #expect(
            message {
                $0.namespaces.network = .host; $0.sysctls = ["net.core.somaxconn": "1"]
            } != nil)
        #expect(
            message {
                $0.namespaces.ipc = .host; $0.sysctls = ["kernel.sem": "1"]
            } != nil)
    }

    @Test func sysctlPaths() {
        #expect(Sysctl.path("net.ipv4.conf.eth0/1.forwarding") == "net/ipv4/conf/eth0.1/forwarding")
        #expect(Sysctl.path("net/ipv4/conf/eth0.1/forwarding") == "net/ipv4/conf/eth0.1/forwarding")
    }

    @Test func mountsOfTheUserReplaceDefaults() throws {
        let own = RuntimeSpec.Mount(
            destination: "/dev/shm", type: "tmpfs", source: "tmpfs", options: ["size=1m"])
        let mounts = try build { $0.mounts = [own] }.mounts ?? []
        #expect(mounts.filter { $0.destination == "/dev/shm" } == [own])
        #expect(
            try build { $0.namespaces.ipc = .none }.mounts?.contains { $0.destination == "/dev/shm" } == false
        )
        let dev = RuntimeSpec.Mount(destination: "/dev", type: "bind", source: "/dev", options: ["rbind"])
        let withDev = try build { $0.mounts = [dev] }.mounts ?? []
        #expect(withDev.map(\.destination) == ["/proc", "/sys", "/sys/fs/cgroup", "/dev"])
        let deep = ["/a/b/c", "/a", "/x", "/a/b"].map {
            RuntimeSpec.Mount(destination: $0, type: "bind", source: "/s", options: ["bind"])
        }
        #expect(
            try build { $0.mounts = deep }.mounts?.suffix(4).map(\.destination) == [
                "/a", "/x", "/a/b", "/a/b/c",
            ])
        let shared = RuntimeSpec.Mount(
            destination: "/s", type: "bind", source: "/s", options: ["rbind", "rshared"])
        #expect(try build { $0.mounts = [shared] }.linux?.rootfsPropagation == "shared")
    }

    @Test func devicesAndRules() throws {
        let linux = try build {
            $0.devices = [
                SpecOptions.Device(
                    pathInContainer: "/dev/kvm", kind: .character, major: 10, minor: 232, permissions: "rw")
            ]
            $0.deviceRules = ["b 8:* r", "c 1:3 rwm"]
        }.linux
        #expect(linux?.devices?.map(\.path) == ["/dev/kvm"])
        #expect(
            linux?.resources?.devices?.suffix(3) == [
                RuntimeSpec.DeviceRule(allow: true, type: "c", major: 10, minor: 232, access: "rw"),
                RuntimeSpec.DeviceRule(allow: true, type: "b", major: 8, access: "r"),
                RuntimeSpec.DeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
            ])
        for wrong in ["c 1 rwm", "x 1:3 r", "c 1:3 q", "c -1:3 r", "c 1:3", "c 1:3:4 r"] {
            #expect(message { $0.deviceRules = [wrong] }?.hasPrefix("--device-cgroup-rule \(wrong):") == true)
        }
    }

    @Test func otherMistakes() throws {
        #expect(message { $0.arguments = [] } == "no command specified")
        #expect(message { $0.workingDirectory = "app" }?.contains("needs to be an absolute path") == true)
        #expect(
            message { $0.limits = [.init(name: "files", soft: 1, hard: 1)] }
                == "--ulimit files: invalid ulimit type")
        #expect(message { $0.limits = [.init(name: "nofile", soft: 2, hard: 1)] } != nil)
        #expect(message { $0.namespaces.pid = .shareable } != nil)
        #expect(
            try build {
                $0.namespaces.uts = .host; $0.hostname = "h"
            }.hostname == nil)
        #expect(
            message {
                $0.namespaces.uts = .host; $0.domainname = "d"
            } != nil)
    }

    @Test func noTimeNamespaceWhereTheKernelHasNone() throws {
        var options = SpecOptions()
        options.arguments = ["sh"]
        let spec = try SpecBuilder.build(
            options, host: HostFacts(cgroups: unifiedLayout, timeNamespaces: false))
        #expect(spec.linux?.namespaces?.map(\.type) == [.mount, .network, .uts, .pid, .ipc, .cgroup])
    }
}
