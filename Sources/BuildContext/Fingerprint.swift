internal import OCI

/// A sha256 without a place on the heap: of what a file holds, and of a file with all that counts of it.
struct Fingerprint: Hashable, Sendable {
    private(set) var words: (UInt64, UInt64, UInt64, UInt64)

    static let byteCount = 32

    init(_ words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Of nothing: a directory without attributes.
    static let none = Fingerprint((0, 0, 0, 0))

    init(_ hash: ContentHash) {
        words = hash.bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self).littleEndian,
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
                $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian,
                $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self).littleEndian
            )
        }
    }

    static func == (a: Fingerprint, b: Fingerprint) -> Bool { a.words == b.words }

    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    func append(to bytes: inout [UInt8]) {
        bytes.append(words.0)
        bytes.append(words.1)
        bytes.append(words.2)
        bytes.append(words.3)
    }
}

extension [UInt8] {
    /// Little-endian, on every machine.
    mutating func append(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
