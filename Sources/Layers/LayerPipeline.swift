internal import OCI
package import OverlayFS
package import Archive
package import Failure
internal import LinuxSystem
internal import Synchronization

/// One layer on its way from the network to files, every byte looked at once.
///
/// The caller's thread hashes what arrives and decompresses it; a second thread hashes the tar and writes the files.
/// Between them goes a fixed number of blocks, so a pipeline takes about 2 MiB however large the layer is, and
/// `feed` waits when the files are slower than the network. End it by `finish` or `cancel`.
package final class LayerPipeline {
    package struct Result: Sendable {
        /// sha256 of what was fed; nil where the caller hashes that itself.
        package let compressedHex: String?
        package let compressedSize: UInt64
        /// sha256 of the tar: the layer's diffID.
        package let diffIDHex: String
        package let tarSize: UInt64
        package let record: LayerRecord
    }

    package struct Limits: Sendable {
        /// Bytes of the decompressed tar.
        package var tarBytes: UInt64 = 1 << 40
        package var tar = TarReader.Limits()
        package var layer = LayerApplier.Limits()

        package init() {}
    }

    private struct Unpacked: Sendable {
        let diffIDHex: String
        let record: LayerRecord
    }

    private let layer: String
    private let limits: Limits
    private let queue = BlockQueue()
    private let outcome = Outcome()
    private var thread: Thread?
    private var hash: ContentHash?
    private var compressedSize: UInt64 = 0
    private var decompressor: Decompressor?
    private var block: BlockQueue.Block?
    /// The first bytes, until there are enough to tell the compression by.
    private var first: [UInt8] = []

    private final class Outcome: Sendable {
        let value = Mutex<Swift.Result<Unpacked, Failure>?>(nil)
    }

    /// - Parameters:
    ///   - compression: nil to tell it by the first bytes.
    ///   - root: an empty directory, which the caller keeps open until `finish` or `cancel` has returned.
    ///   - layer: for messages, e.g. `layer 4f53cda18c2b`.
    package init(
        _ compression: Compression?, into root: Int32, layer: String, hashesInput: Bool = true,
        limits: Limits = Limits()
    ) throws(Failure) {
        self.layer = layer
        self.limits = limits
        hash = hashesInput ? ContentHash() : nil
        if let compression { decompressor = try Decompressor(compression, limit: limits.tarBytes) }
        let queue = queue
        let outcome = outcome
        do throws(SystemError) {
            thread = try Thread("unpack") {
                do throws(Failure) {
                    let done = try LayerPipeline.unpack(queue, into: root, limits)
                    outcome.value.withLock { $0 = .success(done) }
                } catch {
                    let failure = error.within(layer)
                    queue.fail(failure)
                    outcome.value.withLock { $0 = .failure(failure) }
                }
            }
        } catch {
            throw error.failure(layer)
        }
    }

    deinit { cancel() }

    /// Takes the next bytes of the blob; waits while the other thread is behind.
    package func feed(_ bytes: [UInt8]) throws(Failure) {
        var failure: Failure?
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { try feed(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    package func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        hash?.update(bytes)
        compressedSize += UInt64(bytes.count)
        if decompressor == nil {
            first.append(contentsOf: bytes)
            guard first.count >= Compression.magicLength else { return }
            try begin()
        } else {
            try decompress(bytes)
        }
    }

    /// The blob's end: everything is in its files (not yet synced) when it returns.
    package func finish() throws(Failure) -> Result {
        if decompressor == nil { try begin() }
        do throws(Failure) {
            try decompressor?.finish()
        } catch {
            let failure = error.within(layer)
            queue.fail(failure)
            throw failure
        }
        if let block { queue.put(block) }
        block = nil
        queue.finish()
        thread?.join()
        thread = nil
        let unpacked = try outcome.value.withLock { $0 }?.get()
        guard let unpacked else { throw Failure(.internal, "\(layer): unpacking has no outcome") }
        return Result(
            compressedHex: hash?.hex, compressedSize: compressedSize, diffIDHex: unpacked.diffIDHex,
            tarSize: decompressor?.produced ?? 0, record: unpacked.record)
    }

    /// Stops the other thread and waits for it. The directory holds a part of the layer: remove it.
    package func cancel() {
        guard let thread else { return }
        queue.fail(Failure(.interrupted, "\(layer): unpacking was stopped"))
        thread.join()
        self.thread = nil
    }

    private func begin() throws(Failure) {
        do throws(Failure) {
            decompressor = try Decompressor(try Compression.detect(first), limit: limits.tarBytes)
        } catch {
            throw error.within(layer)
        }
        let held = first
        first = []
        var failure: Failure?
        held.withUnsafeBytes { buffer in
            do throws(Failure) { try decompress(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func decompress(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while true {
            let block: BlockQueue.Block
            if let open = self.block { block = open } else { block = try queue.emptyBlock() }
            self.block = block
            let room = UnsafeMutableRawBufferPointer(rebasing: block.room[block.count...])
            var done: (consumed: Int, produced: Int) = (0, 0)
            do throws(Failure) {
                if let step = try decompressor?.step(rest, into: room) { done = step }
            } catch {
                throw error.within(layer)
            }
            block.count += done.produced
            rest = UnsafeRawBufferPointer(rebasing: rest[done.consumed...])
            if block.count < block.room.count {
                if rest.isEmpty { return }
            } else {
                queue.put(block)
                self.block = nil
            }
        }
    }

    /// The second thread.
    private static func unpack(_ queue: BlockQueue, into root: Int32, _ limits: Limits) throws(Failure)
        -> Unpacked
    {
        var hash = ContentHash()
        var held: BlockQueue.Block?
        let reader = try TarReader(limits: limits.tar) { () throws(Failure) in
            if let former = held { queue.recycle(former) }
            held = nil
            guard let block = try queue.next() else { return nil }
            held = block
            hash.update(block.bytes)
            return block.bytes
        }
        let record = try LayerApplier(root: root, limits: limits.layer).apply(reader)
        try reader.drain()
        return Unpacked(diffIDHex: hash.hex, record: record)
    }
}
