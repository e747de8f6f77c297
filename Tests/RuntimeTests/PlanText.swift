import LaunchPlan
import OCI

@testable import Runtime

/// A plan as text, one line a step, for golden tests.
func text(_ plan: LaunchPlan) -> String {
    let names: [(UInt64, String)] = [
        (0x80, "time"), (0x20000, "mount"), (0x0200_0000, "cgroup"), (0x0400_0000, "uts"),
        (0x0800_0000, "ipc"), (0x2000_0000, "pid"), (0x4000_0000, "network"),
    ]
    let namespaces = { (flags: UInt64) in
        names.filter { flags & $0.0 != 0 }.map(\.1).joined(separator: ",")
    }
    let hex = { (value: UInt64) in "0x" + String(value, radix: 16) }
    let octal = { (value: UInt32) in "0" + String(value, radix: 8) }
    let options = { (list: [MountOption]) in
        list.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
    var lines = ["clone \(namespaces(plan.namespaces))"]
    if let slot = plan.joinPIDNamespace { lines.append("join-pid \(slot)") }
    for step in plan.cgroup {
        switch step {
        case .startScope(let name, let slice, let description, _):
            lines.append("cgroup scope \(name) in \(slice): \(description)")
        case .makeDirectory(let path): lines.append("cgroup mkdir \(path)")
        case .write(let path, let value, let optional):
            lines.append("cgroup write \(path) \(value)\(optional ? " (optional)" : "")")
        case .moveSelf(let path): lines.append("cgroup move-self \(path)")
        case .attachDeviceFilter(let path, let program):
            lines.append("cgroup devices \(path) \(program.count / 8) instructions")
        case .delegate(let path, let uid): lines.append("cgroup delegate \(path) to \(uid)")
        case .cloneInto(let path): lines.append("cgroup clone-into \(path)")
        case .openForChild(let path, let slot): lines.append("cgroup open \(path) as \(slot)")
        }
    }
    for (index, slot) in plan.slots.enumerated() {
        switch slot {
        case .bind(let path, let recursive, let own, let below, let ids):
            var line =
                "slot \(index) bind \(path)\(recursive ? " recursive" : "") +\(hex(own.set)) -\(hex(own.clear))"
            if !below.isEmpty { line += " below +\(hex(below.set)) -\(hex(below.clear))" }
            lines.append(line + (ids.map { " \($0)" } ?? ""))
        case .file(let path): lines.append("slot \(index) file \(path)")
        default: lines.append("slot \(index) \(slot)")
        }
    }
    for step in plan.steps {
        switch step {
        case .joinNamespace(let slot, let flags): lines.append("join \(slot) \(namespaces(flags))")
        case .unshare(let flags): lines.append("unshare \(namespaces(flags))")
        case .setPropagation(let flags): lines.append("propagation \(hex(flags))")
        case .setRootPropagation(let flags): lines.append("root-propagation \(hex(flags))")
        case .mount(let type, let source, let path, let attributes, let data, let copyUp):
            lines.append(
                "mount \(type) \(source) \(path) \(hex(attributes)) \(options(data))\(copyUp ? " copy-up" : "")"
            )
        case .attachMount(let slot, let path, let isDirectory, let propagation):
            lines.append("attach \(slot) \(path) \(isDirectory ? "directory" : "file") \(hex(propagation))")
        case .makeDevice(let path, let mode, let major, let minor, let uid, let gid):
            lines.append("device \(path) \(octal(mode)) \(major):\(minor) \(uid):\(gid)")
        case .symlink(let target, let path): lines.append("symlink \(path) -> \(target)")
        case .mask(let path): lines.append("mask \(path)")
        case .readOnlyPath(let path): lines.append("read-only \(path)")
        case .makeDirectory(let path, let mode): lines.append("mkdir \(path) \(octal(mode))")
        case .sysctl(let key, let value): lines.append("sysctl \(key) = \(value)")
        case .resourceLimit(let resource, let soft, let hard):
            lines.append("rlimit \(resource) \(soft) \(hard)")
        case .umask(let mask): lines.append("umask \(octal(mask))")
        case .boundingSet(let mask): lines.append("bounding \(hex(mask))")
        case .identity(let uid, let gid, let groups, _): lines.append("identity \(uid):\(gid) \(groups)")
        case .capabilities(let effective, let permitted, let inheritable, let ambient):
            lines.append(
                "capabilities e=\(hex(effective)) p=\(hex(permitted)) i=\(hex(inheritable)) a=\(hex(ambient))"
            )
        default: lines.append(shortText(step))
        }
    }
    return lines.joined(separator: "\n")
}

private func shortText(_ step: Step) -> String {
    switch step {
    case .awaitParent(let stage): "await-parent \(stage)"
    case .joinCgroup(let slot): "join-cgroup \(slot)"
    case .newSession: "session"
    case .newKeyring(let name): "keyring \(name)"
    case .attachRoot(let slot, let place, let sharesMounts):
        "root \(slot)\(place == "/" ? "" : " at \(place)")\(sharesMounts ? " shared" : "")"
    case .enterRoot(let slot): "enter-root \(slot)"
    case .changeRoot: "chroot"
    case .remount(let path, let change, let options):
        "remount \(path) +\(change.set) -\(change.clear) \(options.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" })"
    case .readOnlyRoot: "read-only-root"
    case .pivotRoot: "pivot"
    case .hostname(let name): "hostname \(name)"
    case .domainname(let name): "domainname \(name)"
    case .loopbackUp: "loopback-up"
    case .oomScoreAdjustment(let score): "oom-score \(score)"
    case .terminal(let slot, let rows, let columns): "terminal \(slot) \(rows)x\(columns)"
    case .standardStreams(let input, let output, let error): "streams \(input) \(output) \(error)"
    case .workingDirectory(let path, let create): "chdir \(path)\(create ? " create" : "")"
    case .personality(let value): "personality \(value)"
    case .scheduler(let policy, let flags, let nice, let priority, let runtime, let deadline, let period):
        "scheduler \(policy) \(flags) \(nice) \(priority) \(runtime) \(deadline) \(period)"
    case .ioPriority(let value): "io-priority \(value)"
    case .dumpable(let on): "dumpable \(on)"
    case .noNewPrivileges: "no-new-privileges"
    case .seccomp(let slot, let flags): "seccomp \(slot) \(flags)"
    case .execLabel(let module, let label): "label \(module) \(label)"
    case .closeDescriptors(let keep): "close \(keep)"
    case .findProgram(let name, let path): "find \(name) in \(path)"
    case .awaitStart(let slot): "await-start \(slot)"
    case .reap: "reap"
    case .execute(let arguments, let environment): "execute \(arguments) \(environment)"
    default: "?"
    }
}

