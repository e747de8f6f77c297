import Failure
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Registries that misbehave")
struct FaultTests {
    private func reference(_ registry: ScriptedRegistry, _ path: String = "app", digest: Digest? = nil)
        -> Reference
    {
        Reference(domain: registry.domain, path: path, tag: "1", digest: digest)
    }

    @Test func nobodyListens() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.stop()
        let client = RegistryClient(quickConfiguration())
        let failure = await failure { _ = try await client.resolve(reference(registry)) }
        await client.close()
        #expect(failure.code == .unavailable)
        #expect(failure.message == "\(registry.domain) cannot be reached: connection refused")
    }

    @Test func unknownHost() async throws {
        let client = RegistryClient(quickConfiguration())
        let failure = await failure {
            _ = try await client.resolve(
                Reference(domain: "registry.invalid", path: "a", tag: "1", digest: nil))
        }
        await client.close()
        #expect(failure.code == .unavailable)
        #expect(failure.message.contains("registry.invalid:443 cannot be reached"))
    }

    @Test func missingTagAndImage() async throws {
        try await withRegistry { registry, client in
            registry.addManifest(Array(manifestText.utf8), to: "app", tag: "2")
            let tag = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(tag.code == .notFound)
            #expect(tag.message == "registry answered 404: no such tag")
            let image = await failure { _ = try await client.resolve(reference(registry, "nothing")) }
            #expect(image.message == "registry answered 404: no such image")
        }
    }

    @Test func silence() async throws {
        try await withRegistry(impatientConfiguration()) { registry, client in
            registry.script { request in
                guard request.path != "/v2/" else { return nil }
                var response = Response(200)
                response.delay = 60_000
                return response
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .unavailable)
            #expect(failure.message == "\(registry.domain) did not answer within 2.0 seconds")
        }
    }

    @Test func stalledBody() async throws {
        try await withRegistry(impatientConfiguration()) { registry, client in
            let content = bytes(1_000_000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                var response = Response(200, body: content)
                response.slow = (400_000, 10_000)
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let failure = await failure {
                _ = try await read(source.openBlob(blob(digest, content.count), from: 0))
            }
            #expect(failure.code == .unavailable)
            #expect(failure.message == "\(registry.domain) has sent nothing for 0.4 seconds")
        }
    }

    @Test func slowReaderIsNoStall() async throws {
        try await withRegistry(impatientConfiguration()) { registry, client in
            let content = bytes(8_000_000)
            let digest = registry.addBlob(content, to: "app")
            let source = try client.source(domain: registry.domain, path: "app")
            let stream = try await source.openBlob(blob(digest, content.count), from: 0)
            var all = try await stream.next() ?? []
            try await Task.sleep(for: .milliseconds(1200))
            while let piece = try await stream.next() { all += piece }
            #expect(all == content)
        }
    }

    @Test func slowButMovingBody() async throws {
        try await withRegistry(impatientConfiguration()) { registry, client in
            let content = bytes(500_000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                var response = Response(200, body: content)
                response.slow = (50_000, 100)
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            #expect(try await read(source.openBlob(blob(digest, content.count), from: 0)) == content)
        }
    }

    @Test(arguments: [true, false])
    func cutBodyIsContinued(ranges: Bool) async throws {
        try await withRegistry { registry, client in
            let content = bytes(1_500_000)
            let digest = registry.addBlob(content, to: "app")
            registry.serveRanges(ranges)
            registry.script { request in
                guard request.path.contains("/blobs/"), request.count == 1 else { return nil }
                var response = Response(200, body: content)
                response.cutAfter = 700_001
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            #expect(try await read(source.openBlob(blob(digest, content.count), from: 0)) == content)
            // What had arrived but was not read yet when the connection broke is asked for again.
            let range = registry.requests.last?.headers["range"] ?? ""
            let first = try #require(RepositorySource.rangeStart("bytes " + range.dropFirst("bytes=".count)))
            #expect((1...700_001).contains(first))
        }
    }

    @Test func bodyCutAgainAndAgain() async throws {
        try await withRegistry { registry, client in
            let content = bytes(1_000_000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                var response = Response(200, body: content)
                response.cutAfter = 400_000
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let failure = await failure {
                _ = try await read(source.openBlob(blob(digest, content.count), from: 0))
            }
            #expect(failure.code == .dataLoss)
            #expect(
                failure.message.hasPrefix("\(registry.domain) cut blob \(digest.short) after ")
                    && failure.message.hasSuffix(" of 1000000 bytes"))
        }
    }

    @Test func aByteAtATimeIsNoProgress() async throws {
        try await withRegistry { registry, client in
            let content = bytes(1000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                let first = request.headers["range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
                var response = Response(
                    first == 0 ? 200 : 206, [("Content-Range", "bytes \(first)-999/1000")],
                    body: Array(content[first...]))
                response.cutAfter = 1
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let failure = await failure { _ = try await read(source.openBlob(blob(digest, 1000), from: 0)) }
            #expect(failure.code == .dataLoss)
            #expect(registry.requests.count < 6)
        }
    }

    @Test func resumeFromAnOffset() async throws {
        try await withRegistry { registry, client in
            let content = bytes(100_000)
            let digest = registry.addBlob(content, to: "app")
            let source = try client.source(domain: registry.domain, path: "app")
            let rest = try await source.openBlob(blob(digest, content.count), from: 60_000)
            #expect(rest.offset == 60_000)
            #expect(try await read(rest) == Array(content[60_000...]))
            registry.serveRanges(false)
            let whole = try await source.openBlob(blob(digest, content.count), from: 60_000)
            #expect(whole.offset == 0)
            #expect(try await read(whole) == content)
            let nothing = try await source.openBlob(blob(digest, content.count), from: 100_000)
            #expect(nothing.offset == 100_000)
            #expect(try await read(nothing).isEmpty)
        }
    }

    @Test func wrongRange() async throws {
        try await withRegistry { registry, client in
            let content = bytes(1000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                return Response(206, [("Content-Range", "bytes 0-499/1000")], body: Array(content[..<500]))
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let failure = await failure { _ = try await source.openBlob(blob(digest, 1000), from: 500) }
            #expect(failure.code == .dataLoss)
        }
    }

    @Test(arguments: [true, false])
    func wrongLength(chunked: Bool) async throws {
        try await withRegistry { registry, client in
            let content = bytes(1000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                var response = Response(200, body: content)
                response.isChunked = chunked
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let more = await failure { _ = try await read(source.openBlob(blob(digest, 999), from: 0)) }
            #expect(more.code == .dataLoss)
            let less = await failure { _ = try await read(source.openBlob(blob(digest, 1001), from: 0)) }
            #expect(less.code == .dataLoss)
            if chunked {
                #expect(try await read(source.openBlob(blob(digest, 1000), from: 0)) == content)
            }
        }
    }

    @Test func manifestOfAnotherDigest() async throws {
        try await withRegistry { registry, client in
            let text = manifestText
            registry.script { request in
                request.path.contains("/manifests/")
                    ? Response(
                        200, [("Content-Type", ManifestMediaType.ociManifest)], text: text + " ") : nil
            }
            let asked = SHA256.digest(Array(text.utf8))
            let failure = await failure {
                _ = try await client.resolve(reference(registry, digest: asked))
            }
            #expect(failure.code == .dataLoss)
            #expect(failure.message.contains("for \(asked)"))
        }
    }

    @Test func headerOfAnotherDigest() async throws {
        try await withRegistry { registry, client in
            let text = manifestText
            let other = SHA256.digest([1])
            registry.script { request in
                request.path.contains("/manifests/")
                    ? Response(
                        200,
                        [
                            ("Content-Type", ManifestMediaType.ociManifest),
                            ("Docker-Content-Digest", "\(other)"),
                        ],
                        text: text) : nil
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .dataLoss)
        }
    }

    @Test func missingHeadersAndParametersAreTaken() async throws {
        try await withRegistry { registry, client in
            let text = manifestText
            registry.script { request in
                guard request.path.contains("/manifests/") else { return nil }
                switch request.path.last {
                case "1":
                    return Response(
                        200, [("Content-Type", "\(ManifestMediaType.ociManifest); charset=utf-8")], text: text
                    )
                default: return Response(200, [("Content-Type", "application/json")], text: text)
                }
            }
            for tag in ["1", "2"] {
                let manifest = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: tag, digest: nil))
                #expect(manifest.descriptor.mediaType == ManifestMediaType.ociManifest)
                #expect(manifest.descriptor.digest == SHA256.digest(Array(text.utf8)))
            }
        }
    }

    @Test(arguments: [
        "<html>welcome to the hotel</html>", "", "[]", "{}",
        #"{"schemaVersion":2,"layers":[],"manifests":[]}"#,
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","layers":[],"config":{}}"#,
        String(repeating: "[", count: 100_000),
    ])
    func rubbishManifests(text: String) async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path.contains("/manifests/")
                    ? Response(200, [("Content-Type", ManifestMediaType.ociManifest)], text: text) : nil
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .dataLoss)
            #expect(!failure.message.contains("\n"))
        }
    }

    @Test func schemaOne() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path.contains("/manifests/") ? Response(200, text: #"{"schemaVersion":1}"#) : nil
            }
            #expect(await failure { _ = try await client.resolve(reference(registry)) }.code == .unsupported)
        }
    }

    @Test(arguments: [true, false])
    func endlessManifest(chunked: Bool) async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                guard request.path.contains("/manifests/") else { return nil }
                var response = Response(200, body: [UInt8](repeating: 0x20, count: 5 << 20))
                response.isChunked = chunked
                return response
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .resourceExhausted)
            #expect(failure.message == "the manifest is longer than 4 MiB")
        }
    }

    @Test func answersThatAreNotHTTP() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path == "/v2/" ? nil : .rubbish("220 mail.example.org ESMTP\r\n")
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .unavailable)
            #expect(failure.message == "\(registry.domain) answered something that is not HTTP")
        }
    }

    @Test func hangsUp() async throws {
        try await withRegistry { registry, client in
            registry.script { request in request.path == "/v2/" ? nil : .rubbish("") }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .unavailable)
            #expect(failure.message == "\(registry.domain) closed the connection")
            #expect(registry.requests.count { $0.path != "/v2/" } == 3)
        }
    }

    @Test(arguments: [429, 503])
    func passingTroubleIsWaitedOut(status: Int) async throws {
        try await withRegistry { registry, client in
            registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
            registry.script { request in
                guard request.path.contains("/manifests/"), request.count == 1 else { return nil }
                return .error(status, "TOOMANYREQUESTS", "slow down", [("Retry-After", "1")])
            }
            let started = ContinuousClock.now
            _ = try await client.resolve(reference(registry))
            #expect(ContinuousClock.now - started >= .seconds(1))
        }
    }

    @Test func tooManyRequestsForGood() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path.contains("/manifests/")
                    ? .error(
                        429, "TOOMANYREQUESTS", "you have reached your limit", [("Retry-After", "86400")])
                    : nil
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .resourceExhausted)
            #expect(
                failure.message == "registry answered 429: too many requests: you have reached your limit")
            #expect(registry.requests.count { $0.path != "/v2/" } == 1)
        }
    }

    @Test func errorsAreMadeFitForATerminal() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path.contains("/manifests/")
                    ? .error(403, "DENIED", "no\\u001b[2J\\nway\\u202e" + String(repeating: "x", count: 5000))
                    : nil
            }
            let failure = await failure { _ = try await client.resolve(reference(registry)) }
            #expect(failure.code == .permissionDenied)
            #expect(failure.message.hasPrefix("registry answered 403: no [2J way xxx"))
            #expect(failure.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
            #expect(failure.message.count < 300)
        }
    }

    @Test func cancellation() async throws {
        try await withRegistry { registry, client in
            let content = bytes(1_000_000)
            let digest = registry.addBlob(content, to: "app")
            registry.script { request in
                guard request.path.contains("/blobs/") else { return nil }
                var response = Response(200, body: content)
                response.slow = (10_000, 200)
                return response
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let task = Task { try await read(source.openBlob(blob(digest, content.count), from: 0)) }
            try await Task.sleep(for: .milliseconds(500))
            task.cancel()
            let failure = await failure { _ = try await task.value }
            #expect(failure.code == .interrupted)
        }
    }
}

private typealias Response = ScriptedRegistry.Response
