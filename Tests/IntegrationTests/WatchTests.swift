import Foundation
import Testing

@Suite("stats, top and events", .needs(), .serialized)
struct WatchTests {
    @Test func whatAContainerUses() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "busy", "-m", "64m", image, "sh", "-c", "while :; do :; done")
            try ctr.ok("create", "--name", "idle", image, "true")
            let table = try ctr.ok("stats", "--no-stream")
            let lines = table.split(separator: "\n")
            #expect(
                lines[0].split(separator: "  ", omittingEmptySubsequences: true).map {
                    $0.trimmingCharacters(in: .whitespaces)
                } == [
                    "CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O",
                    "PIDS",
                ])
            #expect(lines.count == 2)
            #expect(lines[1].contains("64MiB"))
            let row = try ctr.ok(
                "stats", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.PIDs}}", "busy")
            let words = row.split(separator: " ").map(String.init)
            #expect(words[0] == "busy")
            let percent = try #require(Double(words[1].dropLast()))
            #expect(percent > 20 && percent < 150, "\(row)")
            #expect(words[2] == "1")
            let json = try ctr.ok("stats", "-a", "--no-stream", "--format", "json")
            #expect(json.split(separator: "\n").count == 2)
            let fields = try #require(
                try JSONSerialization.jsonObject(with: Data(json.split(separator: "\n")[0].utf8))
                    as? [String: String])
            #expect(
                Set(fields.keys) == [
                    "BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs",
                ])
            ctr.expectRefusal(try ctr.ctr("stats", "--no-stream", "nobody"), code: 1, says: ["No such"])
        }
    }

    @Test func aTableOnATerminalIsDrawnAgain() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            let session = try ctr.terminal("stats")
            try session.waitFor("CONTAINER ID")
            try session.waitFor("box")
            try session.waitFor("\u{1b}[H")
            session.type("\u{3}")
            #expect(session.finish().code == 130)
        }
    }

    /// CVE-2022-1227: what a container has in its file system is not run to look at it.
    @Test func cve2022_1227_topRunsNothingOfTheContainer() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", image, "sh", "-c",
                """
                for p in ps nsenter sh top; do
                  for d in /usr/local/bin /usr/local/sbin /usr/bin /sbin; do
                    mkdir -p $d; printf '#!/bin/sh\\ntouch /was-run' > $d/$p; chmod 755 $d/$p
                  done
                done
                touch /ready; exec sleep 61
                """)
            try ctr.eventually("it came about") {
                try ctr.ctr("exec", "box", "/bin/test", "-e", "/ready").code == 0
            }
            let listing = try ctr.ok("top", "box")
            let lines = listing.split(separator: "\n")
            #expect(
                lines[0].split(separator: " ") == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
            #expect(lines.count == 2)
            let pid = try ctr.inspect("box", "{{.State.Pid}}")
            #expect(lines[1].contains("sleep 61") && lines[1].contains(" \(pid) "), "\(listing)")
            #expect(lines[1].hasPrefix("root"))
            #expect(try ctr.ok("top", "box", "pid", "hpid", "user", "comm").hasSuffix("sleep"))
            let columns = try ctr.ok("top", "box", "pid,hpid,args").split(separator: "\n")[1].split(
                separator: " ")
            #expect(columns == ["1", Substring(pid), "sleep", "61"])
            #expect(try ctr.ok("top", "box", "-o", "pid,comm").contains(pid))
            #expect(try ctr.ok("top", "box", "aux").hasPrefix("USER"))
            #expect(try ctr.ctr("exec", "box", "/bin/test", "-e", "/was-run").code == 1)
            ctr.expectRefusal(
                try ctr.ctr("top", "box", "pid", "shoesize"), code: 1, says: ["shoesize", "pcpu"])
            ctr.expectRefusal(try ctr.ctr("top", "box", "-q"), code: 1, says: ["-q"])
            try ctr.ok("stop", "-t", "0", "box")
            ctr.expectRefusal(try ctr.ctr("top", "box"), code: 1, says: ["not running"])
        }
    }

    @Test func aProcessCannotWriteOnTheScreenByItsName() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sh", "-c", "sleep 60; true", "\u{1b}[31mred\r")
            let listing = try ctr.ok("top", "box")
            #expect(!listing.contains("\u{1b}") && !listing.contains("\r"))
            #expect(listing.contains("?[31mred?"))
        }
    }

    @Test func aContainersLifeIsToldInOrder() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ctr("run", "--rm", "--name", "one", "-l", "team=a", image, "sh", "-c", "exit 3").code
                    == 3)
            try ctr.ok("run", "-d", "--name", "two", image, "sleep", "60")
            try ctr.ok("exec", "two", "true")
            try ctr.ok("pause", "two")
            try ctr.ok("unpause", "two")
            try ctr.ok("update", "-m", "64m", "two")
            try ctr.ok("rename", "two", "deux")
            try ctr.ok("stop", "-t", "0", "deux")
            try ctr.ok("rm", "deux")
            let told = { (filters: [String]) in
                try ctr.ctr(
                    ["events", "--since", "10m", "--until", "0s", "--format", "{{.Action}}"]
                        + filters.flatMap { ["--filter", $0] }
                ).lines
            }
            #expect(try told(["container=one"]) == ["create", "attach", "start", "die", "destroy"])
            let second = try told(["type=container", "container=two"])
            #expect(
                second == [
                    "create", "start", "exec_create: true", "exec_start: true", "exec_die", "pause",
                    "unpause",
                    "update",
                ])
            // The monitor heard of the new name.
            #expect(try told(["container=deux"]) == ["rename", "kill", "die", "stop", "destroy"])
            #expect(try told(["label=team=a", "event=die"]) == ["die"])
            let line = try ctr.ok(
                "events", "--since", "10m", "--until", "0s", "--filter", "event=die", "--filter",
                "container=one")
            #expect(line.contains(" container die "))
            #expect(line.contains("exitCode=3, image=\(image), name=one, team=a)"), "\(line)")
            let json = try ctr.ok(
                "events", "--since", "10m", "--until", "0s", "--filter", "event=exec_die", "--format", "json")
            let fields = try #require(
                try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(fields["status"] as? String == "exec_die")
            let actor = try #require(fields["Actor"] as? [String: Any])
            let attributes = try #require(actor["Attributes"] as? [String: String])
            #expect(attributes["exitCode"] == "0")
            #expect(attributes["execID"]?.count == 64)
        }
    }

    @Test func imagesAndVolumesAreToldToo() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("tag", image, "other:1")
            try ctr.ok("volume", "create", "data")
            try ctr.ok("volume", "rm", "data")
            try ctr.ok("save", "-o", ctr.path("image.tar"), "other:1")
            try ctr.ok("rmi", "other:1")
            let told = try ctr.ok(
                "events", "--since", "10m", "--until", "0s", "--format", "{{.Type}} {{.Action}}", "--filter",
                "type=volume", "--filter", "type=image")
            for expected in [
                "image tag", "volume create", "volume destroy", "image save", "image untag",
            ] {
                #expect(told.components(separatedBy: "\n").contains(expected), "\(told)")
            }
        }
    }

    @Test func mountsOfVolumesAreTold() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "--rm", "--name", "box", "-v", "data:/d", "-v", "more:/m:ro", image, "true")
            let told = try ctr.ok(
                "events", "--since", "10m", "--until", "0s", "--format",
                "{{.Type}} {{.Action}} {{.Actor.ID}} {{index .Actor.Attributes \"destination\"}} {{index .Actor.Attributes \"read/write\"}}"
            ).components(separatedBy: "\n").filter {
                !$0.hasPrefix("image") && !$0.contains("create") && !$0.contains("attach")
            }
            #expect(
                told.map { line -> Substring in
                    if line.hasPrefix("network") {
                        return Substring(line.split(separator: " ").prefix(2).joined(separator: " "))
                    }
                    return line.hasPrefix("container") ? line.split(separator: " ")[1] : line[...]
                } == [
                    "network connect", "volume mount data /d true", "volume mount more /m false", "start",
                    "die",
                    "volume unmount data  ", "volume unmount more  ", "network disconnect", "destroy",
                ], "\(told)")
        }
    }

    @Test func filesAndBuildsAreToldToo() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            try ctr.ok("cp", "box:/bin/busybox", ctr.path("copy"))
            try ctr.ok("cp", ctr.path("copy"), "box:/copy")
            try ctr.ok("export", "-o", ctr.path("tree.tar"), "box")
            #expect(try told(ctr, "container=box").suffix(3) == ["archive-path", "extract-to-dir", "export"])
            _ = try ctr.file("context/Dockerfile", "FROM \(image)\nRUN touch /made\n")
            try ctr.ok("build", "-q", "-t", "made:1", "-t", "made:2", ctr.path("context"))
            #expect(try told(ctr, "type=image").suffix(3) == ["build", "tag", "tag"])
        }
    }

    @Test func healthIsTold() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "box", "--health-cmd", "test ! -e /bad", "--health-retries", "1",
                "--health-interval", "1h", image, "sleep", "300")
            try ctr.ok("healthcheck", "run", "box")
            try ctr.ok("healthcheck", "run", "box")
            try ctr.ok("exec", "box", "touch", "/bad")
            _ = try ctr.ctr("healthcheck", "run", "box")
            #expect(
                try told(ctr, "container=box").filter { $0.hasPrefix("health") } == [
                    "health_status: healthy", "health_status: unhealthy",
                ])
        }
    }

    private func told(_ ctr: Fixture, _ filter: String) throws -> [String] {
        try ctr.ctr(
            "events", "--since", "10m", "--until", "0s", "--format", "{{.Action}}", "--filter", filter
        ).lines
    }

    @Test func whoFollowsHearsAtOnce() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "before", image, "true")
            let follower = try ctr.start("events", "--format", "{{.Action}} {{.Actor.Attributes.name}}")
            Thread.sleep(forTimeInterval: 0.2)
            try ctr.ok("run", "--name", "box", image, "true")
            try follower.waitFor("die box\n")
            #expect(!follower.stdout.contains("before"))
            follower.signal(SIGINT)
            #expect(follower.finish().code == 130)
        }
    }
}
