package import Failure
internal import NIOHTTP1
package import OCI

/// One repository to pull from.
package struct RepositorySource: ContentSource {
    let client: RegistryClient
    let session: RegistrySession
    let repository: String

    /// distribution-spec asks registries to take manifests of 4 MiB; no more is read.
    package static let longestManifest = 4 << 20

    private var scopes: [TokenScope] { [TokenScope(repository: repository, [.pull])] }

    package func manifest(tag: String) async throws(Failure) -> FetchedManifest {
        try await manifest(tag, digest: nil)
    }

    /// - Throws: `dataLoss` when the bytes are not those of the digest.
    package func manifest(_ digest: Digest) async throws(Failure) -> FetchedManifest {
        try await manifest(digest.description, digest: digest)
    }

    private func manifest(_ name: String, digest: Digest?) async throws(Failure) -> FetchedManifest {
        let answer = try await client.send(request(.GET, name), session)
        guard answer.status == 200 else { throw await client.failure(answer, what: missing(digest)) }
        let bytes: [UInt8]
        do {
            bytes = try await client.exchange.collect(answer, upTo: RepositorySource.longestManifest)
        } catch  where error.code == .resourceExhausted {
            throw Failure(.resourceExhausted, "the manifest is longer than 4 MiB")
        }
        let computed = client.configuration.hash(digest?.algorithm ?? .sha256, bytes)
        if let digest, computed != digest {
            throw Failure(.dataLoss, "registry answered a manifest with digest \(computed) for \(digest)")
        }
        // Registries may leave the header out; then there is only what was computed.
        if let stated = stated(answer) {
            let again =
                stated.algorithm == computed.algorithm
                ? computed : client.configuration.hash(stated.algorithm, bytes)
            guard stated == again else {
                throw Failure(.dataLoss, "registry says digest \(stated), the manifest has \(again)")
            }
        }
        let mediaType = try ManifestMediaType.of(
            bytes, contentType: answer.headers.first(name: "Content-Type"))
        return FetchedManifest(
            descriptor: Descriptor(mediaType: mediaType, digest: computed, size: Int64(bytes.count)),
            bytes: bytes)
    }

    /// The descriptor by a HEAD request; nil when the registry's header does not tell all of it.
    func head(_ name: String) async throws(Failure) -> Descriptor? {
        let answer = try await client.send(request(.HEAD, name), session)
        if answer.status == 405 || answer.status == 501 { return nil }
        guard answer.status == 200 else { throw await client.failure(answer, what: missing(nil)) }
        await client.exchange.discard(answer)
        guard let digest = stated(answer),
            let size = answer.headers.first(name: "Content-Length").flatMap({ Int64($0) }), size > 0,
            let type = answer.headers.first(name: "Content-Type")?.prefix(while: { $0 != ";" }),
            ManifestMediaType.known.contains(String(type))
        else { return nil }
        return Descriptor(mediaType: String(type), digest: digest, size: size)
    }

    private func request(_ method: HTTPMethod, _ name: String) -> RegistryRequest {
        RegistryRequest(
            method: method, target: .path("\(repository)/manifests/\(name)"),
            headers: ["Accept": ManifestMediaType.accept], scopes: scopes)
    }

    private func missing(_ digest: Digest?) -> String { digest == nil ? "no such tag" : "no such digest" }

    private func stated(_ answer: HTTPExchange.Answer) -> Digest? {
        answer.headers.first(name: "Docker-Content-Digest").flatMap { try? Digest($0) }
    }

    /// The blob's bytes as they arrive. A body that is cut is continued where the registry can do that; one that ends
    /// early for good, or goes on beyond the descriptor's size, throws `dataLoss`. The digest is the reader's to check.
    /// Foreign addresses (`urls`) are never asked (CVE-2020-15157).
    package func openBlob(_ descriptor: Descriptor, from offset: UInt64) async throws(Failure) -> BlobStream {
        guard descriptor.size >= 0, offset <= UInt64(descriptor.size) else {
            throw Failure(
                .invalidArgument, "blob \(descriptor.digest.short) cannot be read from byte \(offset)")
        }
        if offset == UInt64(descriptor.size) {
            return BlobStream(offset: offset, next: { () async throws(Failure) in nil })
        }
        let (answer, start) = try await open(descriptor, at: offset)
        let body = BlobBody(source: self, descriptor: descriptor, position: start, answer: answer)
        return BlobStream(offset: start, next: { () async throws(Failure) in try await body.next() })
    }

    /// Asks for the blob from `offset` on; gives the answer and the offset that it begins at, which is 0 when the
    /// registry cannot do ranges.
    func open(_ descriptor: Descriptor, at offset: UInt64) async throws(Failure) -> (
        HTTPExchange.Answer, UInt64
    ) {
        var request = RegistryRequest(
            method: .GET, target: .path("\(repository)/blobs/\(descriptor.digest)"), scopes: scopes)
        if offset > 0 { request.headers.add(name: "Range", value: "bytes=\(offset)-") }
        let answer = try await client.send(request, session)
        let start: UInt64
        switch answer.status {
        case 200: start = 0
        case 206:
            guard let first = RepositorySource.rangeStart(answer.headers.first(name: "Content-Range")),
                first == offset
            else {
                throw Failure(
                    .dataLoss, "registry answered another range of blob \(descriptor.digest.short) than asked"
                )
            }
            start = first
        case 416 where offset > 0:
            await client.exchange.discard(answer)
            return try await open(descriptor, at: 0)
        default: throw await client.failure(answer, what: "blob \(descriptor.digest.short) is missing")
        }
        if let length = answer.headers.first(name: "Content-Length").flatMap({ UInt64($0) }),
            start + length != UInt64(descriptor.size)
        {
            throw Failure(
                .dataLoss,
                "blob \(descriptor.digest.short) has \(start + length) bytes at the registry, \(descriptor.size) in the manifest"
            )
        }
        return (answer, start)
    }

    /// `bytes 100-199/200` gives 100.
    static func rangeStart(_ header: String?) -> UInt64? {
        guard let header, header.hasPrefix("bytes ") else { return nil }
        return UInt64(header.dropFirst(6).prefix { $0 != "-" })
    }
}
