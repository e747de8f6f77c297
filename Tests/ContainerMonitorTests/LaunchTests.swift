import Failure
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

private let busyboxIsThere = ((try? FileDescriptor.exists("/bin/busybox")) ?? false) && Process.isRoot

@Suite(.enabled(if: busyboxIsThere))
struct LaunchTests {
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
