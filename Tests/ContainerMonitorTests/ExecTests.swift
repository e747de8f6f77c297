import Failure
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

extension ProcessTests {
    /// The exec mode of the built program, with stdio of its own.
    @Suite(.enabled(if: monitorProgram != nil, "needs a built ctr-monitor"))
    struct ExecTests {
        private struct Answer {
            var code: Int32
            var output: String
            var error: String
        }

        /// A container that sleeps, and a command in it.
        private func exec(
            _ arguments: [String], input: String = "", openStdin: Bool = true, terminal: Bool = false
        ) throws -> Answer {
            let devpts = Step.mount(
                type: "devpts", source: "devpts", inRoot: "/dev/pts", attributes: 0xa,
                options: [MountOption("newinstance"), MountOption("ptmxmode", "0666")])
            let container = try TestContainer(
                TestRoot.steps(["/bin/sleep", "100"], mounts: [TestRoot.proc, devpts]))
            let client = TestClient(try container.start())
            guard case .started(let pid) = try client.next() else { throw NotStarted() }
            try Directory.ensure("\(container.root.path)/bin", mode: 0o755)
            try? Directory.symlink("busybox", at: "\(container.root.path)/bin/tty")

            let process = try Launching.openProcess(pid)
            var plan = MonitorPlan(
                mode: .exec, containerID: "test",
                launch: LaunchPlan(
                    namespaces: 0, joinPIDNamespace: 0, cgroup: [],
                    steps: [
                        .joinNamespace(0, flags: 0x4c02_0000), .newSession,
                        terminal ? .terminal(4, rows: 20, columns: 70) : .standardStreams(1, 2, 3),
                        .workingDirectory("/", create: false), .closeDescriptors(keep: 0),
                        .findProgram(name: arguments[0], searchPath: "/bin"),
                        .execute(arguments: arguments, environment: ["PATH=/bin"]),
                    ], slots: [.containerPIDFD, .standardInput, .standardOutput, .standardError, .terminal]))
            plan.openStdin = openStdin
            plan.terminal = terminal
            let program = try FileDescriptor.open(try #require(monitorProgram), [.pathOnly])
            let pair = try UnixSocket.pair(.stream).shared()
            let stdin = try pipe(holding: input)
            let output = try FileDescriptor.memory("output")
            let error = try FileDescriptor.memory("error")
            let monitor = try Process.spawn(
                program: program, arguments: ["ctr-monitor"], environment: [], input: stdin.raw,
                output: output.raw, error: error.raw, passed: [pair.second.raw])
            try PlanTransport.send(
                plan.encoded(), version: LaunchPlan.version, slots: [process.raw, -1, -1, -1, -1],
                to: pair.first.raw)
            let ended = try Process.reap(monitor)
            try output.seek(to: 0)
            try error.seek(to: 0)
            return Answer(
                code: Process.exitCode(ofStatus: ended?.status ?? -1),
                output: String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self),
                error: String(decoding: try error.readAll(limit: 1 << 20), as: UTF8.self))
        }

        /// The reading end; the writing one is closed.
        private func pipe(holding text: String) throws -> SharedFileDescriptor {
            let ends = try FileDescriptor.pipe().shared()
            _ = try Array(text.utf8).withUnsafeBytes { try Launching.writeAvailable(ends.second.raw, $0) }
            return ends.first
        }

        private struct NotStarted: Error {}

        @Test func codeAndStreams() throws {
            let answer = try exec(["sh", "-c", "cat; echo problem >&2; hostname; exit 5"], input: "typed\n")
            #expect(answer.code == 5)
            #expect(answer.output == "typed\nbox\n")
            #expect(answer.error == "problem\n")
        }

        @Test func isInTheContainersPIDNamespace() throws {
            let answer = try exec(["sh", "-c", "cat /proc/1/cmdline | head -c 10; ls /proc/self/fd"])
            #expect(answer.output.hasPrefix("/bin/sleep"))
            #expect(answer.output.hasSuffix("0\n1\n2\n3\n"))
        }

        @Test func withoutInteractiveStdinIsEmpty() throws {
            #expect(try exec(["cat"], input: "typed\n", openStdin: false).output == "")
        }

        @Test func missingProgramIsOneLine() throws {
            let answer = try exec(["nosuch"])
            #expect(answer.code == 127)
            #expect(answer.error == "ctr: exec nosuch: executable file not found in PATH\n")
        }

        @Test func terminalOfTheContainer() throws {
            let answer = try exec(["sh", "-c", "tty; exit 3"], openStdin: false, terminal: true)
            #expect(answer.code == 3)
            #expect(answer.output == "/dev/pts/0\r\n")
        }
    }
}
