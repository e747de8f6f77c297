import Failure
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Push")
struct PushTests {
    @Test(arguments: [0, 1000, 400_000])
    func blobArrives(size: Int) async throws {
        try await withRegistry { registry, client in
            let content = bytes(size)
            let digest = SHA256.digest(content)
            let sink = try client.sink(domain: registry.domain, path: "team/app")
            #expect(try await sink.hasBlob(blob(digest, size)) == false)
            try await sink.putBlob(blob(digest, size), stream(content))
            #expect(registry.blob(digest) == content)
            #expect(try await sink.hasBlob(blob(digest, size)))
            #expect(registry.requests.count { $0.method == "PUT" } == 1)
        }
    }

    @Test func manifestKeepsItsBytes() async throws {
        try await withRegistry { registry, client in
            let sink = try client.sink(domain: registry.domain, path: "app")
            try await sink.putManifest(
                Array(manifestText.utf8), mediaType: ManifestMediaType.ociManifest, as: "1")
            #expect(registry.manifest("app", "1") == Array(manifestText.utf8))
            #expect(registry.requests.last?.headers["content-type"] == ManifestMediaType.ociManifest)
        }
    }

    @Test func oneTokenForAWholePush() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 300))
            let content = bytes(300_000)
            let digest = SHA256.digest(content)
            let sink = try client.sink(domain: registry.domain, path: "app")
            #expect(try await sink.hasBlob(blob(digest, content.count)) == false)
            try await sink.putBlob(blob(digest, content.count), stream(content))
            try await sink.putManifest(
                Array(manifestText.utf8), mediaType: ManifestMediaType.ociManifest, as: "1")
            let tokens = registry.requests.filter { $0.path == "/token" }
            #expect(tokens.count == 1)
            #expect(tokens.first?.value("scope") == "repository:app:pull,push")
        }
    }

    @Test func mountsInsteadOfSending() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 300))
            let digest = registry.addBlob(bytes(1000), to: "base")
            let sink = try client.sink(
                domain: registry.domain, path: "app", mountable: { _ in ["elsewhere", "base"] })
            #expect(try await sink.hasBlob(blob(digest, 1000)))
            #expect(registry.hasBlob(digest, in: "app"))
            let scopes = registry.requests.filter { $0.path == "/token" }.map { request in
                request.query.filter { $0.name == "scope" }.map(\.value)
            }
            #expect(scopes.contains(["repository:app:pull,push", "repository:base:pull"]))
            #expect(!registry.requests.contains { $0.method == "PUT" })
        }
    }

    @Test func refusedMountBecomesTheUpload() async throws {
        try await withRegistry { registry, client in
            let content = bytes(1000)
            let digest = SHA256.digest(content)
            let sink = try client.sink(domain: registry.domain, path: "app", mountable: { _ in ["base"] })
            #expect(try await sink.hasBlob(blob(digest, 1000)) == false)
            try await sink.putBlob(blob(digest, 1000), stream(content))
            #expect(registry.blob(digest) == content)
            #expect(registry.requests.count { $0.method == "POST" } == 1)
        }
    }

    @Test func chunksWhereOneRequestIsRefused() async throws {
        try await withRegistry { registry, client in
            registry.takeMonolithicUploads(false)
            let content = bytes(500_000)
            let digest = SHA256.digest(content)
            let sink = try client.sink(domain: registry.domain, path: "app")
            try await sink.putBlob(
                blob(digest, content.count),
                reopening: { offset async throws(Failure) in stream(Array(content[Int(offset)...])) })
            #expect(registry.blob(digest) == content)
            let ranges = registry.requests.filter { $0.method == "PATCH" }.compactMap {
                $0.headers["content-range"]
            }
            #expect(ranges == ["0-199999", "200000-399999", "400000-499999"])
        }
    }

    @Test func chunkSentTwice() async throws {
        try await withRegistry { registry, client in
            registry.takeMonolithicUploads(false)
            let content = bytes(500_000)
            let digest = SHA256.digest(content)
            let sink = try client.sink(domain: registry.domain, path: "app")
            // The first chunk arrives, its answer is lost: the client must find out.
            let lost = Flag()
            registry.script { request in
                guard request.method == "PATCH", lost.take() else { return nil }
                _ = registry.takeChunk(request)
                return .rubbish("")
            }
            try await sink.putBlob(
                blob(digest, content.count),
                reopening: { offset async throws(Failure) in stream(Array(content[Int(offset)...])) })
            #expect(registry.blob(digest) == content)
            registry.script(nil)
        }
    }

    @Test func contentOfAnotherLength() async throws {
        try await withRegistry { registry, client in
            let sink = try client.sink(domain: registry.domain, path: "app")
            for size in [1000, 300_000] {
                let content = bytes(size)
                let digest = SHA256.digest(content)
                for wrong in [size - 1, size + 1] {
                    let failure = await failure {
                        try await sink.putBlob(blob(digest, wrong), stream(content))
                    }
                    #expect(failure.code == .dataLoss)
                    #expect(failure.message.contains("has not the \(wrong) bytes"))
                }
            }
        }
    }

    @Test func registryRefusesTheDigest() async throws {
        try await withRegistry { registry, client in
            let sink = try client.sink(domain: registry.domain, path: "app")
            let digest = SHA256.digest([9])
            let failure = await failure { try await sink.putBlob(blob(digest, 1000), stream(bytes(1000))) }
            #expect(failure.code == .invalidArgument)
            #expect(
                failure.message == "blob \(digest.short): registry answered 400: "
                    + "provided digest did not match uploaded content")
        }
    }

    @Test func noRightToPush() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.method == "POST" ? .error(403, "DENIED", "read only") : nil
            }
            let sink = try client.sink(domain: registry.domain, path: "app")
            let failure = await failure {
                try await sink.putBlob(blob(SHA256.digest([1]), 1), stream([1]))
            }
            #expect(failure.code == .permissionDenied)
            #expect(failure.message == "registry answered 403: read only")
        }
    }

    @Test func connectionBreaksInTheMiddle() async throws {
        try await withRegistry { registry, client in
            registry.script { request in request.method == "PUT" ? .rubbish("") : nil }
            let content = bytes(300_000)
            let sink = try client.sink(domain: registry.domain, path: "app")
            let failure = await failure {
                try await sink.putBlob(blob(SHA256.digest(content), content.count), stream(content))
            }
            #expect(failure.code == .unavailable)
        }
    }

    /// An upload may be sent to another host: with its own address, without the login.
    @Test func uploadElsewhereGetsNoLogin() async throws {
        let storage = ScriptedRegistry()
        try storage.start()
        storage.script { _ in Response(201) }
        let target = storage.domain
        let registry = ScriptedRegistry()
        try registry.start()
        registry.authenticate(by: .basic(user: "a", password: "b"))
        registry.script { request in
            request.method == "POST" && request.headers["authorization"] != nil
                ? Response(202, [("Location", "http://\(target)/up?sig=1")]) : nil
        }
        let client = RegistryClient(
            quickConfiguration(environment: [
                "DOCKER_AUTH_CONFIG":
                    #"{"auths":{"\#(registry.domain)":{"username":"a","password":"b"}}}"#
            ]))
        let sink = try client.sink(domain: registry.domain, path: "app")
        let digest = SHA256.digest([1, 2])
        try await sink.putBlob(blob(digest, 2), stream([1, 2]))
        #expect(storage.requests.count == 1)
        #expect(storage.requests.first?.headers["authorization"] == nil)
        #expect(storage.requests.first?.value("sig") == "1")
        #expect(storage.requests.first?.value("digest") == digest.description)
        await client.close()
        registry.stop()
        storage.stop()
    }

    @Test func tagsPageByPage() async throws {
        try await withRegistry { registry, client in
            for tag in ["a", "b", "c", "d", "e"] {
                registry.addManifest(Array(manifestText.utf8), to: "app", tag: tag)
            }
            let got1 = try await client.tags(domain: registry.domain, path: "app")
            #expect(got1 == ["a", "b", "c", "d", "e"])
            let failure = await failure { _ = try await client.tags(domain: registry.domain, path: "none") }
            #expect(failure.code == .notFound)
        }
    }

    @Test func describesWithoutTheBytes() async throws {
        try await withRegistry { registry, client in
            let digest = registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
            let reference = Reference(domain: registry.domain, path: "app", tag: "1", digest: nil)
            let descriptor = try await client.describe(reference)
            #expect(descriptor.digest == digest)
            #expect(descriptor.size == Int64(manifestText.utf8.count))
            #expect(!registry.requests.contains { $0.method == "GET" && $0.path.contains("manifests") })
            // A registry that says nothing in its header is asked for the bytes.
            registry.script { $0.method == "HEAD" ? Response(200) : nil }
            let got2 = try await client.describe(reference)
            #expect(got2 == descriptor)
        }
    }
}

private typealias Response = ScriptedRegistry.Response
