import Foundation
import Testing

/// What a process in a container may do and see, as the probe (Tests/Probe) tells it, beside what is kept in
/// testdata/isolation. After a change that is meant: `CTR_WRITE_REPORTS=1`, then read the difference.
@Suite("isolation: reports", .needs(), .needsProbe)
struct IsolationReportTests {
    private func withImage(_ body: (Fixture) throws -> Void) throws {
        try withFixture { ctr in
            try ctr.ok("import", try ctr.file("probe.tar", Probe.image.finished), "probe:1")
            try body(ctr)
        }
    }

    /// Flags of `run` by the name of their report. One more (`--userns`) is a pair here and a file that
    /// `CTR_WRITE_REPORTS=1` writes.
    private static let runs: [(name: String, flags: [String])] = [
        ("run", []),
        ("run-privileged", ["--privileged"]),
        ("run-user", ["--user", "1000:1000"]),
        ("run-read-only", ["--read-only"]),
        ("run-capabilities", ["--cap-add", "SYS_PTRACE", "--cap-add", "NET_ADMIN", "--cap-drop", "NET_RAW"]),
        ("run-no-capabilities", ["--cap-drop", "ALL"]),
        ("run-sys-admin", ["--cap-add", "SYS_ADMIN"]),
        ("run-no-new-privileges", ["--security-opt", "no-new-privileges"]),
        ("run-unconfined", ["--security-opt", "seccomp=unconfined"]),
        ("run-host-namespaces", ["--network", "host", "--pid", "host", "--ipc", "host", "--uts", "host"]),
        ("run-init", ["--init"]),
        ("run-userns", ["--uidmap", "0:300000:65536"]),
        ("run-userns-privileged", ["--uidmap", "0:300000:65536", "--privileged"]),
        ("run-userns-user", ["--uidmap", "0:300000:65536", "--user", "1000:1000"]),
    ]

    @Test(arguments: runs.map(\.name))
    func run(_ name: String) throws {
        try withImage { ctr in
            let flags = Self.runs.first { $0.name == name }?.flags ?? []
            try GoldenReport(name: name).expect(
                try ctr.ctr(
                    ["run", "--rm"] + (flags.contains("--network") ? flags : flags + none) + ["probe:1"]
                        + Probe.report))
        }
    }

    /// A network adds its device, and nothing else that the reports tell.
    @Test func theDefaultNetwork() throws {
        try withImage { ctr in
            let with = try ctr.ok(["run", "--rm", "probe:1"] + Probe.report).components(separatedBy: "\n")
            let without = try ctr.ok(["run", "--rm"] + none + ["probe:1"] + Probe.report).components(
                separatedBy: "\n")
            #expect(Set(with).subtracting(without) == ["interface eth0"])
            #expect(Set(without).subtracting(with).isEmpty)
        }
    }

    private let none = ["--network", "none"]

    @Test func exec() throws {
        try withImage { ctr in
            try ctr.ok(["run", "-d", "--name", "box"] + none + ["probe:1", "sleep", "100"])
            for (name, flags) in [
                ("exec", []), ("exec-privileged", ["--privileged"]), ("exec-user", ["-u", "1000"]),
            ] {
                try GoldenReport(name: name).expect(try ctr.ctr(["exec"] + flags + ["box"] + Probe.report))
            }
        }
    }

    /// An exec has no more than its container.
    @Test func execInAContainerWithLess() throws {
        try withImage { ctr in
            try ctr.ok(
                "run", "-d", "--name", "box", "--network", "none", "--cap-drop", "ALL", "--security-opt",
                "no-new-privileges",
                "--read-only", "--user", "1000", "probe:1", "sleep", "100")
            try GoldenReport(name: "exec-less").expect(try ctr.ctr(["exec", "box"] + Probe.report))
        }
    }

    @Test func healthCheck() throws {
        try withImage { ctr in
            try ctr.ok(
                "run", "-d", "--name", "box", "--network", "none", "--health-cmd",
                "/probe report /context > /new && mv /new /report", "--health-interval", "100s",
                "--health-start-period", "60s", "--health-start-interval", "100ms",
                "probe:1", "sleep", "100")
            try ctr.eventually("the check has run", within: 30) {
                try ctr.inspect("box", "{{.State.Health.Status}}") == "healthy"
            }
            try GoldenReport(name: "health").expect(try ctr.ok("exec", "box", "cat", "/report"))
        }
    }

    @Test func buildStep() throws {
        try withImage { ctr in
            let context = try ctr.context("FROM probe:1\nRUN /probe report /context > /report\n")
            try ctr.ok("build", "-q", "--network", "none", "-t", "made:1", context)
            try GoldenReport(name: "build").expect(try ctr.ok("run", "--rm", "made:1", "cat", "/report"))
        }
    }

    @Test func terminal() throws {
        try withImage { ctr in
            let session = try ctr.terminal(
                "run", "-t", "--rm", "--network", "none", "probe:1", "sh", "-c",
                "/probe report /context > /r; cat /r")
            let outcome = session.finish(timeout: 30)
            try #require(outcome.code == 0, "\(session.screen)")
            try GoldenReport(name: "run-terminal").expect(
                outcome.stdout.replacingOccurrences(of: "\r", with: ""))
        }
    }

    /// One id, which is root inside.
    @Test func anOrdinaryUser() throws {
        try withOrdinaryUser(image: Probe.image.finished) { user in
            try GoldenReport(name: "rootless-run").expect(
                try user.ctr(["run", "--rm", "--network", "none", "busybox:test"] + Probe.report))
            _ = try user.ok(
                "run", "-d", "--name", "box", "--network", "none", "busybox:test", "sleep", "100")
            try GoldenReport(name: "rootless-exec").expect(try user.ctr(["exec", "box"] + Probe.report))
            let privileged = try user.ctr(
                ["run", "--rm", "--privileged", "--network", "none", "busybox:test"] + Probe.report)
            try #require(privileged.code == 0, "\(privileged)")
            // Laid over by the test itself, for other tests' user-mode networks.
            let ofTheTest = "mount /dev/net/tun: "
            try GoldenReport(name: "rootless-privileged").expect(
                privileged.stdout.components(separatedBy: "\n").filter { !$0.hasPrefix(ofTheTest) }
                    .joined(separator: "\n"))
        }
    }

    /// What Debian's podman, with its runc (crun refuses hybrid cgroups), gives to the same image: each difference has its reason in the file.
    @Test(.needs(.podman, .runc))
    func besidePodman() throws {
        try withFixture { fixture in
            let podman = try Podman(fixture, runtime: "runc", image: Probe.image.finished)
            try GoldenReport(name: "podman-run", wantsReasons: true).expect(
                try podman.run(["--rm", "bb"] + Probe.report))
            try podman.background("c1")
            try GoldenReport(name: "podman-exec", base: "exec", wantsReasons: true).expect(
                try podman.podman(["exec", "c1"] + Probe.report))
            try GoldenReport(name: "podman-privileged", base: "run-privileged", wantsReasons: true).expect(
                try podman.run(["--rm", "--privileged", "bb"] + Probe.report))
            try GoldenReport(name: "podman-user", base: "run-user", wantsReasons: true).expect(
                try podman.run(["--rm", "--user", "1000:1000", "bb"] + Probe.report))
        }
    }
}
