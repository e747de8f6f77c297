internal import AsyncHTTPClient
package import Failure
internal import NIOCore
internal import NIOHTTP1
package import OCI
internal import Synchronization

/// Registries over HTTP (distribution-spec 1.1): manifests, blobs, tags, logins. One client serves one process's work:
/// it keeps connections, tokens and what it learned of each registry, and must be closed.
///
/// Every function throws `Failure`: `unauthenticated` (401), `permissionDenied` (403), `notFound` (404),
/// `resourceExhausted` (429, or an answer that is too long), `unavailable` (the registry cannot be reached, is silent, or
/// answers 5xx), `dataLoss` (the bytes are not what they should be), `interrupted` (the task was cancelled).
/// No message holds a secret.
package final class RegistryClient: Sendable {
    let configuration: RegistryConfiguration
    let exchange: HTTPExchange
    private let sessions = Mutex<[Registry: RegistrySession]>([:])

    package init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
        exchange = HTTPExchange(transport: HTTPTransport(configuration), retry: configuration.retry)
    }

    /// Ends the connections and the event loop's threads. What is under way fails.
    package func close() async {
        await exchange.transport.close()
    }

    /// Where a repository's content comes from.
    package func source(domain: String, path: String) throws(Failure) -> RepositorySource {
        RepositorySource(client: self, session: session(try Registry(domain)), repository: path)
    }

    /// Where content is pushed to.
    /// - Parameter mountable: repositories of the same registry that may hold a blob already, likeliest first.
    package func sink(
        domain: String, path: String, mountable: @escaping @Sendable (Digest) -> [String] = { _ in [] }
    ) throws(Failure) -> RepositorySink {
        RepositorySink(
            client: self, session: session(try Registry(domain)), repository: path, mountable: mountable)
    }

    /// Whether the registry answers at all. A registry that wants a login counts as answering.
    package func ping(_ domain: String) async throws(Failure) {
        let session = session(try Registry(domain))
        let address = try await session.address()
        let answer = try await exchange.send(.GET, address, headers: [:], authorization: nil)
        await exchange.discard(answer)
        guard [200, 401, 403].contains(answer.status) else {
            throw await failure(answer, what: "no registry")
        }
    }

    /// Tries a login, nothing is stored. A registry that wants none accepts any.
    package func checkLogin(_ domain: String, _ credential: Credential) async throws(Failure) {
        let session = RegistrySession(
            try Registry(domain), configuration: configuration, exchange: exchange, credential: credential)
        let answer = try await send(RegistryRequest(method: .GET, target: .path("")), session)
        guard answer.status == 200 else { throw await failure(answer, what: "no registry") }
        await exchange.discard(answer)
    }

    /// All tags of a repository in the registry's order, page after page.
    package func tags(domain: String, path: String) async throws(Failure) -> [String] {
        let session = session(try Registry(domain))
        var request = RegistryRequest(
            method: .GET, target: .path("\(path)/tags/list?n=1000"),
            scopes: [TokenScope(repository: path, [.pull])])
        var tags: [String] = []
        // A registry that names the same page again and again must not keep us.
        for _ in 0..<1000 {
            let answer = try await send(request, session)
            guard answer.status == 200 else { throw await failure(answer, what: "no such image") }
            let body = try await exchange.collect(answer, upTo: RepositorySource.longestManifest)
            guard let json = try? JSON(parsing: body), json.members != nil else {
                throw Failure(.dataLoss, "\(answer.address.hostAndPort) answered rubbish for a list of tags")
            }
            // `null` where there are none.
            tags += (json["tags"]?.elements ?? []).compactMap(\.text)
            guard let next = LinkHeader.next(answer.headers["Link"]) else { return tags }
            guard let address = answer.address.resolving(next), address.host == answer.address.host else {
                throw Failure(
                    .unavailable, "\(answer.address.hostAndPort) names a next page that cannot be used")
            }
            request.target = .address(address)
        }
        throw Failure(.resourceExhausted, "\(domain)/\(path) has more pages of tags than can be read")
    }

    private func session(_ registry: Registry) -> RegistrySession {
        sessions.withLock { sessions in
            if let session = sessions[registry] { return session }
            let session = RegistrySession(registry, configuration: configuration, exchange: exchange)
            sessions[registry] = session
            return session
        }
    }
}

