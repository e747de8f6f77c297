import Failure
import Glibc
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

/// Against a registry that others wrote: `CTR_TEST_REGISTRY=127.0.0.1:5000` names an empty one that takes pushes.
@Suite("A real registry", .enabled(if: getenv("CTR_TEST_REGISTRY") != nil))
struct RealRegistryTests {
    @Test func pushedAndPulledAgain() async throws {
        let domain = String(cString: try #require(getenv("CTR_TEST_REGISTRY")))
        let client = RegistryClient(quickConfiguration())
        let small = Array("{}".utf8)
        let large = bytes(450_000)
        let descriptors = [blob(SHA256.digest(small), small.count), blob(SHA256.digest(large), large.count)]
        let sink = try client.sink(domain: domain, path: "team/app")
        try await sink.putBlob(descriptors[0], stream(small))
        try await sink.putBlob(descriptors[1], stream(large))
        #expect(try await sink.hasBlob(descriptors[1]))
        let manifest = Array(
            """
            {"schemaVersion":2,"mediaType":"\(ManifestMediaType.ociManifest)","config":{"mediaType":\
            "application/vnd.oci.image.config.v1+json","digest":"\(descriptors[0].digest)","size":2},"layers":[\
            {"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\(descriptors[1].digest)","size":450000}]}
            """.utf8)
        for tag in ["a", "b", "c"] {
            try await sink.putManifest(manifest, mediaType: ManifestMediaType.ociManifest, as: tag)
        }
        let reference = Reference(domain: domain, path: "team/app", tag: "b", digest: nil)
        let resolved = try await client.resolve(reference)
        #expect(resolved.bytes == manifest)
        let described = try await client.describe(reference)
        #expect(described == resolved.descriptor)
        let tags = try await client.tags(domain: domain, path: "team/app")
        #expect(tags.sorted() == ["a", "b", "c"])
        let source = try client.source(domain: domain, path: "team/app")
        let rest = try await read(source.openBlob(descriptors[1], from: 400_000))
        #expect(rest == Array(large[400_000...]))

        let other = try client.sink(domain: domain, path: "team/other", mountable: { _ in ["team/app"] })
        #expect(try await other.hasBlob(descriptors[1]))

        // In chunks, as where a proxy limits bodies.
        let third = bytes(500_001, seed: 7)
        try await sink.putChunked(blob(SHA256.digest(third), third.count), stream(third))
        #expect(try await sink.hasBlob(blob(SHA256.digest(third), third.count)))
        await client.close()
    }
}
