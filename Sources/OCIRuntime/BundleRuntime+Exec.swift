internal import ContainerMonitor
package import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Runtime

/// What `exec` asks for: a whole process, or changes of the container's own.
package struct ExecOptions: Sendable {
    /// `--process`: a file with runtime-spec's process.
    package var processFile: String?
    package var arguments: [String] = []
    package var environment: [String] = []
    package var workingDirectory: String?
    package var uid: UInt32?
    package var gid: UInt32?
    package var additionalGroups: [UInt32] = []
    package var terminal: Bool?
    package var addedCapabilities: [String] = []
    package var noNewPrivileges: Bool?
    package var appArmorProfile: String?
    package var processLabel: String?
    package var detached = false
    package var process = ProcessOptions()
    /// `--cgroup`: a cgroup below the container's.
    package var cgroup: String?
    package var ignoresPaused = false

    package init() {}
}

extension BundleRuntime {
    /// Another process in a container. Detached, this returns 0 as soon as it runs; otherwise its exit code.
    package func exec(_ id: String, _ options: ExecOptions) throws(Failure) -> Int32 {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        switch status {
        case .running, .created: break
        case .paused where options.ignoresPaused: break
        default: throw Failure(.conflict, "cannot exec in container \(id): it is \(status.rawValue)")
        }
        var spec = OrdinaryUser.inside(try directory.spec())
        if state.rootMount != nil { spec.linux?.namespaces?.removeAll { $0.type == .mount } }
        _ = consume directory
        var process = try process(options, spec)
        options.process.size(&process)
        let hasTerminal = process.terminal == true
        if hasTerminal, options.detached, options.process.consoleSocket == nil {
            throw Failure(
                .invalidArgument,
                "cannot allocate a terminal without --console-socket when the runtime leaves")
        }
        guard let initial = state.process,
            let pidfd = try during("look for \(id)", { () throws(SystemError) in try initial.open() })
        else { throw Failure(.conflict, "container not running: \(id)") }

        var host = try HostFacts.ofThisProcess()
        host.appArmor = process.apparmorProfile?.isEmpty == false && HostFacts.hasAppArmor()
        host.seLinux = process.selinuxLabel?.isEmpty == false && HostFacts.hasSELinux()
        try Planner.refuseLabels(process, host)
        let inUserNamespace = spec.linux?.namespaces?.contains { $0.type == .user } == true
        Planner.warnings(process, inUserNamespace: inUserNamespace, host).forEach(warn)
        var context = Planner.Context(
            containerID: id, host: host, placement: nil,
            seccompFilter: try spec.linux?.seccomp.map(seccompFilter))
        context.preservedDescriptors = options.process.preservedDescriptors
        context.ownsStreams = true
        context.keepsKeyring = state.keepsKeyring
        context.entersRoot = state.rootMount != nil
        let location = try state.location.map { (location) throws(Failure) in
            try location.below(options.cgroup)
        }
        try HomeDirectory.add(to: &process, root: "/proc/\(initial.pid)/root")
        let plan = try Planner.execPlan(
            process, in: spec, location: location ?? CgroupLocation(running: "", tasks: []), context)
        let place = context.entersRoot ? "/proc/\(initial.pid)/root" : "/"
        let top = try during(
            "open \(place)",
            { () throws(SystemError) in try FileDescriptor.open(place, [.pathOnly, .directory]) })
        guard initial.isAlive else { throw Failure(.conflict, "container not running: \(id)") }
        let launch = try BundleLaunch(plan, root: top, pidfd: pidfd.raw)
        var witness = Launcher.Witness()
        witness.listener = { (listener, pid) throws(Failure) in
            try SeccompListener.send(
                listener, spec.linux?.seccomp, pid: pid, state: state.runtimeState(id, .running))
        }
        if !options.detached, !hasTerminal { try Foreground.holdSignals() }
        let launched: Launcher.Shared
        do throws(Failure) { launched = try launch.run(witness) } catch {
            throw error.within("exec in \(id)")
        }
        return try attend(launched, options)
    }

