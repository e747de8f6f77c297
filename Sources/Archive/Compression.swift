package import Failure

/// How a layer's tar is wrapped.
package enum Compression: String, Sendable {
    case uncompressed, gzip, zstd

    /// From a layer's media type (image-spec media-types.md and docker's); nil where it names no layer type of ours.
    package init?(mediaType: String) {
        // Parameters and case do not matter (RFC 9110).
        let type = mediaType.prefix { $0 != ";" }.lowercased()
        guard type.contains(".layer.") || type.contains(".rootfs.") else { return nil }
        if type.hasSuffix("+gzip") || type.hasSuffix(".gzip") {
            self = .gzip
        } else if type.hasSuffix("+zstd") || type.hasSuffix(".zstd") {
            self = .zstd
        } else if type.hasSuffix(".tar") || type.hasSuffix(".v1.tar") {
            self = .uncompressed
        } else {
            return nil
        }
    }

    /// The first bytes that `detect` wants to see, unless the stream is shorter.
    package static let magicLength = 6

    /// By the stream's first bytes. Formats that no layer may have are refused by name.
    package static func detect(_ first: some Collection<UInt8>) throws(Failure) -> Compression {
        if first.starts(with: [0x1f, 0x8b]) { return .gzip }
        if first.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        // A skippable frame may come first (RFC 8878 3.1.2).
        if let low = first.first, low & 0xf0 == 0x50, first.dropFirst().starts(with: [0x2a, 0x4d, 0x18]) {
            return .zstd
        }
        for (magic, name) in foreign where first.starts(with: magic) {
            throw Failure(
                .unsupported, "\(name) compression is not supported",
                hint: "layers may be plain tar, gzip or zstd")
        }
        return .uncompressed
    }

    private static let foreign: [([UInt8], String)] = [
        ([0x42, 0x5a, 0x68], "bzip2"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz"),
        ([0x04, 0x22, 0x4d, 0x18], "lz4"),
    ]
}
