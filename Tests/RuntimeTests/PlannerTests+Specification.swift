import LaunchPlan
import OCI
import Testing

@testable import Runtime

/// Sentences of runtime-spec that a plan shows.
extension PlannerTests {
    private func spec(_ change: (inout RuntimeSpec) -> Void) throws -> RuntimeSpec {
        var options = plain
        options.arguments = ["sh"]
        var spec = try SpecBuilder.build(options, host: HostFacts(cgroups: unifiedLayout))
        change(&spec)
        return spec
    }

    private func lines(
        on layout: CgroupLayout = unifiedLayout, context: (inout Planner.Context) -> Void = { _ in },
        _ change: (inout RuntimeSpec) -> Void
    ) throws -> [String] {
        let spec = try spec(change)
        let placement = try CgroupPlacement(
            layout: layout, containerID: "c1", resources: spec.linux?.resources)
        var own = Planner.Context(
            containerID: "c1", host: HostFacts(cgroups: layout), placement: placement,
            isDirectory: { _ in true })
        context(&own)
        return text(try Planner.plan(spec, own)).split(separator: "\n").map(String.init)
    }

    /// "If a namespace type is not specified in the `namespaces` array, the container MUST inherit the runtime namespace of
    /// that type."
    @Test func withoutAMountNamespace() throws {
        let lines = try lines(context: { $0.rootPlace = "/b/rootfs" }) {
            $0.linux?.namespaces?.removeAll { $0.type == .mount }
        }
        #expect(lines.contains("root 0 at /b/rootfs shared") && lines.contains("chroot"))
        #expect(!lines.contains("pivot") && !lines.contains { $0.hasPrefix("propagation") })
        #expect(lines.first == "clone time,uts,ipc,pid,network")
    }

    /// "This operation MUST generate an error if `process` was not set" is said of start: create makes the container.
    @Test func withoutAProcess() throws {
        let lines = try lines(context: { $0.waitsForStart = true }) { $0.process = nil }
        #expect(lines.last?.hasPrefix("await-start") == true, "\(lines.suffix(2))")
        #expect(!lines.contains { $0.hasPrefix("find") })
    }

    /// `remount` (a MUST of config.md's table) changes what an entry before it has mounted.
    @Test func aRemount() throws {
        let lines = try lines {
            $0.mounts?.append(.init(destination: "/t", type: "tmpfs", source: "t"))
            $0.mounts?.append(.init(destination: "t/.", options: ["remount", "ro", "exec", "size=1m"]))
            $0.mounts?.append(.init(destination: "/u", type: "tmpfs", source: "u", options: ["remount"]))
        }
        #expect(lines.contains(#"remount /t +1 -8 ["size=1m"]"#), "\(lines)")
        #expect(lines.contains { $0.hasPrefix("mount tmpfs u /u") }, "nothing is there to be changed")
    }

    /// Devices and the terminal are made before it.
    @Test func aReadOnlyDev() throws {
        let lines = try lines {
            for index in ($0.mounts ?? []).indices where $0.mounts?[index].destination == "/dev" {
                $0.mounts?[index].options?.append("ro")
            }
        }
        let device = try #require(lines.firstIndex { $0.hasPrefix("device /dev/tty") })
        let end = try #require(lines.firstIndex(of: "remount /dev +1 -0 []"))
        #expect(device < end)
        #expect(lines.contains("mount tmpfs tmpfs /dev 0x22 mode=755,size=65536k"))
    }

    /// "`0` is a valid limit value for the `pids` cgroup controller from the kernel's perspective and SHOULD be treated as such".
    @Test func noProcessMore() throws {
        let limit = { (spec: inout RuntimeSpec) in
            spec.linux?.resources = RuntimeSpec.Resources()
            spec.linux?.resources?.pids = .init(limit: 0)
        }
        let hybrid = try lines(on: hybridLayout, limit)
        #expect(hybrid.contains("cgroup open /sys/fs/cgroup/pids/ctr/c1/pids.max as 2"))
        let joins = hybrid.filter { $0.hasPrefix("join-cgroup") }
        #expect(joins.last == "join-cgroup 2", "after it is in: \(joins)")
        #expect(try lines(limit).contains("cgroup open /sys/fs/cgroup/ctr/c1/pids.max as 0"))
    }

    /// config-linux.md, "Cgroup ownership": each of its conditions.
    @Test func ownersOfCgroups() throws {
        func owner(
            on layout: CgroupLayout = unifiedLayout, options: [String] = ["rw"],
            _ change: (inout RuntimeSpec) -> Void = { _ in }
        ) throws -> [String] {
            try lines(on: layout) { spec in
                spec.linux?.namespaces?.append(.init(.user))
                let mapping = RuntimeSpec.IDMapping(containerID: 0, hostID: 100_000, size: 1000)
                spec.linux?.uidMappings = [mapping]
                spec.linux?.gidMappings = [mapping]
                for index in (spec.mounts ?? []).indices
                where spec.mounts?[index].destination == "/sys/fs/cgroup" {
                    spec.mounts?[index].options = options
                }
                change(&spec)
            }.filter { $0.hasPrefix("cgroup delegate") }
        }
        #expect(try owner() == ["cgroup delegate /sys/fs/cgroup/ctr/c1 to 100000"])
        #expect(
            try owner { $0.process?.user = .init(uid: 7) } == [
                "cgroup delegate /sys/fs/cgroup/ctr/c1 to 100007"
            ])
        #expect(try owner(options: ["nosuid", "ro"]).isEmpty, "not to be written to")
        #expect(try owner(on: hybridLayout).isEmpty, "v1 is in use")
        #expect(try owner { $0.linux?.namespaces?.removeAll { $0.type == .cgroup } }.isEmpty)
        #expect(try owner { $0.process?.user = .init(uid: 5000) }.isEmpty, "it is nobody's id outside")
    }

    /// "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted otherwise MUST be logged as a
    /// warning"; unknown mount options go to mount(2), which has no use for them at a bind.
    @Test func warnings() throws {
        let host = HostFacts(
            capabilities: CapabilitySet.all.subtracting(CapabilitySet(specNames: ["CAP_SYS_BOOT"])),
            cgroups: unifiedLayout)
        func warnings(_ change: (inout RuntimeSpec) -> Void) throws -> [String] {
            Planner.warnings(try spec(change), host)
        }
        #expect(try warnings { _ in }.isEmpty)
        let told = try warnings {
            $0.process?.capabilities = .init(
                bounding: ["CAP_NEW", "CAP_SYS_BOOT", "CAP_KILL"], effective: ["CAP_KILL"],
                permitted: ["CAP_KILL"], ambient: ["CAP_CHOWN"])
        }
        #expect(told.count == 1 && told[0].contains("CAP_NEW, CAP_SYS_BOOT, CAP_CHOWN:"), "\(told)")
        let bind = try warnings {
            $0.mounts = [.init(destination: "/m", source: "/s", options: ["bind", "ro", "sync", "size=1m"])]
        }
        #expect(bind.count == 1 && bind[0].hasPrefix("mounts.0: size:"), "\(bind)")
    }
}
