package import Archive
package import Failure
package import OCI

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
