package import Failure
package import LaunchPlan
package import OCI

/// From an OCI runtime spec to the flat plan of its launch: a pure function, so that a plan can be printed and tested
/// as text. What runtime-spec has and ctr does not do is refused by name, never passed over.
package enum Planner {
    /// What a plan needs beside the spec.
    package struct Context: Sendable {
        package var containerID: String
        package var host: HostFacts
        /// For `plan`; an exec joins what is there. nil: the container stays in the cgroups of its caller.
        package var placement: CgroupPlacement?
        /// The compiled filter's file, from `SeccompFilter`; nil: unconfined.
        package var seccompFilter: String?
        /// seccomp(2)'s flags for it.
        package var seccompFlags: UInt64 = 0
        /// `--init`: a small init of ctr's own reaps and forwards signals.
        package var initProcess = false
        /// The child waits, its mounts made, while its parent sets the network up or runs hooks.
        package var awaitsParent = false
        /// The child waits for its networks.
        package var awaitsNetwork = false
        /// What hooks that run in the container get on their standard input: the container's state, before and after the
        /// pid, for createContainer and for startContainer.
        package var hookStates: (creating: (String, String), created: (String, String))?
        /// Where on the host the root is attached, for hooks; nil: over `/`.
        package var rootPlace: String?
        /// `--no-pivot`: chroot in its place.
        package var keepsOldRoot = false
        /// For exec: the container's root is not its mount namespace's; the slot `root` is.
        package var entersRoot = false
        /// `--no-new-keyring`
        package var keepsKeyring = false
        /// stdin, stdout and stderr are the caller's, and are given to the process's user.
        package var ownsStreams = false
        /// OCI's create: the process waits for start.
        package var waitsForStart = false
        /// `--preserve-fds`: how many descriptors from 3 on the process keeps.
        package var preservedDescriptors: UInt32 = 0
        /// Whether a bind's source is a directory; throws where there is none.
        package var isDirectory: @Sendable (String) throws(Failure) -> Bool

        package init(
            containerID: String, host: HostFacts, placement: CgroupPlacement?, seccompFilter: String? = nil,
            isDirectory: @escaping @Sendable (String) throws(Failure) -> Bool = Planner.sourceIsDirectory
        ) {
            self.containerID = containerID
            self.host = host
            self.placement = placement
            self.seccompFilter = seccompFilter
            self.isDirectory = isDirectory
        }

    }

    /// The plan that makes a container and starts its process.
    ///
    /// The order is the product; each place has its reason beside it.
    /// - Throws: `unsupported` with the field that ctr does not do yet, `invalidArgument` for what cannot be.
    package static func plan(_ spec: RuntimeSpec, _ context: Context) throws(Failure) -> LaunchPlan {
        try refuse(spec, context.host)
        // Without a process it waits for a start that never comes (runtime.md, "Start").
        let process = spec.process ?? RuntimeSpec.Process()
        if spec.process != nil || !context.waitsForStart, process.args?.isEmpty != false {
            throw Failure(.invalidArgument, "config.json: process.args: missing")
        }
        let linux = spec.linux ?? RuntimeSpec.Linux()
        if linux.seccomp != nil, context.seccompFilter == nil {
            throw Failure(.internal, "config.json: linux.seccomp: the filter was not compiled")
        }
        var context = context
        context.seccompFlags |= seccompFlags(linux.seccomp)
        var draft = Draft()

        let namespaces = try Namespaces(linux, into: &draft)
        let parent = try parentSteps(process, linux, namespaces)
        // The ids of a new user namespace are mapped from outside, before anything needs one.
        if !parent.isEmpty { draft.steps.append(.awaitParent(stage: 0)) }
        if namespaces.isInUserNamespace, namespaces.flags & CloneFlag.user != 0 {
            draft.steps.append(.becomeRoot)
        }
        // Cgroups first, while the process is small and may still write to the host's files: all that follows is
        // counted there.
        try context.placement?.place(
            resources: linux.resources ?? RuntimeSpec.Resources(), rules: deviceRules(linux), into: &draft)
        if let owner = cgroupOwner(spec, namespaces), let path = context.placement?.location.unified,
            context.placement?.layout.mode == .unified
        {
            draft.cgroup.append(.delegate(path: path, uid: owner))
        }
        // Only the first user namespace's root loads filters; in another there is nothing to make devices with.
        if context.host.inUserNamespace {
            draft.cgroup.removeAll { if case .attachDeviceFilter = $0 { true } else { false } }
        }
        // Joined namespaces before new ones are used.
        draft.steps += namespaces.joins
        // The namespace's root is where the process is now: every cgroup is joined.
        if namespaces.cgroup { draft.steps.append(.unshare(flags: CloneFlag.cgroup)) }
        // Never the caller's terminal or process group: a container cannot push characters into the shell that
        // started it (TIOCSTI).
        draft.steps.append(.newSession)
        if !context.keepsKeyring { draft.steps.append(.newKeyring(name: "ctr-\(context.containerID)")) }

        // The copy of the host's mount table must not tell the host of what happens in it.
        let propagation = rootPropagation(linux)
        if !namespaces.sharesMounts {
            draft.steps.append(.setPropagation(flags: propagation ?? defaultPropagation))
        }
        draft.steps.append(
            .attachRoot(
                draft.slot(.root), at: context.rootPlace ?? "/", sharesMounts: namespaces.sharesMounts))
        try mount(spec.mounts ?? [], spec: spec, namespaces: namespaces, context: context, into: &draft)
        let makesDevices = makesDevices(spec.mounts ?? [])
        makeDevices(linux.devices ?? [], inDev: makesDevices, into: &draft)
        // The mounts are there, and the root can still be written and seen from the host's side.
        if context.awaitsParent { draft.steps.append(.awaitParent(stage: 1)) }
        draft.steps += hooks(spec.hooks?.createContainer, .createContainer, context.hookStates?.creating)
            .map(Step.hook)
        // Needs the container's /dev and comes before anything there is made read-only.
        if process.terminal == true {
            let size = process.consoleSize
            draft.steps.append(
                .terminal(
                    draft.slot(.terminal), rows: UInt16(clamping: size?.height ?? 0),
                    columns: UInt16(clamping: size?.width ?? 0)))
        }

        if makesDevices, isReadOnlyDev(spec.mounts ?? []) {
            draft.steps.append(
                .remount(inRoot: "/dev", change: AttributeChange(set: MountOptions.Attribute.readOnly)))
        }
        if let hostname = spec.hostname, !hostname.isEmpty { draft.steps.append(.hostname(hostname)) }
        if let domainname = spec.domainname, !domainname.isEmpty {
            draft.steps.append(.domainname(domainname))
        }
        // Only a new network's: a joined one was brought up by its owner.
        if namespaces.flags & CloneFlag.network != 0 { draft.steps.append(.loopbackUp) }
        // As late as can be: the networks are made while the child does all that is above. Settings of their devices follow.
        if context.awaitsNetwork { draft.steps.append(.awaitParent(stage: 2)) }
        // While /proc/sys can be written.
        for (key, value) in (linux.sysctl ?? [:]).sorted(by: { $0.key < $1.key }) {
            draft.steps.append(.sysctl(key: Sysctl.path(key), value: value))
        }
        // Read-only before masked: a mask is a mount of its own and would be made read-only again.
        for path in linux.readonlyPaths ?? [] { draft.steps.append(.readOnlyPath(inRoot: path)) }
        for path in linux.maskedPaths ?? [] { draft.steps.append(.mask(inRoot: path)) }
        // Made while the root can be written.
        if process.cwd != "/" { draft.steps.append(.makeDirectory(inRoot: process.cwd, mode: 0o755)) }
        if spec.root?.readonly == true { draft.steps.append(.readOnlyRoot) }
        draft.steps.append(
            context.keepsOldRoot || namespaces.sharesMounts ? .changeRoot : .pivotRoot)
        // Of the root that is `/` now; before, it would have been told to the host.
        if let propagation { draft.steps.append(.setRootPropagation(flags: propagation)) }

        try setUp(
            process, linux: linux, context: context, inUserNamespace: namespaces.isInUserNamespace,
            into: &draft)
        // In a pid namespace of somebody else there is an init already.
        let isInit = namespaces.flags & CloneFlag.pid != 0
        finish(
            process: process, reaps: context.initProcess && isInit,
            startHooks: hooks(spec.hooks?.startContainer, .startContainer, context.hookStates?.created)
                .map(Step.hook),
            context: context,
            into: &draft)
        var plan = LaunchPlan(
            namespaces: namespaces.flags, joinPIDNamespace: namespaces.joinedPID, cgroup: draft.cgroup,
            steps: draft.steps, slots: draft.slots)
        plan.preparation = namespaces.preparation
        plan.parent = parent
        return plan
    }

    /// A spec's hooks in the plan's words.
    /// - Parameter state: the container's, before and after the pid.
    package static func hooks(
        _ hooks: [RuntimeSpec.Hook]?, _ kind: Hook.Kind, _ state: (String, String)?
    ) -> [Hook] {
        (hooks ?? []).enumerated().map { index, hook in
            Hook(
                kind, index: index, path: hook.path, arguments: hook.args ?? [hook.path],
                environment: hook.env ?? [],
                milliseconds: UInt64(clamping: hook.timeout ?? 0) * 1000, state: state ?? ("", ""))
        }
    }
}

