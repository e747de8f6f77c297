import Foundation
import Testing

@Suite("logs", .needs())
struct LogsTests {
    @Test func bothStreamsApart() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sh", "-c", "echo o1; echo e1 >&2; printf 'no end'")
            try ctr.ok("wait", "box")
            let logs = try ctr.ctr("logs", "box")
            #expect(logs.stdout == "o1\nno end")
            #expect(logs.stderr == "e1\n")
        }
    }

    @Test func tail() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "--name", "box", image, "seq", "1", "5000")
            #expect(try ctr.ok("logs", "--tail", "3", "box") == "4998\n4999\n5000")
            #expect(try ctr.ok("logs", "-n", "0", "box") == "")
            #expect(try ctr.ok("logs", "--tail", "all", "box").components(separatedBy: "\n").count == 5000)
            try ctr.refuses("logs", "--tail", "x", "box", says: ["x"])
        }
    }

    @Test func followEndsWithTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "for i in 1 2 3 4 5; do echo $i; sleep 0.2; done")
            let follow = try ctr.start("logs", "-f", "box")
            try follow.waitFor("2\n")
            #expect(!follow.stdout.contains("5"))
            let outcome = follow.finish(timeout: 15)
            #expect(outcome.stdout == "1\n2\n3\n4\n5\n")
            #expect(outcome.code == 0)
        }
    }

    @Test func followShowsNothingTwice() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c", "seq 1 20000; sleep 0.5; seq 20001 40000")
            let outcome = try ctr.start("logs", "-f", "box").finish(timeout: 30)
            let expected = (1...40000).map { "\($0)\n" }.joined()
            #expect(
                outcome.stdout == expected,
                "\(outcome.stdout.utf8.count) bytes instead of \(expected.utf8.count)")
        }
    }

    @Test func timestampsAndSince() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "--name", "box", image, "sh", "-c", "echo first; sleep 1.2; echo second")
            let lines = try ctr.ok("logs", "-t", "box").components(separatedBy: "\n")
            #expect(lines.count == 2)
            let stamps = lines.map { String($0.split(separator: " ")[0]) }
            for stamp in stamps {
                #expect(stamp.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/) != nil, "\(stamp)")
            }
            #expect(stamps == stamps.sorted())
            #expect(try ctr.ok("logs", "--since", stamps[1], "box") == "second")
            #expect(try ctr.ok("logs", "--since", "10m", "box") == "first\nsecond")
            #expect(try ctr.ok("logs", "--until", stamps[0], "box") == "first")
            try ctr.refuses("logs", "--since", "yesterday-ish", "box", says: ["yesterday-ish"])
        }
    }

    @Test func rotationLosesNothingThatItKeeps() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--name", "box", "--log-opt", "max-size=16k", "--log-opt", "max-file=3", image, "seq",
                "1", "20000")
            let lines = try ctr.ok("logs", "box").components(separatedBy: "\n").compactMap { Int($0) }
            #expect(lines.last == 20000)
            #expect(lines.count < 20000)
            #expect(lines == Array((lines.first ?? 0)...20000))
            #expect(try ctr.ok("logs", "-n", "2", "box") == "19999\n20000")
        }
    }

    @Test func aVeryLongLine() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                "head -c 200000 /dev/zero | tr '\\0' y; echo; echo end")
            try ctr.ok("wait", "box")
            let text = try ctr.ctr("logs", "box").stdout
            #expect(text.utf8.count == 200_005)
            #expect(text.hasSuffix("y\nend\n"))
        }
    }

    @Test func ofACreatedContainerAndAnUnknownOne() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image)
            #expect(try ctr.ok("logs", "box") == "")
            try ctr.refuses("logs", "nobody", says: ["nobody"])
        }
    }
}
