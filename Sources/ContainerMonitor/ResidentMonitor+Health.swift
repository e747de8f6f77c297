internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService

/// Health checks: docker's times, states and log. The next check is due an interval after the end of the last.
extension ResidentMonitor {
    func killLeftChecks() {
        guard !plan.childCgroups.isEmpty else { return }
        let cgroup = "\(plan.childCgroups)/\(ChildCgroup.healthCheck)"
        if ChildCgroup.isPopulated(cgroup) { ChildCgroup.kill(cgroup) }
    }

    func beginHealth() {
        if isRestartedForHealth {
            isRestartedForHealth = false
            isEnding = false
        }
        guard let check = plan.health else { return }
        if !isHealthAdopted {
            health.status = .starting
            health.failingStreak = 0
        }
        isHealthAdopted = false
        try? health.write(in: runDirectory.raw)
        nextCheck = monotonicNanoseconds() + interval(of: check)
    }

    private var age: Int64 { Timestamp.now().nanosecondsSinceEpoch - startedAt }

    private func interval(of check: HealthCheck) -> Int64 {
        age < check.startPeriod && health.status == .starting ? check.startInterval : check.interval
    }

    /// Starts what is due, ends what takes too long.
    func actOnHealth(_ now: Int64) {
        if let running = check {
            if now >= running.deadline { cutCheckOff() }
        } else if let due = nextCheck, now >= due {
            startCheck()
        }
    }

    /// For `ctr healthcheck run`.
    func runCheck(for client: AttachedClient) {
        guard plan.health != nil, exitCode == nil else { return client.leave() }
        askers.append(client)
        if check == nil { startCheck() }
    }

    private func startCheck() {
        guard let health = plan.health, let process, exitCode == nil else { return }
        if ChildCgroup.isFrozen(plan.childCgroups) {
            // A paused container is not asked; soon after it goes on it is.
            nextCheck = monotonicNanoseconds() + min(health.interval, 1_000_000_000)
            answerAskers(-1)
            return
        }
        nextCheck = nil
        do throws(SystemError) {
            let running = try RunningCheck(health, of: process)
            check = running
            try queue.add(running.pipe.raw, .read, token: Token.check)
        } catch {
            let now = Timestamp.now().nanosecondsSinceEpoch
            note(.init(start: now, end: now, exitCode: -1, output: "start the check: \(error.reason)"))
        }
    }

    func readCheck() {
        guard check != nil, let pipe = check?.pipe.raw else { return }
        if check?.read() == false { try? queue.remove(pipe) }
    }

    /// The worker has ended.
    func finishCheck(status: Int32) {
        guard var running = check else { return }
        letGo(&running)
        // Killed, not exited: there was nothing to run.
        let code: Int32 = status & 0x7f == 0 ? (status >> 8) & 0xff : -1
        note(
            .init(
                start: running.start, end: Timestamp.now().nanosecondsSinceEpoch, exitCode: code,
                output: running.text))
    }

    private func cutCheckOff() {
        guard var running = check, let health = plan.health else { return }
        let wasFrozen = ChildCgroup.isFrozen(plan.childCgroups)
        letGo(&running)
        Launching.kill(running.worker, Signal.kill)
        guard !wasFrozen else {
            nextCheck = monotonicNanoseconds() + min(health.interval, 1_000_000_000)
            answerAskers(-1)
            return
        }
        let words = "Health check exceeded timeout (\(seconds(health.timeout)))"
        note(
            .init(
                start: running.start, end: Timestamp.now().nanosecondsSinceEpoch, exitCode: -1,
                output: running.output.isEmpty ? words : "\(words): \(running.text)"))
    }

    /// What it has written is taken, what it has left behind is killed.
    private func letGo(_ running: inout RunningCheck) {
        _ = running.read()
        try? queue.remove(running.pipe.raw)
        killLeftChecks()
        check = nil
    }

    func cancelCheck() {
        nextCheck = nil
        if var running = check {
            letGo(&running)
            Launching.kill(running.worker, Signal.kill)
        }
        answerAskers(-1)
    }

    private func note(_ result: HealthRecord.Result) {
        guard let plan = plan.health else { return }
        let before = health.status
        // docker's rule: while it starts, failures of the start period do not count.
        let counts =
            health.status != .starting || result.start - startedAt >= plan.startPeriod
        health.add(result, retries: plan.retries, counts: counts)
        try? health.write(in: runDirectory.raw)
        if health.status != before {
            tell("health_status: \(health.status.rawValue)")
            if health.status == .unhealthy || before == .unhealthy {
                setAway(.unhealthy, health.status == .unhealthy)
            }
        }
        nextCheck = monotonicNanoseconds() + interval(of: plan)
        answerAskers(result.exitCode)
        if health.status == .unhealthy, before != .unhealthy { actOnFailure(plan.onFailure) }
    }

    private func answerAskers(_ code: Int32) {
        for client in askers { client.send(.checked(exitCode: code, status: health.status.rawValue)) }
        askers = []
    }

    private func actOnFailure(_ action: HealthCheck.OnFailure) {
        switch action {
        case .none: break
        case .kill: killNow()
        case .restart:
            isRestartedForHealth = true
            end()
        case .stop:
            // As `ctr stop` marks it: the restart policy is over until the next start.
            _ = try? FileDescriptor.open("stopped", in: containerDirectory.raw, [.writeOnly, .create])
            end()
        }
    }

    /// As Go writes durations: `1.5s`, `500ms`, `30s`, `1m30s`.
    private func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000)
        var fraction = rest % 1000 == 0 ? "" : ".\(String(1000 + rest % 1000).dropFirst())"
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (minutes > 0 ? "\(minutes)m" : "") + "\(rest / 1000)\(fraction)s"
    }
}
