package import Failure

/// The protocol of `docker-credential-NAME`: the server's name on standard input for `get` and `erase`, a JSON object
/// for `store`; `get` answers with one.
package enum CredentialHelper {
    /// Refuses a name that would be a path: a file of credentials must not choose any program on this host.
    /// - Throws: `Failure.invalidArgument`.
    package static func check(_ program: String) throws(Failure) {
        let allowed = program.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: "-_.".utf8.contains(byte)
            }
        }
        guard allowed else {
            throw Failure(
                .invalidArgument, "\"\(RegistryAnswer.sanitized(program))\" is not a credential helper's name"
            )
        }
    }

    /// Input of `get` and `erase`.
    package static func serverName(_ registry: String) -> [UInt8] {
        Array(CredentialKey.written(for: registry).utf8)
    }

    /// Input of `store`; nil for a credential that helpers do not keep.
    package static func storeInput(_ registry: String, _ credential: Credential) -> [UInt8]? {
        let user: String
        let secret: String
        switch credential {
        case .password(let name, let password): (user, secret) = (name, password)
        case .identityToken(let token): (user, secret) = ("<token>", token)
        case .registryToken: return nil
        }
        return JSON.object([
            JSON.Member("ServerURL", .string(CredentialKey.written(for: registry))),
            JSON.Member("Username", .string(user)),
            JSON.Member("Secret", .string(secret)),
        ]).serialized()
    }

    /// Output of `get`; nil when both fields are empty, as some helpers answer for an unknown server.
    static func credential(_ output: [UInt8], program: String) throws(Failure) -> Credential? {
        let json: JSON
        do {
            json = try JSON(parsing: output)
        } catch {
            throw Failure(.invalidArgument, "\(program) answered something that is not JSON")
        }
        guard let user = json["Username"]?.text, let secret = json["Secret"]?.text else {
            throw Failure(.invalidArgument, "\(program) answered without Username and Secret")
        }
        if user.isEmpty, secret.isEmpty { return nil }
        return user == "<token>" ? .identityToken(secret) : .password(user: user, password: secret)
    }
}
