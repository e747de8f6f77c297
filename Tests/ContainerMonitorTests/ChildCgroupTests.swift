import Glibc
import LinuxSystem
import Testing

@testable import ContainerMonitor

/// On cgroup v1 alone there is no cgroup.kill: its freezer's way, in a cgroup of the test's own.
@Suite(
    .enabled(
        if: Process.isRoot && access("/sys/fs/cgroup/freezer/tasks", W_OK) == 0,
        "not run: needs root and cgroup v1's freezer"))
struct ChildCgroupTests {
    @Test func everyProcessIsKilledOneByOne() throws {
        let path = "/sys/fs/cgroup/freezer/ctr-test-\(randomHex(bytes: 6))"
        try Directory.make(path, mode: 0o755)
        defer { CgroupRemoval.remove([path]) { usleep(5000) } }
        let sleep = try FileDescriptor.open("/bin/sleep", [.pathOnly])
        let pids = try (0..<3).map { _ in
            let pid = try Process.spawn(program: sleep, arguments: ["sleep", "300"], environment: [])
            try FileDescriptor.open("\(path)/tasks", [.writeOnly]).write("\(pid)")
            return pid
        }
        #expect(ChildCgroup.isPopulated(path) && !ChildCgroup.isFrozen(path))
        ChildCgroup.kill(path)
        for pid in pids { #expect(try Process.reap(pid)?.status == SIGKILL) }
        #expect(!ChildCgroup.isPopulated(path) && !ChildCgroup.isFrozen(path))
    }

    @Test func cgroupsBelowGoFirst() throws {
        let path = "/sys/fs/cgroup/freezer/ctr-test-\(randomHex(bytes: 6))"
        for child in ["", "/exec-1-2", "/a", "/a/b"] { try Directory.make(path + child, mode: 0o755) }
        CgroupRemoval.remove([path]) { usleep(5000) }
        #expect(try !FileDescriptor.exists(path))
    }
}
