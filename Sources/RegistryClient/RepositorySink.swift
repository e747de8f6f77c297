internal import AsyncHTTPClient
package import Failure
internal import NIOCore
internal import NIOHTTP1
package import OCI
internal import Synchronization

/// One repository to push to.
package struct RepositorySink: ContentSink {
    let client: RegistryClient
    let session: RegistrySession
    let repository: String
    let mountable: @Sendable (Digest) -> [String]
    /// Uploads that a refused mount has opened already.
    private let openUploads = OpenUploads()

    init(
        client: RegistryClient, session: RegistrySession, repository: String,
        mountable: @escaping @Sendable (Digest) -> [String]
    ) {
        self.client = client
        self.session = session
        self.repository = repository
        self.mountable = mountable
    }

    private final class OpenUploads: Sendable {
        let locations = Mutex<[Digest: WebAddress]>([:])
    }

    /// Both at once, and the same for every request, so that one token serves a whole push.
    private var scopes: [TokenScope] { [TokenScope(repository: repository, [.pull, .push])] }

    /// Whether the repository has the blob, or could take it from another one of its registry without its bytes being sent
    /// (distribution-spec, "Mounting a blob from another repository").
    package func hasBlob(_ descriptor: Descriptor) async throws(Failure) -> Bool {
        let answer = try await client.send(
            RegistryRequest(
                method: .HEAD, target: .path("\(repository)/blobs/\(descriptor.digest)"), scopes: scopes),
            session)
        switch answer.status {
        case 200:
            await client.exchange.discard(answer)
            let length = answer.headers.first(name: "Content-Length").flatMap { Int64($0) }
            // What is there under the digest with another size is broken, and is sent again.
            return length == nil || length == descriptor.size
        case 404: await client.exchange.discard(answer)
        default: throw await client.failure(answer, what: "no such blob")
        }
        for other in mountable(descriptor.digest).prefix(3) where other != repository {
            if try await mount(descriptor, from: other) { return true }
        }
        return false
    }

    private func mount(_ descriptor: Descriptor, from other: String) async throws(Failure) -> Bool {
        let digest = WebAddress.percentEncoded(descriptor.digest.description)
        let from = WebAddress.percentEncoded(other)
        var request = RegistryRequest(
            method: .POST, target: .path("\(repository)/blobs/uploads/?mount=\(digest)&from=\(from)"))
        request.scopes = scopes + [TokenScope(repository: other, [.pull])]
        request.headers.add(name: "Content-Length", value: "0")
        let answer: HTTPExchange.Answer
        do {
            answer = try await client.send(request, session)
        } catch  where error.code == .unauthenticated || error.code == .permissionDenied {
            // No right to read the other repository: then the bytes are sent.
            return false
        }
        await client.exchange.discard(answer)
        if answer.status == 202, let location = location(answer) {
            openUploads.locations.withLock { $0[descriptor.digest] = location }
        }
        return answer.status == 201
    }

    /// Sends the blob. The registry verifies the digest. A blob of more than `smallUpload` bytes comes from a stream that can be read
    /// once, so trouble on the way ends the upload; `putBlob(_:reopening:)` can go on.
    package func putBlob(_ descriptor: Descriptor, _ stream: BlobStream) async throws(Failure) {
        guard stream.offset == 0 else {
            throw Failure(
                .internal, "an upload begins at byte \(stream.offset) of blob \(descriptor.digest.short)")
        }
        if descriptor.size <= Int64(client.configuration.smallUpload) {
            try await putSmall(descriptor, try await all(of: stream, descriptor))
        } else {
            try await putStreamed(descriptor, stream)
        }
    }

    /// Sends the blob from a source that can be read again: by one request where the registry takes that, else in
    /// chunks, each of which can be sent again.
    package func putBlob(
        _ descriptor: Descriptor,
        reopening open: @Sendable (_ offset: UInt64) async throws(Failure) -> BlobStream
    ) async throws(Failure) {
        let stream = try await open(0)
        if descriptor.size <= Int64(client.configuration.smallUpload) {
            return try await putSmall(descriptor, try await all(of: stream, descriptor))
        }
        do {
            return try await putStreamed(descriptor, stream)
        } catch  where RepositorySink.mayHelpInChunks(error) {
            openUploads.locations.withLock { $0[descriptor.digest] = nil }
        }
        try await putChunked(descriptor, try await open(0))
    }

    /// A proxy's limit on bodies, a registry without monolithic uploads, a connection that broke.
    private static func mayHelpInChunks(_ failure: Failure) -> Bool {
        [.resourceExhausted, .unsupported, .unavailable, .dataLoss].contains(failure.code)
    }

    /// Takes a manifest or index by its exact bytes.
    /// - Throws: `dataLoss` when the registry took it under another digest than its bytes have.
    package func putManifest(
        _ bytes: [UInt8], mediaType: String, as reference: String
    ) async throws(Failure) {
        let answer = try await client.send(
            RegistryRequest(
                method: .PUT, target: .path("\(repository)/manifests/\(reference)"),
                headers: ["Content-Type": mediaType], scopes: scopes, body: bytes), session)
        guard (200...299).contains(answer.status) else {
            throw await client.failure(answer, what: "no such repository")
        }
        await client.exchange.discard(answer)
        guard let stated = answer.headers.first(name: "Docker-Content-Digest").flatMap({ try? Digest($0) })
        else { return }
        let own = client.configuration.hash(stated.algorithm, bytes)
        guard stated == own else {
            throw Failure(.dataLoss, "registry stored the manifest as \(stated), it has digest \(own)")
        }
    }
}

