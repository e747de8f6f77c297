/// Where a registry sends its users for tokens: the `realm` and `service` of its bearer challenge.
struct TokenServer: Hashable, Sendable {
    let realm: WebAddress
    let service: String?

    /// Whether a registry's login may be sent there. It may to the registry's own host, and over TLS to hosts of the same
    /// site (`auth.docker.io` for `registry-1.docker.io`) and those that the user trusts; else a registry could have
    /// the logins sent wherever it likes.
    func mayKnowLogins(of registry: WebAddress, trusted: Set<String>) -> Bool {
        if realm.host == registry.host || (Loopback.contains(realm.host) && Loopback.contains(registry.host))
        {
            return realm.scheme == .https || registry.scheme == .http
        }
        guard realm.scheme == .https else { return false }
        if trusted.contains(realm.host) { return true }
        guard let site = TokenServer.site(registry.host) else { return false }
        return site == TokenServer.site(realm.host)
    }

    /// Whether the realm may be asked at all: over TLS, or plainly where the registry itself is spoken to plainly; and
    /// an address literal only when it is the registry's own, or what is reachable only from this host could be
    /// probed by any registry.
    func mayBeAsked(by registry: WebAddress) -> Bool {
        let isOwn =
            realm.host == registry.host || (Loopback.contains(realm.host) && Loopback.contains(registry.host))
        if realm.scheme == .http, registry.scheme == .https { return false }
        return isOwn || (IPAddress(realm.host) == nil && !Loopback.contains(realm.host))
    }

    /// The last two labels of a host's name, three where the last two look like a country's second level
    /// (`co.uk`, `com.cn`); nil for addresses and single names.
    static func site(_ host: String) -> String? {
        guard IPAddress(host) == nil else { return nil }
        let labels = host.split(separator: ".")
        guard labels.count >= 2 else { return nil }
        let isSecondLevel = labels[labels.count - 1].count == 2 && labels[labels.count - 2].count <= 3
        let count = isSecondLevel ? 3 : 2
        guard labels.count >= count else { return nil }
        return labels.suffix(count).joined(separator: ".")
    }
}
