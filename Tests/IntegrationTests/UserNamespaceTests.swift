import Foundation
import Testing

/// `--userns`, `--uidmap`, `--gidmap` and what shows owners: layers, volumes, `cp`, `export`.
@Suite("run: user namespaces", .needs(.tar))
struct UserNamespaceTests {
    private let map = ["--uidmap", "0:300000:65536", "--gidmap", "0:400000:65536"]

    /// `OWNER/GROUP NAME` of each entry of a tar.
    private func owners(_ tar: [UInt8]) throws -> [String] {
        let outcome = try ChildProcess(["/bin/tar", "--numeric-owner", "-tv"], input: tar).finish(timeout: 30)
        #expect(outcome.code == 0, "\(outcome)")
        return outcome.lines.compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 5 ? "\(words[1]) \(words[5])" : nil
        }
    }

    private func lines(_ text: String) -> [[Substring]] {
        text.split(separator: "\n").map { $0.split(separator: " ") }
    }

    @Test func theContainersRootIsAnotherOutside() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(["run", "-d", "--name", "box"] + map + [image, "sleep", "300"])
            #expect(try ctr.ok("exec", "box", "id", "-u") == "0")
            #expect(
                lines(try ctr.ok("exec", "box", "cat", "/proc/self/uid_map")) == [["0", "300000", "65536"]])
            #expect(
                lines(try ctr.ok("exec", "box", "cat", "/proc/self/gid_map")) == [["0", "400000", "65536"]])
            let pid = try ctr.ok("inspect", "-f", "{{.State.Pid}}", "box")
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.contains("Uid:\t300000\t300000\t300000\t300000"))
            #expect(status.contains("Gid:\t400000\t400000\t400000\t400000"))
            #expect(
                try ctr.ok("inspect", "-f", "{{json .HostConfig.IDMappings}}", "box")
                    == #"{"UidMap":["0:300000:65536"],"GidMap":["0:400000:65536"]}"#)
            // A namespace of its own, of which nothing of the host's network or mounts is part.
            let host = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/user")
            #expect(try ctr.ok("exec", "box", "readlink", "/proc/self/ns/user") != host)
        }
    }

    @Test func filesAreTheContainersOwnAndTheDiskKeepsTheImages() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                ["run", "-d", "--name", "box"] + map + [
                    image, "sh", "-c",
                    "touch /new && chown 1000:1001 /new && chmod 600 /etc/passwd; sleep 300",
                ])
            try ctr.eventually("the files are there") {
                try ctr.ok("exec", "box", "stat", "-c", "%u:%g", "/new", "/bin") == "1000:1001\n0:0"
            }
            let id = try ctr.ok("inspect", "-f", "{{.Id}}", "box")
            var status = stat()
            #expect(lstat("\(ctr.root)/containers/\(id)/upper/new", &status) == 0)
            #expect(status.st_uid == 1000 && status.st_gid == 1001, "ids of the image, whatever the mapping")
        }
    }

    @Test func aUserOfTheImage() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok(
                    ["run", "--rm", "-u", "1000:1000"] + map + [
                        image, "sh", "-c", "echo $(id -u):$(id -g) >/dev/stdout; echo err >/dev/stderr",
                    ])
                    == "1000:1000")
            try ctr.refuses(
                ["run", "--rm", "-u", "70000"] + map + [image, "true"], code: 125,
                says: ["user 70000 is not in the container's user namespace", "0 to 65535"])
        }
    }

    @Test func aTerminalAReadOnlyRootAndSharedNamespaces() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            #expect(
                try ctr.ok(["run", "--rm", "-t"] + map + [image, "stat", "-c", "%u %t", "/dev/console"])
                    .hasPrefix("0 "))
            let written = try ctr.ctr(["run", "--rm", "--read-only"] + map + [image, "touch", "/x"])
            #expect(written.code == 1 && written.stderr.contains("Read-only file system"))
            for mode in ["--network", "--pid", "--ipc", "--uts"] {
                #expect(
                    try ctr.ok(["run", "--rm", mode, "host"] + map + [image, "echo", mode]) == mode)
            }
            // Root of the container is nobody of the host's: what the kernel shows of it cannot be written.
            #expect(
                try ctr.ctr(
                    ["run", "--rm", "--privileged"] + map + [
                        image, "sh", "-c", "echo 1 >/proc/sys/kernel/sysrq",
                    ]
                ).code != 0)
        }
    }

    @Test func autoGivesEachItsOwnIDs() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let started = try (0..<6).map {
                try ctr.start(
                    "run", "-d", "--name", "box-\($0)", "--userns", "auto:size=1000", image, "sleep", "300")
            }
            for child in started {
                let outcome = try child.finish(timeout: 60)
                #expect(outcome.code == 0, "\(outcome)")
            }
            var starts: Set<Substring> = []
            for number in 0..<6 {
                let map = lines(try ctr.ok("exec", "box-\(number)", "cat", "/proc/self/uid_map"))
                #expect(map.first?.last == "1000")
                if let start = map.first?[1] { starts.insert(start) }
            }
            #expect(starts.count == 6)
        }
    }

    @Test func anotherContainersNamespace() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "first", "--userns", "auto", image, "sleep", "300")
            let namespace = try ctr.ok("exec", "first", "readlink", "/proc/self/ns/user")
            #expect(
                try ctr.ok(
                    "run", "--rm", "--userns", "container:first", "--network", "container:first", image,
                    "readlink", "/proc/self/ns/user") == namespace)
            try ctr.ok("run", "-d", "--name", "plain", image, "sleep", "300")
            try ctr.refuses(
                "run", "--rm", "--userns", "container:plain", image, "true", code: 125,
                says: ["has no user namespace of its own"])
        }
    }

    @Test func copiesCrossTheMapping() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let file = try ctr.file("given", Array("given".utf8))
            #expect(chown(file, 7, 8) == 0)
            try ctr.ok(["run", "-d", "--name", "box"] + map + [image, "sleep", "300"])
            for isRunning in [true, false] {
                if !isRunning { try ctr.ok("stop", "-t", "0", "box") }
                let suffix = isRunning ? "running" : "stopped"
                try ctr.ok("cp", file, "box:/plain-\(suffix)")
                try ctr.ok("cp", "-a", file, "box:/kept-\(suffix)")
                let out = ctr.directory + "/out-\(suffix)"
                try ctr.ok("cp", "-a", "box:/kept-\(suffix)", out)
                var status = stat()
                #expect(lstat(out, &status) == 0 && status.st_uid == 7 && status.st_gid == 8)
                let tar = try ctr.ctr("cp", "box:/kept-\(suffix)", "-")
                #expect(try owners(tar.output) == ["7/8 kept-\(suffix)"])
            }
            try ctr.ok("start", "box")
            for suffix in ["running", "stopped"] {
                #expect(
                    try ctr.ok("exec", "box", "stat", "-c", "%u:%g", "/plain-\(suffix)", "/kept-\(suffix)")
                        == "0:0\n7:8")
            }
            // An owner that the namespace does not have cannot be given.
            #expect(chown(file, 70000, 0) == 0)
            try ctr.refuses("cp", "-a", file, "box:/far", code: 1, says: ["70000"])
            let whole = try owners(try ctr.ctr("export", "box").output)
            #expect(whole.contains("7/8 kept-running") && whole.contains("0/0 bin/"))
            #expect(whole.allSatisfy { !$0.hasPrefix("3000") })
        }
    }

    @Test func volumesAreSharedByContainersOfOtherIDs() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok(
                ["run", "--rm", "-v", "data:/data"] + map + [
                    image, "sh", "-c", "touch /data/a; chown 5:6 /data/a",
                ])
            #expect(
                try ctr.ok(
                    "run", "--rm", "--userns", "auto", "-v", "data:/data", image, "stat", "-c", "%u:%g",
                    "/data/a")
                    == "5:6")
            #expect(
                try ctr.ok("run", "--rm", "-v", "data:/data", image, "stat", "-c", "%u:%g", "/data/a")
                    == "5:6")
        }
    }

    @Test func pathsOfTheHostKeepTheirOwnersUnlessMapped() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let path = try ctr.makeDirectory("bound")
            let look = [image, "stat", "-c", "%u:%g", "/data"]
            #expect(try ctr.ok(["run", "--rm", "-v", path + ":/data"] + map + look) == "65534:65534")
            #expect(try ctr.ok(["run", "--rm", "-v", path + ":/data:idmap"] + map + look) == "0:0")
            #expect(
                try ctr.ok(
                    ["run", "--rm", "--mount", "type=bind,src=\(path),dst=/data,idmap"] + map + look) == "0:0"
            )
            // Without a user namespace, by a mapping of its own.
            #expect(
                try ctr.ok(["run", "--rm", "-v", path + ":/data:idmap=uids=0-5-1;gids=0-6-1"] + look) == "5:6"
            )
            try ctr.refuses(
                ["run", "--rm", "-v", path + ":/data:idmap"] + look, code: 125,
                says: ["idmap is for containers with a user namespace"])
        }
    }

    @Test func theOwnerIsChangedOnRequest() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let path = try ctr.makeDirectory("bound")
            let link = path + "/link"
            let canary = try ctr.file("canary", [])
            #expect(symlink(canary, link) == 0)
            try ctr.ok(
                ["run", "--rm", "-u", "1000:1001", "-v", path + ":/data:U"] + map + [
                    image, "touch", "/data/own",
                ])
            var status = stat()
            #expect(lstat(path, &status) == 0 && status.st_uid == 301_000 && status.st_gid == 401_001)
            #expect(lstat(link, &status) == 0 && status.st_uid == 301_000)
            #expect(lstat(canary, &status) == 0 && status.st_uid == 0, "no link is followed")
            // Without a namespace, and of a volume.
            try ctr.ok("run", "--rm", "-u", "1000", "-v", path + ":/data:U", image, "touch", "/data/own")
            #expect(
                try ctr.ok(
                    "run", "--rm", "-u", "1000:7", "-v", "data:/data:U", image, "sh", "-c",
                    "touch /data/x && stat -c %u:%g /data /data/x") == "1000:7\n1000:7")
            try ctr.refuses(
                "run", "--rm", "-v", "/etc:/data:U", image, "true", code: 125,
                says: ["would give /etc of the host"])
        }
    }

    @Test func secretsHealthChecksAndPrivileges() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("secret", "create", "word", try ctr.file("secret", Array("hidden".utf8)))
            #expect(
                try ctr.ok(
                    ["run", "--rm", "-u", "1000", "--secret", "word,uid=1000,mode=400"] + map + [
                        image, "cat", "/run/secrets/word",
                    ]) == "hidden")
            try ctr.ok(
                ["run", "-d", "--name", "box", "--wait=healthy", "--health-cmd", "test $(id -u) = 0"] + map
                    + [
                        image, "sleep", "300",
                    ])
            #expect(try ctr.ok("inspect", "-f", "{{.State.Health.Status}}", "box") == "healthy")
            // All capabilities are of the namespace alone.
            #expect(
                try ctr.ctr(
                    ["run", "--rm", "--cap-add", "ALL"] + map + [image, "mknod", "/d", "c", "1", "3"]
                ).code != 0)
        }
    }

    @Test(arguments: [
        (["--userns", "keep-id"], "for ordinary users"), (["--userns", "what"], "unknown mode"),
        (["--uidmap", "0:x"], "not of the form"),
        (["--userns", "auto", "--uidmap", "0:1:1"], "give one of them"),
    ])
    func refusals(_ flags: [String], _ words: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.refuses(["run", "--rm"] + flags + [image, "true"], code: 125, says: [words])
            #expect(try ctr.ok("ps", "-aq").isEmpty)
        }
    }
}
