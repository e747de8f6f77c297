package import Failure

/// One of docker's or podman's credential files:
///
///     { "auths":       { "host[:port][/namespace…]": { "auth": base64("user:password"), "identitytoken": …, … } },
///       "credHelpers": { "host": "name" },
///       "credsStore":  "name" }
///
/// Everything else in it belongs to other programs and is kept.
package struct CredentialFile: Sendable {
    private var json: JSON

    /// An empty file counts as one without entries.
    /// - Throws: `Failure.invalidArgument` for what is no JSON object.
    package init(_ bytes: [UInt8]) throws(Failure) {
        let blank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        json = blank ? .object([]) : try JSON(parsing: bytes)
        guard json.members != nil else { throw Failure(.invalidArgument, "not a JSON object") }
    }

    package init() { json = .object([]) }

    /// The file with a login for `registry` (a domain as references have it; Docker Hub gets the key that docker uses).
    /// The password is stored as it is, in base64: the file must have mode 0600.
    package func adding(_ registry: String, _ credential: Credential) -> [UInt8] {
        var entry = JSON.object([])
        switch credential {
        case .password(let user, let password):
            entry["auth"] = .string(Base64.encode("\(user):\(password)".utf8))
        case .identityToken(let token):
            entry["auth"] = .string(Base64.encode("<token>:".utf8))
            entry["identitytoken"] = .string(token)
        case .registryToken(let token):
            entry["registrytoken"] = .string(token)
        }
        var changed = json
        var logins = changed["auths"].flatMap { $0.members == nil ? nil : $0 } ?? .object([])
        let key = CredentialKey.written(for: registry)
        // An older spelling of the same host would be found beside the new one.
        for other in logins.members ?? []
        where other.name != key && CredentialKey.isHost(other.name, registry) {
            logins[other.name] = nil
        }
        logins[key] = entry
        changed["auths"] = logins
        return changed.serialized()
    }

    /// The file without logins for `registry`, under every spelling of its host; nil when it had none.
    package func removing(_ registry: String) -> [UInt8]? {
        guard var logins = json["auths"], let members = logins.members else { return nil }
        let names = members.map(\.name).filter { CredentialKey.isHost($0, registry) }
        guard !names.isEmpty else { return nil }
        for name in names { logins[name] = nil }
        var changed = json
        changed["auths"] = logins
        return changed.serialized()
    }

    /// The credential helper that keeps this registry's logins, as a program's name; nil when the file does.
    package func helper(for registry: String) -> String? {
        let own = json["credHelpers"]?.members?.last { CredentialKey.isHost($0.name, registry) }?.value.text
        guard let name = own ?? json["credsStore"]?.text, !name.isEmpty else { return nil }
        return "docker-credential-\(name)"
    }

    /// The registries that the file itself has entries for, as written.
    package var registries: [String] { (json["auths"]?.members ?? []).map(\.name) }

    /// The entry whose key matches the most of `registry/repository`; nil without one that holds anything.
    package func credential(registry: String, repository: String) -> Credential? {
        var best: (length: Int, credential: Credential)?
        for member in json["auths"]?.members ?? [] {
            guard
                let length = CredentialKey.matchLength(
                    member.name, registry: registry, repository: repository),
                length >= best?.length ?? 0, let credential = CredentialFile.credential(member.value)
            else { continue }
            best = (length, credential)
        }
        return best?.credential
    }

    private static func credential(_ entry: JSON) -> Credential? {
        if let token = entry["registrytoken"]?.text, !token.isEmpty { return .registryToken(token) }
        if let token = entry["identitytoken"]?.text, !token.isEmpty { return .identityToken(token) }
        if let auth = entry["auth"]?.text, let bytes = Base64.decode(auth),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        {
            // Old docker versions padded the password with NUL.
            let password = bytes[bytes.index(after: colon)...].reversed().drop { $0 == 0 }.reversed()
            let user = String(decoding: bytes[..<colon], as: UTF8.self)
            guard !user.isEmpty else { return nil }
            return .password(user: user, password: String(decoding: password, as: UTF8.self))
        }
        if let user = entry["username"]?.text, let password = entry["password"]?.text, !user.isEmpty {
            return .password(user: user, password: password)
        }
        return nil
    }
}
