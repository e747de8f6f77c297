package import OCI

/// A manifest or an index as a registry gave it, its digest verified.
package struct FetchedManifest: Hashable, Sendable {
    /// Media type, digest and size.
    package let descriptor: Descriptor
    /// Byte for byte: they are what the digest names.
    package let bytes: [UInt8]
}
