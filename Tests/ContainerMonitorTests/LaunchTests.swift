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
        private let root: TestRoot

        init() throws { root = try TestRoot() }

        private func shell(
            _ script: String, mounts: [Step] = [TestRoot.proc], process: [Step] = [],
            workingDirectory: Step = .workingDirectory("/", create: false)
        ) throws -> TestRoot.Result {
            try root.run(
                TestRoot.steps(
                    ["/bin/sh", "-c", script], mounts: mounts, process: process,
                    workingDirectory: workingDirectory))
        }

        private func failure(_ body: () throws -> TestRoot.Result) -> LaunchFailure? {
            #expect(throws: LaunchFailure.self) { try body() }
        }

        @Test func exitCodeAndSignal() throws {
            #expect(try shell("exit 7").code == 7)
            // Not in the background: the shell opens /dev/null for that, which this root lacks.
            let killed = try shell("sh -c 'kill -9 $$'; exit $?")
            #expect(killed.code == 137)
        }

        @Test func isProcessOneOfItsOwnHost() throws {
            let result = try shell("echo $$; ls /; hostname")
            #expect(result.code == 0)
            #expect(result.output.hasPrefix("1\n"))
            #expect(result.output.hasSuffix("box\n"))
        }

        @Test func programsThatAreNotThereOrNotExecutable() throws {
            try root.file("/bin/plain", Array("#!/bin/sh\n".utf8))
            try root.file("/bin/rubbish", Array("no program\n".utf8), mode: 0o755)
            try root.file("/bin/orphan", Array("#!/bin/none\n".utf8), mode: 0o755)
            let expected: [(String, Int32, String)] = [
                ("nosuch", 127, "exec nosuch: executable file not found in PATH"),
                ("/bin/nosuch", 127, "exec /bin/nosuch: no such file or directory"),
                ("plain", 126, "exec plain: permission denied"),
                ("/bin/plain", 126, "exec /bin/plain: permission denied"),
                ("/bin", 126, "exec /bin: is a directory"),
                ("/bin/rubbish", 126, "exec /bin/rubbish: exec format error"),
                ("/bin/orphan", 127, "exec /bin/orphan: no such file or directory"),
                ("/bin/sh/x", 127, "exec /bin/sh/x: not a directory"),
            ]
            for (name, code, message) in expected {
                let failure = failure { try root.run([name]) }
                #expect(failure?.exitCode == code, "\(name)")
                #expect(failure?.failure.message == message)
            }
        }

        @Test func searchPathSkipsWhatCannotBeExecuted() throws {
            try Directory.make("\(root.path)/first", mode: 0o755)
            try root.file("/first/echo", [], mode: 0o644)
            var steps = TestRoot.steps(["echo", "found"])
            steps[steps.count - 2] = .findProgram(name: "echo", searchPath: "/none:/first:/bin")
            #expect(try root.run(steps).output == "found\n")
        }

        /// CVE-2024-21626
        @Test func onlyThreeDescriptorsAreOpen() throws {
            let result = try shell("for f in /proc/self/fd/*; do echo ${f##*/}; done")
            // The shell's own directory listing is the fourth while it expands the names.
            #expect(result.output.split(separator: "\n").prefix(3) == ["0", "1", "2"])
            #expect(result.output.split(separator: "\n").count <= 4)
        }

        /// CVE-2024-21626
        @Test func workingDirectoryByAMagicLink() throws {
            for number in [3, 7, 8, 9, 12] {
                let failure = failure {
                    try shell(
                        "pwd", workingDirectory: .workingDirectory("/proc/self/fd/\(number)", create: false))
                }
                #expect(failure?.exitCode == 125)
                #expect(
                    failure?.failure.message.hasPrefix(
                        "change to the working directory /proc/self/fd/\(number): ")
                        == true)
            }
            try Directory.symlink("/proc/self/fd/9", at: "\(root.path)/link")
            #expect(
                failure { try shell("pwd", workingDirectory: .workingDirectory("/link", create: true)) }
                    != nil)
        }

        @Test func workingDirectoryIsMade() throws {
            #expect(
                try shell("pwd", workingDirectory: .workingDirectory("/srv/a/b", create: true)).output
                    == "/srv/a/b\n")
            #expect(
                failure { try shell("pwd", workingDirectory: .workingDirectory("/none", create: false)) }?
                    .failure
                    .message == "change to the working directory /none: no such file or directory")
        }

        @Test func masksHide() throws {
            let result = try shell(
                "cat /proc/timer_list | head -c 1; ls /proc/bus; ls -A /etc; stat -c %t:%T /proc/timer_list",
                mounts: [
                    TestRoot.proc, .mask(inRoot: "/proc/timer_list"), .mask(inRoot: "/proc/bus"),
                    .mask(inRoot: "/etc"),
                    .mask(inRoot: "/proc/none"), .mask(inRoot: "/proc/none/below"),
                ])
            #expect(result.output == "1:3\n")
        }

        /// CVE-2025-31133: the image's /dev/null is a link to what an attacker wants uncovered.
        @Test func masksUseTheHostsNullDevice() throws {
            try Directory.symlink("/proc/sysrq-trigger", at: "\(root.path)/dev/null")
            let result = try shell(
                "stat -c %t:%T /proc/timer_list", mounts: [TestRoot.proc, .mask(inRoot: "/proc/timer_list")])
            #expect(result.output == "1:3\n")
        }

        @Test func readOnlyPathsAndRoot() throws {
            let result = try shell(
                """
                echo x > /file || echo root; echo x > /proc/sys/kernel/domainname || echo sys
                echo y > /tmp/file && cat /tmp/file
                """,
                mounts: [
                    TestRoot.proc,
                    .mount(
                        type: "tmpfs", source: "tmpfs", inRoot: "/tmp", attributes: 6,
                        options: [MountOption("mode", "1777")]),
                    .readOnlyPath(inRoot: "/proc/sys"), .readOnlyPath(inRoot: "/none"), .readOnlyRoot,
                ])
            #expect(result.output.contains("root\n") && result.output.contains("sys\n"))
            #expect(result.output.hasSuffix("y\n"))
        }

        @Test func copyUpKeepsWhatTheImageHas() throws {
            try Directory.make("\(root.path)/tmp/sub", mode: 0o750)
            try root.file("/tmp/sub/file", Array("inside".utf8), mode: 0o640)
            try Directory.symlink("sub/file", at: "\(root.path)/tmp/link")
            let result = try shell(
                "cat /tmp/link; stat -c ' %a' /tmp/sub/file /tmp/sub; echo more > /tmp/sub/file",
                mounts: [
                    .mount(
                        type: "tmpfs", source: "tmpfs", inRoot: "/tmp", attributes: 6, options: [],
                        copyUp: true)
                ])
            #expect(result.output == "inside 640\n 750\n")
            #expect(try AtomicFile.read("\(root.path)/tmp/sub/file") == Array("inside".utf8))
        }

        @Test func capabilitiesAndIdentity() throws {
            let result = try shell(
                "cat /proc/self/status; id",
                process: [
                    .boundingSet(0xa804_25fb), .identity(uid: 1000, gid: 100, groups: [4, 24]),
                    .capabilities(effective: 0, permitted: 0, inheritable: 0, ambient: 0), .noNewPrivileges,
                ])
            for line in [
                "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
                "CapBnd:\t00000000a80425fb", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
                "Uid:\t1000\t1000\t1000\t1000",
                "Gid:\t100\t100\t100\t100", "Groups:\t4 24 ",
            ] { #expect(result.output.contains(line + "\n"), "\(line)") }
        }

        /// CVE-2022-24769: nothing is inheritable.
        @Test func rootKeepsWhatItIsGiven() throws {
            let result = try shell(
                "cat /proc/self/status",
                process: [
                    .boundingSet(0x3), .identity(uid: 0, gid: 0, groups: []),
                    .capabilities(effective: 0x3, permitted: 0x3, inheritable: 0, ambient: 0),
                ])
            for line in [
                "CapInh:\t0000000000000000", "CapPrm:\t0000000000000003", "CapEff:\t0000000000000003",
            ] {
                #expect(result.output.contains(line + "\n"), "\(line)")
            }
        }

        @Test func ambientCapabilityOfAUser() throws {
            let result = try shell(
                "cat /proc/self/status",
                process: [
                    .identity(uid: 1000, gid: 1000, groups: []),
                    .capabilities(effective: 0x400, permitted: 0x400, inheritable: 0x400, ambient: 0x400),
                ])
            #expect(result.output.contains("CapEff:\t0000000000000400\n"))
        }

        @Test func signalsAreAsNew() throws {
            let output = try root.run(TestRoot.steps(["cat", "/proc/self/status"], mounts: [TestRoot.proc]))
                .output
            for line in [
                "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "SigCgt:\t0000000000000000",
            ] {
                #expect(output.contains(line + "\n"), "\(line)")
            }
        }

        @Test func limitsUmaskSysctlHostname() throws {
            let result = try shell(
                "ulimit -n; umask; cat /proc/sys/kernel/msgmax; cat /proc/self/oom_score_adj",
                process: [
                    .resourceLimit(resource: 7, soft: 77, hard: 77), .umask(0o027),
                    .sysctl(key: "kernel/msgmax", value: "7777"), .oomScoreAdjustment(300),
                ])
            #expect(result.output == "77\n0027\n7777\n300\n")
            let failure = failure { try shell("true", process: [.sysctl(key: "kernel/nosuch", value: "1")]) }
            #expect(failure?.failure.message == "set sysctl kernel.nosuch to 1: no such file or directory")
        }

        @Test func reaperForwardsAndAnswersTheCode() throws {
            var steps = TestRoot.steps(
                ["/bin/sh", "-c", "echo $$; kill -TERM 1; sleep 3; exit 9"], mounts: [TestRoot.proc])
            steps.insert(.reap, at: steps.count - 1)
            let result = try root.run(steps)
            #expect(result.output == "2\n")
            #expect(result.code == 143)
        }
    }
}
