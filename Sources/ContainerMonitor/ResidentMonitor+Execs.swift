internal import Failure
internal import LaunchPlan
package import LinuxSystem

/// An exec whose client was there when it was seen.
struct WatchedExec {
    let name: String
    let client: SharedFileDescriptor
}

/// Each exec is in a cgroup of its own, named after its client, which is the process `ctr exec`. When that is killed, the
/// command and what it has started would stay behind with nobody who waits for them: they are killed here. What a command
/// leaves in the background when it ends goes on (`kept-…` in the run directory says so), as docker has it.
///
/// A client tells of itself by SIGHUP; an adopting monitor finds all of them by their cgroups' names.
extension ResidentMonitor {
    func lookForExecs() {
        for name in execNames() where !execs.values.contains(where: { $0.name == name }) {
            guard let identity = ExecCgroup.client(of: name), !leftCgroups.contains(name) else { continue }
            guard let client = (try? identity.open()) ?? nil else {
                clear(name)
                continue
            }
            let watched = WatchedExec(name: name, client: SharedFileDescriptor(client))
            let token = nextClient
            nextClient += 1
            if (try? queue.add(watched.client.raw, .read, token: token)) != nil { execs[token] = watched }
        }
    }

    func takeOverExecs() { lookForExecs() }

    func takeExecEnd(_ token: UInt64) {
        guard let exec = execs.removeValue(forKey: token) else { return }
        try? queue.remove(exec.client.raw)
        clear(exec.name)
    }

    private func execNames() -> [String] {
        guard !plan.childCgroups.isEmpty, let directory = try? Directory.open(plan.childCgroups) else {
            return []
        }
        return ((try? Directory.names(in: directory)) ?? []).filter { $0.hasPrefix(ExecCgroup.prefix) }
    }

    /// The client has ended: the cgroup goes, and what is in it unless it was left there on purpose.
    private func clear(_ name: String) {
        let directory = "\(plan.childCgroups)/\(name)"
        if removed(name) { return }
        let isKept =
            (try? FileDescriptor.exists(ExecCgroup.keptMark(name), in: runDirectory.raw)) ?? false
        if !isKept { ChildCgroup.kill(directory) }
        leftCgroups.append(name)
        if !isKept { sweepDeadline = monotonicNanoseconds() + 10_000_000 }
    }

    private func removed(_ name: String) -> Bool {
        do throws(SystemError) {
            try Directory.removeEmpty("\(plan.childCgroups)/\(name)")
        } catch {
            if error.errno == Errno.busy { return false }
        }
        try? Directory.removeFile(ExecCgroup.keptMark(name), in: runDirectory.raw)
        return true
    }

    /// A cgroup is busy for a moment after its last process; one that is kept is looked at when the next exec ends.
    func sweepExecs() {
        sweepDeadline = nil
        var killed = false
        leftCgroups = leftCgroups.filter { name in
            if removed(name) { return false }
            let isKept =
                (try? FileDescriptor.exists(ExecCgroup.keptMark(name), in: runDirectory.raw)) ?? false
            if !isKept {
                // It may have forked while it was killed, where that is done one by one.
                ChildCgroup.kill("\(plan.childCgroups)/\(name)")
                killed = true
            }
            return true
        }
        if killed { sweepDeadline = monotonicNanoseconds() + 50_000_000 }
    }
}

/// The names of execs' cgroups.
package enum ExecCgroup {
    static let prefix = "exec-"

    /// Of an exec with a client that waits for it.
    package static func name(of client: ProcessIdentity) -> String {
        "\(prefix)\(client.pid)-\(client.startTime)"
    }

    /// Of one in the background, which ends with its command alone.
    package static func detachedName() -> String { "\(prefix)d\(randomHex(bytes: 6))" }

    static func client(of name: String) -> ProcessIdentity? {
        let parts = name.dropFirst(prefix.count).split(separator: "-")
        guard parts.count == 2, let pid = Int32(parts[0]), let start = UInt64(parts[1]) else { return nil }
        return ProcessIdentity(pid: pid, startTime: start)
    }

    /// In the run directory: what runs in this cgroup goes on without its client.
    static func keptMark(_ name: String) -> String { "kept-\(name)" }
}
