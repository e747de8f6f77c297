internal import LinuxSystem

/// A cgroup below a container's: of one exec, or of its health check.
enum ChildCgroup {
    /// Of the health check; that of an exec is `exec-PID-STARTTIME` after its monitor, or `exec-d…` without one.
    static let healthCheck = "health"

    /// Kills every process in it: by one write in cgroup2, one by one while they are frozen in v1.
    static func kill(_ directory: String) {
        do throws(SystemError) {
            try FileDescriptor.open("\(directory)/cgroup.kill", [.writeOnly]).write("1")
        } catch {
            freeze(directory, "FROZEN")
            for pid in processes(in: directory) { Launching.kill(pid, Signal.kill) }
            freeze(directory, "THAWED")
        }
    }

    private static func freeze(_ directory: String, _ state: String) {
        try? FileDescriptor.open("\(directory)/freezer.state", [.writeOnly]).write(state)
    }

    static func isPopulated(_ directory: String) -> Bool {
        if let events = (try? AtomicFile.read("\(directory)/cgroup.events", limit: 4096)) ?? nil {
            return String(decoding: events, as: UTF8.self).contains("populated 1")
        }
        return !processes(in: directory).isEmpty
    }

    /// It, or one above it, is frozen.
    static func isFrozen(_ directory: String) -> Bool {
        if let events = (try? AtomicFile.read("\(directory)/cgroup.events", limit: 4096)) ?? nil {
            return String(decoding: events, as: UTF8.self).contains("frozen 1")
        }
        let state = (try? AtomicFile.read("\(directory)/freezer.state", limit: 64)) ?? nil
        return state.map { !$0.starts(with: "THAWED".utf8) } ?? false
    }

    private static func processes(in directory: String) -> [Int32] {
        let bytes = (try? AtomicFile.read("\(directory)/cgroup.procs", limit: 1 << 20)) ?? nil
        return (bytes ?? []).split(separator: UInt8(ascii: "\n")).compactMap {
            Int32(String(decoding: $0, as: UTF8.self))
        }.filter { $0 > 0 }
    }
}
