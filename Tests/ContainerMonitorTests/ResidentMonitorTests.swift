import Failure
import Glibc
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

extension ProcessTests {
    @Suite(.enabled(if: monitorProgram != nil, "needs a built ctr-monitor"))
    struct ResidentMonitorTests {
        private func shell(_ script: String, mounts: [Step] = []) -> [Step] {
            TestRoot.steps(["/bin/sh", "-c", script], mounts: mounts)
        }

        @Test func outputReachesLogAndClientAndTheCodeIsKept() throws {
            let container = try TestContainer(shell("echo out; echo err >&2; exit 7"))
            let client = TestClient(try container.start())
            try client.hello()
            #expect(try client.next() == .started(pid: client.pid))
            #expect(client.pid > 0)
            #expect(try client.next() == .exited(7))
            #expect(client.stdout == "out\n")
            #expect(client.stderr == "err\n")
            #expect(try container.waitForMonitor() == 0)
            let record = try #require(try ExitRecord.read(container.containerDirectory))
            #expect(record.code == 7)
            #expect(record.startedAt > 0 && record.finishedAt >= record.startedAt)
            let log = try container.log()
            #expect(log.contains(#"{"log":"out\n","stream":"stdout","time":""#))
            #expect(log.contains(#"{"log":"err\n","stream":"stderr","time":""#))
        }

        @Test func theStartLockIsHeldUntilTheStateTells() throws {
            let container = try TestContainer(shell("sleep 60"))
            let client = TestClient(try container.start())
            _ = try FileLock(container.containerDirectory + "/lock", .exclusive)
            let state = try #require(try RunState.read(container.runDirectory))
            #expect(state.isAlive)
            try client.hello()
            #expect(try client.next() == .started(pid: state.process.pid))
        }

        @Test func theStartLockIsFreeAfterAFailedStart() throws {
            let container = try TestContainer(TestRoot.steps(["/bin/nosuch"]))
            let client = TestClient(try container.start())
            _ = try client.next()
            _ = try FileLock(container.containerDirectory + "/lock", .exclusive)
            #expect(try ExitRecord.read(container.containerDirectory)?.code == 127)
        }

        @Test func theMonitorsEndIsAStopOfTheContainer() throws {
            let container = try TestContainer(
                shell("trap 'echo asked; exit 4' USR1; echo ready; while :; do sleep 0.05; done")
            ) {
                $0.stopSignal = SIGUSR1
                $0.restart = .always
            }
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            try eventually { try container.log().contains("ready") }
            #expect(kill(container.monitor, SIGTERM) == 0)
            #expect(try container.waitForMonitor() == 0)
            #expect(try ExitRecord.read(container.containerDirectory)?.code == 4)
            #expect(try container.log().contains("asked"))
        }

        @Test func whoDoesNotEndIsKilled() throws {
            let container = try TestContainer(shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"))
            {
                $0.stopTimeout = 1
            }
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            try eventually { try container.log().contains("ready") }
            let begin = monotonicNanoseconds()
            #expect(kill(container.monitor, SIGTERM) == 0)
            #expect(try container.waitForMonitor() == 0)
            #expect(monotonicNanoseconds() - begin > 900_000_000)
            #expect(try ExitRecord.read(container.containerDirectory)?.code == 137)
        }

        @Test func failureNamesTheStepAndTheCode() throws {
            let container = try TestContainer(TestRoot.steps(["/bin/nosuch"]))
            let client = TestClient(try container.start())
            #expect(
                try client.next()
                    == .failed(
                        exitCode: 127, code: "notFound",
                        message: "exec /bin/nosuch: no such file or directory"))
            try container.waitForMonitor()
            let record = try #require(try ExitRecord.read(container.containerDirectory))
            #expect(record.code == 127 && record.startedAt == 0)
            #expect(try RunState.read(container.runDirectory) == nil)
        }

