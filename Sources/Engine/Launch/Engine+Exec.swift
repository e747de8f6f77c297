internal import ContainerMonitor
internal import EventJournal
package import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Runtime

/// What `exec` asks for.
package struct ExecRequest: Sendable {
    package var arguments: [String]
    package var environment: [String] = []
    package var workingDirectory: String?
    package var user: String?
    package var detached = false
    package var interactive = false
    package var terminal = false
    package var privileged = false
    package var detachKeys: [UInt8] = []

    package init(arguments: [String]) { self.arguments = arguments }
}

extension Engine {
    /// Runs a command in a running container. In the foreground this process becomes the monitor program in its exec
    /// mode: it returns only to throw, or with `detached`.
    package func exec(_ record: ContainerRecord, _ request: ExecRequest) throws(Failure) -> Int32 {
        guard let run = try runState(of: record), run.status == .running,
            let pidfd = try during(
                "look for \(record.name)", { () throws(SystemError) in try run.process.open() })
        else {
            throw Failure(
                .conflict, "container \(record.name) is not running",
                hint: "\"ctr start \(record.name)\" starts it")
        }
        if isPaused(run, record.id) {
            throw Failure(
                .conflict, "Container \(record.name) is paused, unpause the container before exec")
        }
        let root = try during("open the root of \(record.name)") { () throws(SystemError) in
            try FileDescriptor.open("/proc/\(run.process.pid)/root", [.pathOnly, .directory])
        }
        let users = try UserDatabase(root: root)
        var options = try SpecOptions(
            process: record,
            user: try users.identity(of: record.settings.user, addedGroups: record.settings.groupAdd),
            namespaces: try namespaces(of: record.settings, isRunning: true))
        if !record.settings.life.secrets.isEmpty {
            options.environment += try secretEnvironment(of: record)
        }
        var host = try HostFacts.ofThisProcess()
        try confine(&options, as: run.process.pid, &host)
        var spec = try SpecBuilder.buildForExec(options, host: host)
        // What the devices' specs say by now may be less than at the start; the container goes on as it is.
        if let edits = (try? deviceEdits(of: record.settings)) ?? nil { spec.process?.apply(edits) }
        let user: UserIdentity? = try request.user.map { (text) throws(Failure) in
            try users.identity(of: text, addedGroups: record.settings.groupAdd)
        }
        let process = try SpecBuilder.execProcess(
            in: spec, arguments: request.arguments, environment: request.environment,
            workingDirectory: request.workingDirectory, user: user, terminal: request.terminal,
            privileged: request.privileged, host: host)
        try giveStreams(to: process.user?.uid ?? 0, of: record)
        let context = Planner.Context(
            containerID: record.id, host: host, placement: nil,
            seccompFilter: request.privileged ? nil : try seccompFilter(options, spec))
        let joined = Engine.joinedDirectories(runDirectory(of: record.id)).map { "\($0)/tasks" }
        let location = CgroupLocation(running: run.cgroupDirectory, tasks: run.cgroupTasks + joined)
        let own = location.childDirectory.isEmpty ? nil : Engine.execCgroup(request)
        var launch = try Planner.execPlan(process, in: spec, location: location, child: own, context)
        if let scope = Engine.userScope(for: run.cgroupDirectory) { launch.cgroup.insert(scope, at: 0) }
        var plan = MonitorPlan(mode: .exec, containerID: record.id, launch: launch)
        if let own {
            plan.ownCgroup = own
            plan.childCgroups = location.childDirectory
            plan.runDirectory = runDirectory(of: record.id)
            if !request.detached {
                plan.residentMonitor = run.monitor.pid
                plan.residentMonitorStart = run.monitor.startTime
            }
        }
        plan.terminal = request.terminal
        plan.openStdin = request.interactive
        plan.detachKeys = request.detachKeys
        if request.terminal, let size = AttachClient.terminalSize() {
            plan.rows = size.rows
            plan.columns = size.columns
        }
        let slots = try LaunchSlots(launch.slots, root: root, pidfd: pidfd.raw)
        let id = Event.Attribute("execID", randomHex(bytes: 32))
        let words = request.arguments.joined(separator: " ")
        plan.containerDirectory = path(of: record, "")
        plan.eventAttributes = Event.encoded(record.eventAttributes + [id])
        journal.append([
            event("exec_create: \(words)", record, [id]), event("exec_start: \(words)", record, [id]),
        ])
        return try become(plan, slots, detached: request.detached)
    }

    /// Pipes between other programs and the command are the command's user's, so that it can open /dev/stdout. Files and
    /// terminals of the caller stay as they are.
    private func giveStreams(to uid: UInt32, of record: ContainerRecord) throws(Failure) {
        let owner = try record.owner(uid: uid, gid: 0).uid
        guard owner != Process.effectiveUID else { return }
        try during("give the pipes to user \(uid)") { () throws(SystemError) in
            for stream: Int32 in 0...2 {
                try FileDescriptor.withBorrowed(stream) { (file) throws(SystemError) in
                    let status = try file.status()
                    guard status.kind == .fifo else { return }
                    do throws(SystemError) { try file.changeOwner(uid: owner, gid: status.gid) } catch {
                        // An ordinary user's pipe to another user's program.
                        guard error.errno == Errno.notPermitted else { throw error }
                    }
                }
            }
        }
    }

    private static func execCgroup(_ request: ExecRequest) -> String? {
        if request.detached { return ExecCgroup.detachedName() }
        return ProcessIdentity(running: Process.pid()).map { ExecCgroup.name(of: $0) }
    }

    private func become(
        _ plan: MonitorPlan, _ slots: borrowing LaunchSlots, detached: Bool
    ) throws(Failure) -> Int32 {
        let program = try Engine.monitorProgram()
        return try during("start ctr-monitor") { () throws(SystemError) in
            let pair = try UnixSocket.pair(.stream)
            try PlanTransport.send(
                plan.encoded(), version: LaunchPlan.version, slots: slots.numbers,
                to: pair.first.raw)
            if detached {
                _ = try Process.spawn(
                    program: program, arguments: ["ctr-monitor"], environment: [], passed: [pair.second.raw])
                return 0
            }
            try pair.second.becomeNumber(3)
            try Process.become(program: program, arguments: ["ctr-monitor"], environment: [])
        }
    }
}
