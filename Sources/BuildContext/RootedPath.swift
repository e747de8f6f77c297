internal import LinuxSystem

/// Where a path really leads inside a root: its components once every link is followed, none of them a link.
///
/// Links are followed by hand, so that `..` and absolute targets stay inside whatever they say, and so that the way is
/// known: ignore patterns are asked about it. Who opens it does so with `open`, which follows nothing: a component that
/// has become a link since is an error, never a way out.
struct RootedPath: Equatable {
    var components: [[UInt8]]
    /// How many of the last components are not there.
    var missing = 0

    static let root = RootedPath(components: [])

    var shown: String { "/" + RawPath(Array(components.joined(separator: [UInt8(ascii: "/")]))).shown }

    /// The components of a path as it is written, `.` and `..` taken lexically; `..` of the root is the root.
    static func clean(_ path: some Sequence<UInt8>) -> [[UInt8]] {
        var components: [[UInt8]] = []
        for part in Array(path).split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else {
                components.append(Array(part))
            }
        }
        return components
    }

    /// `hides` is asked about links on the way: one that is hidden counts as missing.
    static func resolve(
        _ path: [[UInt8]], below root: Int32, hides: ([[UInt8]]) -> Bool = { _ in false }
    ) throws(SystemError) -> RootedPath {
        var todo = Array(path.reversed())
        var found = RootedPath.root
        var current = try open([], below: root, [.pathOnly, .directory])
        var followed = 0
        while let part = todo.popLast() {
            if part.elementsEqual("..".utf8) {
                if found.missing > 0 { found.missing -= 1 }
                _ = found.components.popLast()
                if found.missing == 0 {
                    current = try open(found.components, below: root, [.pathOnly, .directory])
                }
                continue
            }
            found.components.append(part)
            if found.missing > 0 {
                found.missing += 1
                continue
            }
            let next: FileDescriptor
            do throws(SystemError) {
                next = try FileDescriptor.open(RawPath(part), in: current.raw, [.pathOnly, .noFollow])
            } catch {
                guard error.isMissing else { throw error }
                found.missing = 1
                continue
            }
            let kind = try next.status().kind
            if kind == .symlink {
                if hides(found.components) {
                    found.missing = 1
                    continue
                }
                followed += 1
                guard followed <= 40 else { throw SystemError.tooManyLinks(found.shown) }
                let target = try Directory.readLink("", in: next.raw).bytes
                found.components.removeLast()
                if target.first == UInt8(ascii: "/") {
                    found = .root
                    current = try open([], below: root, [.pathOnly, .directory])
                }
                for part in target.split(separator: UInt8(ascii: "/")).reversed()
                where !part.elementsEqual(".".utf8) {
                    todo.append(Array(part))
                }
            } else if kind == .directory {
                current = next
            } else if !todo.isEmpty {
                throw SystemError.notDirectory(found.shown)
            }
        }
        return found
    }

    /// Opens what is at the components, through directories alone. The kernel takes 4095 bytes of path at a time.
    static func open(_ components: [[UInt8]], below root: Int32, _ flags: FileDescriptor.OpenFlags)
        throws(SystemError) -> FileDescriptor
    {
        var current: FileDescriptor?
        var piece: [UInt8] = []
        for component in components {
            if piece.count + component.count >= 4000 {
                current = try openPlain(piece, in: current?.raw ?? root, [.pathOnly, .directory])
                piece = []
            }
            if !piece.isEmpty { piece.append(UInt8(ascii: "/")) }
            piece += component
        }
        return try openPlain(piece.isEmpty ? [UInt8(ascii: ".")] : piece, in: current?.raw ?? root, flags)
    }

    private static func openPlain(_ path: [UInt8], in directory: Int32, _ flags: FileDescriptor.OpenFlags)
        throws(SystemError) -> FileDescriptor
    {
        try FileDescriptor.open(
            RawPath(path), in: directory, flags.union(.noFollow),
            resolve: [.beneath, .noSymlinks, .noMagicLinks])
    }
}
