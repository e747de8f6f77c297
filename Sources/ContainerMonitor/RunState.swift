package import Failure
package import LinuxSystem

/// What runs, in the run directory (`state`), written by the monitor with a rename at each change. It is gone after a
/// reboot with the directory, and an earlier boot's is void.
package struct RunState: Sendable, Equatable {
    package enum Status: String, Sendable { case running, restarting }

    package var status: Status
    package var bootID: String
    /// The container's first process; while restarting, the last one.
    package var process: ProcessIdentity
    package var monitor: ProcessIdentity
    /// Nanoseconds since 1970.
    package var startedAt: Int64
    package var restartCount: UInt32
    /// While restarting: how the last run ended.
    package var lastExitCode: Int32
    /// What follows is for exec, stop and kill: the container's cgroup.
    package var cgroupDirectory: String
    /// v1 `tasks` files (or none) that an exec joins.
    package var cgroupTasks: [String]

    package init(
        status: Status, process: ProcessIdentity, monitor: ProcessIdentity, startedAt: Int64,
        restartCount: UInt32 = 0,
        lastExitCode: Int32 = 0, cgroupDirectory: String = "", cgroupTasks: [String] = [],
        bootID: String = Process.bootID()
    ) {
        self.status = status
        self.bootID = bootID
        self.process = process
        self.monitor = monitor
        self.startedAt = startedAt
        self.restartCount = restartCount
        self.lastExitCode = lastExitCode
        self.cgroupDirectory = cgroupDirectory
        self.cgroupTasks = cgroupTasks
    }

    /// The container's first process is there, or its monitor is about to start it again.
    package var isAlive: Bool {
        switch status {
        case .running: process.isAlive
        case .restarting: monitor.isAlive
        }
    }
}

extension RunState {
    private static let kind = "ctr-state 1"
    package static let fileName = "state"

    package func write(in runDirectory: Int32) throws(SystemError) {
        var record = FlatRecord(kind: RunState.kind)
        record.add("status", status.rawValue)
        record.add("boot", bootID)
        record.add("pid", "\(process.pid) \(process.startTime)")
        record.add("monitor", "\(monitor.pid) \(monitor.startTime)")
        record.add("started", String(startedAt))
        record.add("restarts", String(restartCount))
        record.add("last-exit", String(lastExitCode))
        record.add("cgroup", cgroupDirectory)
        record.add("tasks", all: cgroupTasks)
        try AtomicFile.write(record.bytes, to: RunState.fileName, in: runDirectory, durable: false)
    }

    /// nil where nothing was ever started in this boot, or the state is of another boot.
    package static func read(_ runDirectory: String) throws(Failure) -> RunState? {
        let bytes = try during("read \(runDirectory)/state") { () throws(SystemError) in
            try AtomicFile.read("\(runDirectory)/state", limit: 1 << 20)
        }
        guard let bytes else { return nil }
        let record = try FlatRecord(kind: kind, parsing: bytes, name: "\(runDirectory)/state")
        func identity(_ key: String) throws(Failure) -> ProcessIdentity {
            let parts = (record.first(key) ?? "").split(separator: " ")
            guard parts.count == 2, let pid = Int32(parts[0]), let start = UInt64(parts[1]) else {
                throw Failure(.dataLoss, "\(runDirectory)/state has no \(key)")
            }
            return ProcessIdentity(pid: pid, startTime: start)
        }
        guard let status = Status(rawValue: record.first("status") ?? "") else {
            throw Failure(.dataLoss, "\(runDirectory)/state has no status")
        }
        guard record.first("boot") == Process.bootID() else { return nil }
        return RunState(
            status: status, process: try identity("pid"), monitor: try identity("monitor"),
            startedAt: Int64(record.first("started") ?? "") ?? 0,
            restartCount: UInt32(record.first("restarts") ?? "") ?? 0,
            lastExitCode: Int32(record.first("last-exit") ?? "") ?? 0,
            cgroupDirectory: record.first("cgroup") ?? "", cgroupTasks: record.all("tasks"))
    }
}