extension RepositorySink {
    private func all(of stream: BlobStream, _ descriptor: Descriptor) async throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await stream.next() {
            bytes += piece
            guard bytes.count <= descriptor.size else { throw mismatch(descriptor) }
        }
        guard bytes.count == descriptor.size else { throw mismatch(descriptor) }
        return bytes
    }

    private func mismatch(_ descriptor: Descriptor) -> Failure {
        Failure(
            .dataLoss,
            "blob \(descriptor.digest.short) has not the \(descriptor.size) bytes that its manifest says")
    }

    /// Opens an upload: `POST` gives the address that the bytes go to.
    private func begin(_ descriptor: Descriptor) async throws(Failure) -> WebAddress {
        if let location = openUploads.locations.withLock({ $0.removeValue(forKey: descriptor.digest) }) {
            return location
        }
        let answer = try await client.send(
            RegistryRequest(
                method: .POST, target: .path("\(repository)/blobs/uploads/"),
                headers: ["Content-Length": "0"],
                scopes: scopes), session)
        guard answer.status == 202 else { throw await client.failure(answer, what: "no such repository") }
        guard let location = location(answer) else {
            throw Failure(.unavailable, "\(answer.address.hostAndPort) opened an upload without saying where")
        }
        await client.exchange.discard(answer)
        return location
    }

    private func location(_ answer: HTTPExchange.Answer) -> WebAddress? {
        answer.headers.first(name: "Location").flatMap { answer.address.resolving($0) }
    }

    private func putSmall(_ descriptor: Descriptor, _ bytes: [UInt8]) async throws(Failure) {
        let location = try await begin(descriptor)
        let answer = try await client.send(
            RegistryRequest(
                method: .PUT,
                target: .address(location.appending(query: "digest", descriptor.digest.description)),
                headers: ["Content-Type": "application/octet-stream"], scopes: scopes, body: bytes), session)
        try await finish(answer, descriptor)
    }

    private func putStreamed(_ descriptor: Descriptor, _ stream: BlobStream) async throws(Failure) {
        let request = RegistryRequest(
            method: .PUT,
            target: .address(
                try await begin(descriptor).appending(query: "digest", descriptor.digest.description)),
            scopes: scopes)
        // The token was seen to be good a moment ago, by `begin`.
        let (address, authorization) = try await client.prepare(request, session)
        let body = UploadBody(stream: stream, descriptor: descriptor, mismatch: mismatch(descriptor))
        let answer: HTTPExchange.Answer
        do throws(TransportError) {
            answer = try await client.exchange.sendOnce(
                .PUT, address, headers: ["Content-Type": "application/octet-stream"],
                authorization: authorization,
                body: .stream(body, length: .known(descriptor.size)))
        } catch {
            throw error.failure
        }
        if answer.status == 401 {
            try await client.learn(answer, used: authorization, request, session, mayTryAgain: false)
        }
        try await finish(answer, descriptor)
    }

    /// distribution-spec, "Pushing a blob in chunks".
    func putChunked(_ descriptor: Descriptor, _ stream: BlobStream) async throws(Failure) {
        var location = try await begin(descriptor)
        var sent: Int64 = 0
        var held: [UInt8] = []
        var isAtEnd = false
        while !isAtEnd {
            while held.count < client.configuration.uploadChunk, !isAtEnd {
                if let piece = try await stream.next() { held += piece } else { isAtEnd = true }
            }
            if held.isEmpty { break }
            guard sent + Int64(held.count) <= descriptor.size else { throw mismatch(descriptor) }
            let answer = try await client.send(
                RegistryRequest(
                    method: .PATCH, target: .address(location),
                    headers: [
                        "Content-Type": "application/octet-stream",
                        "Content-Range": "\(sent)-\(sent + Int64(held.count) - 1)",
                    ], scopes: scopes, body: held), session)
            // 416 to a chunk that was sent twice: the first sending had arrived after all.
            let arrived =
                answer.status == 416
                ? try await isAt(sent + Int64(held.count), location) : (200...299).contains(answer.status)
            guard arrived else { throw await client.failure(answer, what: "the upload is gone") }
            await client.exchange.discard(answer)
            location = self.location(answer) ?? location
            sent += Int64(held.count)
            held.removeAll(keepingCapacity: true)
        }
        guard sent == descriptor.size else { throw mismatch(descriptor) }
        let answer = try await client.send(
            RegistryRequest(
                method: .PUT,
                target: .address(location.appending(query: "digest", descriptor.digest.description)),
                headers: ["Content-Length": "0"], scopes: scopes), session)
        try await finish(answer, descriptor)
    }

    /// Whether the upload holds exactly this many bytes: `Range: 0-99` is a hundred.
    private func isAt(_ count: Int64, _ location: WebAddress) async throws(Failure) -> Bool {
        let answer = try await client.send(
            RegistryRequest(method: .GET, target: .address(location), scopes: scopes), session)
        await client.exchange.discard(answer)
        return answer.headers.first(name: "Range")?.split(separator: "-").last.flatMap { Int64($0) } == count
            - 1
    }

    private func finish(_ answer: HTTPExchange.Answer, _ descriptor: Descriptor) async throws(Failure) {
        guard (200...299).contains(answer.status) else {
            throw await client.failure(answer, what: "the upload is gone").within(
                "blob \(descriptor.digest.short)")
        }
        await client.exchange.discard(answer)
        guard let stated = answer.headers.first(name: "Docker-Content-Digest").flatMap({ try? Digest($0) }),
            stated.algorithm == descriptor.digest.algorithm
        else { return }
        guard stated == descriptor.digest else {
            throw Failure(.dataLoss, "registry stored blob \(descriptor.digest.short) as \(stated)")
        }
    }
}