extension Planner {
    /// A plan as it grows.
    struct Draft {
        var cgroup: [CgroupStep] = []
        var steps: [Step] = []
        var slots: [SlotSource] = []

        /// A new slot for what must be opened.
        mutating func slot(_ source: SlotSource) -> Step.Slot {
            slots.append(source)
            return slots.count - 1
        }
    }

    /// CLONE_NEW* (sched.h).
    enum CloneFlag {
        static let time: UInt64 = 0x80
        static let mount: UInt64 = 0x20000
        static let cgroup: UInt64 = 0x0200_0000
        static let uts: UInt64 = 0x0400_0000
        static let ipc: UInt64 = 0x0800_0000
        static let user: UInt64 = 0x1000_0000
        static let pid: UInt64 = 0x2000_0000
        static let network: UInt64 = 0x4000_0000

        static func of(_ kind: RuntimeSpec.Namespace.Kind) -> UInt64 {
            switch kind {
            case .mount: mount
            case .network: network
            case .uts: uts
            case .ipc: ipc
            case .time: time
            case .cgroup: cgroup
            case .pid: pid
            case .user: user
            }
        }
    }

    static let defaultPropagation = MountOptions.Propagation.slave | MountOptions.Propagation.recursive

    private static func rootPropagation(_ linux: RuntimeSpec.Linux) -> UInt64? {
        guard let name = linux.rootfsPropagation, let flag = MountOptions.propagations[name] else {
            return nil
        }
        // The whole tree, as config-linux.md means it, whichever form is written.
        return flag | MountOptions.Propagation.recursive
    }

