internal import CContainerInit
package import Failure
package import LaunchPlan
package import LinuxSystem

extension ParentStep {
    /// Does for the child what it may not do itself, while it waits.
    static func act(_ steps: [ParentStep], on pid: Int32) throws(Failure) {
        for step in steps {
            try during(step.description) { () throws(SystemError) in try step.act(on: pid) }
        }
    }

    private func act(on pid: Int32) throws(SystemError) {
        switch self {
        case .idMaps(let maps): try ParentStep.map(maps, pid)
        case .oomScore(let score):
            try FileDescriptor.open("/proc/\(pid)/oom_score_adj", [.writeOnly]).write(String(score))
        case .resourceLimit(let resource, let soft, let hard):
            try Launching.setLimit(resource, soft: soft, hard: hard, of: pid)
        }
    }

    /// user_namespaces(7): each file takes one write.
    fileprivate static func map(_ maps: IDMaps, _ pid: Int32) throws(SystemError) {
        if !maps.uids.isEmpty {
            try FileDescriptor.open("/proc/\(pid)/uid_map", [.writeOnly]).write(maps.uids)
        }
        guard !maps.gids.isEmpty else { return }
        do throws(SystemError) {
            try FileDescriptor.open("/proc/\(pid)/gid_map", [.writeOnly]).write(maps.gids)
        } catch {
            // An ordinary user may map one group, and only where setgroups(2) is given up.
            guard error.errno == Errno.notPermitted else { throw error }
            try FileDescriptor.open("/proc/\(pid)/setgroups", [.writeOnly]).write("deny")
            try FileDescriptor.open("/proc/\(pid)/gid_map", [.writeOnly]).write(maps.gids)
        }
    }
}

extension IDMaps {
    /// A user namespace that maps these ids: for an id-mapped mount (mount_setattr(2)), or to be entered.
    /// - Parameter mapper: whether it has mapped the ids of this process, which holds the namespace; without it they are
    ///   written here.
    package func openNamespace(
        _ mapper: (Int32) throws(Failure) -> Bool = { _ in false }
    ) throws(Failure) -> FileDescriptor {
        func named<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(Failure) -> Value {
            do throws(SystemError) { return try body() } catch {
                // ENOSPC: none are allowed.
                let isRefused = error.errno == Errno.notPermitted || error.errno == Errno.noSpace
                throw error.failure(
                    "make a user namespace for \(self)",
                    hint: isRefused ? "\"ctr doctor\" tells what this host lets its users do" : nil)
            }
        }
        if let namespace { return try named { () throws(SystemError) in try FileDescriptor.open(namespace) } }
        var pidfd: Int32 = -1
        let pid = Int32(ctr_init_namespace_holder(&pidfd))
        let holder = try named { () throws(SystemError) in
            guard pid > 0 else { throw SystemError(call: "clone3", path: nil, errno: -pid) }
            return FileDescriptor(owning: pidfd)
        }
        defer {
            _ = try? Process.signal(Signal.kill, to: holder)
            _ = try? Process.reap(pid)
        }
        let isMapped = try mapper(pid)
        return try named { () throws(SystemError) in
            if !isMapped { try ParentStep.map(self, pid) }
            return try FileDescriptor.open("/proc/\(pid)/ns/user")
        }
    }
}
