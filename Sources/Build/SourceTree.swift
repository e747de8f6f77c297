internal import BuildContext
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A tree that COPY and `RUN --mount=type=bind` read, with what is known of its content.
///
/// `@unchecked Sendable`: what is made later is made inside `condition`.
final class SourceTree: @unchecked Sendable {
    let tree: ContextTree
    /// Of a stage or image: the same identity is the same files, but for their times.
    private let identity: String?
    private let session: BuildSession
    private let condition = Condition()
    private var filtered: SharedFileDescriptor?

    init(_ tree: ContextTree, identity: String?, _ session: BuildSession) {
        self.tree = tree
        self.identity = identity
        self.session = session
    }

    /// The merged root of a stage or image, read-only.
    convenience init(of chain: LayerChain, name: String, _ session: BuildSession) throws(Failure) {
        let root: SharedFileDescriptor
        if chain.layers.isEmpty {
            root = try session.work.directory("empty").descriptor
        } else {
            root = try session.attach(
                try OverlayMount.make(
                    layers: chain.roots.map(\.raw), scratch: "\(session.engine.runPath)/mounts"))
        }
        self.init(ContextTree(root, owners: .own, name: name), identity: chain.identity, session)
    }

    /// The digest of everything that a copy of these sources would carry; with the selection that it was made of, for what
    /// is copied must be what was digested. nil where the digest was known: the files of a stage do not change.
    func digest(
        of sources: [String], excludes: [String] = [], parents: Bool = false, _ session: BuildSession
    ) throws(Failure) -> (key: String, made: (selection: FileSelection, manifest: SelectionManifest)?) {
        let memo = identity.map { chain in
            ContentHash.hex(
                of: Array("\(chain)\n\(sources)\n\(excludes)\n\(parents)".utf8))
        }
        if let memo, let known = session.cache.selection(memo) { return (known, nil) }
        let selection = try tree.select(sources: sources, excludes: excludes, parents: parents)
        let found = try selection.digest(identity == nil ? session.memory : nil)
        if let memo { session.cache.remember(found.digest.description, ofSelection: memo) }
        return (found.digest.description, (selection, found.manifest))
    }

    /// The directory as a step may see it: without what .dockerignore hides.
    func visibleRoot() throws(Failure) -> Int32 {
        guard tree.patterns != nil else { return tree.root }
        return try condition.locked { () throws(Failure) in
            if let filtered { return filtered.raw }
            let place = try session.work.directory("context").descriptor
            try tree.select(sources: ["."]).copy(into: place.raw, destination: "/", CopyOptions())
            filtered = place
            return place.raw
        }
    }
}

extension BuildSession {
    /// Attaches a mount in the build's own mount namespace: parts of a mount that is attached nowhere cannot be mounted
    /// again before Linux 6.15.
    func attach(_ mount: consuming DetachedMount) throws(Failure) -> SharedFileDescriptor {
        let place = try work.memoryDirectory("root")
        return try during("attach a mount") { () throws(SystemError) in
            try mount.attach(at: place)
            return SharedFileDescriptor(try FileDescriptor.open(place, [.readOnly, .directory]))
        }
    }

    /// A copy of a file, or a directory that keeps what is written to it to itself.
    func writable(_ source: SharedFileDescriptor, isDirectory: Bool) throws(Failure) -> SharedFileDescriptor {
        let scratch = try work.directory("writable")
        guard isDirectory else {
            return try during("copy a file for a mount") { () throws(SystemError) in
                let input = try FileDescriptor.open("/proc/self/fd/\(source.raw)", [.readOnly])
                let status = try input.status()
                let output = try FileDescriptor.open(
                    "file", in: scratch.descriptor.raw, [.readWrite, .create, .exclusive, .noFollow])
                try output.copyContents(of: input, size: Int64(clamping: status.size))
                try output.changeOwner(uid: status.uid, gid: status.gid)
                try output.changeMode(status.permissions)
                return SharedFileDescriptor(output)
            }
        }
        var made: [SharedFileDescriptor] = []
        for name in ["upper", "work"] {
            made.append(
                try during("make a directory for a mount") { () throws(SystemError) in
                    try Directory.make(name, in: scratch.descriptor.raw, mode: 0o755)
                    return SharedFileDescriptor(
                        try FileDescriptor.open(
                            name, in: scratch.descriptor.raw, [.pathOnly, .directory, .noFollow]))
                })
        }
        return try attach(
            try OverlayMount.make(
                layers: [source.raw],
                upper: OverlayMount.Upper(upper: made[0].raw, work: made[1].raw, isVolatile: true),
                scratch: "\(engine.runPath)/mounts"))
    }
}
