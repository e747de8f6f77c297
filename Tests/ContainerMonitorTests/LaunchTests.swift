import Failure
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

private let busyboxIsThere = ((try? FileDescriptor.exists("/bin/busybox")) ?? false) && Process.isRoot

/// All that make processes, one after another: a program that is still being written is "text file busy" for another's
/// exec, and a child of one test holds the descriptors of the other for a moment.
@Suite(.serialized, .enabled(if: busyboxIsThere, "needs root and busybox-static"))
enum ProcessTests {}

extension ProcessTests {
@Suite struct LaunchTests {
    @Test func exitCode() throws {
        let root = try TestRoot()
        #expect(try root.run(["/bin/sh", "-c", "exit 7"]).code == 7)
    }

    @Test func output() throws {
        let root = try TestRoot()
        let result = try root.run(["/bin/sh", "-c", "echo $$; ls /; hostname"])
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("1\n"))
        #expect(result.output.contains("bin\ndev\netc\nproc\nsys\ntmp\n"))
        #expect(result.output.hasSuffix("box\n"))
    }
}
}
