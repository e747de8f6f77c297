internal import LinuxSystem

/// Removes a container's cgroups when it has ended.
package enum CgroupRemoval {
    /// A cgroup stays busy for a moment after its last process has been reaped: `wait` is called between the tries.
    package static func remove(_ paths: [String], wait: () -> Void) {
        for path in paths {
            for attempt in 0..<20 {
                do throws(SystemError) {
                    try Directory.removeEmpty(path)
                    break
                } catch {
                    guard error.errno == Errno.busy else { break }
                    // Those of execs and of what the container itself has made are in the way.
                    if !removeChildren(of: path) || attempt > 0 { wait() }
                }
            }
        }
    }

    /// Deepest first. Answers whether there were any.
    @discardableResult
    private static func removeChildren(of path: String) -> Bool {
        guard let directory = try? Directory.open(path),
            let entries = try? Directory.entries(of: directory)
        else { return false }
        var any = false
        for entry in entries where entry.kind == .directory {
            any = true
            let child = "\(path)/\(String(decoding: entry.name.bytes, as: UTF8.self))"
            removeChildren(of: child)
            try? Directory.removeEmpty(child)
        }
        return any
    }
}
