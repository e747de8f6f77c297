import Foundation
import Testing

@Suite("the life of an exec", .needs())
struct ExecLifeTests {
    /// How many processes of the container have this word in their command line.
    private func count(_ word: String, _ ctr: Fixture) throws -> Int {
        try ctr.ok("exec", "box", "ps").components(separatedBy: "\n").filter { $0.hasSuffix(word) }.count
    }

    @Test func aKilledClientLeavesNothingBehind() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "300")
            let exec = try ctr.start("exec", "box", "sh", "-c", "sleep 4711 & echo begun; sleep 4711")
            try exec.waitFor("begun")
            #expect(try count("sleep 4711", ctr) == 2)
            exec.signal(SIGKILL)
            try ctr.eventually("both are gone") { try count("sleep 4711", ctr) == 0 }
            _ = exec.finish(timeout: 10)
            #expect(try ctr.inspect("box", "{{.State.Running}}") == "true")
        }
    }

    @Test func whatACommandLeavesInTheBackgroundGoesOn() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "300")
            try ctr.ok("exec", "box", "sh", "-c", "sleep 4711 >/dev/null 2>&1 &")
            try ctr.ok("exec", "-d", "box", "sleep", "4712")
            usleep(200_000)
            #expect(try count("sleep 4711", ctr) == 1)
            #expect(try count("sleep 4712", ctr) == 1)
            try ctr.ok("exec", "box", "killall", "sleep")
        }
    }

    /// Who looks after execs when their monitor was killed in between.
    @Test func anAdoptingMonitorLooksAfterThem() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "300")
            let exec = try ctr.start("exec", "box", "sh", "-c", "echo begun; sleep 4711")
            try exec.waitFor("begun")
            try ctr.killMonitor(of: "box")
            try ctr.prints("ps", including: "box")
            usleep(200_000)
            exec.signal(SIGKILL)
            try ctr.eventually("it is gone") { try count("sleep 4711", ctr) == 0 }
            _ = exec.finish(timeout: 10)
        }
    }
}
