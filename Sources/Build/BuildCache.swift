internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// What steps of former builds have made, by the digest of their inputs: one look-up opens one file.
///
/// ```
/// build/cache/<key>       a record: the layer, the instruction, the inputs
/// build/pins/<layer>      an empty file for each layer that a record names: what a collection keeps
/// build/files/<key>       digests of the files that a COPY took, for --explain
/// build/selections/<hash> the digest of what a COPY takes of a stage or an image
/// build/last/<hash>       the keys of one Dockerfile's last build, by stage and place
/// build/digests/<hash>    digests of a context's files, remembered with size, inode and ctime
/// build/mounts/<hash>/    cache mounts: data/ and what they are (`CacheMounts`)
/// build/scratch/<random>/ a living build's: swept with its lock
/// ```
///
/// A record is written when its layer is durable, and it is whole when its last line is there. Losing one loses time.
package struct BuildCache: Sendable {
    let root: StoreRoot

    struct Entry: Sendable {
        let key: String
        let diffID: Digest
        let identity: String
        /// Of the tar.
        let tarSize: Int64
        /// Of the files.
        let size: Int64
        /// The time that the files were given, seconds since 1970.
        let epoch: Int64
        /// When the step ran, seconds since 1970.
        let made: Int64
        let text: String
        let inputs: StepInputs

        var directory: String { LayerStore.name(of: diffID) }
    }

    private static let kind = "ctr-build-step 1"

    /// nil where there is none, or one that is damaged.
    func entry(_ key: String) throws(Failure) -> Entry? {
        let bytes = try during("look into the build cache") { () throws(SystemError) in
            try AtomicFile.read("build/cache/\(key)", in: root.raw, limit: 16 << 20)
        }
        guard let bytes else { return nil }
        return try? BuildCache.decode(bytes, key: key)
    }

    static func decode(_ bytes: [UInt8], key: String) throws(Failure) -> Entry? {
        let record = try FlatRecord(kind: kind, parsing: bytes, name: key)
        guard record.entries.last?.key == "end", let layer = record.first("layer"),
            let diffID = try? Digest(layer), let tarSize = record.first("tar").flatMap({ Int64($0) }),
            let size = record.first("size").flatMap({ Int64($0) }),
            let epoch = record.first("epoch").flatMap({ Int64($0) }),
            let made = record.first("made").flatMap({ Int64($0) })
        else { return nil }
        var inputs = StepInputs()
        for line in record.all("input") {
            guard let tab = line.firstIndex(of: "\t") else { return nil }
            inputs.add(String(line[..<tab]), String(line[line.index(after: tab)...]))
        }
        return Entry(
            key: key, diffID: diffID, identity: record.first("identity") ?? layer, tarSize: tarSize,
            size: size, epoch: epoch, made: made,
            text: record.first("text") ?? "", inputs: inputs)
    }

    /// The layers are durable. Of a record that a power cut tears nothing is believed.
    func put(_ entries: [Entry]) throws(Failure) {
        guard !entries.isEmpty else { return }
        try during("write the build cache") { () throws(SystemError) in
            let cache = try root.directory("build/cache")
            let pins = try root.directory("build/pins")
            for entry in entries {
                _ = try FileDescriptor.open(
                    entry.directory, in: pins.raw, [.writeOnly, .create, .noFollow], mode: 0o600)
                failpoint("build.pin")
                try AtomicFile.write(
                    BuildCache.encode(entry), to: entry.key, in: cache.raw, durable: false)
                failpoint("build.cache")
            }
        }
    }

    static func encode(_ entry: Entry) -> [UInt8] {
        var record = FlatRecord(kind: kind)
        record.add("layer", entry.diffID.description)
        record.add("identity", entry.identity)
        record.add("tar", String(entry.tarSize))
        record.add("size", String(entry.size))
        record.add("epoch", String(entry.epoch))
        record.add("made", String(entry.made))
        record.add("text", entry.text)
        for input in entry.inputs.inputs { record.add("input", "\(input.name)\t\(input.value)") }
        record.add("end", "1")
        return record.bytes
    }

    /// Marks it as used now, for `builder prune --filter until=…` and `builder df`.
    func touch(_ key: String) {
        let now = Timestamp.now()
        guard let cache = try? root.directory("build/cache") else { return }
        try? Directory.changeTimes(key, in: cache.raw, accessed: now, modified: now)
    }
}
