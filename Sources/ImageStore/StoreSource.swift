package import Failure
package import OCI

/// The store's blobs, for a push.
package struct StoreSource: ContentSource {
    private let content: ContentStore

    package init(_ content: ContentStore) { self.content = content }

    package func openBlob(_ descriptor: Descriptor, from offset: UInt64) async throws(Failure) -> BlobStream {
        BlobStream(file: try content.open(descriptor.digest), from: offset, named: "\(descriptor.digest)")
    }
}
