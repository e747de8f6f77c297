import Foundation
import Testing

/// The command line's side of bad input; the registry's is in HostileRegistryTests, the values' beside their flags.
@Suite("bad input", .needs())
struct BadInputTests {
    @Test(arguments: [
        (["no-such-verb"], Int32(1), "no-such-verb"), (["run"], 125, "ctr run"),
        (["run", "--no-such-flag", "x"], 125, "--no-such-flag"),
        (["ps", "--no-such-flag"], 1, "--no-such-flag"), (["ps", "extra"], 1, "ctr ps"),
        (["exec", "box"], 125, "ctr exec"),
        (["stop"], 1, "ctr stop"), (["volume", "no-such"], 1, "no-such"),
        (["run", "--rm=perhaps", "x"], 125, "perhaps"),
        (["run", "-e"], 125, "-e"), (["logs", "a", "b"], 1, "ctr logs"), (["--root"], 1, "--root"),
    ])
    func usage(_ words: [String], _ code: Int32, _ says: String) throws {
        try withFixture { ctr in
            let outcome = try ctr.ctr(words)
            ctr.expectRefusal(outcome, code: code, says: [says])
            #expect(outcome.stdout == "")
        }
    }

    @Test(arguments: [
        "stop", "start", "restart", "kill", "rm", "logs", "attach", "wait", "inspect", "diff", "export",
    ])
    func unknownContainers(_ verb: String) throws {
        try withFixture { ctr in
            let outcome = try ctr.ctr(verb, "nobody")
            ctr.expectRefusal(
                outcome, code: ["start", "attach"].contains(verb) ? outcome.code : 1, says: ["nobody"])
            #expect(outcome.code != 0)
        }
    }

    @Test func ambiguousPrefixes() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            var seen: [Character: String] = [:]
            for _ in 0..<40 {
                let id = try ctr.ok("create", image)
                guard let first = id.first else { continue }
                if seen[first] != nil {
                    try ctr.refuses("inspect", String(first), says: [String(first)])
                    return
                }
                seen[first] = id
            }
        }
    }

    @Test func aRootThatCannotBeUsed() throws {
        try withFixture { ctr in
            let file = try ctr.file("a-file", "x")
            let outcome = try ChildProcess(
                [Program.ctr, "--root", file, "--run-root", ctr.runRoot, "ps"], environment: ctr.environment
            ).finish()
            ctr.expectRefusal(outcome, code: 1, says: [file])
        }
    }

    @Test func stdoutThatIsFullIsAnError() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            _ = image
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", ctr.words(["images"]).joined(separator: " ") + " > /dev/full"],
                environment: ctr.environment
            ).finish()
            #expect(outcome.code == 1)
        }
    }

    @Test func badEnvironmentAndLabelFiles() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses(
                "run", "--rm", "--env-file", ctr.path("none"), image, "true", code: 125,
                says: [ctr.path("none")])
            try ctr.refuses(
                "run", "--rm", "--env-file", try ctr.file("e", "A B=1\n"), image, "true", code: 125,
                says: ["A B"])
            try ctr.refuses("run", "--rm", "-e", "=x", image, "true", code: 125, says: ["=x"])
            try ctr.refuses(
                "run", "--rm", "--label-file", ctr.path("none"), image, "true", code: 125,
                says: [ctr.path("none")])
        }
    }

    @Test func argumentsThatAreTooLong() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(["run", "--rm", image, "echo", String(repeating: "x", count: 130_000)])
            #expect(outcome.code == 0 && outcome.stdout.utf8.count == 130_001)
            let many = (0..<30).map { _ in
                "E\(UInt32.random(in: 0...UInt32.max))=" + String(repeating: "y", count: 40_000)
            }
            let large = try ctr.ctr(["run", "--rm"] + many.flatMap { ["-e", $0] } + [image, "true"])
            if large.code != 0 { ctr.expectRefusal(large, code: large.code, says: []) }
        }
    }
}
