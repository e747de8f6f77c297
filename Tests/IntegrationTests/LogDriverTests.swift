import Foundation
import Testing

@Suite("log drivers", .needs(.mount, .umount))
struct LogDriverTests {
    @Test func kubernetesLines() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--name", "box", "--log-driver", "k8s-file", image, "sh", "-c",
                "echo one; echo two >&2")
            let text = ctr.contents(try ctr.inspect("box", "{{.LogPath}}") + "/000001.log")
            #expect(text.firstMatch(of: /^\d{4}-\d\d-\d\dT[\d:.]+Z stdout F one\n/) != nil, "\(text)")
            let logs = try ctr.ctr("logs", "box")
            #expect(logs.stdout == "one\n" && logs.stderr == "two\n", "\(logs)")
        }
    }

    @Test func attributesOfALine() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--name", "box", "--label", "team=red", "-e", "STAGE=test", "--log-opt", "labels=team",
                "--log-opt", "env=STAGE", "--log-opt", "tag={{.Name}}/{{.ID}}", image, "echo", "one")
            let id = try ctr.inspect("box", "{{.Id}}")
            let text = ctr.contents(try ctr.inspect("box", "{{.LogPath}}") + "/000001.log")
            #expect(
                text.contains(#""attrs":{"team":"red","STAGE":"test","tag":"box/\#(id.prefix(12))"}"#),
                "\(text)")
            #expect(try ctr.ok("logs", "box") == "one")
        }
    }

    @Test func aJournalThatIsNotThereIsRefused() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            guard access("/run/systemd/journal/socket", F_OK) != 0 else {
                try ctr.ok("run", "--name", "box", "--log-driver", "journald", image, "echo", "one")
                try ctr.refuses("logs", "box", says: ["journal"])
                return
            }
            try ctr.refuses(
                "run", "--log-driver", "journald", image, "true", code: 125,
                says: ["/run/systemd/journal/socket"])
        }
    }

    @Test func followOverRotationsLosesAndRepeatsNothing() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--log-opt", "max-size=64k", "--log-opt", "max-file=200", image,
                "sh", "-c", "seq 1 9000; sleep 0.4; seq 9001 18000")
            let outcome = try ctr.start("logs", "-f", "box").finish(timeout: 30)
            let expected = (1...18000).map { "\($0)\n" }.joined()
            #expect(outcome.stdout == expected, "\(outcome.stdout.utf8.count) bytes")
            let files = try FileManager.default.contentsOfDirectory(
                atPath: ctr.inspect("box", "{{.LogPath}}"))
            #expect(files.count > 5)
        }
    }

    @Test func theDefaultIsFiveFilesOfTenMegabytes() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            // 70 MB of lines in the log.
            try ctr.ok(
                "run", "--name", "box", image, "sh", "-c",
                "yes 0123456789012345678901234567890123456789 | head -n 500000 >&2", timeout: 120)
            let path = try ctr.inspect("box", "{{.LogPath}}")
            let files = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(files.count == 5, "\(files)")
            for file in files {
                let size = try FileManager.default.attributesOfItem(atPath: "\(path)/\(file)")[.size] as? Int
                #expect(try #require(size) <= 10 << 20)
            }
        }
    }

    /// The root is on a small tmpfs that fills up: the container goes on, and the log says what is missing.
    @Test func aFullDiskBlocksNobodyAndSaysSo() throws {
        try withFixture { ctr in
            try FileManager.default.createDirectory(atPath: ctr.root, withIntermediateDirectories: true)
            chmod(ctr.root, 0o700)
            try ctr.tool(.mount, "-t", "tmpfs", "-o", "size=24m", "none", ctr.root)
            ctr.onCleanUp { [root = ctr.root] in
                _ = try? ctr.ctr("rm", "-f", "box")
                umount2(root, Int32(MNT_DETACH))
            }
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--tmpfs", "/go:exec", image, "sh", "-c",
                """
                echo first; while ! test -e /go/fill; do sleep 0.05; done
                seq 1 20000; touch /go/filled
                while ! test -e /go/on; do sleep 0.05; done
                echo last; sleep 300
                """)
            try ctr.eventually("the first line") { try ctr.ok("logs", "box") == "first" }
            let filler = ctr.root + "/filler"
            let file = open(filler, O_CREAT | O_WRONLY, 0o600)
            let chunk = [UInt8](repeating: 1, count: 64 << 10)
            while write(file, chunk, chunk.count) > 0 {}
            close(file)
            try ctr.ok("exec", "box", "touch", "/go/fill")
            try ctr.eventually("the container was not blocked") {
                try ctr.ctr("exec", "box", "test", "-e", "/go/filled").code == 0
            }
            // What is still in the pipe is lost as well, in a moment.
            try ctr.eventually("most lines are lost") {
                Int(try ctr.inspect("box", "{{.State.LogLinesLost}}")) ?? 0 > 15000
            }
            usleep(200_000)
            #expect(try ctr.inspect("box", "{{.State.LogError}}").contains("no space left"))
            unlink(filler)
            try ctr.ok("exec", "box", "touch", "/go/on")
            try ctr.eventually("the last line", within: 30) {
                try ctr.ctr("logs", "box").stdout.hasSuffix("last\n")
            }
            let logs = try ctr.ctr("logs", "box")
            // Once each time that there was a little room.
            let lost = logs.stderr.matches(of: /ctr: (\d+) lines? lost: no space left on device/)
                .compactMap { Int($0.1) }.reduce(0, +)
            let kept = logs.stdout.split(separator: "\n").count
            #expect(lost + kept == 20002, "\(lost) lost, \(kept) kept")
        }
    }
}
