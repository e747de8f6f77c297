package import Failure
internal import Glibc
package import LaunchPlan
package import OCI

extension Planner {
    /// What the process is, once the root is in its place: from here on `/` is the container's.
    static func setUp(
        _ process: RuntimeSpec.Process, linux: RuntimeSpec.Linux, context: Context, inUserNamespace: Bool,
        into draft: inout Draft
    ) throws(Failure) {
        try refuse(process.user)
        if process.terminal != true {
            draft.steps.append(
                .standardStreams(
                    draft.slot(.standardInput), draft.slot(.standardOutput), draft.slot(.standardError)))
        }
        // As root: a user may be locked out of a directory that it starts in.
        draft.steps.append(.workingDirectory(process.cwd, create: false))
        // While capabilities are still held: limits are raised and scores lowered with them.
        for limit in inUserNamespace ? [] : try resourceLimits(process) {
            draft.steps.append(.resourceLimit(resource: limit.number, soft: limit.soft, hard: limit.hard))
        }
        // Writing the score that it has already needs a privilege that it may not have.
        if let score = process.oomScoreAdj, Int32(clamping: score) != context.host.oomScoreAdjustment,
            !inUserNamespace
        {
            draft.steps.append(.oomScoreAdjustment(Int32(clamping: score)))
        }
        if let scheduler = process.scheduler { draft.steps.append(step(scheduler)) }
        if let priority = process.ioPriority {
            let classes: [RuntimeSpec.IOPriority.Class: UInt32] = [.realtime: 1, .bestEffort: 2, .idle: 3]
            draft.steps.append(
                .ioPriority((classes[priority.class] ?? 0) << 13 | UInt32(clamping: priority.priority ?? 0)))
        }
        if let policy = linux.memoryPolicy { draft.steps.append(try step(policy)) }
        if let personality = linux.personality {
            if let flag = personality.flags?.first {
                throw Failure(.unsupported, "config.json: linux.personality.flags: \(flag) is not supported")
            }
            draft.steps.append(.personality(personality.domain == .linux32 ? 8 : 0))
        }
        draft.steps.append(.umask(process.user?.umask ?? 0o022))
        // The label is written below /proc and holds from execve on.
        // "unconfined" is what everything is where it is off.
        if let profile = process.apparmorProfile, !profile.isEmpty, context.host.appArmor {
            draft.steps.append(.execLabel(module: "apparmor", label: "exec \(profile)"))
        }
        if let label = process.selinuxLabel, !label.isEmpty {
            draft.steps.append(.execLabel(module: "selinux", label: label))
        }
        limit(process, context: context, inUserNamespace: inUserNamespace, into: &draft)
    }

    /// What the process may do, from the widest to the last.
    private static func limit(
        _ process: RuntimeSpec.Process, context: Context, inUserNamespace: Bool, into draft: inout Draft
    ) {
        let granted = GrantedCapabilities(
            process.capabilities, inUserNamespace: inUserNamespace, context.host)
        draft.steps.append(.boundingSet(granted.bounding.rawValue))
        // Without no-new-privileges a filter needs CAP_SYS_ADMIN, which the next steps take away.
        if process.noNewPrivileges != true { seccomp(context, into: &draft) }
        if context.ownsStreams, process.terminal != true {
            draft.steps.append(.ownStreams(uid: process.user?.uid ?? 0))
        }
        draft.steps.append(
            .identity(
                uid: process.user?.uid ?? 0, gid: process.user?.gid ?? 0,
                // With one id there is no other group, and setgroups(2) is denied.
                groups: context.host.hasOneID ? [] : process.user?.additionalGids ?? [],
                keepsGroups: inUserNamespace || context.host.inUserNamespace))
        draft.steps.append(
            .capabilities(
                effective: granted.effective.rawValue, permitted: granted.permitted.rawValue,
                inheritable: granted.inheritable.rawValue, ambient: granted.ambient.rawValue))
        if process.noNewPrivileges == true { draft.steps.append(.noNewPrivileges) }
    }

    private static func seccomp(_ context: Context, into draft: inout Draft) {
        guard let path = context.seccompFilter else { return }
        draft.steps.append(.seccomp(draft.slot(.file(path: path)), flags: context.seccompFlags))
    }

    static func finish(
        process: RuntimeSpec.Process, reaps: Bool, startHooks: [Step] = [], context: Context,
        into draft: inout Draft
    ) {
        let environment = process.env ?? []
        let path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        // As the user that will run it, and before start is awaited: a program that is not there fails create.
        if let program = process.args?.first {
            draft.steps.append(
                .findProgram(name: program, searchPath: path ?? ContainerDefaults.searchPath))
        }
        // As late as can be, so that the filter judges the fewest of our own calls.
        if process.noNewPrivileges == true { seccomp(context, into: &draft) }
        // CVE-2024-21626: no descriptor of ours may be there for the program, nor for execve's own path.
        draft.steps.append(.closeDescriptors(keep: context.preservedDescriptors))
        if context.waitsForStart { draft.steps.append(.awaitStart(draft.slot(.startFIFO))) }
        draft.steps += startHooks
        if reaps { draft.steps.append(.reap) }
        if let arguments = process.args {
            draft.steps.append(.execute(arguments: arguments, environment: environment))
        }
    }

