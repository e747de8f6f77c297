import Foundation
import Testing

/// podman with ctr as its runtime: another engine's idea of an OCI runtime, conmon and all.
@Suite("oci: podman", .needs(.podman), .serialized)
struct OCIPodmanTests {
    private func withPodman(_ body: (Podman) throws -> Void) throws {
        try withFixture { try body(Podman($0, runtime: "ctr-oci")) }
    }

    @Test func run() throws {
        try withPodman { (podman) throws in
            #expect(try podman.run("--rm", "bb", "echo", "hello").stdout == "hello\n")
            for code in [0, 7] {
                #expect(try podman.run("--rm", "bb", "sh", "-c", "exit \(code)").code == Int32(code))
            }
            #expect(try podman.run("--rm", "bb", "no-such-program").code == 127)
            #expect(try podman.run("--rm", "bb", "/etc").code == 126)
            #expect(try podman.run("--rm", "-i", "bb", "cat", input: "in\n").stdout == "in\n")
            #expect(try podman.run("--rm", "-t", "bb", "sh", "-c", "test -t 0 && tty").text == "/dev/pts/0")
            #expect(
                try podman.run("--rm", "--user", "1000:1000", "bb", "sh", "-c", "id -u; echo x > /dev/stdout")
                    .text == "1000\nx")
            #expect(try podman("ps", "-aq") == "")
        }
    }

    @Test func flags() throws {
        try withPodman { podman in
            let readOnly = try podman.run(
                "--rm", "--read-only", "bb", "sh", "-c", "touch /x || echo ro; touch /tmp/x && echo tmp")
            #expect(readOnly.text == "ro\ntmp", "\(readOnly)")
            try podman.fixture.file("volume/file", "file\n")
            let volume = podman.fixture.path("volume")
            #expect(
                try podman.run(
                    "--rm", "-v", "\(volume):/v:ro", "bb", "sh", "-c", "cat /v/file; touch /v/x || echo ro"
                ).text == "file\nro")
            let mapped = try podman.run(
                "--rm", "--uidmap", "0:100000:2000", "--gidmap", "0:200000:2000", "bb", "sh", "-c",
                "id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g /bin/busybox")
            #expect(
                mapped.text.split(whereSeparator: \.isWhitespace).map(String.init)
                    == ["0", "0", "100000", "2000", "0", "200000", "2000", "0:0"], "\(mapped)")
            let privileged = try podman.run(
                "--rm", "--privileged", "bb", "sh", "-c",
                "sed -n 's/^Seccomp:.//p' /proc/self/status; test -c /dev/kmsg && echo devices; mount -t tmpfs x /tmp && echo mounts"
            )
            #expect(privileged.text == "0\ndevices\nmounts", "\(privileged)")
            let host = try podman.run("--rm", "--pid=host", "bb", "readlink", "/proc/self/ns/pid")
            #expect(
                try host.text == FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"),
                "\(host)")
            #expect(try podman.run("--rm", "--hostname", "named", "bb", "hostname").text == "named")
            #expect(
                try podman.run(
                    "--rm", "--cap-drop", "ALL", "bb", "sed", "-n", "s/^CapEff:.//p", "/proc/self/status"
                ).text == "0000000000000000")
            #expect(
                try podman.run(
                    "--rm", "--tmpfs", "/t", "--workdir", "/t", "bb", "sh", "-c",
                    "pwd; grep -c ' /t tmpfs' /proc/mounts"
                ).text == "/t\n1")
        }
    }

    @Test func life() throws {
        try withPodman { podman in
            try podman.background("c1", ["--memory", "64m", "--pids-limit", "50"])
            #expect(try podman("exec", "c1", "id", "-u") == "0")
            #expect(try podman.podman(["exec", "c1", "sh", "-c", "exit 7"]).code == 7)
            #expect(try podman.podman(["exec", "c1", "no-such-program"]).code == 127)
            #expect(try podman.podman(["exec", "-i", "c1", "cat"], input: "in\n").stdout == "in\n")
            #expect(try podman("exec", "-t", "c1", "sh", "-c", "test -t 1 && tty") == "/dev/pts/0")
            _ = try podman("pause", "c1")
            #expect(try podman("ps", "-a", "--format", "{{.Status}}").lowercased().contains("paused"))
            _ = try podman("unpause", "c1")
            #expect(try podman("ps", "--format", "{{.Status}}").hasPrefix("Up"))
            #expect(try podman("top", "c1", "pid", "comm").contains("sleep"))
            #expect(try podman("stats", "--no-stream", "--format", "{{.MemUsage}}", "c1").contains("67.11MB"))
            _ = try podman("kill", "-s", "KILL", "c1")
            _ = try podman("wait", "c1")
            #expect(try podman("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited (137)"))
            _ = try podman("start", "c1")
            _ = try podman("stop", "-t", "0", "c1")
            _ = try podman("restart", "-t", "0", "c1")
            #expect(try podman("exec", "c1", "echo", "again") == "again")
            _ = try podman("rm", "-f", "-t", "0", "c1")
            #expect(try podman("ps", "-aq") == "")
        }
    }

    @Test func attachAndLogs() throws {
        try withPodman { podman in
            let outcome = try podman.podman(
                ["run", "-d", "-i", "--name", "c1"] + podman.plain + [
                    "bb", "sh", "-c", "read line; echo got $line; exit 9",
                ])
            try #require(outcome.code == 0, "\(outcome)")
            let attached = try podman.podman(["attach", "c1"], input: "hello\n")
            #expect(attached.text == "got hello", "\(attached)")
            #expect(try podman("wait", "c1") == "9")
            #expect(try podman("logs", "c1") == "got hello")
        }
    }

    @Test func sharing() throws {
        try withPodman { podman in
            try podman.background("c1", ["--ipc", "shareable"])
            let own = try podman("exec", "c1", "readlink", "/proc/self/ns/ipc")
            #expect(
                try podman.run("--rm", "--ipc", "container:c1", "bb", "readlink", "/proc/self/ns/ipc").text
                    == own)
            #expect(
                try podman.run("--rm", "--pid", "container:c1", "bb", "cat", "/proc/1/comm").text == "sleep")
            let network = try podman("exec", "c1", "readlink", "/proc/self/ns/net")
            let joined = try podman.podman(
                [
                    "run", "--rm", "--network", "container:c1", "--ulimit", "nofile=1024:1024", "--ulimit",
                    "nproc=1024:1024", "bb", "readlink", "/proc/self/ns/net",
                ])
            #expect(joined.text == network, "\(joined)")
        }
    }

    @Test func aPod() throws {
        try withPodman { podman in
            _ = try podman(
                "pod", "create", "--name", "p1", "--infra-image", "bb", "--infra-command", "sleep 300",
                "--network", "none", "--share", "ipc,uts,net,pid")
            let outcome = try podman.podman(
                [
                    "run", "--rm", "--pod", "p1", "--ulimit", "nofile=1024:1024", "--ulimit",
                    "nproc=1024:1024", "bb", "hostname",
                ])
            #expect(outcome.text == "p1", "\(outcome)")
        }
    }
}
