package import LinuxSystem

/// Which items a `builder prune` or `builder df` means.
package struct BuildCacheSelection: Sendable {
    /// Steps of images that are here, and cache mounts, too.
    package var all = false
    package var kinds: Set<BuildCacheItem.Kind> = []
    /// Beginnings of IDs.
    package var ids: [String] = []
    /// Not used since.
    package var before: Timestamp?
    /// Bytes that may stay: what was used last.
    package var keeping: Int64?

    package init() {}

    /// Whether the filters let an item pass.
    package func fits(_ item: BuildCacheItem) -> Bool {
        if !kinds.isEmpty, !kinds.contains(item.kind) { return false }
        if !ids.isEmpty, !ids.contains(where: { !$0.isEmpty && item.id.hasPrefix($0) }) { return false }
        if let before, item.lastUsed >= before { return false }
        return true
    }

    /// What is to go, longest unused first.
    package func doomed(of items: [BuildCacheItem]) -> [BuildCacheItem] {
        let candidates = items.filter { fits($0) && isPrunable($0) }.sorted {
            ($0.lastUsed, $0.id) < ($1.lastUsed, $1.id)
        }
        guard let keeping else { return candidates }
        // Of a layer that an image has too nothing would be won, and it does not count.
        let own = items.filter { $0.kind != .step || !$0.isUsed }
        var total = own.bytes
        var users: [String: Int] = [:]
        for item in own { if let layer = item.layer { users[layer, default: 0] += 1 } }
        var doomed: [BuildCacheItem] = []
        for item in candidates where item.kind != .step || !item.isUsed {
            if total <= keeping { break }
            doomed.append(item)
            if let layer = item.layer {
                users[layer, default: 1] -= 1
                if users[layer] == 0 { total -= item.size }
            } else {
                total -= item.size
            }
        }
        return doomed
    }

    private func isPrunable(_ item: BuildCacheItem) -> Bool {
        switch item.kind {
        case .step: all || !item.isUsed
        // Who asks for mounts by name means them.
        case .mount: (all || kinds.contains(.mount)) && !item.isUsed
        case .memory: true
        }
    }
}
