package import LinuxSystem

/// What unpacking a layer found out about it; kept beside its files.
package struct LayerRecord: Sendable, Equatable {
    /// A hard link to a file that only a lower layer has.
    package struct PendingLink: Sendable, Equatable {
        package var path: RawPath
        package var target: RawPath

        package init(path: RawPath, target: RawPath) {
            self.path = path
            self.target = target
        }
    }

    /// Bytes of file data, holes included.
    package var size: UInt64 = 0
    /// Entries of the tar, whiteouts included.
    package var entries = 0
    /// Directories that the tar needs but does not list, parents before children: they stand with mode 0755 of
    /// root's until `fixUp` gives them what the lower layers say.
    package var implicitParents: [RawPath] = []
    package var pendingLinks: [PendingLink] = []
    /// Whether the tar says what the root directory is like; else the next lower layer's counts.
    package var hasRootEntry = false
    /// The layer hides everything below it. The kernel does not honour the mark on a layer's root: leave the lower
    /// layers out of the mount (`OverlayMount.visible`).
    package var isRootOpaque = false

    package init() {}

    /// A layer that refers to nothing below it is stored once by its diffID; another one by its chainID, after
    /// `fixUp`.
    package var needsParents: Bool { !implicitParents.isEmpty || !pendingLinks.isEmpty }
}
