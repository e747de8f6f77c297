import Engine
import Failure
import ImageStore
import Layers
import LinuxSystem
import OCI
import OverlayFS

/// An image as a build leaves it: layers in directories, and of none of them a blob.
struct BuiltImage {
    let engine: Engine
    private(set) var layers: [ImageRecord.Layer] = []
    private var size: Int64 = 0

    init(_ engine: Engine) { self.engine = engine }

    @discardableResult
    mutating func add(_ fill: (Int32) throws -> Void) throws -> Digest {
        let new = try engine.layerStore().begin()
        try fill(new.root.raw)
        let measure = try LayerMeasure(of: new.root.raw)
        let diffID = try Digest("sha256:\(measure.diffIDHex)")
        try new.commit(diffID, measure.record)
        layers.append(
            ImageRecord.Layer(
                descriptor: Descriptor(
                    mediaType: MediaType.layer, digest: diffID, size: Int64(measure.tarSize)),
                diffID: diffID, directory: LayerStore.name(of: diffID)))
        size += Int64(measure.record.size)
        return diffID
    }

    /// One layer with a bit of everything, and one that hides of it.
    static func usual(_ engine: Engine) throws -> BuiltImage {
        var image = BuiltImage(engine)
        try image.add { root in
            try Directory.make("srv", in: root, mode: 0o750)
            try file("srv/large", noise(5 << 20 + 321), in: root)
            try file("srv/gone", Array("gone".utf8), in: root)
            try file("tool", Array("#!/bin/sh\n".utf8), in: root)
            try Directory.link("tool", in: root, to: "other", in: root)
            try Directory.symlink("tool", at: "link", in: root)
            try Directory.make("etc", in: root, mode: 0o755)
            try file("etc/lower", Array("lower".utf8), in: root)
        }
        try image.add { root in
            try Directory.make("srv", in: root, mode: 0o750)
            // A whiteout, as overlayfs has it.
            try Directory.makeNode("srv/gone", in: root, mode: 0o020000, major: 0, minor: 0)
            try Directory.make("etc", in: root, mode: 0o755)
            let etc = try Directory.open("etc", in: root)
            try ExtendedAttributes.set("trusted.overlay.opaque", Array("y".utf8), on: etc)
            try file("etc/upper", Array("upper".utf8), in: root)
            try ExtendedAttributes.set(
                "security.capability", capability, on: "etc/upper", in: root)
        }
        return image
    }

    /// cap_net_bind_service, permitted and effective: linux/capability.h, vfs_cap_data of revision 2.
    static let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0] + [UInt8](repeating: 0, count: 12)

    static func file(_ name: String, _ bytes: [UInt8], in root: Int32) throws {
        try FileDescriptor.open(name, in: root, [.writeOnly, .create], mode: 0o644).write(bytes)
    }

    static func noise(_ count: Int) -> [UInt8] {
        let part = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 8 ^ $0 >> 3) }
        var all: [UInt8] = []
        while all.count < count { all += part }
        all.removeLast(all.count - count)
        return all
    }

    /// Records it under each name, or without one.
    @discardableResult
    func record(_ names: [String?], annotations: [String: String]? = nil) throws -> ImageRecord {
        var config = ImageConfig(platform: .host, diffIDs: layers.map(\.diffID))
        config.created = "2026-01-02T03:04:05Z"
        config.config = ImageConfig.Settings()
        config.config?.cmd = ["/tool"]
        let configBlob = try engine.content.put(try JSON.encode(config), mediaType: MediaType.config)
        let document = Manifest(
            config: configBlob, layers: layers.map(\.descriptor), annotations: annotations)
        let manifest = try engine.content.put(try JSON.encode(document), mediaType: MediaType.manifest)
        var record = try ImageRecord(
            reference: nil, target: manifest, manifest: manifest, document: document, config: config,
            directories: layers.compactMap(\.directory), size: size)
        for name in names {
            record.reference = try name.map { (name) throws(Failure) in try Reference.parse(name) }
            try engine.references.put(record)
        }
        return record
    }
}