    private func attend(_ launched: Launcher.Shared, _ options: ExecOptions) throws(Failure) -> Int32 {
        let pid = launched.pid
        let pidfd = launched.pidfd
        let terminal: SharedFileDescriptor?
        do throws(Failure) {
            terminal = try options.process.send(launched)
            if let file = options.process.pidFile { try PIDFile.write(pid, to: file) }
        } catch {
            Launching.signal(Signal.kill, to: pidfd.raw)
            _ = try? Process.reap(pid)
            throw error
        }
        if options.detached { return 0 }
        return try Foreground.wait(for: pid, pidfd, terminal: terminal)
    }

    private func process(_ options: ExecOptions, _ spec: RuntimeSpec) throws(Failure) -> RuntimeSpec.Process {
        if let file = options.processFile {
            let bytes = try during("read \(file)") { () throws(SystemError) in try AtomicFile.read(file) }
            guard let bytes else { throw Failure(.notFound, "\(file): there is no such file") }
            return try RuntimeSpec.Process(bytes: bytes, as: file)
        }
        guard var process = spec.process else { throw Failure(.dataLoss, "config.json: process: missing") }
        guard !options.arguments.isEmpty else {
            throw Failure(.invalidArgument, "exec: no command specified")
        }
        process.args = options.arguments
        process.terminal = options.terminal ?? false
        process.env = (process.env ?? []) + options.environment
        if let directory = options.workingDirectory { process.cwd = directory }
        if let uid = options.uid {
            process.user?.uid = uid
            process.user?.additionalGids = nil
        }
        if let gid = options.gid { process.user?.gid = gid }
        if !options.additionalGroups.isEmpty {
            var user = process.user ?? RuntimeSpec.User()
            user.additionalGids = (user.additionalGids ?? []) + options.additionalGroups
            process.user = user
        }
        if let value = options.noNewPrivileges { process.noNewPrivileges = value }
        if let profile = options.appArmorProfile { process.apparmorProfile = profile }
        if let label = options.processLabel { process.selinuxLabel = label }
        for name in options.addedCapabilities {
            guard CapabilitySet(name: name) != nil else {
                throw Failure(.invalidArgument, "--cap \(name): unknown capability")
            }
            var sets = process.capabilities ?? RuntimeSpec.Capabilities()
            sets.bounding = (sets.bounding ?? []) + [name]
            sets.effective = (sets.effective ?? []) + [name]
            sets.permitted = (sets.permitted ?? []) + [name]
            process.capabilities = sets
        }
        try process.check("process")
        return process
    }

    /// The processes of a container, by the host's numbers; none when it has stopped.
    package func processes(of id: String) throws(Failure) -> [Int32] {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        if status == .stopped { return [] }
        guard state.location != nil else {
            throw Failure(.unsupported, "cannot list the processes of \(id): it has no cgroup of its own")
        }
        return CgroupProcesses(state.location).pids
    }

    /// What the host's `ps` says of them; other runtimes run it too.
    package func processTable(of id: String, _ arguments: [String]) throws(Failure) -> String {
        let pids = Set(try processes(of: id).map { Substring(String($0)) })
        guard let program = HelperProgram.find("ps", in: Process.environmentValue("PATH")) else {
            throw Failure(.notFound, "ps is not installed", hint: "--format json needs no other program")
        }
        let outcome = try program.run(
            arguments.isEmpty ? ["-ef"] : arguments, environment: Process.environment, keepsComplaints: true)
        guard outcome.code == 0 else {
            throw Failure(.invalidArgument, "ps: \(String(decoding: outcome.complaints, as: UTF8.self))")
        }
        let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
        guard let header = lines.first,
            let column = header.split(separator: " ").firstIndex(where: { $0 == "PID" })
        else { throw Failure(.invalidArgument, "ps prints no column PID") }
        let own = lines.dropFirst().filter { line in
            let words = line.split(separator: " ")
            return words.indices.contains(column) && pids.contains(words[column])
        }
        return ([header] + own).joined(separator: "\n") + "\n"
    }
}
