internal import CZlib
internal import CZstd
package import Failure

/// Wraps a stream in gzip or zstd, the same bytes for the same input on every machine: fixed level, no time, no
/// name, operating system "unknown", one thread.
package final class Compressor {
    private let compression: Compression
    private let gzip = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let header = UnsafeMutablePointer<gz_header>.allocate(capacity: 1)
    private let zstd: OpaquePointer?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)

    package init(_ compression: Compression) throws(Failure) {
        self.compression = compression
        gzip.initialize(to: z_stream())
        header.initialize(to: gz_header())
        zstd = compression == .zstd ? ZSTD_createCCtx() : nil
        switch compression {
        case .uncompressed: break
        case .gzip:
            // 15 bits of window, + 16 for the gzip wrapper.
            guard
                deflateInit2_(
                    gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                    Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else { throw Failure(.resourceExhausted, "no memory for gzip") }
            header.pointee.os = 255
            deflateSetHeader(gzip, header)
        case .zstd:
            guard zstd != nil else { throw Failure(.resourceExhausted, "no memory for zstd") }
            ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 3)
            ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1)
        }
    }

    deinit {
        if compression == .gzip { deflateEnd(gzip) }
        if let zstd { ZSTD_freeCCtx(zstd) }
        gzip.deallocate()
        header.deallocate()
        buffer.deallocate()
    }

    /// Compresses; `body` gets what is ready.
    package func feed(
        _ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        guard !input.isEmpty else { return }
        try run(input, last: false, body)
    }

    /// The stream's end.
    package func finish(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        try run(UnsafeRawBufferPointer(start: nil, count: 0), last: true, body)
    }

    private func run(
        _ input: UnsafeRawBufferPointer, last: Bool,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        switch compression {
        case .uncompressed: if !input.isEmpty { try body(input) }
        case .gzip: try deflate(input, last: last, body)
        case .zstd: try zstd(input, last: last, body)
        }
    }

    private func deflate(
        _ input: UnsafeRawBufferPointer, last: Bool,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = input
        repeat {
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<min(rest.count, 1 << 30)])
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            gzip.pointee.next_in = UnsafeMutableRawPointer(mutating: piece.baseAddress)?.assumingMemoryBound(
                to: UInt8.self)
            gzip.pointee.avail_in = UInt32(piece.count)
            repeat {
                gzip.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                gzip.pointee.avail_out = UInt32(buffer.count)
                let answer = CZlib.deflate(gzip, last && rest.isEmpty ? Z_FINISH : Z_NO_FLUSH)
                guard answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR else {
                    throw Failure(.internal, "zlib failed with \(answer)")
                }
                let ready = buffer.count - Int(gzip.pointee.avail_out)
                if ready > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<ready])) }
            } while gzip.pointee.avail_out == 0
        } while !rest.isEmpty
    }

    private func zstd(
        _ input: UnsafeRawBufferPointer, last: Bool,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        while true {
            var to = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let left = ZSTD_compressStream2(zstd, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue)
            if ZSTD_isError(left) != 0 {
                throw Failure(.internal, "zstd failed: \(String(cString: ZSTD_getErrorName(left)))")
            }
            if to.pos > 0 { try body(UnsafeRawBufferPointer(rebasing: buffer[..<to.pos])) }
            if last ? left == 0 : from.pos == from.size { return }
        }
    }
}
