package import Failure
internal import LinuxSystem
internal import OCI
internal import Synchronization

/// Remembers what files held, so that an unchanged file is not read again.
///
/// A file is known by device, inode, size, modification and change time. No program can set the last of them, so
/// that it tells of a change even where all others are restored; but its clock ticks slowly, so that a file which changed
/// less than two seconds before it was read is not remembered: it could change again within the same tick.
///
/// The file is a cache: one that is damaged, of another version or not there is empty.
package final class DigestMemory: Sendable {
    struct Key: Hashable {
        let device, inode, size: UInt64
        let modified, changed: Int64

        init(_ status: FileStatus) {
            device = status.device
            inode = status.inode
            size = status.size
            modified = status.modified.nanosecondsSinceEpoch
            changed = status.changed.nanosecondsSinceEpoch
        }

        init(device: UInt64, inode: UInt64, size: UInt64, modified: Int64, changed: Int64) {
            self.device = device
            self.inode = inode
            self.size = size
            self.modified = modified
            self.changed = changed
        }

        static func == (a: Key, b: Key) -> Bool {
            a.inode == b.inode && a.changed == b.changed && a.device == b.device && a.size == b.size
                && a.modified == b.modified
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(inode)
            hasher.combine(changed)
        }
    }

    private struct State {
        var known: [Key: Fingerprint]
        var used: [Key: Fingerprint] = [:]
        var isChanged = false
        var misses = 0
    }

    private let state: Mutex<State>
    private let path: String
    /// What one file remembers at most.
    static let limit = 500_000
    private static let raciness: Int64 = 2_000_000_000

    /// `path` is ours, in a directory that is there. Reads what the file remembers.
    package init(path: String) {
        self.path = path
        state = Mutex(State(known: DigestMemory.load(path)))
    }

    /// Files that had to be read so far.
    package var misses: Int { state.withLock { $0.misses } }

    func fingerprint(of status: FileStatus) -> Fingerprint? {
        let key = Key(status)
        return state.withLock { state in
            guard let found = state.known[key] else {
                state.misses += 1
                return nil
            }
            state.used[key] = found
            return found
        }
    }

    /// `begun` is the time before the first byte was read.
    func remember(_ fingerprint: Fingerprint, of status: FileStatus, readFrom begun: Timestamp) {
        let key = Key(status)
        guard key.changed < begun.nanosecondsSinceEpoch - DigestMemory.raciness else { return }
        state.withLock { state in
            guard state.used.count < DigestMemory.limit else { return }
            state.known[key] = fingerprint
            state.used[key] = fingerprint
            state.isChanged = true
        }
    }

    /// Writes what was asked for since it was loaded; the rest is forgotten. Nothing is written where nothing is new.
    package func save() throws(Failure) {
        let entries: [Key: Fingerprint]? = state.withLock { state in
            // A run that asked for nothing has nothing to forget either.
            guard !state.used.isEmpty, state.isChanged || state.used.count != state.known.count else {
                return nil
            }
            state.known = state.used
            state.isChanged = false
            return state.used
        }
        guard let entries else { return }
        let bytes = DigestMemory.encode(entries)
        try during("write \(path)") { () throws(SystemError) in
            let slash = path.lastIndex(of: "/")
            let directory = try FileDescriptor.open(
                slash.map { String(path[...$0]) } ?? ".", [.readOnly, .directory])
            let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            try AtomicFile.write(bytes, to: name, in: directory.raw, durable: false)
        }
    }
}

// MARK: the file

extension DigestMemory {
    private static let magic = Array("ctr-digest-memory 1\n".utf8)
    private static let entrySize = 40 + Fingerprint.byteCount

    private static func encode(_ entries: [Key: Fingerprint]) -> [UInt8] {
        var bytes = magic
        bytes.reserveCapacity(magic.count + entries.count * entrySize + 32)
        for (key, fingerprint) in entries {
            bytes.append(key.device)
            bytes.append(key.inode)
            bytes.append(key.size)
            bytes.append(key.modified)
            bytes.append(key.changed)
            fingerprint.append(to: &bytes)
        }
        var hash = ContentHash()
        hash.update(bytes)
        Fingerprint(hash).append(to: &bytes)
        return bytes
    }

    private static func load(_ path: String) -> [Key: Fingerprint] {
        let size = magic.count + limit * entrySize + 32
        guard let bytes = try? AtomicFile.read(path, limit: size), bytes.count >= magic.count + 32,
            bytes.starts(with: magic), (bytes.count - magic.count - 32) % entrySize == 0
        else { return [:] }
        let end = bytes.count - 32
        return bytes.withUnsafeBytes { all in
            var hash = ContentHash()
            hash.update(UnsafeRawBufferPointer(rebasing: all[..<end]))
            guard Fingerprint(hash) == fingerprint(all, at: end) else { return [:] }
            var entries: [Key: Fingerprint] = [:]
            entries.reserveCapacity((end - magic.count) / entrySize)
            for at in stride(from: magic.count, to: end, by: entrySize) {
                let key = Key(
                    device: number(all, at: at), inode: number(all, at: at + 8),
                    size: number(all, at: at + 16),
                    modified: number(all, at: at + 24), changed: number(all, at: at + 32))
                entries[key] = fingerprint(all, at: at + 40)
            }
            return entries
        }
    }

    private static func number<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    private static func fingerprint(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Fingerprint {
        Fingerprint(
            (
                number(bytes, at: offset), number(bytes, at: offset + 8), number(bytes, at: offset + 16),
                number(bytes, at: offset + 24)
            ))
    }
}
