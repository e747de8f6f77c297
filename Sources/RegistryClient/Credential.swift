/// What a registry, or its token server, is shown. Its description never shows the secret.
package enum Credential: Hashable, Sendable {
    case password(user: String, password: String)
    /// An OAuth refresh token, got at login: traded for bearer tokens at the token server.
    case identityToken(String)
    /// A bearer token as it is.
    case registryToken(String)
}

extension Credential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .password(let user, _): "password of \(user)"
        case .identityToken: "identity token"
        case .registryToken: "registry token"
        }
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: []) }
}
