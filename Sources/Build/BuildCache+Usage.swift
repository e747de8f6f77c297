package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OverlayFS

extension BuildCache {
    /// Where what is remembered of files is: losing it costs time.
    static let memories = ["build/files", "build/selections", "build/last", "build/digests"]

    /// Names in a directory of the cache, without writes that are under way; none where it is missing.
    func names(in path: String) throws(Failure) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try Directory.open(path, in: root.raw)).filter {
                !$0.hasPrefix(".")
            }
        } catch {
            if error.code == .notFound { return [] }
            throw error.failure("list the build cache")
        }
    }

    /// Steps, longest unused first where they are sorted by nothing else; what goes meanwhile is left out.
    ///
    /// - Parameter used: layers of images and containers.
    func steps(used: Set<String>, layers: LayerStore) throws(Failure) -> [BuildCacheItem] {
        var items: [BuildCacheItem] = []
        for key in try names(in: "build/cache") {
            guard let status = try? FileDescriptor.status("build/cache/\(key)", in: root.raw) else {
                continue
            }
            guard let entry = try entry(key) else {
                items.append(
                    BuildCacheItem(
                        .step, id: key, description: "(damaged)", size: 0, lastUsed: status.modified))
                continue
            }
            let isThere = try layers.exists(entry.diffID)
            items.append(
                BuildCacheItem(
                    .step, id: key, description: entry.text, size: isThere ? entry.size : 0, made: entry.made,
                    lastUsed: status.modified, layer: entry.directory,
                    isUsed: used.contains(entry.directory)))
        }
        return items
    }

    /// nil where nothing is remembered.
    func memory() throws(Failure) -> BuildCacheItem? {
        var size: Int64 = 0
        var last: Timestamp?
        for directory in BuildCache.memories {
            for name in try names(in: directory) {
                guard let status = try? FileDescriptor.status("\(directory)/\(name)", in: root.raw) else {
                    continue
                }
                size += Int64(status.blocks) * 512
                last = max(last ?? status.modified, status.modified)
            }
        }
        return last.map {
            BuildCacheItem(
                .memory, id: "memory", description: "what is remembered of files", size: size, lastUsed: $0)
        }
    }

    /// Cache mounts that hold something.
    func mounts(_ rootPath: String) throws(Failure) -> [BuildCacheItem] {
        var items: [BuildCacheItem] = []
        for name in try names(in: "build/mounts") {
            let path = "build/mounts/\(name)"
            let places = try names(in: path)
            var size: Int64 = 0
            var last: Timestamp?
            var isUsed = false
            for data in places where BuildCache.isData(data) {
                size += try DiskUsage.bytes(below: "\(rootPath)/\(path)/\(data)")
                let lock = BuildCache.lock(of: data)
                for file in [data, lock] {
                    guard let status = try? FileDescriptor.status("\(path)/\(file)", in: root.raw) else {
                        continue
                    }
                    let used = max(status.modified, status.accessed)
                    last = max(last ?? used, used)
                }
                if !isUsed { isUsed = try isLocked("\(path)/\(lock)") }
            }
            guard let last else { continue }
            let id = (try? AtomicFile.read("\(path)/id", in: root.raw, limit: 1 << 20)) ?? nil
            items.append(
                BuildCacheItem(
                    .mount, id: name, description: id.map { String(decoding: $0, as: UTF8.self) } ?? "",
                    size: size, lastUsed: last, isUsed: isUsed))
        }
        return items
    }

    /// `data`, `data.1`, …: the names in a cache mount's directory that steps see.
    static func isData(_ name: String) -> Bool { name == "data" || name.hasPrefix("data.") }

    static func lock(of data: String) -> String { "lock\(data.dropFirst("data".count))" }

    private func isLocked(_ path: String) throws(Failure) -> Bool {
        try during("look at a cache mount") { () throws(SystemError) in
            if let free = try FileLock.attempt(path, in: root.raw, .exclusive) {
                _ = free.raw
                return false
            }
            return true
        }
    }
}

extension Engine {
    /// Everything that the build cache keeps.
    package func buildCacheItems() throws(Failure) -> [BuildCacheItem] {
        let cache = BuildCache(root: root)
        let steps = try cache.steps(used: try layersInUse(), layers: try layerStore())
        return try steps + (cache.mounts(rootPath)) + (cache.memory().map { [$0] } ?? [])
    }
}
