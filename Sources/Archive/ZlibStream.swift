internal import CZlib
package import Failure

/// One stream of RFC 1950, as git's objects are, unpacked piece by piece.
package final class ZlibStream {
    private let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    /// The stream's own end has come, with the right checksum.
    package private(set) var isAtEnd = false

    package init() throws(Failure) {
        state.initialize(to: z_stream())
        guard inflateInit_(state, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure(.resourceExhausted, "no memory for zlib")
        }
    }

    deinit {
        inflateEnd(state)
        state.deallocate()
    }

    /// Takes some of the input and fills some of the output. Nothing of both: it wants more input, or is at its end.
    package func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
        throws(Failure) -> (consumed: Int, produced: Int)
    {
        guard !isAtEnd else { return (0, 0) }
        let (inputSize, outputSize) = (min(input.count, 1 << 30), min(output.count, 1 << 30))
        state.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self)
        state.pointee.avail_in = UInt32(inputSize)
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(outputSize)
        let answer = inflate(state, Z_NO_FLUSH)
        guard answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR else {
            throw Failure(.dataLoss, "zlib stream is damaged")
        }
        isAtEnd = answer == Z_STREAM_END
        return (inputSize - Int(state.pointee.avail_in), outputSize - Int(state.pointee.avail_out))
    }
}
