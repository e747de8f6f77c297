package import Engine
package import Failure
internal import LinuxSystem
internal import OCI
internal import RegistryClient

extension Engine {
    /// Tries a login at the registry and keeps it: in docker's file (or REGISTRY_AUTH_FILE), or by the credential
    /// helper that the file names.
    ///
    /// - Returns: the file's path, or the helper's name.
    /// - Throws: `unauthenticated` where the registry refuses; nothing is kept then.
    package func login(_ registry: String, user: String, password: String) throws(Failure) -> String {
        do throws(Failure) {
            let registry = try Engine.registryName(registry)
            guard !user.isEmpty, !user.contains(":") else {
                throw Failure(.invalidArgument, "a user name is not empty and has no colon")
            }
            let credential = Credential.password(user: user, password: password)
            try blocking { () async throws(Failure) in
                let client = RegistryAccess.client()
                do throws(Failure) {
                    try await client.checkLogin(registry, credential)
                    await client.close()
                } catch {
                    await client.close()
                    throw error
                }
            }
            let path = try loginPath()
            let file = try CredentialFile(try readLogins(path))
            if let helper = file.helper(for: registry),
                let input = CredentialHelper.storeInput(registry, credential)
            {
                try CredentialHelper.check(helper)
                _ = try RegistryAccess.runHelper(helper, "store", input)
                return helper
            }
            try write(file.adding(registry, credential), to: path)
            return path
        } catch {
            throw error.within("login \(registry)")
        }
    }

    /// Forgets the logins of a registry. Answers whether there was one.
    package func logout(_ registry: String) throws(Failure) -> Bool {
        do throws(Failure) {
            let registry = try Engine.registryName(registry)
            let path = try loginPath()
            let file = try CredentialFile(try readLogins(path))
            var removed = false
            if let helper = file.helper(for: registry) {
                try CredentialHelper.check(helper)
                do throws(Failure) {
                    _ = try RegistryAccess.runHelper(helper, "erase", CredentialHelper.serverName(registry))
                    removed = true
                } catch {
                    guard error.code == .notFound else { throw error }
                }
            }
            if let rest = file.removing(registry) {
                try write(rest, to: path)
                removed = true
            }
            return removed
        } catch {
            throw error.within("logout \(registry)")
        }
    }

    /// `https://host:5000/v2/` and `host:5000` are the same registry.
    private static func registryName(_ text: String) throws(Failure) -> String {
        var name = text[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) {
            name = name.dropFirst(scheme.count)
        }
        name = name.prefix { $0 != "/" }
        let hub: Set = ["index.docker.io", "registry-1.docker.io", "docker.io"]
        if hub.contains(String(name)) { return Reference.hubDomain }
        guard !name.isEmpty else { throw Failure(.invalidArgument, "\"\(text)\" is not a registry's host") }
        return String(name)
    }

    private func loginPath() throws(Failure) -> String {
        guard let path = RegistryAccess.credentials.loginPath else {
            throw Failure(
                .invalidArgument, "there is no place to keep the login",
                hint: "set HOME, DOCKER_CONFIG or REGISTRY_AUTH_FILE")
        }
        return path
    }

    private func readLogins(_ path: String) throws(Failure) -> [UInt8] {
        try during("read \(path)") { () throws(SystemError) in try AtomicFile.read(path, limit: 4 << 20) }
            ?? []
    }

    /// Whole or not at all, readable by its owner alone. A link (dotfiles kept elsewhere) is followed, not replaced.
    private func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        try during("write \(path)") { () throws(SystemError) in
            var target = path
            // A link to a link to a link is as far as anybody goes.
            for _ in 0..<3 {
                guard let link = try? Directory.readLink(target) else { break }
                let shown = link.shown
                target = shown.hasPrefix("/") ? shown : Engine.parent(of: target) + "/" + shown
            }
            let parent = Engine.parent(of: target)
            try Directory.ensurePath(parent, mode: 0o700)
            let directory = try Directory.open(parent)
            let name = target.split(separator: "/").last.map(String.init) ?? target
            try AtomicFile.write(bytes, to: name, in: directory.raw, mode: 0o600)
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
