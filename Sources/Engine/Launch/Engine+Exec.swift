internal import ContainerMonitor
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
        let root = try during("open the root of \(record.name)") { () throws(SystemError) in
            try FileDescriptor.open("/proc/\(run.process.pid)/root", [.pathOnly, .directory])
        }
        let specification = try specification(of: record, root: root)
        let user: UserIdentity? = try request.user.map { (text) throws(Failure) in
            try UserDatabase(root: root).identity(of: text, addedGroups: record.settings.groupAdd)
        }
        let process = try SpecBuilder.execProcess(
            in: specification.spec, arguments: request.arguments, environment: request.environment,
            workingDirectory: request.workingDirectory, user: user, terminal: request.terminal,
            privileged: request.privileged, host: specification.host)
        let context = Planner.Context(
            containerID: record.id, host: specification.host, placement: specification.placement,
            seccompFilter: request.privileged ? nil : specification.seccompFilter)
        let launch = try Planner.execPlan(
            process, in: specification.spec, location: specification.placement.location, context)
        var plan = MonitorPlan(mode: .exec, containerID: record.id, launch: launch)
        plan.terminal = request.terminal
        plan.openStdin = request.interactive
        plan.detachKeys = request.detachKeys
        if request.terminal, let size = AttachClient.terminalSize() {
            plan.rows = size.rows
            plan.columns = size.columns
        }
        let slots = try LaunchSlots(launch.slots, root: root, pidfd: pidfd.raw)
        return try become(plan, slots, detached: request.detached)
    }

    private func become(
        _ plan: MonitorPlan, _ slots: borrowing LaunchSlots, detached: Bool
    ) throws(Failure) -> Int32 {
        let program = try Engine.monitorProgram()
        return try during("start ctr-monitor") { () throws(SystemError) in
            let pair = try UnixSocket.pair(.stream)
            try PlanTransport.send(
                plan.encoded(), version: LaunchPlan.version, slots: slots.numbers,
                placeholder: pair.first.raw,
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
