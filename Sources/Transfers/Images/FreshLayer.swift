internal import Layers
internal import Engine
internal import Archive
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// A layer that is unpacked and not yet under its name.
///
/// `@unchecked Sendable`: it is made by the task that unpacks it and then handed to the one that commits it; never
/// two at once.
final class FreshLayer: @unchecked Sendable {
    let new: NewLayer
    let record: LayerRecord

    init(_ new: NewLayer, _ record: LayerRecord) {
        self.new = new
        self.record = record
    }
}

/// A layer's files being written from the bytes of its blob.
///
/// `@unchecked Sendable`: a task that feeds it goes from thread to thread, but is one task.
final class LayerUnpacking: @unchecked Sendable {
    private let new: NewLayer
    private let pipeline: LayerPipeline
    private let diffID: Digest?
    private let name: String

    /// - Parameter diffID: what the image's config says; nil where that is to be found out.
    init(in layers: LayerStore, diffID: Digest?, name: String) throws(Failure) {
        self.diffID = diffID
        self.name = name
        new = try layers.begin()
        // The compression is told by the bytes: media types are wrong often enough, and the digest is what counts.
        pipeline = try LayerPipeline(nil, into: new.root.raw, layer: name, hashesInput: diffID == nil)
    }

    deinit { pipeline.cancel() }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) { try pipeline.feed(bytes) }

    func feed(_ bytes: [UInt8]) throws(Failure) { try pipeline.feed(bytes) }

    func finish() throws(Failure) -> (layer: FreshLayer, result: LayerPipeline.Result) {
        let result = try pipeline.finish()
        // The config's digests are sha256 wherever images are made; another algorithm cannot be compared.
        if let diffID {
            guard diffID.algorithm == .sha256 else {
                throw Failure(.unsupported, "\(name): its diffID \(diffID) is not a sha256")
            }
            guard diffID.hex == result.diffIDHex else {
                throw Failure(
                    .dataLoss,
                    "\(name): the config says diffID \(diffID), its tar has sha256:\(result.diffIDHex)")
            }
        }
        return (FreshLayer(new, result.record), result)
    }
}
