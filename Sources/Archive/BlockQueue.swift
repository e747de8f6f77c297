package import Failure
internal import LinuxSystem

/// Bytes on their way from one thread to another: a fixed number of blocks goes round, so a fast writer waits for a
/// slow reader and memory stays what it was at the start.
package final class BlockQueue: @unchecked Sendable {
    package final class Block: @unchecked Sendable {
        package let room: UnsafeMutableRawBufferPointer
        /// The bytes in use, from the start.
        package var count = 0

        init(size: Int) { room = .allocate(byteCount: size, alignment: 4096) }
        deinit { room.deallocate() }

        package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }
    }

    private let condition = Condition()
    private var empty: [Block]
    private var full: [Block] = []
    private var ended = false
    private var failure: Failure?

    package init(blocks: Int = 4, size: Int = 256 << 10) {
        empty = (0..<blocks).map { _ in Block(size: size) }
    }

    /// For the writer: waits for a block to fill. Throws what the reader failed with.
    package func emptyBlock() throws(Failure) -> Block {
        try condition.locked { () throws(Failure) in
            while true {
                if let failure { throw failure }
                if let block = empty.popLast() {
                    block.count = 0
                    return block
                }
                condition.wait()
            }
        }
    }

    /// For the writer: hands a filled block on. Bytes after a failure go nowhere.
    package func put(_ block: Block) {
        condition.locked {
            full.append(block)
            condition.wakeAll()
        }
    }

    /// For the writer: nothing follows.
    package func finish() {
        condition.locked {
            ended = true
            condition.wakeAll()
        }
    }

    /// For the reader: the next filled block, nil at the end. Throws what the writer failed with.
    package func next() throws(Failure) -> Block? {
        try condition.locked { () throws(Failure) in
            while true {
                if let failure { throw failure }
                if !full.isEmpty { return full.removeFirst() }
                if ended { return nil }
                condition.wait()
            }
        }
    }

    /// For the reader: gives a block back.
    package func recycle(_ block: Block) {
        condition.locked {
            empty.append(block)
            condition.wakeAll()
        }
    }

    /// For both sides: the first failure stops both.
    package func fail(_ failure: Failure) {
        condition.locked {
            if self.failure == nil { self.failure = failure }
            condition.wakeAll()
        }
    }
}
