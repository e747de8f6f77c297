import Foundation
import Testing

@Suite("kill -9 and many at once", .needs())
struct CrashTests {
    @Test func aKilledRunIsHarmless() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            for pause in stride(from: 200, through: 12_000, by: 400) {
                let run = try ctr.start("run", "-d", "--name", "same", image, "sleep", "300")
                usleep(UInt32(pause))
                run.signal(SIGKILL)
                _ = run.finish(timeout: 20)
                // Whatever was reached, `rm -f` and the same command succeed.
                try ctr.ctr("rm", "-f", "same")
                let again = try ctr.ctr("run", "--rm", "--name", "same", image, "echo", "fine")
                #expect(again.stdout == "fine\n", "killed after \(pause) microseconds: \(again)")
            }
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }

    @Test func aKilledMonitorLeavesTheContainerAndTheTruth() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done")
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            let status = ctr.contents("/proc/\(pid)/status")
            let parent = try #require(
                status.firstMatch(of: /PPid:\t(\d+)/).flatMap { pid_t($0.1) })
            #expect(parent > 1)
            kill(parent, SIGKILL)
            usleep(200_000)
            #expect(try ctr.inspect("box", "{{.State.Status}} {{.State.Pid}}") == "running \(pid)")
            #expect(try ctr.ok("exec", "box", "echo", "alive") == "alive")
            try ctr.prints("ps", including: "box")
            // An adopting monitor reads on: the log grows, and the container can be stopped.
            let before = try ctr.ok("logs", "box").components(separatedBy: "\n").count
            try ctr.eventually("the log goes on") {
                try ctr.ok("logs", "box").components(separatedBy: "\n").count > before
            }
            try ctr.ok("stop", "-t", "2", "box")
            #expect(try ctr.inspect("box", "{{.State.Status}}") == "exited")
            try ctr.ok("rm", "box")
        }
    }

    @Test func aKilledMonitorAndContainerAreExited() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "300")
            let pid = try #require(pid_t(try ctr.inspect("box", "{{.State.Pid}}")))
            let parent = try #require(
                ctr.contents("/proc/\(pid)/status").firstMatch(of: /PPid:\t(\d+)/).flatMap { pid_t($0.1) })
            kill(parent, SIGKILL)
            kill(pid, SIGKILL)
            try ctr.eventually("it is known to have ended") {
                try ctr.inspect("box", "{{.State.Running}}") == "false"
            }
            #expect(try ctr.ok("ps", "-q") == "")
            try ctr.ok("start", "box")
            #expect(try ctr.inspect("box", "{{.State.Running}}") == "true")
        }
    }

    @Test func eightRunsAtOnce() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let runs = try (0..<8).map {
                try ctr.start("run", "--rm", image, "sh", "-c", "echo \($0); exit \($0)")
            }
            for (index, run) in runs.enumerated() {
                let outcome = run.finish(timeout: 60)
                #expect(outcome.code == Int32(index) && outcome.stdout == "\(index)\n", "\(outcome)")
            }
        }
    }

    @Test func oneNameForManyIsTakenOnce() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let runs = try (0..<8).map { _ in try ctr.start("create", "--name", "one", image) }
            let codes = runs.map { $0.finish(timeout: 60).code }
            #expect(codes.filter { $0 == 0 }.count == 1 && codes.filter { $0 == 125 }.count == 7, "\(codes)")
            #expect(try ctr.ok("ps", "-aq").components(separatedBy: "\n").count == 1)
        }
    }

    /// Who is second waits for the first one's lock, and finds it running, which is no error.
    @Test func startsOfOneContainerAtOnce() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image, "sleep", "300")
            let starts = try (0..<6).map { _ in try ctr.start("start", "box") }
            for start in starts {
                let outcome = start.finish(timeout: 60)
                #expect(outcome.code == 0, "\(outcome)")
            }
            #expect(try ctr.ok("exec", "box", "sh", "-c", "ps | grep -c '[s]leep 300'") == "1")
            try ctr.ok("rm", "-f", "box")
        }
    }

    @Test func removalWhileItIsStopped() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            for _ in 0..<5 {
                try ctr.ok("run", "-d", "--name", "box", image, "sh", "-c", "trap '' TERM; sleep 60")
                let stop = try ctr.start("stop", "-t", "1", "box")
                usleep(100_000)
                let removal = try ctr.start("rm", "-f", "box")
                let removed = removal.finish(timeout: 30)
                let stopped = stop.finish(timeout: 30)
                #expect(removed.code == 0, "\(removed)")
                #expect(!stopped.timedOut && stopped.code <= 1, "\(stopped)")
                #expect(try ctr.ok("ps", "-aq") == "")
            }
        }
    }

    @Test func listingWhileContainersComeAndGo() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let churn = try (0..<3).map { _ in
                try ChildProcess(
                    [
                        "/bin/sh", "-c",
                        "for i in 1 2 3 4 5 6 7 8 9 10; do \(ctr.words(["run", "--rm", image, "true"]).joined(separator: " ")) || exit 9; done",
                    ], environment: ctr.environment)
            }
            for _ in 0..<30 {
                #expect(try ctr.ctr("ps", "-a").code == 0)
                usleep(10_000)
            }
            for child in churn {
                let outcome = child.finish(timeout: 90)
                #expect(outcome.code == 0, "\(outcome)")
            }
        }
    }

    @Test func removalOfAnImageWhileItIsRun() throws {
        try withFixture { ctr in
            let file = try ctr.file("b.tar", Busybox.tar)
            for _ in 0..<5 {
                try ctr.ok("import", file, "race:1")
                let runs = try (0..<3).map { _ in
                    try ctr.start("run", "--rm", "--pull", "never", "race:1", "echo", "ran")
                }
                let removal = try ctr.start("rmi", "race:1")
                for run in runs {
                    let outcome = run.finish(timeout: 60)
                    #expect(outcome.stdout == "ran\n" || outcome.code == 125, "\(outcome)")
                }
                _ = removal.finish(timeout: 60)
                try ctr.ctr("rmi", "-f", "race:1")
            }
        }
    }
}
