internal import Failure
internal import NIOHTTP1

/// What one client has learned of one registry: how to reach it, how it wants to be authenticated to, and the tokens it
/// gave, for the whole process. Requests of several layers share them: what one is fetching, the others wait for.
actor RegistrySession {
    private enum Demand: Equatable {
        case unknown
        case basic
        case bearer(TokenServer)
    }

    nonisolated let registry: Registry
    private nonisolated let configuration: RegistryConfiguration
    private nonisolated let exchange: HTTPExchange
    /// Set by a login that is being tried; else the host's credential files are asked.
    private let given: Credential?

    private var base: Task<Result<WebAddress, Failure>, Never>?
    private var demand = Demand.unknown
    private var lookups: [String: CredentialLookup.Result] = [:]
    private var tokens: [[TokenScope]: BearerToken] = [:]
    private var fetches: [[TokenScope]: Task<Result<BearerToken, Failure>, Never>] = [:]

    init(
        _ registry: Registry, configuration: RegistryConfiguration, exchange: HTTPExchange,
        credential: Credential? = nil
    ) {
        self.registry = registry
        self.configuration = configuration
        self.exchange = exchange
        given = credential
    }

    /// The address of `/v2/`, its scheme found out at the first use.
    func address() async throws(Failure) -> WebAddress {
        let task: Task<Result<WebAddress, Failure>, Never>
        if let base {
            task = base
        } else {
            let (registry, configuration, exchange) = (registry, configuration, exchange)
            task = Task {
                await SchemeProbe(registry: registry, configuration: configuration, exchange: exchange)
                    .address()
            }
            base = task
        }
        let result = await task.value
        // A registry that was down may be up at the next request.
        if case .failure = result { base = nil }
        return try result.get()
    }

    /// The value of the `Authorization` header for these scopes; nil as long as the registry has asked for none.
    func authorization(_ scopes: [TokenScope]) async throws(Failure) -> String? {
        switch demand {
        case .unknown: return nil
        case .basic:
            guard let credential = await lookup(scopes).credential else { return nil }
            switch credential {
            case .password(let user, let password):
                return "Basic " + Base64.encode("\(user):\(password)".utf8)
            case .registryToken(let token): return "Bearer \(token)"
            case .identityToken(let token): return "Basic " + Base64.encode("<token>:\(token)".utf8)
            }
        case .bearer(let server): return "Bearer " + (try await token(server, scopes).value)
        }
    }

    /// Learns from a 401. Returns when the request may be tried again.
    /// - Parameter used: the `Authorization` that was refused.
    func learn(
        _ challenges: [AuthenticationChallenge], used: String?, scopes: [TokenScope], explanation: String
    ) async throws(Failure) {
        let found = await lookup(scopes)
        if let challenge = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil })
        {
            let base = try await address()
            let text = challenge.parameters["realm"] ?? ""
            guard let realm = base.resolving(text) else {
                throw Failure(
                    .unsupported,
                    "\(base.hostAndPort) names a token server that cannot be used: \(RegistryAnswer.sanitized(text))"
                )
            }
            let server = TokenServer(realm: realm, service: challenge.parameters["service"])
            guard server.mayBeAsked(by: base) else {
                throw Failure(
                    .permissionDenied,
                    "\(base.hostAndPort) names a token server that is not asked: \(realm.redacted)",
                    hint: "a token server must be reached by https, or be on the registry's own host")
            }
            if demand != .bearer(server) { tokens = [:] }
            demand = .bearer(server)
            // Only the refused token is dropped: another request may have fetched a new one meanwhile.
            if let used, let token = tokens[scopes], used == "Bearer \(token.value)" { tokens[scopes] = nil }
        } else if challenges.contains(where: { $0.scheme == "basic" }) {
            guard found.credential != nil else { throw refusal(explanation, found) }
            if let used, used.hasPrefix("Basic ") { throw refusal(explanation, found) }
            demand = .basic
        } else {
            let schemes = challenges.map(\.scheme).joined(separator: ", ")
            throw Failure(
                .unsupported,
                schemes.isEmpty
                    ? "\(registry.name) answered 401 without saying how to authenticate"
                    : "\(registry.name) wants an authentication that ctr does not know: "
                        + RegistryAnswer.sanitized(schemes))
        }
    }

    /// What to say of a 401 that a fresh authorization did not help.
    func refusal(_ explanation: String, scopes: [TokenScope]) async -> Failure {
        refusal(explanation, await lookup(scopes))
    }

    private func refusal(_ explanation: String, _ found: CredentialLookup.Result) -> Failure {
        let reason = explanation.isEmpty ? "" : ": \(explanation)"
        let login = "ctr login \(registry.name)"
        var failure: Failure
        if let credential = found.credential {
            failure = Failure(
                .unauthenticated,
                "registry answered 401: \(registry.name) refused the \(credential)\(reason)",
                hint: "log in again with `\(login)`")
        } else {
            failure = Failure(
                .unauthenticated, "registry answered 401: \(registry.name) wants a login\(reason)",
                hint: "log in with `\(login)`")
        }
        if let obstacle = found.obstacles.first {
            failure.hint = "\(RegistryAnswer.sanitized(obstacle.message)); or \(failure.hint ?? "")"
        }
        return failure
    }

    private func lookup(_ scopes: [TokenScope]) async -> CredentialLookup.Result {
        if let given { return CredentialLookup.Result(credential: given) }
        // The first scope is the repository that the request is about.
        let repository = scopes.first?.repository ?? ""
        if let known = lookups[repository] { return known }
        let found = await configuration.credentials.credential(
            registry: registry.name, repository: repository)
        lookups[repository] = found
        return found
    }

    private func token(_ server: TokenServer, _ scopes: [TokenScope]) async throws(Failure) -> BearerToken {
        if let token = tokens[scopes], token.expiry > .now { return token }
        if let fetch = fetches[scopes] { return try await fetch.value.get() }
        let found = await lookup(scopes)
        // The lookup may have let another request come first.
        if let fetch = fetches[scopes] { return try await fetch.value.get() }
        let base = try await address()
        if let fetch = fetches[scopes] { return try await fetch.value.get() }
        let (registry, configuration, exchange) = (registry, configuration, exchange)
        let fetch = Task {
            await TokenRequest(
                server: server, scopes: scopes, registry: base, registryName: registry.name,
                credential: found.credential, trustedHosts: configuration.trustedTokenHosts,
                exchange: exchange
            ).token()
        }
        fetches[scopes] = fetch
        let result = await fetch.value
        fetches[scopes] = nil
        if case .success(let token) = result { tokens[scopes] = token }
        do {
            return try result.get()
        } catch {
            guard error.code == .unauthenticated, let obstacle = found.obstacles.first else { throw error }
            var failure = error
            failure.hint = RegistryAnswer.sanitized(obstacle.message)
            throw failure
        }
    }
}
