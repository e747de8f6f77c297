import Failure
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Pull")
struct PullTests {
    @Test func sha256OfTheTestsIsRight() {
        // FIPS 180-4's own examples.
        #expect(
            SHA256.digest(Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)).hex
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(SHA256.digest([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func manifestByTagAndByDigest() async throws {
        try await withRegistry { registry, client in
            let digest = registry.addManifest(Array(manifestText.utf8), to: "team/app", tag: "1")
            let byTag = try await client.resolve(
                Reference(domain: registry.domain, path: "team/app", tag: "1", digest: nil))
            #expect(byTag.descriptor.digest == digest)
            #expect(byTag.descriptor.mediaType == "application/vnd.oci.image.manifest.v1+json")
            #expect(byTag.bytes == Array(manifestText.utf8))
            let byDigest = try await client.resolve(
                Reference(domain: registry.domain, path: "team/app", tag: "other", digest: digest))
            #expect(byDigest == byTag)
            let accept = registry.requests.last?.headers["accept"] ?? ""
            for type in ManifestMediaType.known { #expect(accept.contains(type)) }
        }
    }

    @Test func blobInOrderAndWhole() async throws {
        try await withRegistry { registry, client in
            let content = bytes(3_000_000)
            let digest = registry.addBlob(content, to: "app")
            let source = try client.source(domain: registry.domain, path: "app")
            let stream = try await source.openBlob(blob(digest, content.count), from: 0)
            #expect(stream.offset == 0)
            #expect(try await read(stream) == content)
            // Nothing was asked twice: one look at /v2/ and one GET.
            #expect(registry.requests.map(\.path) == ["/v2/", "/v2/app/blobs/\(digest)"])
        }
    }
}
