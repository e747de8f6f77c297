package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem

/// How the cache gets smaller while builds are at work.
///
/// A build that makes a layer protects it by its lease, writes the pin, then the record, and keeps the lease to its end.
/// One that finds a record protects the layer by its lease before it looks whether the layer is there.
///
/// ```
/// 1. records go, one unlink each
/// 2. the store's lock, exclusive:
///      named  = layers of the records that are there now
///      leased = layers of living leases
///      pins that are neither go
/// 3. the store's garbage collection: images, containers, leases and pins are its roots
/// ```
///
/// A lease is extended under the same lock, shared, so a build's protection comes wholly before 2 or wholly after it.
/// Before: the layer is leased, and its pin stays, or the build is over, and its record is there to be seen. After: the
/// pin is written after 2, anew where 2 took one of that name. Thus no record that a build leaves is without its pin. A
/// pin whose record went while its build ran is the next prune's. Killed at any point, there are pins too many and
/// never too few.
extension BuildCache {
    /// Answers those that went; one that was used since it was listed stays.
    func remove(_ steps: [BuildCacheItem]) throws(Failure) -> [BuildCacheItem] {
        var removed: [BuildCacheItem] = []
        for step in steps {
            let path = "build/cache/\(step.id)"
            guard let status = try? FileDescriptor.status(path, in: root.raw),
                status.modified == step.lastUsed
            else { continue }
            try during("remove from the build cache") { () throws(SystemError) in
                try Directory.removeFile(path, in: root.raw)
            }
            failpoint("build.prune")
            removed.append(step)
        }
        return removed
    }

    /// Step 2.
    func removePins() throws(Failure) {
        let lock = try root.lock(.store, .exclusive)
        defer { _ = lock.raw }
        var kept = Set(try Lease.held(in: root).layers)
        for key in try names(in: "build/cache") {
            if let entry = try entry(key) { kept.insert(entry.directory) }
        }
        for pin in try names(in: "build/pins") where !kept.contains(pin) {
            try during("remove from the build cache") { () throws(SystemError) in
                try Directory.removeFile("build/pins/\(pin)", in: root.raw)
            }
        }
    }

    /// A mount's data goes under the lock that a step holds for as long as it sees it. The directory itself stays: a step
    /// that has it open makes new data in it. Answers whether all of it went.
    func empty(_ mount: BuildCacheItem) throws(Failure) -> Bool {
        let path = "build/mounts/\(mount.id)"
        var isEmpty = true
        for data in try names(in: path) where BuildCache.isData(data) {
            let isGone = try during("remove a cache mount") { () throws(SystemError) in
                guard
                    let lock = try FileLock.attempt(
                        "\(path)/\(BuildCache.lock(of: data))", in: root.raw, .exclusive)
                else { return false }
                try root.moveToTrash("\(path)/\(data)")
                _ = lock.raw
                return true
            }
            if !isGone { isEmpty = false }
        }
        return isEmpty
    }

    /// Answers the bytes that went.
    func forget(before: Timestamp?) throws(Failure) -> Int64 {
        var bytes: Int64 = 0
        for directory in BuildCache.memories {
            for name in try names(in: directory) {
                let path = "\(directory)/\(name)"
                guard let status = try? FileDescriptor.status(path, in: root.raw) else { continue }
                if let before, status.modified >= before { continue }
                // A build may have replaced or removed it meanwhile; both are as good.
                if (try? Directory.removeFile(path, in: root.raw)) != nil {
                    bytes += Int64(status.blocks) * 512
                }
            }
        }
        return bytes
    }

    /// Removes what killed writers left beside the names: older than any write takes.
    func sweepTemporaries() {
        let hourAgo = Timestamp(seconds: Timestamp.now().seconds - 3600)
        for directory in BuildCache.memories + ["build/cache"] {
            guard let opened = try? Directory.open(directory, in: root.raw),
                let names = try? Directory.names(in: opened)
            else { continue }
            for name in names where name.hasPrefix(".") {
                guard let status = try? FileDescriptor.status(name, in: opened.raw),
                    status.modified < hourAgo
                else { continue }
                try? Directory.removeFile(name, in: opened.raw)
            }
        }
    }
}

extension Engine {
    /// Removes what was chosen of the cache; lines are IDs.
    package func pruneBuildCache(_ selection: BuildCacheSelection) throws(Failure) -> PruneOutcome {
        let cache = BuildCache(root: root)
        let items = try buildCacheItems()
        let doomed = selection.doomed(of: items)
        var outcome = PruneOutcome()
        let steps = try cache.remove(doomed.filter { $0.kind == .step })
        outcome.lines += steps.map(\.id)
        try cache.removePins()
        for item in doomed where item.kind == .mount {
            guard try cache.empty(item) else { continue }
            outcome.lines.append(item.id)
            outcome.bytes += item.size
        }
        if doomed.contains(where: { $0.kind == .memory }) {
            outcome.bytes += try cache.forget(before: selection.before)
            outcome.lines.append("memory")
        }
        cache.sweepTemporaries()
        let collected = try collectGarbage()
        let sizes = Dictionary(
            items.compactMap { item in item.layer.map { ($0, item.size) } }, uniquingKeysWith: max)
        outcome.bytes += collected.layers.reduce(0) { $0 + (sizes[$1] ?? 0) } + collected.blobBytes
        return outcome
    }
}
