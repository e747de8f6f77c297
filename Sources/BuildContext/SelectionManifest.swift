package import LinuxSystem

/// A selection's files with a short key each, kept to say which of them made a build step run again.
package struct SelectionManifest: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// From the tree's root.
        package let path: RawPath
        /// Of everything that the digest counts of the file. Not cryptographic.
        package let key: UInt64
    }

    package internal(set) var entries: [Entry] = []

    package enum Change: Sendable, Equatable {
        case changed(RawPath)
        case added(RawPath)
        case removed(RawPath)
    }

    /// The changes from `old`, sorted by their paths, at most `limit` of them, and how many there are in all.
    package func changes(since old: SelectionManifest, limit: Int = 5) -> (shown: [Change], count: Int) {
        var before: [RawPath: UInt64] = [:]
        for entry in old.entries { before[entry.path] = entry.key }
        var all: [(path: RawPath, change: Change)] = []
        var now: Set<RawPath> = []
        for entry in entries where now.insert(entry.path).inserted {
            guard let key = before[entry.path] else {
                all.append((entry.path, .added(entry.path)))
                continue
            }
            if key != entry.key { all.append((entry.path, .changed(entry.path))) }
        }
        for path in before.keys where !now.contains(path) { all.append((path, .removed(path))) }
        all.sort { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
        return (all.prefix(limit).map(\.change), all.count)
    }

    /// For a file of the caller's.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            bytes.append(UInt32(entry.path.bytes.count))
            bytes.append(entry.key)
            bytes += entry.path.bytes
        }
        return bytes
    }

    init() {}

    /// nil for what is no manifest.
    package init?(encoded bytes: [UInt8]) {
        var at = 0
        while at < bytes.count {
            guard bytes.count - at >= 12 else { return nil }
            let (count, key) = bytes.withUnsafeBytes {
                (
                    Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt32.self))),
                    UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at + 4, as: UInt64.self))
                )
            }
            at += 12
            guard bytes.count - at >= count else { return nil }
            entries.append(Entry(path: RawPath(Array(bytes[at..<at + count])), key: key))
            at += count
        }
    }
}
