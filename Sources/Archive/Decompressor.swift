internal import CZstd
package import Failure

/// Unwraps gzip (all members), zstd (all frames) or nothing, in constant memory.
///
/// The caller drives it: `step` with what has arrived, `finish` at the end. A stream that is cut, damaged, goes on
/// after its end, or unpacks to more than `limit` bytes is an error.
package struct Decompressor: ~Copyable {
    package let compression: Compression
    /// Bytes given out so far.
    package private(set) var produced: UInt64 = 0
    private let limit: UInt64
    private let gzip: Gunzip?
    private let zstd: Unzstd?

    package init(_ compression: Compression, limit: UInt64 = .max) throws(Failure) {
        self.compression = compression
        self.limit = limit
        gzip = compression == .gzip ? Gunzip() : nil
        zstd = compression == .zstd ? try Unzstd() : nil
    }

    /// Takes some of the input and fills some of the output. All input is used up and nothing is held back when
    /// it answers with `consumed` the input's size and `produced` less than the output's size.
    package mutating func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
        throws(Failure) -> (consumed: Int, produced: Int)
    {
        let done: (consumed: Int, produced: Int)
        if let gzip {
            done = try gzip.step(input, into: output)
        } else if let zstd {
            done = try zstd.step(input, into: output)
        } else {
            let size = min(input.count, output.count)
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<size]))
            done = (size, size)
        }
        produced += UInt64(done.produced)
        guard produced <= limit else {
            throw Failure(
                .resourceExhausted, "unpacks to more than the limit of \(limit) bytes",
                hint: "raise the limit only for an image that you trust")
        }
        return done
    }

    /// Says whether the stream was whole.
    package mutating func finish() throws(Failure) {
        let whole = gzip?.isAtEnd ?? zstd?.isAtEnd ?? true
        guard whole else { throw Failure(.dataLoss, "\(compression.rawValue) stream ends too early") }
    }

    /// Everything that the input unpacks to, in pieces of at most 256 KiB.
    package mutating func feed(
        _ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        if compression == .uncompressed {
            produced += UInt64(input.count)
            guard produced <= limit else {
                throw Failure(.resourceExhausted, "is larger than the limit of \(limit) bytes")
            }
            return try body(input)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var rest = input
        while true {
            let done = try step(rest, into: buffer)
            if done.produced > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<done.produced])) }
            rest = UnsafeRawBufferPointer(rebasing: rest[done.consumed...])
            if rest.isEmpty, done.produced < buffer.count { return }
        }
    }
}

/// RFC 8878 by libzstd, with a window of at most 128 MiB.
private final class Unzstd {
    private let context: OpaquePointer
    private var atFrameEnd = false

    init() throws(Failure) {
        guard let context = ZSTD_createDCtx() else { throw Failure(.resourceExhausted, "no memory for zstd") }
        self.context = context
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDCtx(context) }

    var isAtEnd: Bool { atFrameEnd }

    func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(Failure)
        -> (consumed: Int, produced: Int)
    {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        while true {
            let before = (from.pos, to.pos)
            // At a frame's end a call without input would begin the next frame.
            if atFrameEnd, from.pos == from.size { break }
            let answer = ZSTD_decompressStream(context, &to, &from)
            if ZSTD_isError(answer) != 0 {
                let why = String(cString: ZSTD_getErrorName(answer))
                throw Failure(.dataLoss, "zstd stream is damaged: \(why.lowercased())")
            }
            atFrameEnd = answer == 0
            if to.pos == to.size || before == (from.pos, to.pos) { break }
        }
        return (from.pos, to.pos)
    }
}
