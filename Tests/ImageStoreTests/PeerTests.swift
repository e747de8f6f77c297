import ImageArchive
import Archive
import Failure
import ImageStore
import LinuxSystem
import OCI
import Testing

private let skopeo = (try? FileDescriptor.exists("/usr/bin/skopeo")) == true
private let umoci = (try? FileDescriptor.exists("/usr/bin/umoci")) == true

/// What other tools make of the store and of saved files.
@Suite struct PeerTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    /// A tool's exit code and what it printed.
    private func run(_ program: String, _ arguments: String...) throws -> (code: Int32, output: String) {
        let output = try FileDescriptor.memory("output")
        let pid = try Process.spawn(
            program: try FileDescriptor.open(program, [.pathOnly]), arguments: [program] + arguments,
            environment: Process.environment, output: output.raw, error: output.raw)
        let status = try #require(try Process.reap(pid)).status
        try output.seek(to: 0)
        return (
            Process.exitCode(ofStatus: status),
            String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self)
        )
    }

    private func rootFileSystem() throws -> [UInt8] {
        var tar = TarFile()
        tar.add("etc/hostname", "peer")
        return try tar.bytes()
    }

    private func image(_ name: String) throws -> ImageRecord {
        let layer = try store.content.put(try rootFileSystem(), mediaType: MediaType.layer)
        let documents = try ImageDocuments.imported(
            layer: layer, diffID: layer.digest, settings: nil,
            platform: Platform(os: "linux", architecture: Platform.host.architecture),
            created: "2026-01-02T03:04:05Z", message: "")
        try store.content.publish(try documents.stage(in: store.content))
        let record = try ImageRecord(
            reference: try Reference.parse(name), target: documents.manifestDescriptor,
            manifest: documents.manifestDescriptor, document: documents.manifest, config: documents.config,
            directories: nil, size: 4)
        try store.references.put(record)
        return record
    }

    @Test(
        .enabled(if: skopeo), arguments: ["redis:7", "docker.io/library/redis:7", "127.0.0.1:5000/debian:12"])
    func skopeoReadsTheContentDirectory(_ name: String) throws {
        _ = try image("redis:7")
        _ = try image("127.0.0.1:5000/debian:12")
        let inspected = try run("/usr/bin/skopeo", "inspect", "oci:\(store.path)/content:\(name)")
        #expect(inspected.code == 0, "\(inspected.output)")
        #expect(inspected.output.contains("sha256:"))
        let copied = try run(
            "/usr/bin/skopeo", "--insecure-policy", "copy", "oci:\(store.path)/content:\(name)",
            "dir:\(store.path)/copy")
        #expect(copied.code == 0, "\(copied.output)")
    }

    @Test(.enabled(if: umoci)) func umociUnpacksFromTheContentDirectory() throws {
        _ = try image("127.0.0.1:5000/debian:12")
        let unpacked = try run(
            "/usr/bin/umoci", "unpack", "--rootless", "--image",
            "\(store.path)/content:127.0.0.1:5000/debian:12",
            "\(store.path)/bundle")
        #expect(unpacked.code == 0, "\(unpacked.output)")
        #expect(try store.text("bundle/rootfs/etc/hostname") == "peer")
    }

    @Test(
        .enabled(if: skopeo),
        arguments: ["docker-archive:FILE:app:1", "oci-archive:FILE:1", "oci-archive:FILE"])
    func skopeoReadsASavedFile(_ source: String) throws {
        let record = try image("app:1")
        let file = try FileDescriptor.open("\(store.path)/saved.tar", [.writeOnly, .create])
        try ImageArchive.save([record], from: store.content, to: file)
        let name = source.replacing("FILE", with: "\(store.path)/saved.tar")
        let copied = try run("/usr/bin/skopeo", "--insecure-policy", "copy", name, "dir:\(store.path)/copy")
        #expect(copied.code == 0, "\(copied.output)")
    }

    @Test(.enabled(if: skopeo), arguments: ["docker-archive", "oci-archive"])
    func whatSkopeoWritesIsLoaded(_ transport: String) throws {
        let record = try image("app:1")
        let copied = try run(
            "/usr/bin/skopeo", "--insecure-policy", "copy", "oci:\(store.path)/content:app:1",
            "\(transport):\(store.path)/their.tar:docker.io/library/app:9")
        #expect(copied.code == 0, "\(copied.output)")
        let other = try TemporaryStore()
        let loaded = try other.load(try FileDescriptor.open("\(store.path)/their.tar"), platform: .host)
        #expect(loaded.map(\.references) == [[try Reference.parse("app:9")]])
        let layer = try #require(loaded.first?.document.layers.first)
        #expect(loaded.first?.config.rootfs.diffIDs == record.layers.map(\.diffID))
        #expect(try other.content.has(layer))
    }
}
