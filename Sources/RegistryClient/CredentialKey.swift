/// The keys of credential files: a host, a host with a namespace (podman), or a URL (docker's oldest form).
enum CredentialKey {
    /// Docker Hub's key since its first registry.
    static let hub = "https://index.docker.io/v1/"

    private static let hubHosts: Set<String> = ["docker.io", "index.docker.io", "registry-1.docker.io"]

    static func written(for registry: String) -> String {
        hubHosts.contains(registry) ? hub : registry
    }

    /// Whether the key names the registry as a whole.
    static func isHost(_ key: String, _ registry: String) -> Bool {
        let (host, namespace) = split(key)
        return namespace.isEmpty && canonical(host) == canonical(registry.lowercased())
    }

    /// How much of `registry/repository` the key covers: 0 for the host alone, else the number of path parts; nil when it
    /// names something else.
    static func matchLength(_ key: String, registry: String, repository: String) -> Int? {
        let (host, namespace) = split(key)
        guard canonical(host) == canonical(registry.lowercased()) else { return nil }
        let path = repository.split(separator: "/").map(String.init)
        return path.starts(with: namespace) ? namespace.count : nil
    }

    private static func canonical(_ host: String) -> String {
        hubHosts.contains(host) ? "docker.io" : host
    }

    /// Host in lower case, and the namespace's parts. A URL's path is an API version and never a namespace.
    private static func split(_ key: String) -> (host: String, namespace: [String]) {
        for scheme in ["https://", "http://"] where key.lowercased().hasPrefix(scheme) {
            return (key.dropFirst(scheme.count).prefix { $0 != "/" }.lowercased(), [])
        }
        var parts = key.split(separator: "/").map(String.init)
        guard !parts.isEmpty else { return ("", []) }
        let host = parts.removeFirst().lowercased()
        if parts == ["v1"] || parts == ["v2"] { parts = [] }
        return (host, parts)
    }
}
