package import Failure

/// Where content comes from: a registry, a layout, an archive. With `ContentSink` the only way that registries
/// and the store meet.
package protocol ContentSource: Sendable {
    /// Streams the blob's bytes as stored. The source does not verify; the sink does.
    /// `offset` asks for the rest of a blob of which the first bytes are there; a source that cannot do that
    /// starts at 0 and says so in `BlobStream.offset`.
    func openBlob(_ descriptor: Descriptor, from offset: UInt64) async throws(Failure) -> BlobStream
}

/// A blob's bytes as they arrive. `next` gives nil at the end; a body cut short throws.
package struct BlobStream: Sendable {
    package let offset: UInt64
    package let next: @Sendable () async throws(Failure) -> [UInt8]?

    package init(offset: UInt64, next: @escaping @Sendable () async throws(Failure) -> [UInt8]?) {
        self.offset = offset
        self.next = next
    }
}

/// Where content goes on push.
package protocol ContentSink: Sendable {
    /// Whether the sink has the blob already.
    func hasBlob(_ descriptor: Descriptor) async throws(Failure) -> Bool
    /// Takes the blob's bytes; verifies or lets the far end verify digest and size.
    func putBlob(_ descriptor: Descriptor, _ stream: BlobStream) async throws(Failure)
    /// Takes a manifest or index by its exact bytes, under a tag or its digest.
    func putManifest(_ bytes: [UInt8], mediaType: String, as reference: String) async throws(Failure)
}