    /// set_mempolicy(2)'s numbers.
    private static func step(_ policy: RuntimeSpec.MemoryPolicy) throws(Failure) -> Step {
        let modes: [RuntimeSpec.MemoryPolicy.Mode: UInt64] = [
            .default: 0, .preferred: 1, .bind: 2, .interleave: 3, .local: 4, .preferredMany: 5,
            .weightedInterleave: 6,
        ]
        let flags: [RuntimeSpec.MemoryPolicy.Flag: UInt64] = [
            .numaBalancing: 1 << 13, .relativeNodes: 1 << 14, .staticNodes: 1 << 15,
        ]
        let mode = (policy.flags ?? []).reduce(policy.mode.flatMap { modes[$0] } ?? 0) {
            $0 | (flags[$1] ?? 0)
        }
        return .memoryPolicy(mode: mode, nodes: try policy.nodes.map(CPUList.mask) ?? [])
    }

    private static func step(_ scheduler: RuntimeSpec.Scheduler) -> Step {
        let policies: [RuntimeSpec.Scheduler.Policy: UInt32] = [
            .other: 0, .fifo: 1, .roundRobin: 2, .batch: 3, .iso: 4, .idle: 5, .deadline: 6,
        ]
        let flags: [RuntimeSpec.Scheduler.Flag: UInt64] = [
            .resetOnFork: 1, .reclaim: 2, .deadlineOverrun: 4, .keepPolicy: 8, .keepParams: 0x10,
            .utilClampMin: 0x20, .utilClampMax: 0x40,
        ]
        return .scheduler(
            policy: policies[scheduler.policy] ?? 0,
            flags: (scheduler.flags ?? []).reduce(0) { $0 | (flags[$1] ?? 0) }, nice: scheduler.nice ?? 0,
            priority: UInt32(clamping: scheduler.priority ?? 0), runtime: scheduler.runtime ?? 0,
            deadline: scheduler.deadline ?? 0, period: scheduler.period ?? 0)
    }
}

extension Planner {
    /// The plan of `exec`: another process in a running container.
    ///
    /// - Parameters:
    ///   - container: the spec that the container runs by.
    ///   - location: where its cgroups are.
    ///   - child: the name of a cgroup of its own below the container's.
    /// - Throws: as `plan`.
    package static func execPlan(
        _ process: RuntimeSpec.Process, in container: RuntimeSpec, location: CgroupLocation,
        child: String? = nil, _ context: Context
    ) throws(Failure) -> LaunchPlan {
        guard process.args?.first?.isEmpty == false else {
            throw Failure(.invalidArgument, "exec: no command specified")
        }
        var draft = Draft()
        var context = context
        context.seccompFlags |= seccompFlags(container.linux?.seccomp)
        if let list = process.execCPUAffinity?.initial {
            draft.steps.append(.cpuAffinity(try CPUList.mask(list)))
        }
        let container = container.linux ?? RuntimeSpec.Linux()
        let pidfd = draft.slot(.containerPIDFD)
        location.join(into: &draft, child: child)
        // A process of the container must not look into this one, which still has the host's descriptors, between the
        // joining and execve (CVE-2016-9962, CVE-2019-5736); execve makes it dumpable again.
        draft.steps.append(.dumpable(false))
        let namespaces = execNamespaces(container)
        let inUserNamespace = namespaces & CloneFlag.user != 0
        if namespaces != 0 { draft.steps.append(.joinNamespace(pidfd, flags: namespaces)) }
        if inUserNamespace { draft.steps.append(.becomeRoot) }
        if context.entersRoot { draft.steps.append(.enterRoot(draft.slot(.root))) }
        if let list = process.execCPUAffinity?.final {
            draft.steps.append(.cpuAffinity(try CPUList.mask(list)))
        }
        draft.steps.append(.newSession)
        if !context.keepsKeyring { draft.steps.append(.newKeyring(name: "ctr-\(context.containerID)")) }
        if process.terminal == true {
            draft.steps.append(
                .terminal(
                    draft.slot(.terminal), rows: UInt16(clamping: process.consoleSize?.height ?? 0),
                    columns: UInt16(clamping: process.consoleSize?.width ?? 0)))
        }
        try setUp(
            process, linux: container, context: context, inUserNamespace: inUserNamespace, into: &draft)
        finish(process: process, reaps: false, context: context, into: &draft)
        let hasPID = (container.namespaces ?? []).contains { $0.type == .pid }
        return LaunchPlan(
            namespaces: 0, joinPIDNamespace: hasPID ? pidfd : nil, cgroup: draft.cgroup, steps: draft.steps,
            slots: draft.slots)
    }

    /// All that the container does not share with the host, in one setns(2): the mount namespace with the others, so
    /// that no path is looked up half-way.
    private static func execNamespaces(_ container: RuntimeSpec.Linux) -> UInt64 {
        var flags: UInt64 = 0
        // A pid namespace is joined by the parent.
        for namespace in container.namespaces ?? [] where namespace.type != .pid {
            flags |= CloneFlag.of(namespace.type)
        }
        return flags
    }
}
