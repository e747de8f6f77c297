internal import OverlayFS
internal import Failure
package import LinuxSystem

/// Layers one above another as overlayfs would show them, read by descriptors without a mount: what the lower
/// layers have at a name, with whiteouts and opaque directories heeded.
package struct LayerStack {
    /// Roots of layers, top first; the caller keeps them open.
    package let layers: [Int32]

    package init(_ layers: [Int32]) { self.layers = layers }

    package struct Found {
        /// The layer that shows the name (an index into `layers`), and for a directory those below that merge with it.
        package let indexes: [Int]
        package let path: LayerPath
        package let status: FileStatus
    }

    package enum Answer {
        case found(Found)
        case missing
        /// A symbolic link stands on the way, at this path.
        case link(at: LayerPath, target: RawPath, rest: [[UInt8]])
    }

    /// Without following links.
    package func lookUp(_ path: LayerPath) throws(SystemError) -> Answer {
        var candidates = Array(layers.indices)
        var at = LayerPath(components: [])
        var found: FileStatus?
        for (depth, part) in path.components.enumerated() {
            at.components.append(part)
            var merged: [Int] = []
            var top: FileStatus?
            for index in candidates {
                guard let status = try status(at, in: layers[index]) else { continue }
                if status.isWhiteout { break }
                if top == nil { top = status }
                if status.kind != .directory {
                    // A file hides what is below it, and is itself hidden by a directory above.
                    if merged.isEmpty { merged = [index] }
                    break
                }
                merged.append(index)
                if try isOpaque(at, in: layers[index]) { break }
            }
            guard let top else { return .missing }
            if top.kind != .directory, depth < path.components.count - 1 {
                guard top.kind == .symlink else { return .missing }
                return .link(
                    at: at, target: try readLink(at, in: layers[merged[0]]),
                    rest: Array(path.components[(depth + 1)...]))
            }
            candidates = merged
            found = top
        }
        if path.isRoot, let first = layers.first {
            found = try FileDescriptor.status(".", in: first)
        }
        guard let found else { return .missing }
        return .found(Found(indexes: candidates, path: path, status: found))
    }

    /// With links followed inside the root, those at the end too; nil where nothing is there.
    package func resolve(_ path: LayerPath) throws(SystemError) -> Found? {
        var path = path
        for _ in 0..<40 {
            switch try lookUp(path) {
            case .missing: return nil
            case .link(let at, let target, let rest):
                path = LayerStack.follow(target, from: at.parent)
                path.components += rest
            case .found(let found):
                guard found.status.kind == .symlink else { return found }
                path = LayerStack.follow(try readLink(path, in: layers[found.indexes[0]]), from: path.parent)
            }
        }
        return nil
    }

    /// Where a link leads; `..` at the root stays there, as in a chroot.
    static func follow(_ target: RawPath, from directory: LayerPath) -> LayerPath {
        var path = target.bytes.first == UInt8(ascii: "/") ? LayerPath(components: []) : directory
        for part in target.bytes.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) {
                _ = path.components.popLast()
            } else {
                path.components.append(Array(part))
            }
        }
        return path
    }

    /// Opens the directory that `path` is in, in one layer, through directories alone.
    func openParent(of path: LayerPath, in layer: Int32) throws(SystemError) -> FileDescriptor? {
        do throws(SystemError) {
            return try FileDescriptor.open(
                path.parent.raw, in: layer, [.pathOnly, .directory, .noFollow], resolve: plain)
        } catch {
            if error.isMissing || error.isNotDirectory || error.isLink { return nil }
            throw error
        }
    }

    func status(_ path: LayerPath, in layer: Int32) throws(SystemError) -> FileStatus? {
        guard let parent = try openParent(of: path, in: layer) else { return nil }
        do throws(SystemError) {
            return try FileDescriptor.status(path.name, in: parent.raw)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    func isOpaque(_ path: LayerPath, in layer: Int32) throws(SystemError) -> Bool {
        guard let parent = try openParent(of: path, in: layer) else { return false }
        return try ExtendedAttributes.value(opaqueAttribute, of: path.name, in: parent.raw)
            == [UInt8(ascii: "y")]
    }

    private func readLink(_ path: LayerPath, in layer: Int32) throws(SystemError) -> RawPath {
        guard let parent = try openParent(of: path, in: layer) else { return RawPath("") }
        return try Directory.readLink(path.name, in: parent.raw)
    }
}
