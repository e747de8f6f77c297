internal import ContainerMonitor
package import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Rootless
internal import Runtime

extension BundleRuntime {
    /// Makes the container; its first process waits for `start`.
    /// - Throws: `alreadyExists` for an id that is taken, and whatever is wrong with the bundle. Nothing is left behind.
    package func create(_ id: String, _ options: CreateOptions) throws(Failure) {
        let directory = try StateDirectory.make(id, in: root)
        var ended: Ended?
        do throws(Failure) {
            let bundle = try Bundle(options.bundle)
            try directory.keep(config: bundle.config)
            try checkTerminal(bundle, options, leaves: true)
            let made = try makeContainer(bundle, options, directory, waitsForStart: true, ended: &ended)
            do throws(Failure) { try tell(made.process, options) } catch {
                undo(made)
                throw error
            }
        } catch {
            try? directory.remove()
            finish(ended)
            throw error
        }
    }

    /// `run`: makes and starts it. Detached, this returns as soon as it runs; otherwise with its exit code, when it has ended
    /// and been removed.
    package func run(
        _ id: String, _ options: CreateOptions, detached: Bool, keeps: Bool, subreaper: Bool
    ) throws(Failure) -> Int32 {
        let directory = try StateDirectory.make(id, in: root)
        var ended: Ended?
        let bundle: Bundle
        let made: MadeContainer
        do throws(Failure) {
            bundle = try Bundle(options.bundle)
            try directory.keep(config: bundle.config)
            guard bundle.spec.process != nil else {
                throw Failure(.invalidArgument, "config.json: process: missing")
            }
            try checkTerminal(bundle, options, leaves: detached)
            if !detached, subreaper { try? Launching.becomeSubreaper() }
            if !detached, bundle.spec.process?.terminal != true { try Foreground.holdSignals() }
            made = try makeContainer(bundle, options, directory, waitsForStart: false, ended: &ended)
        } catch {
            try? directory.remove()
            finish(ended)
            throw error
        }
        do throws(Failure) {
            try tell(made.process, options)
            try RuntimeHooks.run(
                bundle.spec.hooks?.poststart, "poststart",
                state: made.state.runtimeState(id, .running))
        } catch {
            undo(made)
            try? destroy(directory)
            throw error
        }
        if detached { return 0 }
        let path = directory.path
        // Others may look at it and change it meanwhile.
        _ = consume directory
        let code = try Foreground.wait(
            for: made.process.pid, made.pidfd, terminal: made.terminal)
        if !keeps, (try? FileDescriptor.exists(path)) == true {
            try destroy(try StateDirectory.open(id, in: root), hooks: bundle.spec.hooks)
        }
        return code
    }

    /// Of a container that came to nothing when its hooks may have run already.
    private typealias Ended = (poststop: [RuntimeSpec.Hook]?, state: RuntimeState)

    /// Stopped and destroyed, it goes on to the last of its hooks (runtime.md, "Lifecycle").
    private func finish(_ ended: Ended?) {
        guard let ended else { return }
        try? RuntimeHooks.runAll(ended.poststop, "poststop", state: ended.state, warn: warn)
    }

    private func checkTerminal(_ bundle: Bundle, _ options: CreateOptions, leaves: Bool) throws(Failure) {
        let hasTerminal = bundle.spec.process?.terminal == true
        if hasTerminal, leaves, options.process.consoleSocket == nil {
            throw Failure(
                .invalidArgument,
                "cannot allocate a terminal without --console-socket when the runtime leaves",
                hint: "set process.terminal to false in config.json, or give --console-socket")
        }
        if !hasTerminal, options.process.consoleSocket != nil {
            throw Failure(.invalidArgument, "--console-socket is only for processes with a terminal")
        }
    }

    /// Ends what was made, where the rest of the call has failed.
    private func undo(_ made: borrowing MadeContainer) {
        Launching.signal(Signal.kill, to: made.pidfd.raw)
        _ = try? Process.reap(made.process.pid)
        SharedRoot.detach(made.state)
        made.state.removeCgroups()
        CacheAllocation.remove(made.state.classes)
    }

    private func tell(_ process: ProcessIdentity, _ options: CreateOptions) throws(Failure) {
        if let file = options.process.pidFile { try PIDFile.write(process.pid, to: file) }
    }

    struct MadeContainer: ~Copyable {
        let process: ProcessIdentity
        let pidfd: SharedFileDescriptor
        /// The master, where nobody else has it.
        let terminal: SharedFileDescriptor?
        let state: StoredState
    }

