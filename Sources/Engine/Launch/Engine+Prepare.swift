internal import CommandTable
internal import ContainerMonitor
internal import EventJournal
internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService
internal import OCI
internal import OverlayFS
internal import Rootless
internal import Runtime

extension Engine {
    /// A plan with its descriptors open, ready to be sent.
    struct PreparedLaunch: ~Copyable {
        let plan: MonitorPlan
        let slots: LaunchSlots
        /// The container's root, which the slots refer to.
        let root: DetachedMount
        /// What it is attached to while it starts.
        let networks: PreparedNetworks?
    }

    /// What a container's spec is made of beside its record.
    struct Specification {
        let spec: RuntimeSpec
        /// Keeps the descriptors that the spec's sources name.
        let mounts: SpecMounts
        let host: HostFacts
        /// nil: an ordinary user has no cgroups here.
        let placement: CgroupPlacement?
        let user: UserIdentity
        /// The compiled filter; nil: unconfined.
        let seccompFilter: String?
    }

    /// Mounts the root, reads its users, fills its new volumes, and makes the plan. Under the container's lock.
    func prepareLaunch(_ record: ContainerRecord, restartCount: UInt32) throws(Failure) -> PreparedLaunch {
        let directory = try containerStore.directory(of: record.id)
        let settings = record.settings
        let runDirectory = runDirectory(of: record.id)
        try during("make \(runDirectory)") { () throws(SystemError) in try Directory.ensurePath(runDirectory)
        }
        let networks = try prepareNetworks(of: record, isRestart: restartCount > 0)
        try writeNetworkFiles(of: record, networks, in: directory)
        try writeSecrets(of: record)
        let root = try mountRoot(of: record, directory)
        let specification = try specification(of: record, root: root.descriptor)
        let owner = try record.owner(uid: specification.user.uid, gid: specification.user.gid)
        try changeOwners(of: record, specification.user)
        var context = Planner.Context(
            containerID: record.id, host: specification.host, placement: specification.placement,
            seccompFilter: specification.seccompFilter)
        context.initProcess = settings.initProcess
        context.awaitsNetwork = networks != nil
        let hooks = try prepareHooks(of: record, specification.spec, &context)
        var launch = try Planner.plan(specification.spec, context)
        var slots = try LaunchSlots(launch.slots, root: root.descriptor)
        let ports = networks?.sockets ?? []
        launch.slots += ports.map { _ in .publishedPort }
        slots.add(ports)
        try labelFiles(of: record)
        // What `update` told the monitor of an earlier run is in the record.
        try? Directory.removeFile("\(runDirectory)/\(RestartNote.fileName)")
        var plan = MonitorPlan(mode: .container, containerID: record.id, launch: launch)
        plan.runDirectory = runDirectory
        plan.containerDirectory = path(of: record, "").trimmingTrailingSlash
        plan.engineArguments = engineArguments
        plan.terminal = settings.terminal
        plan.openStdin = settings.openStdin
        plan.stdinOnce = settings.openStdin && !settings.detached
        plan.log = try logDriver(record)
        plan.restart = try restartPolicy(settings)
        plan.restartCount = restartCount
        plan.autoRemove = settings.autoRemove
        plan.uid = owner.uid
        plan.gid = owner.gid
        plan.lifetime = settings.life.lifetime ?? 0
        plan.health = try healthCheck(of: record, specification)
        if let location = specification.placement?.location {
            plan.childCgroups = location.childDirectory
            plan.cgroupDirectory = location.cgroupDirectory
            plan.cgroupsToRemove = location.toRemove
            plan.oomFile = location.oomFile ?? ""
        }
        plan.stopSignal = try stopSignal(of: record)
        plan.stopTimeout = settings.stopTimeout ?? Engine.defaultStopTimeout
        plan.eventAttributes = Event.encoded(record.eventAttributes)
        plan.volumes = record.mountedVolumes
        plan.awaitsNetwork = networks != nil
        plan.resolver = networks?.resolver?.record.bytes ?? []
        plan.hooks = hooks
        plan.netDevices = (specification.spec.linux?.netDevices ?? [:]).mapValues { $0.name ?? "" }
        if settings.terminal, let size = AttachClient.terminalSize() {
            plan.rows = size.rows
            plan.columns = size.columns
        }
        return PreparedLaunch(plan: plan, slots: slots, root: root, networks: networks)
    }

