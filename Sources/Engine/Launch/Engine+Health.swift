internal import CommandTable
internal import ContainerMonitor
package import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Runtime

extension HealthSettings {
    /// docker's numbers.
    static let defaultInterval: Int64 = 30_000_000_000
    static let defaultStartInterval: Int64 = 5_000_000_000
    static let defaultRetries: UInt32 = 3
    private static let least: Int64 = 1_000_000

    /// The image's check where the flags have none of their own; each number for itself.
    func merged(with image: ImageConfig.Healthcheck?, shell: [String]?) -> HealthSettings {
        var merged = self
        if merged.test.first == "NONE" { return merged }
        if let image {
            if merged.test.isEmpty { merged.test = image.test ?? [] }
            if merged.interval ?? 0 == 0 { merged.interval = image.interval }
            if merged.timeout ?? 0 == 0 { merged.timeout = image.timeout }
            if merged.startPeriod ?? 0 == 0 { merged.startPeriod = image.startPeriod }
            if merged.startInterval ?? 0 == 0 { merged.startInterval = image.startInterval }
            if merged.retries ?? 0 == 0 { merged.retries = image.retries.map(Int64.init) }
        }
        if merged.test.first == "CMD-SHELL" { merged.shell = shell ?? [] }
        return merged
    }

    func check() throws(Failure) {
        for (flag, time) in [
            ("interval", interval), ("timeout", timeout), ("start-period", startPeriod),
            ("start-interval", startInterval),
        ] {
            guard let time, time != 0, time < HealthSettings.least else { continue }
            throw Failure(.invalidArgument, "--health-\(flag): it cannot be less than 1ms")
        }
        if let retries, retries < 0 {
            throw Failure(.invalidArgument, "--health-retries: it cannot be negative")
        }
    }

    private static func time(_ asked: Int64?, else fallback: Int64) -> Int64 {
        guard let asked, asked > 0 else { return fallback }
        return max(asked, least)
    }

    func check(plan: [UInt8]) -> HealthCheck {
        let actions: [String: HealthCheck.OnFailure] = ["kill": .kill, "restart": .restart, "stop": .stop]
        return HealthCheck(
            interval: HealthSettings.time(interval, else: HealthSettings.defaultInterval),
            timeout: HealthSettings.time(timeout, else: HealthSettings.defaultInterval),
            startPeriod: max(0, startPeriod ?? 0),
            startInterval: HealthSettings.time(startInterval, else: HealthSettings.defaultStartInterval),
            retries: (retries ?? 0) > 0 ? UInt32(clamping: retries ?? 0) : HealthSettings.defaultRetries,
            onFailure: actions[onFailure] ?? .none, plan: plan)
    }
}

extension Engine {
    /// The plan of one check travels with the container's own: its monitor runs the check by it, and `ctr` is not needed.
    func healthCheck(of record: ContainerRecord, _ specification: Specification) throws(Failure)
        -> HealthCheck?
    {
        guard let command = record.settings.life.health.command else { return nil }
        let process = try SpecBuilder.execProcess(
            in: specification.spec, arguments: command, host: specification.host)
        // Without cgroups (rootless, where none are delegated) it is in those of its monitor.
        let location = specification.placement?.location ?? CgroupLocation(running: "", tasks: [])
        let launch = try Planner.execPlan(
            process, in: specification.spec, location: location,
            child: location.childDirectory.isEmpty ? nil : "health",
            Planner.Context(
                containerID: record.id, host: specification.host, placement: nil,
                seccompFilter: specification.seccompFilter))
        var checking = launch
        // With the worker that waits for it goes what it runs, even where there is no cgroup to kill.
        let end =
            checking.steps.lastIndex {
                if case .execute = $0 { true } else { false }
            } ?? checking.steps.endIndex
        checking.steps.insert(.parentDeathSignal(Signal.kill), at: end)
        let plan = MonitorPlan(mode: .exec, containerID: record.id, launch: checking)
        return record.settings.life.health.check(plan: plan.encoded())
    }

    /// What the checks have found; nil where there is none, or none was run yet in this boot.
    func health(of record: ContainerRecord, isRunning: Bool) throws(Failure) -> ContainerHealth? {
        guard record.settings.life.health.isActive,
            let found = try HealthRecord.read(runDirectory(of: record.id))
        else { return nil }
        return ContainerHealth(
            // As docker has it: nothing that is not checked is healthy.
            status: isRunning ? found.status.rawValue : HealthRecord.Status.unhealthy.rawValue,
            failingStreak: found.failingStreak,
            log: found.log.map {
                ContainerHealth.Result(
                    start: $0.start, end: $0.end, exitCode: $0.exitCode, output: $0.output)
            })
    }

    /// `ctr healthcheck run`: the monitor runs the check now and counts it as one of its own.
    ///
    /// - Returns: the check's exit code, -1 where it could not be run, and the state after it.
    package func runHealthCheck(_ record: ContainerRecord) throws(Failure) -> (
        exitCode: Int32, status: String
    ) {
        guard record.settings.life.health.isActive else {
            throw Failure(
                .invalidArgument, "container \(record.name) has no defined healthcheck",
                hint: "run it with --health-cmd")
        }
        guard let run = try runState(of: record), run.status == .running, run.process.isAlive else {
            throw Failure(
                .conflict, "container \(record.name) is not running",
                hint: "\"ctr start \(record.name)\" starts it")
        }
        // Where its monitor was killed, this starts another one.
        _ = try state(of: record)
        let directory = runDirectory(of: record.id)
        return try during("check \(record.name)") { () throws(SystemError) in
            let socket = try connectToMonitor(directory)
            try UnixSocket.sendAll(AttachFrame.check.bytes, to: socket.raw)
            return try Engine.answer(of: socket)
        }
    }

    /// An adopting monitor needs a moment until it listens.
    private func connectToMonitor(_ directory: String) throws(SystemError) -> FileDescriptor {
        let open = try Directory.open(directory)
        let deadline = monotonicNanoseconds() + 3_000_000_000
        while true {
            do throws(SystemError) {
                return try UnixSocket.connect("attach", in: open.raw, .stream)
            } catch {
                guard monotonicNanoseconds() < deadline else { throw error }
                Process.sleep(microseconds: 20_000)
            }
        }
    }

    private static func answer(of socket: borrowing FileDescriptor) throws(SystemError) -> (
        exitCode: Int32, status: String
    ) {
        var reader = AttachFrameReader()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { room.deallocate() }
        while true {
            let size = try socket.read(into: room)
            if size == 0 { return (-1, HealthRecord.Status.unhealthy.rawValue) }
            reader.append(UnsafeRawBufferPointer(rebasing: room[..<size]))
            while let frame = try? reader.next() {
                if case .checked(let exitCode, let status) = frame { return (exitCode, status) }
            }
        }
    }
}

/// What a container's checks have found, as `inspect` shows it.
package struct ContainerHealth: Sendable, Equatable {
    package struct Result: Sendable, Equatable {
        /// Nanoseconds since 1970.
        package let start: Int64
        package let end: Int64
        package let exitCode: Int32
        package let output: String
    }

    /// `starting`, `healthy` or `unhealthy`.
    package let status: String
    package let failingStreak: UInt32
    package let log: [Result]
}
