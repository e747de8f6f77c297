package import Failure
package import OCI

extension RegistryClient {
    /// The manifest or index that a reference names: by its digest where it has one, else by its tag, else `latest`.
    package func resolve(_ reference: Reference) async throws(Failure) -> FetchedManifest {
        let source = try source(domain: reference.domain, path: reference.path)
        if let digest = reference.digest { return try await source.manifest(digest) }
        return try await source.manifest(tag: reference.tag ?? "latest")
    }

    /// What `resolve` would give, without the bytes where the registry tells enough in its header; cheap, and not
    /// counted as a pull by registries that count.
    package func describe(_ reference: Reference) async throws(Failure) -> Descriptor {
        let source = try source(domain: reference.domain, path: reference.path)
        if let descriptor = try await source.head(reference.digest?.description ?? reference.tag ?? "latest"),
            reference.digest == nil || reference.digest == descriptor.digest
        {
            return descriptor
        }
        return try await resolve(reference).descriptor
    }
}
