internal import Engine
internal import LinuxSystem

/// File systems that show the kernel, not files: what is in a container's /proc and /sys is no part of it.
enum KernelFileSystem {
    /// statfs(2): proc, sysfs, cgroup, cgroup2, devpts, mqueue, securityfs, debugfs, tracefs, bpf.
    private static let magics: Set<Int> = [
        0x9fa0, 0x6265_6572, 0x27_e0eb, 0x6367_7270, 0x1cd1, 0x1980_0202, 0x7363_6673, 0x6462_6720,
        0x7472_6163,
        0xcafe_4a11,
    ]

    static func isOne(_ directory: borrowing FileDescriptor) -> Bool {
        (try? directory.fileSystemType()).map { magics.contains($0) } ?? false
    }
}
