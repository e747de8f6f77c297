internal import Archive
internal import Engine
internal import Failure
internal import Layers
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A layer that a step is about to write: the upper directory of an overlay on the layers so far. What the step needs in
/// its root but must not leave there, the places of its mounts, is in a layer between, which nobody keeps; so nothing
/// has to be cleaned up in the image when the step has ended.
struct StepLayer {
    private let session: BuildSession
    private let parents: [SharedFileDescriptor]
    private let new: NewLayer
    private var stub: SharedFileDescriptor?

    init(on chain: LayerChain, _ session: BuildSession) throws(Failure) {
        self.session = session
        parents = chain.roots
        new = try session.layers.begin()
    }

    /// The layer's own directory, where nothing of the parents is seen.
    var directory: Int32 { new.root.raw }

    /// Makes the places of mounts that the parents lack.
    mutating func prepare(_ targets: [(path: String, isDirectory: Bool)]) throws(Failure) {
        let scratch = try session.work.directory("places")
        let upper = try StepLayer.child("upper", of: scratch.descriptor)
        let whole = try mount(
            parents, upper: upper, work: try StepLayer.child("work", of: scratch.descriptor))
        let places = MountTargets(root: whole.descriptor.raw)
        for target in targets { try places.ensure(target.path, isDirectory: target.isDirectory) }
        stub = upper
    }

    /// The root as the step sees it, writable, attached nowhere. Once.
    func mount() throws(Failure) -> DetachedMount {
        let scratch = try session.work.directory("step")
        let upper = try during("open the new layer") { () throws(SystemError) in
            SharedFileDescriptor(try FileDescriptor.open(".", in: new.root.raw, [.pathOnly, .directory]))
        }
        return try mount(
            (stub.map { [$0] } ?? []) + parents, upper: upper,
            work: try StepLayer.child("work", of: scratch.descriptor))
    }

    private func mount(
        _ lowers: [SharedFileDescriptor], upper: SharedFileDescriptor, work: SharedFileDescriptor
    ) throws(Failure) -> DetachedMount {
        guard !lowers.isEmpty else {
            return try during("mount an empty root") { () throws(SystemError) in
                try DetachedMount(bind: "", in: upper.raw, recursive: false)
            }
        }
        return try OverlayMount.make(
            layers: lowers.map(\.raw),
            upper: OverlayMount.Upper(upper: upper.raw, work: work.raw, isVolatile: true),
            scratch: "\(session.engine.runPath)/mounts")
    }

    private static func child(_ name: String, of directory: SharedFileDescriptor) throws(Failure)
        -> SharedFileDescriptor
    {
        try during("make a directory for a mount") { () throws(SystemError) in
            try Directory.make(name, in: directory.raw, mode: 0o755)
            return SharedFileDescriptor(
                try FileDescriptor.open(name, in: directory.raw, [.pathOnly, .directory, .noFollow]))
        }
    }

    /// Fills the new layer with what another one holds.
    func copy(_ former: Int32) throws(Failure) {
        let pipeline = try LayerPipeline(
            .uncompressed, into: new.root.raw, layer: "the cached layer", hashesInput: false)
        let writer = TarWriter { (bytes) throws(Failure) in try pipeline.feed(bytes) }
        writer.subsecondTimes = true
        let opened = try during("open a cached layer") { () throws(SystemError) in
            try FileDescriptor.open(".", in: former, [.readOnly, .directory])
        }
        try LayerDiff(upper: opened.raw, lowers: []).write(to: writer)
        try writer.finish()
        _ = try pipeline.finish()
    }

    /// What was written, as a layer. Nothing has it mounted any more.
    ///
    /// - Parameters:
    ///   - former: of a layer that was copied, the time that its files were given.
    ///   - identity: of the layer that was copied.
    func finish(former: Timestamp? = nil, identity: String? = nil) throws(Failure) -> BuiltLayer {
        try LayerNormalization(
            upper: new.root.raw, lowers: parents.map(\.raw), time: session.epoch, former: former
        ).run()
        let measure = try LayerMeasure(of: new.root.raw)
        let diffID = try Digest("sha256:\(measure.diffIDHex)")
        let root = try during("open the new layer") { () throws(SystemError) in
            SharedFileDescriptor(try FileDescriptor.open(".", in: new.root.raw, [.pathOnly, .directory]))
        }
        return BuiltLayer(
            diffID: diffID, identity: identity,
            descriptor: Descriptor(
                mediaType: MediaType.layer, digest: diffID, size: Int64(clamping: measure.tarSize)),
            directory: LayerStore.name(of: diffID), size: Int64(clamping: measure.record.size), root: root,
            fresh: new, record: measure.record)
    }
}
