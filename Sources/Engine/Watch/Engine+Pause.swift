internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import NameService
internal import Runtime

/// Pausing: the kernel freezes the container's cgroup (cgroup2's `cgroup.freeze`, v1's freezer). `paused` in the run
/// directory says that it is worth looking; what counts is the kernel's word.
extension Engine {
    private static let mark = "paused"

    package func pause(_ record: ContainerRecord) throws(Failure) {
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        let run = try running(record)
        if isPaused(run, record.id) {
            throw Failure(.conflict, "Container \(record.name) is already paused")
        }
        let directory = runDirectory(of: record.id)
        try during("pause \(record.name)") { () throws(SystemError) in
            _ = try FileDescriptor.open("\(directory)/\(Engine.mark)", [.writeOnly, .create])
        }
        do throws(Failure) {
            try freeze(run, record, true)
        } catch {
            try? freeze(run, record, false)
            try? Directory.removeFile("\(directory)/\(Engine.mark)")
            throw error
        }
        try setAway(.paused, true, of: record.id)
        tell("pause", record)
    }

    package func unpause(_ record: ContainerRecord) throws(Failure) {
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        let run = try running(record)
        guard isPaused(run, record.id) else {
            throw Failure(.conflict, "Container \(record.name) is not paused")
        }
        try thaw(run, record)
    }

    /// After a signal was sent: a frozen process does not hear of it.
    func thawIfPaused(_ run: RunState, _ record: ContainerRecord) {
        guard isPaused(run, record.id) else { return }
        try? thaw(run, record)
    }

    /// One look at a directory that is in memory, for a container that is not paused.
    func isPaused(_ run: RunState, _ id: String) -> Bool {
        guard (try? FileDescriptor.exists("\(runDirectory(of: id))/\(Engine.mark)")) ?? false,
            let freezer = (try? location(of: run, id))?.freezer,
            let now = CgroupChange.content(of: freezer.file)
        else {
            return false
        }
        return now == freezer.freeze || now == "FREEZING"
    }

    /// The kernel has killed in the container while it ran; its monitor leaves the mark.
    func isOutOfMemory(_ id: String) -> Bool {
        (try? FileDescriptor.exists("\(runDirectory(of: id))/\(OOMMark.fileName)")) ?? false
    }

    private func running(_ record: ContainerRecord) throws(Failure) -> RunState {
        guard let run = try runState(of: record), run.isAlive else {
            throw Failure(.conflict, "Container \(record.name) is not running")
        }
        guard run.status == .running else {
            throw Failure(
                .conflict, "Container \(record.name) is restarting, wait until the container is running")
        }
        return run
    }

    private func thaw(_ run: RunState, _ record: ContainerRecord) throws(Failure) {
        try freeze(run, record, false)
        try? Directory.removeFile("\(runDirectory(of: record.id))/\(Engine.mark)")
        try setAway(.paused, false, of: record.id)
        tell("unpause", record)
    }

    private func freeze(_ run: RunState, _ record: ContainerRecord, _ on: Bool) throws(Failure) {
        guard let freezer = try location(of: run, record.id).freezer else {
            throw Failure(
                .unsupported,
                "pause \(record.name): this host has neither cgroup2 nor the freezer of cgroup v1")
        }
        let value = on ? freezer.freeze : freezer.thaw
        try during("\(on ? "pause" : "unpause") \(record.name)") { () throws(SystemError) in
            try FileDescriptor.open(freezer.file, [.writeOnly]).write(value)
            guard on else { return }
            // A process in the kernel's hands freezes when it comes back from there.
            let deadline = monotonicNanoseconds() + 10_000_000_000
            while !isFrozen(freezer.file) {
                guard monotonicNanoseconds() < deadline else {
                    throw SystemError(call: "freeze", path: freezer.file, errno: 110 /* ETIMEDOUT */)
                }
                Process.sleep(microseconds: 500)
            }
        }
    }

    private func isFrozen(_ file: String) -> Bool {
        guard file.hasSuffix("/cgroup.freeze") else { return CgroupChange.content(of: file) == "FROZEN" }
        let events = CgroupChange.content(of: file.dropLast("freeze".count) + "events") ?? ""
        return events.split(separator: "\n").contains("frozen 1")
    }
}
