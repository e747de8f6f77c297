internal import Crypto
package import Failure

/// A digest of bytes as they stream by; the hex is lower-case, as in image-spec descriptor.md.
package struct ContentHash {
    package enum Algorithm: String, Sendable { case sha256, sha512 }

    private enum State {
        case sha256(Crypto.SHA256)
        case sha512(Crypto.SHA512)
    }

    package let algorithm: Algorithm
    private var state: State

    package init(_ algorithm: Algorithm = .sha256) {
        self.algorithm = algorithm
        state = algorithm == .sha256 ? .sha256(Crypto.SHA256()) : .sha512(Crypto.SHA512())
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        case .sha512(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha512(hash)
        }
    }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all bytes so far; more may follow.
    package var hex: String {
        switch state {
        case .sha256(let hash): hexadecimal(hash.finalize())
        case .sha512(let hash): hexadecimal(hash.finalize())
        }
    }

    /// The digest's own bytes, of all bytes so far.
    package var bytes: [UInt8] {
        switch state {
        case .sha256(let hash): Array(hash.finalize())
        case .sha512(let hash): Array(hash.finalize())
        }
    }

    package static func hex(of bytes: [UInt8], _ algorithm: Algorithm = .sha256) -> String {
        var hash = ContentHash(algorithm)
        hash.update(bytes)
        return hash.hex
    }
}

extension ContentHash {
    package init(for algorithm: Digest.Algorithm) {
        self.init(algorithm == .sha256 ? .sha256 : .sha512)
    }

    /// The digest of all bytes so far.
    package func finish() throws(Failure) -> Digest {
        try Digest(algorithm: algorithm == .sha256 ? .sha256 : .sha512, hex: hex)
    }

    package static func digest(of bytes: [UInt8], _ algorithm: Digest.Algorithm = .sha256) throws(Failure)
        -> Digest
    {
        var hash = ContentHash(for: algorithm)
        hash.update(bytes)
        return try hash.finish()
    }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