/// What another plan has (+) and lacks (-) against a plan, in order.
func changes(_ plan: LaunchPlan, from base: LaunchPlan) -> String {
    let new = text(plan).split(separator: "\n").map(String.init)
    let old = text(base).split(separator: "\n").map(String.init)
    let difference = new.difference(from: old)
    return (difference.removals + difference.insertions).map { change in
        switch change {
        case .remove(_, let line, _): "- \(line)"
        case .insert(_, let line, _): "+ \(line)"
        }
    }.joined(separator: "\n")
}

/// This project's own machines: memory and pids in v1, cgroup2 beside them.
let hybridLayout = CgroupLayout(
    unifiedMount: "/sys/fs/cgroup/unified", unifiedControllers: ["hugetlb"],
    hierarchies: ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"].map {
        CgroupLayout.Hierarchy(mount: "/sys/fs/cgroup/\($0)", controllers: [$0])
    }, cpusetCPUs: "0-1", cpusetNodes: "0")

let unifiedLayout = CgroupLayout(
    unifiedMount: "/sys/fs/cgroup",
    unifiedControllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"])

let systemdLayout = CgroupLayout(
    unifiedMount: "/sys/fs/cgroup",
    unifiedControllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"], systemd: true)

let legacyLayout = CgroupLayout(
    unifiedMount: nil,
    hierarchies: [
        ["cpu", "cpuacct"], ["cpuset"], ["memory"], ["devices"], ["freezer"], ["blkio"], ["pids"],
    ].map { CgroupLayout.Hierarchy(mount: "/sys/fs/cgroup/\($0.joined(separator: ","))", controllers: $0) },
    cpusetCPUs: "0-3", cpusetNodes: "0")

/// The plan that a set of options ends in.
func planned(
    _ options: SpecOptions, on layout: CgroupLayout = unifiedLayout, filter: String? = nil,
    change: (inout Planner.Context) -> Void = { _ in }
) throws -> LaunchPlan {
    let host = HostFacts(cgroups: layout)
    let spec = try SpecBuilder.build(options, host: host)
    try spec.check()
    let placement = try CgroupPlacement(
        layout: layout, containerID: "c1", cgroupsPath: spec.linux?.cgroupsPath,
        resources: spec.linux?.resources)
    var context = Planner.Context(
        containerID: "c1", host: host, placement: placement, seccompFilter: filter,
        isDirectory: { !$0.hasSuffix(".conf") })
    change(&context)
    return try Planner.plan(spec, context)
}
