package import Failure
internal import LinuxSystem
package import OCI
internal import Synchronization

extension FileSelection {
    /// The key of everything that a copy of this selection would carry, and what it is made of.
    ///
    /// Paths, kinds, modes, owners (those of the user's directory are root's), link targets, device numbers, hard links
    /// among the files, extended attributes and contents count; times do not.
    package func digest(_ memory: DigestMemory? = nil) throws(Failure) -> (
        digest: Digest, manifest: SelectionManifest
    ) {
        let fingerprints = try fingerprints(memory)
        var manifest = SelectionManifest()
        manifest.entries.reserveCapacity(count)
        var hash = ContentHash()
        var bytes: [UInt8] = []
        for (part, fingerprints) in zip(parts, fingerprints) {
            bytes.removeAll(keepingCapacity: true)
            bytes.append(UInt64(part.files.count))
            bytes.append(UInt64(part.name.bytes.count))
            bytes += part.name.bytes
            var prefix: [UInt8] = []
            for component in part.base {
                if !prefix.isEmpty { prefix.append(UInt8(ascii: "/")) }
                prefix += component
            }
            var paths: [[UInt8]] = []
            paths.reserveCapacity(part.files.count)
            for (file, fingerprint) in zip(part.files, fingerprints) {
                let isTop = file.isTop
                var path = file.parent >= 0 ? paths[file.parent] : prefix
                if !isTop {
                    if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                    path += file.name.bytes
                }
                paths.append(path)
                // Where a file stands among the others is the digest's alone: a new one moves those after it.
                bytes.append(Int64(file.parent))
                bytes.append(Int64(file.linkedTo ?? -1))
                bytes.append(UInt32(file.name.bytes.count))
                bytes += file.name.bytes
                let start = bytes.count
                append(file, fingerprint, isTop: isTop, to: &bytes)
                if !isTop || part.files.count == 1 {
                    manifest.entries.append(.init(path: RawPath(path), key: mixed(bytes[start...])))
                }
            }
            hash.update(bytes)
        }
        return (try hash.finish(), manifest)
    }

    private func append(
        _ file: SelectedFile, _ fingerprint: Fingerprint, isTop: Bool, to bytes: inout [UInt8]
    ) {
        let status = file.status
        // A top is the destination's, whatever it is here.
        bytes.append(isTop ? status.mode & 0o170000 : status.mode)
        let ownersCount = tree.owners == .own && !isTop
        bytes.append(ownersCount ? status.uid : 0)
        bytes.append(ownersCount ? status.gid : 0)
        bytes.append(status.deviceMajor)
        bytes.append(status.deviceMinor)
        bytes.append((file.isImplied ? 1 : 0) | (file.linkedTo != nil ? 2 : 0) as UInt8)
        fingerprint.append(to: &bytes)
    }

    /// FNV-1a of 64 bits, eight bytes at a time.
    private func mixed(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            var at = 0
            while at + 8 <= buffer.count {
                hash ^= UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                hash = hash &* 0x0000_0100_0000_01b3
                hash ^= hash >> 29
                at += 8
            }
            while at < buffer.count {
                hash = (hash ^ UInt64(buffer[at])) &* 0x0000_0100_0000_01b3
                at += 1
            }
            return hash ^ hash >> 32
        }
    }
}

// MARK: what the files hold

extension FileSelection {
    private struct Missing: Sendable {
        let part, place: Int
        let size: UInt64
    }

    private func fingerprints(_ memory: DigestMemory?) throws(Failure) -> [[Fingerprint]] {
        var missing: [Missing] = []
        var all: [[Fingerprint]] = []
        for (index, part) in parts.enumerated() {
            var known: [Fingerprint] = []
            known.reserveCapacity(part.files.count)
            for (place, file) in part.files.enumerated() {
                // The same inode's contents count once, where its first name stands.
                if file.linkedTo != nil || file.isTop {
                    known.append(.none)
                } else if let found = memory?.fingerprint(of: file.status) {
                    known.append(found)
                } else {
                    known.append(.none)
                    missing.append(
                        Missing(
                            part: index, place: place,
                            size: file.status.kind == .file ? file.status.size : 0))
                }
            }
            all.append(known)
        }
        for (file, fingerprint) in try read(missing, memory) { all[file.part][file.place] = fingerprint }
        return all
    }

