import Failure
import LaunchPlan
import OCI
import Testing

@testable import Runtime

/// What runtime-spec has and ctr does not do is said, with the field's name.
@Suite struct RefusalTests {
    private func spec() throws -> RuntimeSpec {
        var options = SpecOptions()
        options.arguments = ["sh"]
        return try SpecBuilder.build(options, host: HostFacts(cgroups: unifiedLayout))
    }

    private func plan(_ spec: RuntimeSpec) throws -> LaunchPlan {
        let placement = try CgroupPlacement(layout: unifiedLayout, containerID: "c1")
        return try Planner.plan(
            spec,
            Planner.Context(
                containerID: "c1", host: HostFacts(cgroups: unifiedLayout), placement: placement,
                isDirectory: { _ in true }))
    }

    private func message(_ change: (inout RuntimeSpec) -> Void) throws -> String {
        var spec = try spec()
        change(&spec)
        return #expect(throws: Failure.self) { try plan(spec) }?.message ?? ""
    }

    @Test func fieldsAreNamed() throws {
        #expect(try message { $0.linux?.mountLabel = "x" }.contains("linux.mountLabel"))
        #expect(
            try message { $0.linux?.personality = .init(domain: .linux, flags: ["X"]) }.contains(
                "personality.flags"))
        #expect(
            try message {
                $0.linux?.namespaces?.removeAll { $0.type == .mount }
                $0.linux?.namespaces?.append(.init(.user))
            }.contains("needs a mount namespace"))
        #expect(try message { $0.linux?.seccomp = .init(defaultAction: .allow) }.contains("linux.seccomp"))
        #expect(try message { $0.process?.args = nil } == "config.json: process.args: missing")
        #expect(
            try message { $0.process?.rlimits = [.init(type: "RLIMIT_X", soft: 1, hard: 1)] }.contains(
                "RLIMIT_X"))
    }

    /// A parameter without a namespace would be the host's.
    @Test func sysctlsOfTheHost() throws {
        #expect(
            try message { $0.linux?.sysctl = ["kernel.core_pattern": "|/x"] }.contains("kernel.core_pattern"))
        #expect(
            try message {
                $0.linux?.namespaces?.removeAll { $0.type == .network }
                $0.linux?.sysctl = ["net.ipv4.ip_forward": "1"]
            }.contains("it would change the host"))
    }

    @Test(arguments: [
        (["bind", "idmap"], "bind", "idmap needs"), (["idmap"], "tmpfs", "for bind mounts"),
        (["tmpcopyup"], "proc", "tmpcopyup"),
        ([], "", "type"),
    ])
    func mountOptions(_ options: [String], _ type: String, _ word: String) throws {
        let text = try message {
            $0.mounts = [RuntimeSpec.Mount(destination: "/m", type: type, source: "/s", options: options)]
        }
        #expect(text.hasPrefix("config.json: mounts.0: /m: "))
        #expect(text.contains(word), "\(text)")
    }

    /// setresuid(2) would leave the process what it is: root.
    @Test func cve2024_40635_anIDThatMeansAsItIs() throws {
        #expect(try message { $0.process?.user = .init(uid: .max, gid: 0) }.contains("process.user.uid"))
        #expect(try message { $0.process?.user = .init(uid: 0, gid: .max) }.contains("process.user.gid"))
        #expect(
            try message { $0.process?.user = .init(uid: 0, gid: 0, additionalGids: [1, .max]) }.contains(
                "additionalGids"))
    }

    /// A false /proc would take the labels and have the masks.
    @Test(arguments: [
        "/proc", "/proc/", "/./proc", "/x/../proc", "proc", "/proc/sys", "/proc/self/attr", "/proc/1",
    ])
    func cve2019_16884_cve2019_19921_cve2023_28642_nothingIsMountedOverProc(_ destination: String) throws {
        for type in ["tmpfs", "bind"] {
            let text = try message {
                $0.mounts = [.init(destination: destination, type: type, source: "/source")]
            }
            #expect(text.contains("/proc"), "\(text)")
        }
    }

    @Test func whatIsMountedInProc() throws {
        for (destination, type, source) in [
            ("/proc", "proc", "proc"), ("/proc", "bind", "/proc"),
            ("/proc/meminfo", "bind", "/lxcfs/meminfo"),
            ("/process", "tmpfs", "tmpfs"), ("/x/proc", "tmpfs", "tmpfs"),
        ] {
            var spec = try spec()
            spec.mounts = [.init(destination: destination, type: type, source: source)]
            _ = try plan(spec)
        }
    }

    @Test func mountsOverTheRootAndRelativeSources() throws {
        for destination in ["/", "//", "/..", "."] {
            #expect(
                try message { $0.mounts = [.init(destination: destination, type: "tmpfs", source: "tmpfs")] }
                    .contains(
                        "over the root"))
        }
        #expect(
            try message {
                $0.mounts = [.init(destination: "/m", type: "bind", source: "rel", options: ["bind"])]
            }
            .contains("absolute"))
    }

    @Test func optionsAreSorted() throws {
        let both = MountOptions(
            ["rbind", "ro", "rro", "noatime", "atime", "rslave", "defaults"].filter {
                $0 != "noatime" && $0 != "atime"
            })
        #expect(both.attributes.set == 1 && both.recursive.set == 1 && both.recursiveBind)
        #expect(both.propagation == 0x84000)
        let later = MountOptions(["ro", "rw", "noatime", "relatime", "suid", "nosuid"])
        #expect(later.attributes.set == 2)
        #expect(later.attributes.clear == 0x71)
        let data = MountOptions(["size=1m", "mode=1777", "inode64", "a=b=c"]).data
        #expect(
            data == [
                MountOption("size", "1m"), MountOption("mode", "1777"), MountOption("inode64"),
                MountOption("a", "b=c"),
            ])
    }

    /// CVE-2022-24769: nothing inheritable unless it was asked for, and ambient only out of permitted and inheritable.
    @Test func cve202224769Inheritable() throws {
        var spec = try spec()
        let sets = { (plan: LaunchPlan) in
            plan.steps.compactMap { step in
                if case .capabilities(_, _, let inheritable, let ambient) = step {
                    [inheritable, ambient]
                } else {
                    nil
                }
            }.first
        }
        #expect(sets(try plan(spec)) == [0, 0])
        spec.process?.capabilities?.ambient = ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_KILL"]
        #expect(sets(try plan(spec)) == [0, 0])
        spec.process?.capabilities?.inheritable = ["CAP_CHOWN", "CAP_SYS_ADMIN"]
        #expect(sets(try plan(spec)) == [1 | 1 << 21, 1])
    }
}
