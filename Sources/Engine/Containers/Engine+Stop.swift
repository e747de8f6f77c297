internal import CommandTable
internal import ContainerMonitor
internal import EventJournal
package import Failure
internal import LinuxSystem
internal import NameService

extension Engine {
    static let defaultStopTimeout: Int64 = 10

    /// Asks all of them to end, then waits for each; who has not ended in time is killed. `report` hears of each when it
    /// is done. A container that does not run is done at once.
    ///
    /// - Parameters:
    ///   - signal: nil: the container's own stop signal.
    ///   - timeout: seconds; nil: the container's own, else 10; negative: for ever.
    ///   - notice: hears of each that did not heed its signal and had to be killed.
    package func stop(
        _ records: [ContainerRecord], signal: Int32?, timeout: Int64?,
        notice: (Failure) -> Void = { _ in }, report: (ContainerRecord, Failure?) -> Void
    ) {
        var waiting: [(record: ContainerRecord, deadline: Int64?, asked: StopRequest)] = []
        for record in records {
            do throws(Failure) {
                try markStopped(record)
                guard let run = try runState(of: record), run.isAlive || run.monitor.isAlive else {
                    report(record, nil)
                    continue
                }
                let seconds = timeout ?? record.settings.stopTimeout ?? Engine.defaultStopTimeout
                var chosen: Int32 = 9
                if seconds != 0 {
                    if let signal { chosen = signal } else { chosen = try stopSignal(of: record) }
                }
                try send(chosen, to: run, of: record)
                tell("kill", record, [.init("signal", String(chosen))])
                thawIfPaused(run, record)
                waiting.append(
                    (
                        record, seconds < 0 ? nil : monotonicNanoseconds() + seconds * 1_000_000_000,
                        StopRequest(signal: chosen, seconds: seconds)
                    ))
            } catch {
                report(record, error)
            }
        }
        for (record, deadline, asked) in waiting {
            do throws(Failure) {
                let refusal = try waitForEnd(of: record, until: deadline, asked)
                if let refusal { notice(refusal) }
                tell("stop", record)
                report(record, nil)
            } catch {
                report(record, error)
            }
        }
    }

    package func restart(
        _ records: [ContainerRecord], signal: Int32?, timeout: Int64?,
        notice: (Failure) -> Void = { _ in },
        report: (ContainerRecord, Failure?) -> Void
    ) {
        stop(records, signal: signal, timeout: timeout, notice: notice) { record, failure in
            do throws(Failure) {
                if let failure { throw failure }
                try start(record)
                tell("restart", record)
                report(record, nil)
            } catch {
                report(record, error)
            }
        }
    }

    package func kill(_ record: ContainerRecord, signal: Int32) throws(Failure) {
        guard let run = try runState(of: record), run.isAlive else {
            throw Failure(
                .conflict, "Cannot kill container: \(record.name): container \(record.shortID) is not running"
            )
        }
        // As in docker: who kills a container, or sends it its stop signal, does not want it back.
        let stopSignal = try stopSignal(of: record)
        if signal == 9 || signal == stopSignal { try markStopped(record) }
        try send(signal, to: run, of: record)
        tell("kill", record, [.init("signal", String(signal))])
        thawIfPaused(run, record)
    }

    /// The exit code, when the container has ended (for good: a restart policy is waited out).
    package func wait(for record: ContainerRecord) throws(Failure) -> Int32 {
        let directory = try containerStore.directory(of: record.id)
        while true {
            let run = try runState(of: record)
            guard let run, run.isAlive || run.monitor.isAlive else {
                if let end = try ExitRecord.read("/proc/self/fd/\(directory.raw)") { return end.code }
                return try state(of: record).exitCode
            }
            if let code = try endOfRun(run, in: directory, record) { return code }
        }
    }

    /// The exit code of this run, by the directory's descriptor: `--rm` takes its name away in the moment of the end.
    /// nil where the container goes on (a restart policy).
    private func endOfRun(
        _ run: RunState, in directory: borrowing FileDescriptor, _ record: ContainerRecord
    ) throws(Failure) -> Int32? {
        let place = "/proc/self/fd/\(directory.raw)"
        try during("wait for \(record.name)") { () throws(SystemError) in
            guard run.status == .running, let process = try run.process.open() else { return }
            _ = try Process.waitForExit(process)
        }
        guard
            let monitor = try during(
                "wait for \(record.name)", { () throws(SystemError) in try run.monitor.open() })
        else { return try ExitRecord.read(place)?.code }
        while true {
            let hasEnded = try during("wait for \(record.name)") { () throws(SystemError) in
                try Process.waitForExit(monitor, milliseconds: 2)
            }
            if let end = try ExitRecord.read(place), end.startedAt >= run.startedAt,
                hasEnded || isOver(record)
            {
                return end.code
            }
            if hasEnded { return nil }
            if let now = try runState(of: record), now.startedAt != run.startedAt || now.status == .restarting
            {
                return try waitForNextRun(now, monitor, record)
            }
        }
    }