    private typealias Found = (file: Missing, fingerprint: Fingerprint)

    private func read(_ missing: [Missing], _ memory: DigestMemory?) throws(Failure) -> [Found] {
        let total = missing.reduce(0) { $0 &+ $1.size }
        var split = missing.count
        // Below that a thread costs more than it gives.
        if total > 2 << 20 || missing.count > 1000 {
            // A file counts for what opening it takes, too.
            let weight = { (file: Missing) in file.size &+ 32 << 10 }
            let half = missing.reduce(0) { $0 &+ weight($1) } / 2
            var sum: UInt64 = 0
            split =
                missing.firstIndex { file in
                    sum = sum &+ weight(file)
                    return sum >= half
                }.map { $0 + 1 } ?? missing.count
        }
        guard split < missing.count else { return try readInOrder(missing[...], memory) }
        let other = ReadingResult()
        let rest = missing[split...]
        let thread = try during("start a thread") { () throws(SystemError) in
            try Thread("digest") { [self] in
                do throws(Failure) {
                    let found = try readInOrder(rest, memory)
                    other.set(.success(found.map { ($0.file.part, $0.file.place, $0.fingerprint) }))
                } catch {
                    other.set(.failure(error))
                }
            }
        }
        let own: Result<[Found], Failure>
        do throws(Failure) {
            own = .success(try readInOrder(missing[..<split], memory))
        } catch {
            own = .failure(error)
        }
        thread.join()
        let found = try own.get()
        return try found
            + other.get().map { (Missing(part: $0.0, place: $0.1, size: 0), $0.2) }
    }

    private final class ReadingResult: Sendable {
        typealias Value = Result<[(Int, Int, Fingerprint)], Failure>
        private let value = Mutex<Value>(.success([]))

        func set(_ new: sending Value) { value.withLock { $0 = new } }

        func get() throws(Failure) -> [(Int, Int, Fingerprint)] { try value.withLock { $0 }.get() }
    }

    private func readInOrder(_ missing: ArraySlice<Missing>, _ memory: DigestMemory?) throws(Failure)
        -> [Found]
    {
        var found: [Found] = []
        found.reserveCapacity(missing.count)
        var reader: (part: Int, reader: PayloadReader)?
        for file in missing {
            let selected = parts[file.part].files[file.place]
            do throws(SystemError) {
                let open: PayloadReader
                if let reader, reader.part == file.part {
                    open = reader.reader
                } else {
                    open = try PayloadReader(parts[file.part], in: tree)
                    reader = (file.part, open)
                }
                let begun = Timestamp.now()
                let fingerprint = try open.fingerprint(at: file.place)
                memory?.remember(fingerprint, of: selected.status, readFrom: begun)
                found.append((file, fingerprint))
            } catch {
                throw failure(error, reading: parts[file.part], file.place)
            }
        }
        return found
    }

    func failure(_ error: SystemError, reading part: Part, _ place: Int) -> Failure {
        let path = shown(place, of: part)
        if error.isChanged || error.isMissing || error.isLink || error.isNotDirectory {
            return Failure(
                .conflict, "\"\(path)\"\(tree.of) changed while the build read it",
                hint: "run the build again", cause: error)
        }
        return error.failure("read \"\(path)\"\(tree.of)")
    }

    /// The path from the tree's root, for messages.
    func shown(_ place: Int, of part: Part) -> String {
        var components: [[UInt8]] = []
        var at = place
        while at >= 0 {
            if !part.files[at].isTop { components.append(part.files[at].name.bytes) }
            at = part.files[at].parent
        }
        return RootedPath(components: part.base + components.reversed()).shown
    }
}
