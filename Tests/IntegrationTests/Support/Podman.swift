import Foundation
import Testing

/// podman with a store of its own and one image.
final class Podman {
    let fixture: Fixture
    private let directory: String
    private let runtime: String
    /// This machine's network and limits are not podman's to change.
    let plain = ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]

    /// - Parameters:
    ///   - runtime: `ctr-oci`, or one of the machine's.
    ///   - image: What the image `bb` is made of.
    init(_ fixture: Fixture, runtime: String, image: [UInt8] = Busybox.tar) throws {
        self.fixture = fixture
        self.runtime = runtime
        // Below /var/tmp: overlay keeps its attributes on no tmpfs of every kernel.
        directory = "/var/tmp/\((fixture.directory as NSString).lastPathComponent)"
        mkdir(directory, 0o755)
        try
            "[engine]\nevents_logger = \"none\"\n[containers]\nlog_driver = \"k8s-file\"\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
            .write(
                toFile: directory + "/containers.conf", atomically: false, encoding: .utf8)
        symlink(Program.ctr, directory + "/ctr-oci")
        try fixture.file("busybox.tar", image)
        let outcome = try podman(["import", fixture.path("busybox.tar"), "bb"])
        try #require(outcome.code == 0, "\(outcome)")
        fixture.onCleanUp { self.cleanUp() }
    }

    var words: [String] {
        [
            Tool.podman.path ?? "podman", "--root", directory + "/root", "--runroot", directory + "/run",
            "--tmpdir", directory + "/tmp", "--cgroup-manager=cgroupfs", "--storage-driver=overlay",
            "--runtime", runtime == "ctr-oci" ? "\(directory)/\(runtime)" : runtime,
        ]
    }
    var environment: [String: String] {
        fixture.environment.merging(["CONTAINERS_CONF": directory + "/containers.conf"]) { $1 }
    }

    func podman(_ arguments: [String], input: String? = nil) throws -> Outcome {
        let outcome = try ChildProcess(
            words + arguments, input: input.map { Array($0.utf8) }, environment: environment
        ).finish(timeout: 40)
        if outcome.timedOut { throw TestFailure("out of time: \(outcome)") }
        return outcome
    }

    func callAsFunction(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try podman(arguments)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    func run(_ arguments: String..., input: String? = nil) throws -> Outcome {
        try run(arguments, input: input)
    }

    func run(_ arguments: [String], input: String? = nil) throws -> Outcome {
        try podman(["run"] + plain + arguments, input: input)
    }

    /// A container that runs.
    func background(
        _ name: String, _ flags: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    )
        throws
    {
        let outcome = try podman(["run", "-d", "--name", name] + plain + flags + ["bb", "sleep", "300"])
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    }

    private func cleanUp() {
        _ = try? podman(["rm", "-f", "-t", "0", "-a"])
        _ = try? podman(["pod", "rm", "-f", "-t", "0", "-a"])
        for mount in Leftovers.mounts(below: directory).reversed() {
            _ = try? ChildProcess(["/bin/umount", "-l", mount]).finish(timeout: 10)
        }
        try? FileManager.default.removeItem(atPath: directory)
        let left = Cgroups.hierarchies.filter { access($0 + "/libpod_parent", F_OK) == 0 }
        for hierarchy in left { rmdir(hierarchy + "/libpod_parent") }
    }
}
