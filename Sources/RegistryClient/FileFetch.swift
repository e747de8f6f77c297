internal import AsyncHTTPClient
package import Failure
internal import NIOCore
internal import NIOHTTP1
package import OCI

/// Files of web servers, for builds: the same transport as of registries, without their logins.
package struct FileFetch: Sendable {
    private let exchange: HTTPExchange

    /// Of the configuration the proxies, the certificates, the timeouts and the retries count. Certificates are checked
    /// for every host: a registry that is named an insecure one is none here.
    package init(_ configuration: RegistryConfiguration) {
        var configuration = configuration
        configuration.insecureRegistries = []
        var exchange = HTTPExchange(transport: HTTPTransport(configuration), retry: configuration.retry)
        exchange.mostRedirects = 10
        self.exchange = exchange
    }

    /// Ends the connections and the event loop's threads.
    package func close() async { await exchange.transport.close() }

    /// Downloads a file of any size, its SHA-256 computed on the way.
    ///
    /// Redirects are followed, never from https to http; a login of the address goes to its own origin only. A body that
    /// is cut is continued where the server can do that, else begun anew.
    /// - Parameter etag: of the file that is here already; the answer may be that it has not changed.
    /// - Throws: `notFound` (404, 410), `unauthenticated` (401), `permissionDenied` (403, or plain http after https),
    ///   `unavailable`, `dataLoss` (cut again and again), `invalidArgument`.
    package func fetch(_ address: String, to sink: some FileSink, etag: String? = nil) async throws(Failure)
        -> FetchedFile
    {
        let asked = try FileAddress(address)
        do throws(Failure) {
            return try await fetch(asked, sink, etag)
        } catch {
            throw error.within(asked.web.redacted)
        }
    }

    private func fetch(_ asked: FileAddress, _ sink: some FileSink, _ etag: String?) async throws(Failure)
        -> FetchedFile
    {
        var headers: HTTPHeaders = ["Accept": "*/*", "Accept-Encoding": "identity"]
        var conditional = headers
        if let etag {
            guard FileFetch.isTag(etag) else { throw Failure(.invalidArgument, "an ETag is damaged") }
            conditional.add(name: "If-None-Match", value: etag)
        }
        var answer = try await exchange.send(
            .GET, asked.web, headers: conditional, authorization: asked.authorization)
        if answer.status == 304, etag != nil {
            await exchange.discard(answer)
            return file(.unchanged, answer, asked, etag: etag)
        }
        guard answer.status == 200 else { throw await failure(answer) }
        var strongTag = FileFetch.strongTag(answer)
        var hash = ContentHash()
        var size: UInt64 = 0
        var (cuts, sizeAtCut): (Int, UInt64) = (0, 0)
        try sink.begin()
        while true {
            guard let cut = try await copy(answer, to: sink, &hash, &size) else {
                return file(.written(digest: try hash.finish(), size: size), answer, asked, etag: nil)
            }
            // A server that gives a few bytes and hangs up, again and again, comes to an end too.
            cuts = size >= sizeAtCut + 1 << 20 ? 1 : cuts + 1
            sizeAtCut = max(size, sizeAtCut)
            guard cuts < exchange.retry.tries,
                let pause = exchange.retry.pause(beforeTry: cuts + 1, asked: nil)
            else { throw cut }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw Failure(.interrupted, "interrupted")
            }
            headers.remove(name: "Range")
            headers.remove(name: "If-Range")
            if let strongTag {
                headers.add(name: "Range", value: "bytes=\(size)-")
                headers.add(name: "If-Range", value: strongTag)
            }
            answer = try await exchange.send(
                .GET, asked.web, headers: headers, authorization: asked.authorization)
            switch answer.status {
            case 206 where strongTag != nil:
                let start = RepositorySource.rangeStart(answer.headers.first(name: "Content-Range"))
                guard start == size else {
                    throw Failure(
                        .dataLoss, "\(answer.address.hostAndPort) answered another range than asked")
                }
            case 200:
                (hash, size) = (ContentHash(), 0)
                strongTag = FileFetch.strongTag(answer)
                try sink.begin()
            default: throw await failure(answer)
            }
        }
    }

    /// Writes a body as it comes. The failure of one that was cut; nil when it was whole.
    private func copy(
        _ answer: HTTPExchange.Answer, to sink: some FileSink, _ hash: inout ContentHash, _ size: inout UInt64
    ) async throws(Failure) -> Failure? {
        let start = size
        let length = answer.headers.first(name: "Content-Length").flatMap { UInt64($0) }
        var pieces = answer.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
                // A cancelled task ends the sequence without a word.
                if piece == nil, Task.isCancelled { throw CancellationError() }
            } catch {
                let trouble = TransportError(
                    error, from: answer.address, timeouts: exchange.transport.timeouts)
                guard trouble.reason == .cut else { throw trouble.failure }
                return cut(answer, size)
            }
            guard var piece else {
                return length.map { $0 == size - start } ?? true ? nil : cut(answer, size)
            }
            guard let bytes = piece.readBytes(length: piece.readableBytes) else { continue }
            hash.update(bytes)
            try sink.write(bytes)
            size += UInt64(bytes.count)
        }
    }

    private func cut(_ answer: HTTPExchange.Answer, _ size: UInt64) -> Failure {
        Failure(.dataLoss, "\(answer.address.hostAndPort) cut the file after \(size) bytes")
    }

    private func file(
        _ content: FetchedFile.Content, _ answer: HTTPExchange.Answer, _ asked: FileAddress, etag: String?
    ) -> FetchedFile {
        let type = answer.headers.first(name: "Content-Type")?.prefix { $0 != ";" && $0 != " " }
        return FetchedFile(
            content: content, address: answer.address.redacted,
            name: ContentDisposition.fileName(answer.headers.first(name: "Content-Disposition"))
                ?? asked.name ?? "download",
            etag: answer.headers.first(name: "ETag").flatMap { FileFetch.isTag($0) ? $0 : nil } ?? etag,
            modified: answer.headers.first(name: "Last-Modified").flatMap(HTTPDate.seconds),
            mediaType: type.map { $0.lowercased() })
    }

    /// Only a strong validator says that a later answer has the same bytes (RFC 9110, section 8.8.1).
    private static func strongTag(_ answer: HTTPExchange.Answer) -> String? {
        answer.headers.first(name: "ETag").flatMap { isTag($0) && !$0.hasPrefix("W/") ? $0 : nil }
    }

    /// RFC 9110, section 8.8.3; what is kept in a record and sent again is one short line.
    private static func isTag(_ text: String) -> Bool {
        let opaque = text.hasPrefix("W/") ? text.dropFirst(2) : text[...]
        return (2...1024).contains(opaque.utf8.count) && opaque.hasPrefix("\"") && opaque.hasSuffix("\"")
            && opaque.dropFirst().dropLast().utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 < 0x7f }
    }

    private func failure(_ answer: HTTPExchange.Answer) async -> Failure {
        await exchange.discard(answer)
        let said = "\(answer.address.hostAndPort) answered \(answer.status)"
        switch answer.status {
        case 401, 407: return Failure(.unauthenticated, "\(said): a login is needed")
        case 403: return Failure(.permissionDenied, "\(said): access denied")
        case 404, 410: return Failure(.notFound, "\(said): no such file")
        case 429: return Failure(.resourceExhausted, "\(said): too many requests", hint: "try again later")
        case 500...: return Failure(.unavailable, said)
        default: return Failure(.unsupported, said)
        }
    }
}
