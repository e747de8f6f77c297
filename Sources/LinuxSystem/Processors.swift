internal import CLinux

/// The processors that this process may run on.
package enum Processors {
    /// At least 1. Heeds sched_setaffinity(2) and cpusets; a cgroup's quota is not looked at.
    package static var available: Int {
        // Room for 8192, the most that the kernel can be built for.
        var mask = [UInt8](repeating: 0, count: 1024)
        guard ctr_sched_getaffinity(&mask, mask.count) > 0 else { return 1 }
        return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
    }
}
