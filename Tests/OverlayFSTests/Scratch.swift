import OCI
import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

let isRoot = Process.isRoot

/// A directory on tmpfs that goes with its owner; `canary/file` in it is what nothing may touch.
final class Scratch {
    let path = "/dev/shm/ctr-layers-\(randomHex(bytes: 6))"
    let directory: FileDescriptor

    init() throws {
        try Directory.make(path, mode: 0o755)
        directory = try Directory.open(path)
        try Directory.make("canary", in: directory.raw)
        try write("canary/file", "alive")
    }

    deinit { try? Directory.removeTree(path) }

    func write(_ name: String, _ text: String) throws {
        try FileDescriptor.open(name, in: directory.raw, [.writeOnly, .create, .truncate]).write(text)
    }

    func text(_ name: String) throws -> String {
        String(
            decoding: try FileDescriptor.open(name, in: directory.raw, [.noFollow]).readAll(limit: 1 << 24),
            as: UTF8.self)
    }

    func status(_ name: some SystemPath) throws -> FileStatus {
        try FileDescriptor.status(name, in: directory.raw)
    }

    func exists(_ name: some SystemPath) throws -> Bool {
        try FileDescriptor.exists(name, in: directory.raw)
    }

    func attribute(_ attribute: String, _ name: String) throws -> [UInt8]? {
        try ExtendedAttributes.value(attribute, of: name, in: directory.raw)
    }

    func make(_ name: String) throws -> FileDescriptor {
        try Directory.make(name, in: directory.raw, mode: 0o755)
        return try Directory.open(name, in: directory.raw)
    }

    /// Nothing but what the test made, and the canary as it was.
    var canaryLives: Bool {
        guard let names = try? Directory.names(in: Directory.open("canary", in: directory.raw)) else {
            return false
        }
        let status = try? status("canary/file")
        return names == ["file"] && (try? text("canary/file")) == "alive" && status?.links == 1
            && status?.permissions == 0o600 && status?.uid == Process.effectiveUID
    }

    /// Unpacks into `name`, by the pipeline.
    @discardableResult
    func apply(_ tar: [UInt8], to name: String = "fs", piece: Int = 4096) throws -> LayerRecord {
        let root = try exists(name) ? Directory.open(name, in: directory.raw) : make(name)
        let pipeline = try LayerPipeline(.uncompressed, into: root.raw, layer: "layer test")
        var at = 0
        while at < tar.count {
            let end = min(tar.count, at + piece)
            try pipeline.feed(Array(tar[at..<end]))
            at = end
        }
        let result = try pipeline.finish()
        #expect(result.diffIDHex == ContentHash.hex(of: tar))
        #expect(result.compressedHex == result.diffIDHex)
        #expect(result.tarSize == UInt64(tar.count))
        return result.record
    }
}

/// A tar by hand: names that no writer would write.
struct Tar {
    var bytes: [UInt8] = []

    mutating func add(
        _ name: String, _ kind: TarEntry.Kind = .file, mode: UInt32 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0,
        data: String = "", time: Int64 = 1_000_000_000, attributes: [TarEntry.Attribute] = []
    ) throws {
        try add(
            RawPath(name), kind, mode: mode, uid: uid, gid: gid, data: data, time: time,
            attributes: attributes)
    }

    mutating func add(
        _ name: RawPath, _ kind: TarEntry.Kind = .file, mode: UInt32 = 0o644, uid: UInt32 = 0,
        gid: UInt32 = 0, data: String = "", time: Int64 = 1_000_000_000, attributes: [TarEntry.Attribute] = []
    ) throws {
        var out: [UInt8] = []
        let writer = TarWriter { (bytes) throws(Failure) in out += bytes }
        try writer.add(
            TarEntry(
                path: name, kind: kind, mode: mode, uid: uid, gid: gid, modified: Timestamp(seconds: time),
                attributes: attributes), data: Array(data.utf8))
        // The end marker stays away; its entry's padding does not.
        out += [UInt8](repeating: 0, count: (512 - out.count % 512) % 512)
        bytes += out
    }

    mutating func directory(
        _ name: String, mode: UInt32 = 0o755, uid: UInt32 = 0, time: Int64 = 1_000_000_000
    )
        throws
    {
        try add(name, .directory, mode: mode, uid: uid, time: time)
    }

    var whole: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func make(_ body: (inout Tar) throws -> Void) rethrows -> [UInt8] {
        var tar = Tar()
        try body(&tar)
        return tar.whole
    }
}

func link(_ target: String) -> TarEntry.Kind { .symlink(target: RawPath(target)) }
func hard(_ target: String) -> TarEntry.Kind { .hardLink(target: RawPath(target)) }