        @Test func stateWhileItRunsAndSignals() throws {
            let container = try TestContainer(
                shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"))
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            try client.waitForOutput("up")
            let state = try #require(try RunState.read(container.runDirectory))
            #expect(state.status == .running && state.isAlive)
            #expect(state.process.pid == client.pid)
            #expect(state.monitor.pid == container.monitor)
            try client.send(.signal(SIGTERM))
            #expect(try client.next() == .exited(3))
            try container.waitForMonitor()
            #expect(try RunState.read(container.runDirectory)?.isAlive == false)
        }

        @Test func detachedStartThenAttach() throws {
            let container = try TestContainer(shell("while read line; do echo got $line; done; echo end")) {
                $0.openStdin = true
                $0.stdinOnce = true
            }
            do {
                let launcher = TestClient(try container.start())
                #expect(try launcher.next() == .started(pid: launcher.pid))
            }
            let directory = try Directory.open(container.runDirectory)
            let first = TestClient(try UnixSocket.connect("attach", in: directory.raw, .stream))
            let second = TestClient(try UnixSocket.connect("attach", in: directory.raw, .stream))
            for client in [first, second] {
                try client.hello()
                _ = try client.next()
            }
            try first.send(.stdin(Array("one\n".utf8)))
            try first.waitForOutput("got one")
            try second.waitForOutput("got one")
            try second.send(.stdinEnd)
            #expect(try first.next() == .exited(0))
            #expect(first.stdout.hasSuffix("end\n"))
        }

        @Test func terminal() throws {
            let mounts: [Step] = [
                .mount(
                    type: "devpts", source: "devpts", inRoot: "/dev/pts", attributes: 0xa,
                    options: [
                        MountOption("newinstance"), MountOption("ptmxmode", "0666"),
                        MountOption("mode", "0620"),
                    ]), .terminal(1, rows: 33, columns: 111),
            ]
            var steps = TestRoot.steps(
                [
                    "/bin/sh", "-c",
                    "tty; stty size; test -c /dev/console && echo console; read x; stty size; exit 4",
                ],
                mounts: mounts)
            steps.removeAll { if case .standardStreams = $0 { true } else { false } }
            let container = try TestContainer(steps, terminal: true) { $0.openStdin = true }
            for name in ["tty", "stty", "test"] {
                try Directory.symlink("busybox", at: "\(container.root.path)/bin/\(name)")
            }
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            try client.waitForOutput("console")
            #expect(
                client.stdout == "/dev/pts/0\r\n33 111\r\nconsole\r\n"
                    || client.stdout.hasPrefix("/dev/pts/0\r\n33 111\r\n"))
            try client.send(.resize(rows: 50, columns: 20))
            try client.send(.stdin(Array("x\n".utf8)))
            #expect(try client.next() == .exited(4))
            #expect(client.stdout.contains("50 20"))
        }

        @Test func largeOutputToASlowClientIsWhole() throws {
            let container = try TestContainer(shell("yes 0123456789 | head -n 200000"))
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            usleep(300_000)
            #expect(try client.next() == .exited(0))
            #expect(client.stdout.utf8.count == 11 * 200_000)
        }

        @Test func adoption() throws {
            let container = try TestContainer(shell("echo one; cat; echo end; exit 6")) {
                $0.openStdin = true
                $0.stdinOnce = true
            }
            do {
                let client = TestClient(try container.start())
                try client.hello()
                _ = try client.next()
                try client.waitForOutput("one")
                kill(container.monitor, SIGSTOP)
            }
            // Its input must not end with the monitor: a second writer holds it.
            let directory = try Directory.open(container.runDirectory)
            let writer = try FileDescriptor.open("stdin", in: directory.raw, [.writeOnly])
            kill(container.monitor, SIGKILL)
            try container.waitForMonitor()
            let program = try FileDescriptor.open(try #require(monitorProgram), [.pathOnly])
            container.monitor = try Process.spawn(
                program: program,
                arguments: ["ctr-monitor", "adopt", container.runDirectory, container.containerDirectory],
                environment: [])
            var client: TestClient?
            for _ in 0..<100 where client == nil {
                usleep(10_000)
                do { client = TestClient(try UnixSocket.connect("attach", in: directory.raw, .stream)) } catch
                {}
            }
            let attached = try #require(client)
            try attached.hello()
            _ = try attached.next()
            try attached.send(.stdin(Array("two\n".utf8)))
            try attached.waitForOutput("two")
            try attached.send(.stdinEnd)
            try writer.close()
            let end = try attached.next()
            // Newer kernels tell the code of a process that another reaped.
            #expect(end == .exited(6) || end == .exited(255))
            #expect(attached.stdout.hasSuffix("end\n"))
            try container.waitForMonitor()
            #expect(try ExitRecord.read(container.containerDirectory)?.code == (end == .exited(6) ? 6 : 255))
            let log = try container.log()
            #expect(log.contains("one") && log.contains("two") && log.contains("end"))
        }

        @Test func restartsAsOftenAsItMay() throws {
            let container = try TestContainer(shell("exit 1")) {
                $0.restart = .onFailure(maximumTries: 2)
                // Nobody to ask for a plan: the policy ends with the last run's code.
                $0.engineArguments = ["/bin/false"]
            }
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            let began = monotonicNanoseconds()
            #expect(try client.next() == .exited(1))
            #expect(monotonicNanoseconds() - began >= 90_000_000)
            try container.waitForMonitor()
        }

        @Test func stopMarkEndsThePolicy() throws {
            let container = try TestContainer(shell("exit 1")) { $0.restart = .always }
            _ = try FileDescriptor.open(container.containerDirectory + "/stopped", [.writeOnly, .create])
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            #expect(try client.next() == .exited(1))
            try container.waitForMonitor()
        }

        @Test func monitorKilledContainerGoesOn() throws {
            let container = try TestContainer(shell("while :; do echo tick; sleep 0.05; done"))
            let client = TestClient(try container.start())
            try client.hello()
            _ = try client.next()
            try client.waitForOutput("tick")
            kill(container.monitor, SIGKILL)
            try container.waitForMonitor()
            usleep(200_000)
            let state = try #require(try RunState.read(container.runDirectory))
            #expect(state.isAlive && !state.monitor.isAlive)
            let pidfd = try Launching.openProcess(state.process.pid)
            Launching.signal(SIGKILL, to: pidfd.raw)
            #expect(try FileDescriptor.wait(for: pidfd.raw, milliseconds: 5000))
        }
    }
}
