internal import CZlib
internal import Failure

/// One member of a gzip stream: its bytes, and what becomes of them. Goes from the stream's thread to a worker and back;
/// the workers' lock is between.
final class GzipMember: @unchecked Sendable {
    let input: UnsafeMutableRawBufferPointer
    private let output: UnsafeMutableRawBufferPointer
    /// Bytes of the input in use, from the start.
    var count = 0
    private var produced = 0
    /// Set by the worker, under its lock.
    var isDone = false
    private(set) var failure: Failure?

    init(size: Int) {
        input = .allocate(byteCount: size, alignment: 4096)
        // compressBound is for zlib's wrapper; gzip's is 12 bytes longer.
        output = .allocate(byteCount: Int(compressBound(UInt(size))) + 64, alignment: 4096)
    }

    deinit {
        input.deallocate()
        output.deallocate()
    }

    var compressed: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: output[..<produced]) }

    func reset() {
        count = 0
        produced = 0
        isDone = false
        failure = nil
    }

    func compress(_ deflater: Deflater) {
        do throws(Failure) {
            produced = try deflater.member(UnsafeRawBufferPointer(rebasing: input[..<count]), into: output)
        } catch {
            failure = error
        }
    }

    /// zlib for one member after another, each as if it were the first.
    final class Deflater {
        private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        private let header = UnsafeMutablePointer<gz_header>.allocate(capacity: 1)
        private let isReady: Bool

        init() {
            stream.initialize(to: z_stream())
            header.initialize(to: gz_header())
            header.pointee.os = 255
            // 15 bits of window, + 16 for the gzip wrapper; 8 is zlib's usual memory.
            isReady =
                deflateInit2_(
                    stream, MemberGzip.level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                    Int32(MemoryLayout<z_stream>.size)) == Z_OK
        }

        deinit {
            if isReady { deflateEnd(stream) }
            stream.deallocate()
            header.deallocate()
        }

        /// In one call, all input and room for all output: nothing but the input decides what comes out.
        func member(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
            throws(Failure) -> Int
        {
            guard isReady else { throw Failure(.resourceExhausted, "no memory for gzip") }
            deflateReset(stream)
            deflateSetHeader(stream, header)
            stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
                .assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output.count)
            let answer = deflate(stream, Z_FINISH)
            guard answer == Z_STREAM_END else { throw Failure(.internal, "zlib failed with \(answer)") }
            return output.count - Int(stream.pointee.avail_out)
        }
    }
}