extension RegistryClient {
    /// Sends a request with what the registry wants to see, fetching tokens as needed. Gives every answer but 401.
    func send(_ request: RegistryRequest, _ session: RegistrySession) async throws(Failure)
        -> HTTPExchange.Answer
    {
        var rounds = 0
        while true {
            let (address, authorization) = try await prepare(request, session)
            let answer = try await exchange.send(
                request.method, address, headers: request.headers, authorization: authorization,
                body: request.body)
            guard answer.status == 401 else { return answer }
            rounds += 1
            try await learn(answer, used: authorization, request, session, mayTryAgain: rounds < 3)
        }
    }

    /// The address and the authorization of a request. The latter is only for the registry's own origin: an upload may
    /// be sent elsewhere.
    func prepare(
        _ request: RegistryRequest, _ session: RegistrySession
    ) async throws(Failure) -> (WebAddress, String?) {
        let base = try await session.address()
        let address: WebAddress
        switch request.target {
        case .path(let path):
            guard let resolved = base.resolving("/v2/" + path) else {
                throw Failure(.invalidArgument, "\"\(RegistryAnswer.sanitized(path))\" cannot be asked for")
            }
            address = resolved
        case .address(let absolute): address = absolute
        }
        guard address.isSameOrigin(as: base) else {
            if base.scheme == .https, address.scheme == .http {
                throw Failure(
                    .permissionDenied,
                    "\(base.hostAndPort) leads from https to plain http on \(address.hostAndPort)")
            }
            return (address, nil)
        }
        return (address, try await session.authorization(request.scopes))
    }

    /// Takes the challenge of a 401, or throws when this was one too many.
    func learn(
        _ answer: HTTPExchange.Answer, used: String?, _ request: RegistryRequest, _ session: RegistrySession,
        mayTryAgain: Bool
    ) async throws(Failure) {
        let body = (try? await exchange.collect(answer, upTo: TokenRequest.longestAnswer)) ?? []
        let explanation = RegistryAnswer.explanation(body).line
        let isOwn = answer.address.isSameOrigin(as: try await session.address())
        guard mayTryAgain, isOwn else { throw await session.refusal(explanation, scopes: request.scopes) }
        try await session.learn(
            AuthenticationChallenge.parse(answer.headers["WWW-Authenticate"]), used: used,
            scopes: request.scopes,
            explanation: explanation)
    }

    /// The failure that an answer's status means.
    /// - Parameter what: what a 404 says: `no such tag`.
    func failure(_ answer: HTTPExchange.Answer, what: String) async -> Failure {
        let body = (try? await exchange.collect(answer, upTo: TokenRequest.longestAnswer)) ?? []
        let (codes, line) = RegistryAnswer.explanation(body)
        let reason = line.isEmpty ? "" : ": \(line)"
        let prefix = "registry answered \(answer.status)"
        switch answer.status {
        case 403: return Failure(.permissionDenied, prefix + (line.isEmpty ? ": access denied" : reason))
        case 404:
            return Failure(.notFound, "\(prefix): \(codes.contains("NAME_UNKNOWN") ? "no such image" : what)")
        case 429:
            return Failure(
                .resourceExhausted, "\(prefix): too many requests\(reason)",
                hint: "try again later, or log in")
        case 405, 415, 501: return Failure(.unsupported, prefix + reason)
        case 413: return Failure(.resourceExhausted, prefix + (line.isEmpty ? ": too large" : reason))
        case 400..<500: return Failure(.invalidArgument, prefix + reason)
        default: return Failure(.unavailable, prefix + reason)
        }
    }
}
