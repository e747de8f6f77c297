internal import OverlayFS
package import Archive
package import Failure
package import LinuxSystem

/// What an upper directory changes about the layers below it: as a list (`ctr diff`) and as a layer's tar.
package struct LayerDiff {
    package struct Change: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case added = "A"
            case changed = "C"
            case deleted = "D"
        }

        package let kind: Kind
        /// Without a leading slash.
        package let path: RawPath
    }

    private let upper: Int32
    private let lower: LayerStack
    private let own: LayerStack

    /// All are directories' descriptors; `lowers` top first. The caller keeps them open.
    package init(upper: Int32, lowers: [Int32]) {
        self.upper = upper
        lower = LayerStack(lowers)
        own = LayerStack([upper])
    }

    /// Sorted by path; a directory in which something changed is itself `changed`, as docker has it.
    package func changes() throws(Failure) -> [Change] {
        var found: [Change] = []
        do {
            try visit(LayerPath(components: []), underNew: false, &found)
        } catch let error as SystemError {
            throw error.failure("compare a container with its image")
        } catch {
            throw Failure(.internal, "compare a container with its image", cause: error)
        }
        return found.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
    }

    private func visit(_ directory: LayerPath, underNew: Bool, _ found: inout [Change]) throws {
        let entries: [Directory.Entry]
        do {
            let opened = try FileDescriptor.open(
                directory.raw, in: upper, [.readOnly, .directory, .noFollow], resolve: plain)
            entries = try Directory.entries(of: opened)
        }
        for entry in entries {
            let path = directory.appending(entry.name)
            guard let status = try own.status(path, in: upper) else { continue }
            let below = underNew ? nil : try lowerFound(path)
            if status.isWhiteout {
                if below != nil { found.append(Change(kind: .deleted, path: path.raw)) }
                continue
            }
            found.append(Change(kind: below == nil ? .added : .changed, path: path.raw))
            guard status.kind == .directory else { continue }
            let opaque = try own.isOpaque(path, in: upper)
            if opaque, let below, below.status.kind == .directory {
                for name in try lowerNames(below) where try own.status(path.appending(name), in: upper) == nil
                {
                    found.append(Change(kind: .deleted, path: path.appending(name).raw))
                }
            }
            try visit(path, underNew: below?.status.kind != .directory, &found)
        }
    }

    private func lowerFound(_ path: LayerPath) throws -> LayerStack.Found? {
        if case .found(let found) = try lower.lookUp(path) { return found }
        return nil
    }

    private func lowerNames(_ directory: LayerStack.Found) throws -> [RawPath] {
        var names: Set<RawPath> = []
        for index in directory.indexes {
            let opened = try FileDescriptor.open(
                directory.path.raw, in: lower.layers[index], [.readOnly, .directory, .noFollow],
                resolve: plain)
            for entry in try Directory.entries(of: opened) { names.insert(entry.name) }
        }
        return try names.filter { try lowerFound(directory.path.appending($0)) != nil }
    }

    /// The upper directory as a layer's tar (image-spec layer.md): deleted names as `.wh.` files before their
    /// siblings, opaque directories by `.wh..wh..opq`, overlay's own marks left out. The end marker is the caller's.
    package func write(to writer: TarWriter) throws(Failure) {
        try LayerDiff.tree(writer, whiteouts: true).add(RawPath("."), in: upper, as: RawPath(""))
    }

    /// A mounted root as one flat tar (`ctr export`).
    /// - Parameter owners: a user namespace that the root's owners are told in; nil: as they are.
    package static func export(root: Int32, owners: UserMaps? = nil, to writer: TarWriter) throws(Failure) {
        let tree = tree(writer, whiteouts: false)
        if let owners { tree.owner = { owners.inside(uid: $0.uid, gid: $0.gid) } }
        try tree.add(RawPath("."), in: root, as: RawPath(""))
    }

    private static func tree(_ writer: TarWriter, whiteouts: Bool) -> TarTree {
        let tree = TarTree(writer)
        tree.includesAttribute = { !isOfTheHost($0) }
        tree.includes = { _, status in !status.isWhiteout }
        guard whiteouts else { return tree }
        tree.extra = { (directory, path, entries) throws(Failure) in
            do throws(SystemError) {
                return try marks(of: directory, path, entries)
            } catch {
                throw error.failure("read \"\(path.shown)\"")
            }
        }
        return tree
    }

    private static func marks(of directory: Int32, _ path: RawPath, _ entries: [Directory.Entry])
        throws(SystemError) -> [TarEntry]
    {
        let prefix = path.bytes.isEmpty ? [] : path.bytes + [UInt8(ascii: "/")]
        var marks: [TarEntry] = []
        if try ExtendedAttributes.value(opaqueAttribute, of: ".", in: directory) == [UInt8(ascii: "y")] {
            marks.append(
                TarEntry(
                    path: RawPath(prefix + Array(".wh..wh..opq".utf8)), kind: .file, mode: 0o600))
        }
        for entry in entries where entry.kind == .characterDevice || entry.kind == nil {
            guard try FileDescriptor.status(entry.name, in: directory).isWhiteout else { continue }
            marks.append(
                TarEntry(
                    path: RawPath(prefix + Whiteout.prefix + entry.name.bytes), kind: .file, mode: 0o600))
        }
        return marks
    }
}
