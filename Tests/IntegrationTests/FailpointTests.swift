import Foundation
import Testing

/// Each verb killed at each step between two durable states; then the release program must find a store that is whole,
/// and the same command must succeed.
@Suite(
    "kill -9 at each step", .needs(),
    .enabled(if: Program.isDebugBuilt, "not run: no debug build of ctr's programs in .build/debug"))
struct FailpointTests {
    /// Runs the debug program, which must come to the point and die there.
    private func kill(_ ctr: Fixture, at point: String, _ arguments: String...) throws {
        let words =
            ["\(Program.debugDirectory)/ctr", "--root", ctr.root, "--run-root", ctr.runRoot] + arguments
        let outcome = try ChildProcess(
            words, environment: ctr.environment.merging(["CTR_FAILPOINT": point]) { $1 }
        ).finish(timeout: 60)
        // A child of ours that was killed is told of by its parent.
        let died = outcome.code == 137 || outcome.stderr.contains("signal 9")
        try #require(died, "did not come to \(point): \(outcome)")
    }

    @Test(arguments: [
        "container.create:kill", "container.name:kill", "volume.record:kill", "volume.rename:kill",
        "volume.filled:kill", "volume.fill-rename:kill", "volume.mark:kill", "atomic.rename:kill",
    ])
    func create(_ point: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try kill(ctr, at: point, "create", "--name", "box", "-v", "data:/bin", image, "true")
            #expect(try ctr.ok("ps", "-aq") == "")
            // The name is free, the volume is filled once and whole.
            try ctr.ok(
                "create", "--name", "box", "-v", "data:/bin", image, "sh", "-c",
                "ls /bin | wc -l; ls /bin/busybox")
            let started = try ctr.ctr("start", "-a", "box")
            #expect(started.code == 0 && started.stdout.hasSuffix("/bin/busybox\n"), "\(started)")
            let whole = try ctr.ok("run", "--rm", image, "sh", "-c", "ls /bin | wc -l")
            #expect(started.lines.first?.trimmingCharacters(in: .whitespaces) == whole)
            #expect(try ctr.ok("ps", "-aq").components(separatedBy: "\n").count == 1)
            try ctr.refuses("volume", "rm", "data", says: ["in use"])
            try ctr.ok("rm", "box")
            try ctr.ok("volume", "rm", "data")
            let unfinished = try FileManager.default.contentsOfDirectory(
                atPath: ctr.root + "/containers/.new")
            #expect(unfinished == [])
        }
    }

    /// A start that dies while it attaches, an end that dies while it gives back: the next command finds nothing in its way.
    @Test(arguments: ["address.taken:kill", "names.linked:kill", "network.attached:kill"])
    func startOnANetwork(_ point: String) throws {
        try withFixture { ctr in
            let port = Network.freePort()
            let image = try ctr.busybox()
            try kill(ctr, at: point, "run", "-d", "--name", "box", "-p", "\(port):80", image, "sleep", "600")
            try ctr.ok("rm", "-f", "box")
            try ctr.ok("run", "-d", "--name", "box", "-p", "\(port):80", image, "sleep", "600")
            #expect(try ctr.ok("port", "box") == "80/tcp -> 0.0.0.0:\(port)")
            try ctr.ok("rm", "-f", "box")
            try kill(
                ctr, at: "network.released:kill", "run", "--name", "box", "-p", "\(port):80", image, "true")
            try ctr.ok("rm", "-f", "box")
            #expect(try ctr.ok("ps", "-aq") == "")
            try ctr.ok("network", "reload")
            #expect(try ctr.ok("port", "--exposed").components(separatedBy: "\n").count == 1)
            try ctr.ok("run", "--rm", "-p", "\(port):80", image, "true")
        }
    }

    @Test func removal() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("create", "--name", "box", image)
            try kill(ctr, at: "container.remove:kill", "rm", "box")
            #expect(try ctr.ok("ps", "-aq") == "")
            try ctr.refuses("inspect", "--type", "container", "box", says: ["box"])
            try ctr.ok("create", "--name", "box", image)
            try ctr.ok("rm", "box")
        }
    }

    @Test(arguments: ["volume.record:kill", "volume.rename:kill", "atomic.rename:kill"])
    func volumeCreate(_ point: String) throws {
        try withFixture { ctr in
            try ctr.busybox()
            try kill(ctr, at: point, "volume", "create", "data")
            #expect(try ctr.ok("volume", "ls", "-q") == "")
            try ctr.ok("volume", "create", "data")
            try ctr.ok("volume", "rm", "data")
        }
    }

    @Test func volumeRemoval() throws {
        try withFixture { ctr in
            try ctr.ok("volume", "create", "data")
            try kill(ctr, at: "volume.discard:kill", "volume", "rm", "data")
            // Whole, or gone: either way the same command ends with it gone.
            _ = try ctr.ctr("volume", "rm", "data")
            #expect(try ctr.ok("volume", "ls", "-q") == "")
            try ctr.ok("volume", "create", "data")
            try ctr.ok("volume", "rm", "data")
        }
    }

    @Test(arguments: [
        "image.import:kill", "image.synced:kill", "image.published:kill", "image.layer:kill",
        "layer.rename:kill",
        "store.record:kill", "store.recorded:kill", "store.index:kill", "store.layout:kill",
        "atomic.rename:kill",
        "atomic.rename:kill@3",
    ])
    func `import`(_ point: String) throws {
        try withFixture { ctr in
            let tar = try ctr.file("image.tar", Busybox.tar)
            try kill(ctr, at: point, "import", tar, "again:1")
            try imagesAreWhole(ctr)
            try ctr.ok("import", tar, "again:1")
            #expect(try ctr.ok("run", "--rm", "again:1", "echo", "fine") == "fine")
            try nothingIsLeft(ctr, after: "again:1")
        }
    }

    @Test(arguments: ["store.load:kill", "image.layer:kill", "store.record:kill", "store.index:kill"])
    func load(_ point: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let archive = ctr.path("saved.tar")
            try ctr.ok("save", "-o", archive, image)
            try nothingIsLeft(ctr, after: image)
            try kill(ctr, at: point, "load", "-i", archive)
            try imagesAreWhole(ctr)
            try ctr.ok("load", "-i", archive)
            #expect(try ctr.ok("run", "--rm", image, "echo", "fine") == "fine")
            try nothingIsLeft(ctr, after: image)
        }
    }

    @Test(
        .needs(.dockerRegistry, .skopeo, .umoci, .zstd),
        arguments: [
            "image.synced:kill", "image.published:kill",
            "image.layer:kill", "store.rename:kill", "store.renamed:kill", "image.record:kill",
            "store.record:kill",
            "store.recorded:kill", "store.index:kill",
        ])
    func pull(_ point: String) throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            try kill(ctr, at: point, "pull", image)
            try imagesAreWhole(ctr)
            try ctr.ok("pull", "-q", image)
            #expect(try ctr.ok("run", "--rm", image, "cat", "/layer2") == "from the second layer")
            try nothingIsLeft(ctr, after: image)
        }
    }

    @Test func imageRemoval() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try kill(ctr, at: "store.swept:kill", "rmi", image)
            #expect(try ctr.ok("images", "-q") == "")
            try ctr.ok("import", ctr.path("busybox.tar"), "again:1")
            #expect(try ctr.ok("run", "--rm", "again:1", "echo", "fine") == "fine")
            try nothingIsLeft(ctr, after: "again:1")
        }
    }

    /// What is listed can be run and inspected.
    private func imagesAreWhole(_ ctr: Fixture) throws {
        for name in try ctr.ok("images", "--format", "{{.Repository}}:{{.Tag}}").components(separatedBy: "\n")
        where !name.isEmpty {
            try ctr.ok("inspect", name)
            try ctr.ok("run", "--rm", name, "true")
        }
    }

    /// The last image gone, no blob and no layer of it is.
    private func nothingIsLeft(_ ctr: Fixture, after image: String) throws {
        try ctr.ok("rmi", image)
        try ctr.ok("image", "prune", "-af")
        for place in ["content/blobs/sha256", "layers"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(ctr.root)/\(place)")
            #expect(names.filter { !$0.hasSuffix(".lock") } == [], "\(place)")
        }
    }
}
