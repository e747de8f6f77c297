import Foundation
import Testing

/// Writes an OCI image layout byte by byte, so that a test decides what is in it and what is wrong with it.
struct ImageLayout {
    enum Compression { case none, gzip, zstd }

    let directory: String
    private let fixture: Fixture

    init(_ fixture: Fixture, _ name: String) throws {
        self.fixture = fixture
        directory = try fixture.makeDirectory(name)
        _ = try fixture.makeDirectory("\(name)/blobs/sha256")
        try write("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
    }

    /// Adds an image of these layers; its manifest's digest. The last one added is what `index.json` names.
    @discardableResult
    func add(
        tag: String, layers: [[UInt8]], compression: Compression = .gzip, config: [String: Any] = [:],
        mediaTypes docker: Bool = false,
        platform: (os: String, architecture: String) = ("linux", Self.architecture)
    ) throws -> String {
        var descriptors: [[String: Any]] = []
        var diffIDs: [String] = []
        for layer in layers {
            diffIDs.append("sha256:" + (try digest(layer)))
            let packed: [UInt8]
            var type =
                docker
                ? "application/vnd.docker.image.rootfs.diff.tar" : "application/vnd.oci.image.layer.v1.tar"
            switch compression {
            case .none: packed = layer
            case .gzip:
                packed = try fixture.tool(.gzip, "-nc", input: layer).output
                type += docker ? ".gzip" : "+gzip"
            case .zstd:
                packed = try fixture.tool(.zstd, "-qc", input: layer).output
                type += "+zstd"
            }
            descriptors.append(try blob(packed, type))
        }
        let image: [String: Any] = [
            "architecture": platform.architecture, "os": platform.os, "config": config,
            "created": "2024-05-06T07:08:09Z",
            "rootfs": ["type": "layers", "diff_ids": diffIDs],
            "history": layers.indices.map {
                ["created": "2024-05-06T07:08:09Z", "created_by": "layer \($0)"]
            },
        ]
        let manifest: [String: Any] = [
            "schemaVersion": 2,
            "mediaType": docker
                ? "application/vnd.docker.distribution.manifest.v2+json"
                : "application/vnd.oci.image.manifest.v1+json",
            "config": try blob(
                try json(image),
                docker
                    ? "application/vnd.docker.container.image.v1+json"
                    : "application/vnd.oci.image.config.v1+json"),
            "layers": descriptors,
        ]
        var descriptor = try blob(
            try json(manifest), manifest["mediaType"] as? String ?? "")
        descriptor["annotations"] = ["org.opencontainers.image.ref.name": tag]
        descriptor["platform"] = ["os": platform.os, "architecture": platform.architecture]
        try writeIndex([descriptor])
        return descriptor["digest"] as? String ?? ""
    }

    func writeIndex(_ manifests: [[String: Any]]) throws {
        try write(
            "index.json",
            String(
                decoding: try json([
                    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                    "manifests": manifests,
                ]), as: UTF8.self))
    }

    func blob(_ bytes: [UInt8], _ mediaType: String) throws -> [String: Any] {
        let name = try digest(bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/blobs/sha256/\(name)"))
        return ["mediaType": mediaType, "digest": "sha256:\(name)", "size": bytes.count]
    }

    func digest(_ bytes: [UInt8]) throws -> String {
        let outcome = try ChildProcess(["/usr/bin/sha256sum"], input: bytes).finish(timeout: 60)
        return String(outcome.stdout.prefix(64))
    }

    private func json(_ value: Any) throws -> [UInt8] {
        Array(
            try JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes]))
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }

    #if arch(x86_64)
        static let architecture = "amd64"
    #elseif arch(arm64)
        static let architecture = "arm64"
    #endif
}
