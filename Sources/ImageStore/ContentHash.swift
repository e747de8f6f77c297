internal import Crypto
package import Failure
package import OCI

/// A digest in the making, by the algorithm that the wanted digest names.
package struct ContentHash: Sendable {
    private enum State: Sendable {
        case sha256(SHA256)
        case sha512(SHA512)
    }

    private var state: State

    package init(_ algorithm: OCI.Digest.Algorithm) {
        state = algorithm == .sha256 ? .sha256(SHA256()) : .sha512(SHA512())
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

    package func finish() throws(Failure) -> OCI.Digest {
        switch state {
        case .sha256(let hash): try OCI.Digest(algorithm: .sha256, hex: hex(hash.finalize()))
        case .sha512(let hash): try OCI.Digest(algorithm: .sha512, hex: hex(hash.finalize()))
        }
    }

    package static func digest(of bytes: [UInt8], _ algorithm: OCI.Digest.Algorithm = .sha256) throws(Failure)
        -> OCI.Digest
    {
        var hash = ContentHash(algorithm)
        bytes.withUnsafeBytes { hash.update($0) }
        return try hash.finish()
    }

    private func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
