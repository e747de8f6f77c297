internal import Failure
internal import NIOHTTP1

/// Gets a bearer token: `GET realm?service=&scope=` with the login, or an OAuth `POST` with an identity token
/// (distribution's token specification and its OAuth2 extension).
struct TokenRequest: Sendable {
    let server: TokenServer
    let scopes: [TokenScope]
    let registry: WebAddress
    let registryName: String
    let credential: Credential?
    let trustedHosts: Set<String>
    let exchange: HTTPExchange

    static let longestAnswer = 128 * 1024

    func token() async -> Result<BearerToken, Failure> {
        do throws(Failure) {
            return .success(try await fetch())
        } catch {
            return .failure(error)
        }
    }

    private func fetch() async throws(Failure) -> BearerToken {
        if case .registryToken(let token) = credential { return BearerToken(registryToken: token) }
        let started = ContinuousClock.now
        let mayKnow = server.mayKnowLogins(of: registry, trusted: trustedHosts)
        var answer: HTTPExchange.Answer
        switch mayKnow ? credential : nil {
        case .identityToken(let token):
            answer = try await post(refreshToken: token)
            // Servers without the OAuth extension.
            if answer.status == 404 || answer.status == 405 {
                _ = try? await exchange.collect(answer, upTo: TokenRequest.longestAnswer)
                answer = try await get(authorization: "Basic " + Base64.encode("<token>:\(token)".utf8))
            }
        case .password(let user, let password):
            answer = try await get(authorization: "Basic " + Base64.encode("\(user):\(password)".utf8))
        case .registryToken, nil: answer = try await get(authorization: nil)
        }
        let body = try await exchange.collect(answer, upTo: TokenRequest.longestAnswer)
        guard answer.status == 200 else {
            throw refusal(answer.status, body, withheld: credential != nil && !mayKnow)
        }
        guard let json = try? JSON(parsing: body), let token = BearerToken(json, received: started) else {
            throw Failure(.dataLoss, "token server \(server.realm.hostAndPort) answered without a token")
        }
        return token
    }

    private func get(authorization: String?) async throws(Failure) -> HTTPExchange.Answer {
        var address = server.realm
        if let service = server.service { address = address.appending(query: "service", service) }
        // One parameter a scope; some servers read only the first.
        for scope in scopes { address = address.appending(query: "scope", scope.text) }
        var headers = HTTPHeaders()
        if case .password(let user, _) = credential, authorization != nil {
            address = address.appending(query: "account", user)
        }
        headers.add(name: "Accept", value: "application/json")
        return try await exchange.send(.GET, address, headers: headers, authorization: authorization)
    }

    private func post(refreshToken: String) async throws(Failure) -> HTTPExchange.Answer {
        var fields = [("grant_type", "refresh_token"), ("client_id", "ctr"), ("refresh_token", refreshToken)]
        if let service = server.service { fields.append(("service", service)) }
        if !scopes.isEmpty { fields.append(("scope", scopes.map(\.text).joined(separator: " "))) }
        let form = fields.map { "\($0.0)=\(WebAddress.percentEncoded($0.1))" }.joined(separator: "&")
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        headers.add(name: "Accept", value: "application/json")
        return try await exchange.send(
            .POST, server.realm, headers: headers, authorization: nil, body: Array(form.utf8))
    }

    private func refusal(_ status: Int, _ body: [UInt8], withheld: Bool) -> Failure {
        let explanation = RegistryAnswer.explanation(body).line
        let reason = explanation.isEmpty ? "" : ": \(explanation)"
        let host = server.realm.hostAndPort
        guard [400, 401, 403].contains(status) else {
            return Failure(
                status == 429 ? .resourceExhausted : .unavailable,
                "token server \(host) answered \(status)\(reason)")
        }
        if withheld {
            return Failure(
                .unauthenticated,
                "token server \(host) answered \(status); the login of \(registryName) was not sent to this other site",
                hint: "to trust it, set CTR_TOKEN_HOSTS=\(server.realm.host)")
        }
        guard let credential else {
            return Failure(
                .unauthenticated, "token server \(host) answered \(status)\(reason)",
                hint: "log in with `ctr login \(registryName)`")
        }
        return Failure(
            .unauthenticated,
            "token server \(host) answered \(status) and refused the \(credential)\(reason)",
            hint: "log in again with `ctr login \(registryName)`")
    }
}