    private func isOver(_ record: ContainerRecord) -> Bool {
        record.settings.restart == "no" && record.settings.life.health.onFailure != "restart"
    }

    private func waitForNextRun(
        _ state: RunState, _ monitor: borrowing FileDescriptor, _ record: ContainerRecord
    ) throws(Failure) -> Int32? {
        if state.status == .restarting {
            _ = try during("wait for \(record.name)") { () throws(SystemError) in
                try Process.waitForExit(monitor, milliseconds: 50)
            }
        }
        return nil
    }

    // MARK: -

    func stopSignal(of record: ContainerRecord) throws(Failure) -> Int32 {
        record.settings.stopSignal.isEmpty ? 15 : try SignalName.parse(record.settings.stopSignal)
    }

    /// Ends the restart policy until the next start.
    private func markStopped(_ record: ContainerRecord) throws(Failure) {
        let directory = try containerStore.directory(of: record.id)
        try during("mark \(record.name) as stopped") { () throws(SystemError) in
            _ = try FileDescriptor.open("stopped", in: directory.raw, [.writeOnly, .create])
        }
        try setAway(.stopping, true, of: record.id)
    }

    private func send(_ signal: Int32, to run: RunState, of record: ContainerRecord) throws(Failure) {
        try during("signal \(record.name)") { () throws(SystemError) in
            if run.status == .restarting {
                // Its monitor waits to start it again: it looks at the mark when it is woken.
                if let monitor = try run.monitor.open() { try Process.signal(15, to: monitor) }
                return
            }
            if let process = try run.process.open() { try Process.signal(signal, to: process) }
        }
    }

    /// Until the monitor has written the exit record and gone. At the deadline everything in the container is killed.
    ///
    /// - Returns: what is to be said of a container that had to be killed.
    private func waitForEnd(
        of record: ContainerRecord, until deadline: Int64?, _ asked: StopRequest
    ) throws(Failure) -> Failure? {
        guard let run = try runState(of: record) else { return nil }
        let watched = run.monitor.isAlive ? run.monitor : run.process
        var refusal: Failure?
        try during("stop \(record.name)") { () throws(SystemError) in
            guard let pidfd = try watched.open() else { return }
            let left = deadline.map { Int32(clamping: max(0, ($0 - monotonicNanoseconds()) / 1_000_000)) }
            if try Process.waitForExit(pidfd, milliseconds: left ?? -1) { return }
            if asked.seconds > 0, run.process.isAlive { refusal = asked.refusal(by: run.process.pid, record) }
            killAll(run)
            guard try Process.waitForExit(pidfd, milliseconds: 30_000) else {
                throw SystemError(call: "kill", path: record.name, errno: 110 /* ETIMEDOUT */)
            }
        }
        // A container without its monitor leaves its cgroup to whoever sees the end.
        if !run.monitor.isAlive { Cgroups.remove(run.cgroupDirectory) }
        return refusal
    }

    private func killAll(_ run: RunState) {
        if let process = (try? run.process.open()) ?? nil { _ = try? Process.signal(9, to: process) }
        // What shares the host's pid namespace does not end with the first process.
        Cgroups.kill(run.cgroupDirectory)
    }
}

/// How a container was asked to end.
private struct StopRequest {
    let signal: Int32
    let seconds: Int64

    /// Of one that had to be killed. As process 1 of its namespace a program gets only signals that it has a handler for.
    func refusal(by pid: Int32, _ record: ContainerRecord) -> Failure {
        let name = "SIG\(SignalName.name(of: signal))"
        let isInit = record.settings.pid.isEmpty || record.settings.pid == "private"
        var hint: String?
        if isInit, !record.settings.initProcess, !catches(pid) {
            hint =
                "as process 1 it is not ended by a signal that it has no handler for: \"--init\" puts a small init before it, or set another --stop-signal"
        }
        return Failure(
            .conflict,
            "the process of \(record.name) did not end on \(name) within \(seconds) s and was killed",
            hint: hint)
    }

    /// From proc(5)'s SigCgt.
    private func catches(_ pid: Int32) -> Bool {
        let bytes = (try? AtomicFile.read("/proc/\(pid)/status", limit: 64 << 10)) ?? nil
        let key = Array("SigCgt:".utf8)
        guard
            let line = (bytes ?? []).split(separator: UInt8(ascii: "\n")).first(where: {
                $0.starts(with: key)
            }),
            let mask = UInt64(
                String(decoding: line.dropFirst(key.count), as: UTF8.self).filter { $0.isHexDigit }, radix: 16
            )
        else { return true }
        return mask & (1 << UInt64(signal - 1)) != 0
    }
}

/// A container's cgroup from outside.
enum Cgroups {
    static func kill(_ directory: String) {
        guard !directory.isEmpty else { return }
        _ = try? FileDescriptor.open("\(directory)/cgroup.kill", [.writeOnly]).write("1")
    }

    static func remove(_ directory: String) {
        guard !directory.isEmpty else { return }
        CgroupRemoval.remove([directory]) { Process.sleep(microseconds: 2000) }
    }
}