    private func makeContainer(
        _ bundle: Bundle, _ options: CreateOptions, _ directory: borrowing StateDirectory,
        waitsForStart: Bool,
        ended: inout Ended?
    ) throws(Failure) -> MadeContainer {
        let id = directory.id
        var spec = try SharedRoot.inside(OrdinaryUser.inside(bundle.spec))
        if var process = spec.process {
            options.process.size(&process)
            try HomeDirectory.add(to: &process, root: bundle.rootfs)
            spec.process = process
        }
        if options.activationDescriptors > 0 {
            // sd_listen_fds(3): for the first process, whose number inside is 1.
            let environment = spec.process?.env ?? []
            spec.process?.env =
                environment + [
                    "LISTEN_FDS=\(options.activationDescriptors)", "LISTEN_PID=1",
                ]
        }
        try OwnNamespaces.refuseParameters(spec)
        let host = try HostFacts.read()
        Planner.warnings(spec, host).forEach(warn)
        let placement = try placement(id, spec, host)
        try checkEmpty(placement?.location)
        var state = StoredState(
            bundle: bundle.path, rootfs: bundle.rootfs, created: Timestamp.now().nanosecondsSinceEpoch,
            annotations: spec.annotations ?? [:], location: placement?.location)
        state.keepsKeyring = options.keepsKeyring
        let context = try context(
            spec, bundle.rootfs, options, host, placement, state, id: id, waitsForStart: waitsForStart)
        let plan = try Planner.plan(spec, context)
        let rootfs = try during("mount the root \(bundle.rootfs)") { () throws(SystemError) in
            try DetachedMount(bind: bundle.rootfs, recursive: true)
        }
        if spec.linux?.namespaces?.contains(where: { $0.type == .mount }) != true {
            state.rootMount = try SharedRoot.mountID(of: rootfs.descriptor.raw)
        }
        let launch = try BundleLaunch(plan, root: rootfs.descriptor)
        let fifo = waitsForStart ? try makeFIFO(directory, spec) : nil
        let descriptor = directory.descriptor.raw
        let allocation = try spec.linux?.intelRdt.map { (asked) throws(Failure) in
            try CacheAllocation(asked, container: id, mount: try CacheAllocation.mount())
        }
        state.classes = allocation?.toRemove ?? []
        let shared = Shared(state)
        // Before there are cgroups: `delete --force` removes what a killed create leaves.
        try directory.write(state)
        var witness = Launcher.Witness()
        witness.made = { pid in
            // A short program may have ended by now: it is known all the same, as one that has.
            shared.state.process = ProcessIdentity(running: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
            // What `delete --force` needs, should this process be killed in the next moment.
            try? AtomicFile.write(shared.state.record.bytes, to: "state", in: descriptor, durable: false)
        }
        witness.awaited = { (stage, pid) throws(Failure) in
            guard stage == 1 else { return }
            try allocation?.admit(pid)
            try NetworkDeviceMove.move(
                (spec.linux?.netDevices ?? [:]).mapValues { $0.name ?? "" }, to: pid)
            let state = shared.state.runtimeState(id, .creating)
            try RuntimeHooks.run(spec.hooks?.prestart, "prestart", state: state)
            try RuntimeHooks.run(spec.hooks?.createRuntime, "createRuntime", state: state)
        }
        witness.listener = { (listener, pid) throws(Failure) in
            try SeccompListener.send(
                listener, spec.linux?.seccomp, pid: pid, state: shared.state.runtimeState(id, .creating))
        }
        do throws(Failure) {
            if let placement, !placement.isOfSystemd {
                try during("make the container's cgroups") { () throws(SystemError) in
                    try CgroupParents.make(placement.location.toRemove, below: placement.layout.mounts)
                }
            }
            let launched = try launch.run(fifo: fifo?.raw, witness)
            state = shared.state
            guard let process = state.process else {
                throw Failure(.internal, "the container's process ended at once")
            }
            let terminal = try options.process.send(launched)
            return MadeContainer(process: process, pidfd: launched.pidfd, terminal: terminal, state: state)
        } catch {
            if let process = shared.state.process, let pidfd = try? process.open() {
                _ = try? Process.signal(Signal.kill, to: pidfd)
                _ = try? Process.reap(process.pid)
            }
            SharedRoot.detach(state)
            state.removeCgroups()
            allocation?.remove()
            ended = (spec.hooks?.poststop, shared.state.runtimeState(id, .stopped))
            throw error.within("create \(id)")
        }
    }

    /// A closure's view of the state, which it changes.
    private final class Shared {
        var state: StoredState
        init(_ state: StoredState) { self.state = state }
    }

    /// What runs in the container's cgroup is the container's: it is counted, frozen and killed with it.
    private func checkEmpty(_ location: CgroupLocation?) throws(Failure) {
        guard let directory = location?.toRemove.first,
            (try? FileDescriptor.exists(directory)) == true
        else { return }
        let count = CgroupProcesses(location).pids.count
        guard count == 0 else {
            throw Failure(
                .conflict, "the cgroup \(directory) is not empty: \(count) processes are in it",
                hint: "linux.cgroupsPath must be the container's own")
        }
    }

    /// The launcher of an ordinary user may have no cgroups that it can write to: then there are none, unless limits ask
    /// for them.
    private func placement(_ id: String, _ spec: RuntimeSpec, _ host: HostFacts) throws(Failure)
        -> CgroupPlacement?
    {
        let uid = UserNamespace.outerUID
        if usesSystemd, host.inUserNamespace,
            let user = try CgroupLayout.ofUser(uid, bus: RootlessSession(uid: uid).bus)
        {
            return try CgroupPlacement(
                layout: user.layout, containerID: id, cgroupsPath: spec.linux?.cgroupsPath,
                resources: spec.linux?.resources, manager: user.manager)
        }
        var layout = host.cgroups
        layout.systemd = layout.systemd && usesSystemd
        let placement = try CgroupPlacement(
            layout: layout, containerID: id, cgroupsPath: spec.linux?.cgroupsPath,
            resources: spec.linux?.resources)
        guard host.inUserNamespace, !usesSystemd else { return placement }
        let paths = placement.location.toRemove
        do throws(SystemError) { try CgroupParents.make(paths, below: layout.mounts) } catch {
            var resources = spec.linux?.resources ?? RuntimeSpec.Resources()
            resources.devices = nil
            if resources == RuntimeSpec.Resources() { return nil }
            throw error.failure(
                "make the cgroups \(paths.joined(separator: ", "))",
                hint: "this user may not limit resources here")
        }
        return placement
    }

    private func context(
        _ spec: RuntimeSpec, _ rootfs: String, _ options: CreateOptions, _ host: HostFacts,
        _ placement: CgroupPlacement?, _ state: StoredState, id: String, waitsForStart: Bool
    ) throws(Failure) -> Planner.Context {
        var context = Planner.Context(containerID: id, host: host, placement: placement)
        if let filter = spec.linux?.seccomp { context.seccompFilter = try seccompFilter(filter) }
        let hooks = spec.hooks
        let hasEarlyHooks = [hooks?.prestart, hooks?.createRuntime, hooks?.createContainer].contains {
            $0?.isEmpty == false
        }
        context.awaitsParent =
            hasEarlyHooks || spec.linux?.netDevices?.isEmpty == false || spec.linux?.intelRdt != nil
        // pivot_root refuses a shared parent: such a root is attached over `/`, which hooks then do not see.
        let sharesMounts = spec.linux?.namespaces?.contains { $0.type == .mount } != true
        if sharesMounts || hasEarlyHooks && spec.linux?.rootfsPropagation?.hasSuffix("shared") != true {
            context.rootPlace = rootfs
        }
        if hooks != nil {
            context.hookStates = (
                try state.halves(id, .creating), try state.halves(id, .created)
            )
        }
        // The hint is for the flags of `ctr run`.
        context.isDirectory = { (path) throws(Failure) in
            do throws(Failure) { return try Planner.sourceIsDirectory(path) } catch {
                throw Failure(error.code, error.message, cause: error.cause)
            }
        }
        context.keepsOldRoot = options.keepsOldRoot
        context.keepsKeyring = options.keepsKeyring
        context.preservedDescriptors = options.process.preservedDescriptors
        context.waitsForStart = waitsForStart
        context.ownsStreams = true
        return context
    }

    func seccompFilter(_ filter: RuntimeSpec.Seccomp) throws(Failure) -> String {
        // A comma is in no id.
        try SeccompFilter.blobPath(.spec(filter), capabilities: [], cacheDirectory: "\(root)/,seccomp")
    }

    private func makeFIFO(_ directory: borrowing StateDirectory, _ spec: RuntimeSpec) throws(Failure)
        -> SharedFileDescriptor
    {
        let descriptor = directory.descriptor.raw
        return try during("make \(directory.path)/\(StateDirectory.fifo)") { () throws(SystemError) in
            // Whoever the process is by then: it may write, and nobody can read but us.
            try Directory.makeNode(StateDirectory.fifo, in: descriptor, mode: 0o010622)
            try Directory.changeMode(StateDirectory.fifo, in: descriptor, mode: 0o622)
            return SharedFileDescriptor(
                try FileDescriptor.open(".", in: descriptor, [.pathOnly, .directory]))
        }
    }
}

extension StoredState {
    /// The state as JSON, before and after the pid: only the process itself knows what that is inside.
    func halves(_ id: String, _ status: RuntimeState.Status) throws(Failure) -> (String, String) {
        try runtimeState(id, status).textAroundPID()
    }
}
