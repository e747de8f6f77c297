internal import Archive
package import Failure
internal import LinuxSystem
internal import OCI
package import OverlayFS

/// What a layer's directory is as a tar, found without keeping the tar: the same directory gives the same bytes each
/// time (`LayerDiff.write`), so that a blob can be made of it when one is asked for.
package struct LayerMeasure: Sendable {
    /// sha256 of the tar.
    package let diffIDHex: String
    package let tarSize: UInt64
    package let record: LayerRecord

    /// - Parameter root: the layer's directory, normalised; the caller keeps it open.
    package init(of root: Int32) throws(Failure) {
        let queue = BlockQueue()
        let hashed = Hashed()
        let thread: Thread
        do throws(SystemError) {
            thread = try Thread("hash") { hashed.read(queue) }
        } catch {
            throw error.failure("hash a layer")
        }
        var counts = LayerRecord()
        var failure: Failure?
        do throws(Failure) {
            counts = try LayerMeasure.write(root, to: queue)
        } catch {
            failure = error
        }
        if let failure { queue.fail(failure) } else { queue.finish() }
        thread.join()
        if let failure { throw failure }
        diffIDHex = hashed.hex
        tarSize = hashed.size
        record = counts
    }

    private static func write(_ root: Int32, to queue: BlockQueue) throws(Failure) -> LayerRecord {
        var block = try queue.emptyBlock()
        let writer = TarWriter { (bytes) throws(Failure) in
            var rest = bytes
            while !rest.isEmpty {
                if block.count == block.room.count {
                    queue.put(block)
                    block = try queue.emptyBlock()
                }
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(block.room.count - block.count))
                UnsafeMutableRawBufferPointer(rebasing: block.room[block.count...]).copyMemory(from: part)
                block.count += part.count
                rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
            }
        }
        try LayerDiff(upper: root, lowers: []).write(to: writer)
        try writer.finish()
        queue.put(block)
        var record = LayerRecord()
        record.entries = writer.entries
        record.size = writer.dataBytes
        return record
    }

    /// `@unchecked Sendable`: written by one thread, read after that has been joined.
    private final class Hashed: @unchecked Sendable {
        var hex = ""
        var size: UInt64 = 0

        func read(_ queue: BlockQueue) {
            var hash = ContentHash()
            while let block = (try? queue.next()) ?? nil {
                hash.update(block.bytes)
                size += UInt64(block.count)
                queue.recycle(block)
            }
            hex = hash.hex
        }
    }
}
