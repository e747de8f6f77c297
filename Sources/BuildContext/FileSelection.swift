package import LinuxSystem

/// What the sources of one COPY or ADD select: names and what the kernel told of them, nothing read yet.
package struct FileSelection: Sendable {
    package let tree: ContextTree
    /// In the order of the sources; a wildcard makes a part of each match.
    package internal(set) var parts: [Part] = []
    /// Several sources: docker wants a destination that ends with a slash.
    package internal(set) var needsDirectory = false

    /// Wild cards that brought nothing; worth a warning.
    package internal(set) var emptyWildcards: [String] = []

    /// One source: a directory's contents, or one file.
    package struct Part: Sendable {
        /// Where the top really is, links followed.
        let base: [[UInt8]]
        /// What a file is called in a destination directory: the last component as it was written.
        package let name: RawPath
        package internal(set) var files: [SelectedFile] = []

        /// The first file is a directory, `.`, and what it holds goes into the destination.
        package var isDirectory: Bool { files.first?.status.kind == .directory }
    }

    init(tree: ContextTree) { self.tree = tree }

    package var isEmpty: Bool { parts.isEmpty }

    /// Files of all kinds, directories included.
    package var count: Int { parts.reduce(0) { $0 + $1.files.count } }

    /// Bytes of all files.
    package var size: UInt64 {
        parts.reduce(0) { sum, part in
            part.files.reduce(sum) {
                $0 &+ ($1.status.kind == .file && $1.linkedTo == nil ? $1.status.size : 0)
            }
        }
    }
}
