internal import LinuxSystem

/// Removes a container's cgroups when it has ended.
package enum CgroupRemoval {
    /// A cgroup stays busy for a moment after its last process has been reaped: `wait` is called between the tries.
    package static func remove(_ paths: [String], wait: () -> Void) {
        for path in paths {
            for _ in 0..<20 {
                do throws(SystemError) {
                    try Directory.removeEmpty(path)
                    break
                } catch {
                    guard error.errno == Errno.busy else { break }
                    wait()
                }
            }
        }
    }
}
