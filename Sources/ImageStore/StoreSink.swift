package import Failure
package import OCI

/// The store as a place to copy to. It takes content only: whoever copies holds a lease on it and writes the record.
package struct StoreSink: ContentSink {
    private let content: ContentStore

    package init(_ content: ContentStore) { self.content = content }

    package func hasBlob(_ descriptor: Descriptor) async throws(Failure) -> Bool {
        try content.has(descriptor)
    }

    package func putBlob(_ descriptor: Descriptor, _ stream: BlobStream) async throws(Failure) {
        let ingest = try content.ingest(descriptor)
        if stream.offset == 0 { try ingest.restart() }
        guard stream.offset == ingest.offset else {
            throw Failure(
                .internal,
                "\(descriptor.digest) goes on at byte \(ingest.offset), its stream at \(stream.offset)")
        }
        while let bytes = try await stream.next() { try ingest.append(bytes) }
        try ingest.commit()
    }

    /// - Parameter reference: a digest, which the bytes must have, or a tag, which is left to the caller.
    package func putManifest(_ bytes: [UInt8], mediaType: String, as reference: String) async throws(Failure)
    {
        if let wanted = try? Digest(reference) {
            let found = try ContentHash.digest(of: bytes, wanted.algorithm)
            guard found == wanted else {
                throw Failure(.dataLoss, "expected \(wanted), the manifest has the digest \(found)")
            }
        }
        _ = try content.put(bytes, mediaType: mediaType)
    }
}
