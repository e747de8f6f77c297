import OCI
import Archive
import Failure
import LinuxSystem
import Testing

/// Bytes that do not compress to nothing, the same every time.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { i in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        // Half of it repeats, so that there is something to find.
        return i & 64 == 0 ? UInt8(truncatingIfNeeded: state) : UInt8(truncatingIfNeeded: i)
    }
}

func pack(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
    let compressor = try Compressor(compression)
    var out: [UInt8] = []
    try bytes.withUnsafeBytes { try compressor.feed($0) { out += $0 } }
    try compressor.finish { out += $0 }
    return out
}

func unpack(
    _ bytes: [UInt8], _ compression: Compression, piece: Int = .max, limit: UInt64 = .max
) throws -> [UInt8] {
    var decompressor = try Decompressor(compression, limit: limit)
    var out: [UInt8] = []
    var at = 0
    while at < bytes.count {
        let end = piece == .max ? bytes.count : min(bytes.count, at + piece)
        try bytes[at..<end].withUnsafeBytes { try decompressor.feed($0) { out += $0 } }
        at = end
    }
    try decompressor.finish()
    return out
}

@Suite struct CompressionTests {
    @Test(arguments: [Compression.uncompressed, .gzip, .zstd], [0, 1, 100, 70_000, 700_000])
    func comesBack(_ compression: Compression, _ size: Int) throws {
        let bytes = noise(size)
        let packed = try pack(bytes, compression)
        #expect(try unpack(packed, compression) == bytes)
        #expect(try unpack(packed, compression, piece: 777) == bytes)
        #expect(try pack(bytes, compression) == packed)
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func byteByByte(_ compression: Compression) throws {
        let bytes = noise(3000)
        #expect(try unpack(try pack(bytes, compression), compression, piece: 1) == bytes)
    }

    @Test(arguments: [Compression.gzip, .zstd], [1, 5, 4096, Int.max])
    func severalMembers(_ compression: Compression, _ piece: Int) throws {
        let parts = [noise(5000), [], noise(1), noise(300_000, seed: 7)]
        let packed = try parts.flatMap { try pack($0, compression) }
        #expect(try unpack(packed, compression, piece: piece) == parts.flatMap { $0 })
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func cutIsAnError(_ compression: Compression) throws {
        let packed = try pack(noise(50_000), compression)
        for size in [0, 1, 5, 9, 10, 11, 20, packed.count / 2, packed.count - 9, packed.count - 1] {
            #expect(throws: Failure.self, "cut to \(size)") {
                try unpack(Array(packed[..<size]), compression, piece: 1000)
            }
        }
    }

    @Test(arguments: [Compression.gzip, .zstd], [1, 3, 4096, Int.max])
    func bytesAfterTheEndAreAnError(_ compression: Compression, _ piece: Int) throws {
        for garbage: [UInt8] in [
            [0], Array("garbage that is long enough".utf8), Array(repeating: 0, count: 512),
        ] {
            #expect(throws: Failure.self) {
                try unpack(try pack(noise(5000), compression) + garbage, compression, piece: piece)
            }
        }
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func flippedBitsAreAnError(_ compression: Compression) throws {
        let packed = try pack(noise(20_000), compression)
        for at in stride(from: 12, to: packed.count, by: 397) {
            var bad = packed
            bad[at] ^= 0x10
            #expect(throws: Failure.self, "byte \(at)") { try unpack(bad, compression) }
        }
    }

    @Test func gzipHeaderMayHoldNameCommentAndExtra() throws {
        let plain = try pack(noise(4000), .gzip)
        // FHCRC | FEXTRA | FNAME | FCOMMENT
        var header = Array(plain[..<10])
        header[3] = 0x02 | 0x04 | 0x08 | 0x10
        let extra: [UInt8] =
            [4, 0, 1, 2, 3, 4] + Array("layer.tar\u{0}".utf8) + Array("hello\u{0}".utf8) + [1, 2]
        for piece in [1, 7, Int.max] {
            #expect(try unpack(header + extra + plain[10...], .gzip, piece: piece) == noise(4000))
        }
        for flag: UInt8 in [0x08, 0x10] {
            header[3] = flag
            #expect(try unpack(header + Array("n\u{0}".utf8) + plain[10...], .gzip) == noise(4000))
        }
        header[3] = 0x04
        #expect(try unpack(header + [0, 0] + plain[10...], .gzip) == noise(4000))
        header[3] = 0x80
        #expect(throws: Failure.self) { try unpack(header + plain[10...], .gzip) }
    }

    @Test func gzipIsDeterministicAndAnonymous() throws {
        let packed = try pack(Array("hello".utf8), .gzip)
        // ID1 ID2 CM FLG MTIME[4] XFL OS
        #expect(Array(packed[..<10]) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
    }

    @Test(arguments: [Compression.gzip, .zstd])
    func bombStopsAtTheLimit(_ compression: Compression) throws {
        let bomb = try pack([UInt8](repeating: 0, count: 20 << 20), compression)
        #expect(bomb.count < 40_000)
        var produced = 0
        var decompressor = try Decompressor(compression, limit: 1 << 20)
        let failure = #expect(throws: Failure.self) {
            try bomb.withUnsafeBytes { try decompressor.feed($0) { produced += $0.count } }
        }
        #expect(failure?.code == .resourceExhausted)
        #expect(produced <= 1 << 20)
    }

    @Test func zstdWindowIsCapped() throws {
        // A frame header that asks for a window of 256 MiB: magic, descriptor 0, window exponent 18.
        let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00]
        #expect(throws: Failure.self) { try unpack(frame, .zstd) }
        let allowed: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00]
        #expect(try unpack(allowed, .zstd) == [])
    }

    @Test func kinds() throws {
        #expect(Compression(mediaType: "application/vnd.oci.image.layer.v1.tar+gzip") == .gzip)
        #expect(Compression(mediaType: "application/vnd.oci.image.layer.v1.tar+zstd") == .zstd)
        #expect(Compression(mediaType: "application/vnd.oci.image.layer.v1.tar") == Compression.uncompressed)
        #expect(Compression(mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip") == .gzip)
        #expect(
            Compression(mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") == .gzip)
        #expect(Compression(mediaType: "application/vnd.oci.image.layer.v1.tar+xz") == nil)
        #expect(Compression(mediaType: "text/plain") == nil)
        #expect(try Compression.detect([0x1f, 0x8b, 8]) == .gzip)
        #expect(try Compression.detect([0x28, 0xb5, 0x2f, 0xfd]) == .zstd)
        #expect(try Compression.detect([]) == .uncompressed)
        #expect(throws: Failure.self) { try Compression.detect([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) }
    }

    @Test func digests() {
        #expect(
            ContentHash.hex(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            ContentHash.hex(of: Array("abc".utf8), .sha512).hasPrefix("ddaf35a193617abacc417349ae204131"))
        var hash = ContentHash()
        hash.update(Array("a".utf8))
        _ = hash.hex
        hash.update(Array("bc".utf8))
        #expect(hash.hex == ContentHash.hex(of: Array("abc".utf8)))
    }
}