    /// - Parameter root: the container's, for its users.
    func specification(
        of record: ContainerRecord, root: borrowing FileDescriptor
    ) throws(Failure) -> Specification {
        let users = try UserDatabase(root: root)
        let user = try users.identity(of: record.settings.user, addedGroups: record.settings.groupAdd)
        let mounts = try SpecMounts(of: record, engine: self)
        var options = try SpecOptions(
            record, user: user, namespaces: try namespaces(of: record.settings), mounts: mounts.mounts)
        if !record.settings.life.secrets.isEmpty {
            options.environment += try secretEnvironment(of: record)
        }
        let host = try hostFacts()
        options.defaultAppArmorProfile = try defaultAppArmorProfile(host)
        var spec = try SpecBuilder.build(options, host: host)
        try addDevices(of: record.settings, to: &spec, host: host)
        try checkProfile(spec)
        let placement = try placement(
            record.id, spec.linux?.resources, host, parent: record.settings.cgroupParent)
        return Specification(
            spec: spec, mounts: mounts, host: host, placement: placement, user: user,
            seccompFilter: try seccompFilter(options, spec))
    }

    /// Where the container's cgroups are. An ordinary user has some where a systemd of the user's own is given a part of
    /// them; elsewhere there are none, unless limits ask for them.
    ///
    /// - Throws: `unsupported` where the host cannot hold a limit.
    func placement(
        _ id: String, _ resources: RuntimeSpec.Resources?, _ host: HostFacts, parent: String = ""
    ) throws(Failure) -> CgroupPlacement? {
        let parent = parent.isEmpty ? nil : parent
        guard host.inUserNamespace, let session = RootlessSession.current else {
            return try CgroupPlacement(
                layout: host.cgroups, containerID: id, parent: parent, resources: resources)
        }
        var limits = resources ?? RuntimeSpec.Resources()
        limits.devices = nil
        if let user = try CgroupLayout.ofUser(UserNamespace.outerUID, bus: session.bus) {
            return try CgroupPlacement(
                layout: user.layout, containerID: id, parent: parent, resources: resources,
                manager: user.manager)
        }
        guard limits == RuntimeSpec.Resources() else {
            throw Failure(
                .unsupported, "limits need cgroups, and this user has none here",
                hint: "a login session of systemd with cgroup v2 has them: \"ctr doctor\" tells more")
        }
        return nil
    }

    /// The hierarchies that containers are in.
    func cgroupLayout() throws(Failure) -> CgroupLayout {
        let host = try hostFacts()
        guard host.inUserNamespace, let session = RootlessSession.current else { return host.cgroups }
        return try CgroupLayout.ofUser(UserNamespace.outerUID, bus: session.bus)?.layout ?? host.cgroups
    }

    func seccompFilter(_ options: SpecOptions, _ spec: RuntimeSpec) throws(Failure) -> String? {
        if options.privileged { return nil }
        let source: SeccompFilter.Source
        switch options.seccomp {
        case .unconfined: return nil
        case .builtin: source = .builtin
        case .profile(let profile): source = .profile(profile)
        }
        return try SeccompFilter.blobPath(
            source, capabilities: CapabilitySet(specNames: spec.process?.capabilities?.bounding),
            cacheDirectory: "\(rootPath)/seccomp")
    }

    /// The overlay of the image's layers and the container's own, attached nowhere.
    func mountRoot(of record: ContainerRecord, _ directory: borrowing FileDescriptor) throws(Failure)
        -> DetachedMount
    {
        try RootMount(engine: self, record: record).mount(in: directory)
    }

    private func restartPolicy(_ settings: ContainerSettings) throws(Failure) -> MonitorPlan.Restart {
        switch try RestartPolicy.parse(settings.restart) {
        case .no: .no
        case .always: .always
        case .unlessStopped: .unlessStopped
        case .onFailure(let retries): .onFailure(maximumTries: UInt32(clamping: retries))
        }
    }
}

extension String {
    fileprivate var trimmingTrailingSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