    /// SECCOMP_FILTER_FLAG_*. Threads to synchronise with there are none; a listener is asked for where an action needs
    /// one.
    static func seccompFlags(_ seccomp: RuntimeSpec.Seccomp?) -> UInt64 {
        guard let seccomp else { return 0 }
        let flags: UInt64 = (seccomp.flags ?? []).reduce(0) { mask, flag in
            switch flag {
            case .log: mask | 2
            case .specAllow: mask | 4
            case .waitKillableRecv: mask | 0x20
            case .tsync: mask
            }
        }
        return seccomp.notifies ? flags | 8 : flags & ~0x20
    }

    static func deviceRules(_ linux: RuntimeSpec.Linux) -> [RuntimeSpec.DeviceRule] {
        let asked = linux.resources?.devices ?? []
        // Everything is allowed already.
        if let last = asked.last, last.allow, ["a", ""].contains(last.type ?? "a"), last.major ?? -1 == -1,
            last.minor ?? -1 == -1, Set(last.access ?? "rwm") == Set("rwm")
        {
            return asked
        }
        // One that is said again below has no word of its own: the later one decides.
        return asked.filter { !ContainerDefaults.runtimeDeviceRules.contains($0) }
            + ContainerDefaults.runtimeDeviceRules
    }

    /// The default for `Context.isDirectory`: asks the file system.
    @Sendable package static func sourceIsDirectory(_ path: String) throws(Failure) -> Bool {
        try BindSource.isDirectory(path)
    }
}
