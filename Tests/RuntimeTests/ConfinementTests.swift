import Failure
import OCI
import Testing

@testable import Runtime

/// AppArmor and SELinux: what a container is given, without a host that has them.
@Suite struct ConfinementTests {
    private static let policy = ContainerLabels(
        contexts: """
            # of the policy
            process = "system_u:system_r:container_t:s0"
            content = "system_u:object_r:virt_var_lib_t:s0"
            file = "system_u:object_r:container_file_t:s0"
            """)

    private func host(appArmor: Bool = false, seLinux: Bool = false) -> HostFacts {
        var host = HostFacts(cgroups: unifiedLayout)
        host.appArmor = appArmor
        host.seLinux = seLinux
        return host
    }

    private func spec(_ host: HostFacts, _ change: (inout SpecOptions) -> Void) throws -> RuntimeSpec {
        var options = SpecOptions()
        options.arguments = ["sh"]
        change(&options)
        let spec = try SpecBuilder.build(options, host: host)
        try spec.check()
        return spec
    }

    private func labels(_ options: [String], level: String = "s0:c1,c2") throws -> String {
        let policy = try #require(Self.policy)
        let labels = try LabelOptions(securityOptions: options).labels(of: policy, level: level)
        return "\(labels.process) \(labels.files)"
    }

    @Test func whoGetsWhichProfile() throws {
        let known = host(appArmor: true)
        func profile(_ change: (inout SpecOptions) -> Void) throws -> String? {
            try spec(known) {
                $0.defaultAppArmorProfile = AppArmor.profileName
                change(&$0)
            }.process?.apparmorProfile
        }
        #expect(try profile { _ in } == "ctr-default")
        #expect(try profile { $0.privileged = true } == nil)
        #expect(try profile { $0.securityOptions = ["apparmor=unconfined"] } == nil)
        #expect(try profile { $0.securityOptions = ["apparmor=mine"] } == "mine")
        #expect(
            try profile {
                $0.privileged = true
                $0.securityOptions = ["apparmor:mine"]
            } == "mine")
    }

    /// The kernel takes `exec NAME` there, and nothing else.
    @Test func theProfileHoldsFromExecOn() throws {
        let known = host(appArmor: true, seLinux: true)
        let spec = try spec(known) {
            $0.defaultAppArmorProfile = AppArmor.profileName
            $0.processLabel = "system_u:system_r:container_t:s0:c1,c2"
            $0.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"
        }
        let context = Planner.Context(
            containerID: "c1", host: known, placement: nil, isDirectory: { _ in true })
        let lines = text(try Planner.plan(spec, context)).split(separator: "\n")
        #expect(lines.contains("label apparmor exec ctr-default"))
        #expect(lines.contains("label selinux system_u:system_r:container_t:s0:c1,c2"))
        let mounts = lines.filter { $0.hasPrefix("mount ") }
        for type in ["tmpfs", "devpts"] {
            #expect(
                mounts.contains {
                    $0.hasPrefix("mount \(type) ")
                        && $0.contains("context=system_u:object_r:container_file_t:s0:c1,c2")
                }, "\(type)")
        }
        for type in ["proc", "sysfs", "mqueue"] {
            #expect(!mounts.contains { $0.hasPrefix("mount \(type) ") && $0.contains("context=") }, "\(type)")
        }
    }

    @Test func theProfilesText() {
        let lines = AppArmor.profile(interface: nil).split(separator: "\n").map {
            $0.drop { $0 == " " }
        }
        #expect(lines.first == "profile ctr-default flags=(attach_disconnected, mediate_deleted) {")
        for rule in [
            "deny mount,", "deny /proc/* w,", "deny /proc/{kcore,sysrq-trigger} rwklx,",
            "deny /sys/firmware/** rwklx,", "ptrace (trace, read, tracedby, readby) peer=ctr-default,",
        ] {
            #expect(lines.contains(rule[...]), "\(rule)")
        }
        #expect(
            AppArmor.profile(interface: "/etc/apparmor.d/abi/3.0").hasPrefix(
                "abi \"/etc/apparmor.d/abi/3.0\",\nprofile "))
    }

    @Test func labelOptions() throws {
        let process = "system_u:system_r:container_t"
        let files = "system_u:object_r:container_file_t"
        #expect(try labels([]) == "\(process):s0:c1,c2 \(files):s0:c1,c2")
        #expect(try labels(["label=level:s0:c3,c4"]) == "\(process):s0:c3,c4 \(files):s0:c3,c4")
        #expect(
            try labels(["label=type:spc_t", "label:filetype:etc_t", "no-new-privileges"])
                == "system_u:system_r:spc_t:s0:c1,c2 system_u:object_r:etc_t:s0:c1,c2")
        #expect(
            try labels(["label=user:u", "label=role:r"])
                == "u:r:container_t:s0:c1,c2 u:object_r:container_file_t:s0:c1,c2")
        #expect(try LabelOptions(securityOptions: ["label=disable"]).isDisabled)
        #expect(try LabelOptions(securityOptions: ["label=nested"]).isNested)
        for wrong in ["colour:x", "type", "type:", ""] {
            #expect(throws: Failure.self, "\(wrong)") {
                try LabelOptions(securityOptions: ["label=\(wrong)"])
            }
        }
    }

    @Test func contextsAndLevels() {
        #expect(SELinuxContext("u:r:t:s0:c1,c2")?.level == "s0:c1,c2")
        #expect(SELinuxContext("u:r:t:s0:c1,c2")?.shared.description == "u:r:t:s0")
        #expect(SELinuxContext("u:r:t") == nil && SELinuxContext("u::t:s0") == nil)
        #expect(ContainerLabels.level(first: 9, second: 3) == "s0:c3,c9")
        #expect(ContainerLabels.level(first: 3, second: 3) == nil)
        #expect(ContainerLabels(contexts: "process = \"a:b:c:s0\"\n") == nil)
    }

    /// docker's `z` and label options are in many compose files: where SELinux is off they mean nothing.
    @Test func withoutSELinux() throws {
        let plain = try spec(host()) {
            $0.securityOptions = ["label=type:spc_t", "label=nested"]
            $0.processLabel = "u:r:t:s0"
            $0.mountLabel = "u:r:t:s0"
        }
        #expect(plain.process?.selinuxLabel == nil && plain.linux?.mountLabel == nil)
        #expect(plain.mounts?.contains { $0.destination == "/sys/fs/selinux" } == false)
        let nested = try spec(host(seLinux: true)) { $0.securityOptions = ["label=nested"] }
        #expect(nested.mounts?.last?.destination == "/sys/fs/selinux")
    }
}
