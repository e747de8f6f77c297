import Doctor
import Failure
import Rootless
import Runtime
import Testing

@Suite struct DoctorTests {
    /// A host on which nothing is to be said.
    static func host(_ change: (inout HostReport) -> Void = { _ in }) -> HostReport {
        var host = HostReport(
            release: "6.12.3-amd64", build: "#1 SMP Debian 6.12.3-1 (2025-01-01)",
            cgroups: CgroupLayout(
                unifiedMount: "/sys/fs/cgroup",
                unifiedControllers: ["cpu", "cpuset", "io", "memory", "pids"],
                systemd: true),
            fileSystems: ["proc", "overlay"],
            parameters: ["kernel.seccomp.actions_avail": "kill_process errno allow"],
            capabilities: .all, user: nil)
        host.hasAppArmorProfile = false
        host.hasAppArmorParser = true
        change(&host)
        return host
    }

    static func user(_ change: (inout HostReport.User) -> Void = { _ in }) -> HostReport.User {
        var user = HostReport.User(
            uid: 1000, name: "ann", subordinateUIDs: 65_536, subordinateGIDs: 65_536, hasMappers: true,
            lingers: true,
            runDirectory: "/run/user/1000", hasBus: true,
            delegatedControllers: ["cpu", "cpuset", "io", "memory", "pids"])
        user.network = .pasta
        change(&user)
        return user
    }

    private func lacks(_ host: HostReport) -> [String] {
        Doctor.findings(host).filter { $0.weight != .fine }.map(\.code)
    }

    @Test func aGoodHostHasNoLacks() {
        #expect(lacks(Self.host()).isEmpty)
        #expect(
            lacks(
                Self.host {
                    $0.user = Self.user()
                    $0.hasAppArmorProfile = true
                }
            ).isEmpty)
        #expect(
            lacks(
                Self.host {
                    $0.hasAppArmorProfile = nil
                    $0.isSELinuxEnforcing = true
                    $0.hasContainerPolicy = true
                }
            ).isEmpty)
    }

    @Test func eachLackIsNamedWithItsMend() {
        let cases: [(String, String?, (inout HostReport) -> Void)] = [
            (
                "kernel", nil,
                {
                    $0.release = "5.10.0"; $0.build = ""
                }
            ),
            ("overlay", "modprobe overlay", { $0.fileSystems = ["proc"] }),
            ("cgroups", "mount -t cgroup2 cgroup2 /sys/fs/cgroup", { $0.cgroups = nil }),
            ("controllers", nil, { $0.cgroups?.unifiedControllers = ["memory", "pids", "io"] }),
            ("lsm", nil, { $0.hasAppArmorProfile = nil }),
            ("apparmor-parser", "apt-get install apparmor", { $0.hasAppArmorParser = false }),
            ("apparmor-profile", "ctr system boot", { $0.user = Self.user() }),
            (
                "selinux", "setenforce 1",
                {
                    $0.isSELinuxEnforcing = false; $0.hasContainerPolicy = true
                }
            ),
            ("selinux-policy", "dnf install container-selinux", { $0.isSELinuxEnforcing = true }),
            ("nftables", "modprobe nf_tables", { $0.forwardDrops = nil }),
            (
                "firewall",
                "nft insert rule ip filter FORWARD iifname 'ctr*' accept; nft insert rule ip filter FORWARD oifname 'ctr*' accept  # ctr's own table still guards them; firewalld and ufw: by their own settings",
                { $0.forwardDrops = ["ip filter FORWARD"] }
            ),
            ("capabilities", nil, { $0.capabilities.remove(CapabilitySet(name: "SYS_RESOURCE") ?? []) }),
            (
                "unprivileged-userns", "sysctl -w kernel.unprivileged_userns_clone=1",
                {
                    $0.user = Self.user(); $0.parameters["kernel.unprivileged_userns_clone"] = "0"
                }
            ),
            ("newuidmap", "apt-get install uidmap", { $0.user = Self.user { $0.hasMappers = false } }),
            (
                "subuid",
                "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann  # a range that nobody else has",
                { $0.user = Self.user { $0.subordinateUIDs = 0 } }
            ),
            ("user-network", "apt-get install passt", { $0.user = Self.user { $0.network = nil } }),
            ("user-network", "apt-get install passt", { $0.user = Self.user { $0.network = .slirp4netns } }),
            (
                "tun", "modprobe tun",
                {
                    $0.user = Self.user {
                        $0.deviceFailure = Failure(.notFound, "open it: no such file", hint: "modprobe tun")
                    }
                }
            ),
            ("linger", "loginctl enable-linger ann", { $0.user = Self.user { $0.lingers = false } }),
        ]
        for (code, mend, change) in cases {
            let found = Doctor.findings(Self.host(change)).filter { $0.weight != .fine }
            #expect(
                found.contains { $0.code == code && (mend == nil || $0.mend == mend) }, "\(code): \(found)")
        }
    }

    @Test func aMissingDelegationNamesTheControllers() {
        let found = Doctor.findings(
            Self.host { $0.user = Self.user { $0.delegatedControllers = ["memory", "pids"] } })
        let finding = found.first { $0.code == "delegation" }
        #expect(finding?.text == "ann may not limit cpu, cpuset, io")
        #expect(finding?.mend?.contains("Delegate=cpu cpuset io memory pids") == true)
    }

    @Test(arguments: [
        ("6.1.0-18-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)", []),
        (
            "6.1.0-3-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.8-1 (2023-01-29)",
            [
                "CVE-2023-0386", "CVE-2023-32233", "CVE-2024-1086",
            ]
        ),
        ("6.2.14", "#1 SMP", ["CVE-2023-32233", "CVE-2024-1086"]),
        ("6.6.15", "#1 SMP", []), ("6.7.2", "#1 SMP", ["CVE-2024-1086"]), ("6.18.0", "#1 SMP", []),
    ])
    func holesByVersion(_ release: String, _ build: String, _ names: [String]) {
        let found = Doctor.findings(
            Self.host {
                $0.release = release; $0.build = build
            })
        #expect(found.map(\.code).filter { $0.hasPrefix("CVE") } == names)
    }
}
