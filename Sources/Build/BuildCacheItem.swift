package import LinuxSystem

/// A thing that the build cache keeps, as `builder df` lists it.
package struct BuildCacheItem: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A step of a former build and its layer.
        case step
        /// A directory of `RUN --mount=type=cache`.
        case mount
        /// What was remembered of files; there is one such item.
        case memory
    }

    package let kind: Kind
    package let id: String
    /// The instruction, or what people call the mount.
    package let description: String
    package let size: Int64
    /// Seconds since 1970; nil where nobody wrote it down.
    package let made: Int64?
    package let lastUsed: Timestamp
    /// Its layer's name in `layers/`.
    package let layer: String?
    /// An image or a container is made of it, or a step has it mounted.
    package let isUsed: Bool

    package init(
        _ kind: Kind, id: String, description: String, size: Int64, made: Int64? = nil, lastUsed: Timestamp,
        layer: String? = nil, isUsed: Bool = false
    ) {
        self.kind = kind
        self.id = id
        self.description = description
        self.size = size
        self.made = made
        self.lastUsed = lastUsed
        self.layer = layer
        self.isUsed = isUsed
    }

    package var shortID: String { String(id.prefix(12)) }
}

extension Sequence where Element == BuildCacheItem {
    /// Bytes on the disk: steps that made the same layer have it once.
    package var bytes: Int64 {
        var seen: Set<String> = []
        return reduce(0) { sum, item in
            if let layer = item.layer, !seen.insert(layer).inserted { return sum }
            return sum + item.size
        }
    }
}
