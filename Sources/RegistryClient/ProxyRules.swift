/// Which proxy a request goes through, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. The rules are those of curl and of
/// Go's programs, which users have set these variables for.
struct ProxyRules: Sendable {
    struct Proxy: Hashable, Sendable {
        enum Kind: Sendable {
            case http, socks5
        }

        var kind: Kind
        var host: String
        var port: Int
        /// `user:password`, decoded.
        var userInformation: String?
    }

    private let http: String?
    private let https: String?
    private let exceptions: [String]

    /// The upper-case name counts before the lower-case one; an empty value is none.
    init(environment: [String: String]) {
        func value(_ name: String) -> String? {
            for candidate in [name, name.lowercased()] {
                if let value = environment[candidate], !value.isEmpty { return value }
            }
            return nil
        }
        http = value("HTTP_PROXY")
        https = value("HTTPS_PROXY")
        exceptions = (value("NO_PROXY") ?? "").split { $0 == "," || $0 == " " }.map { $0.lowercased() }
    }

    enum Choice: Equatable, Sendable {
        case direct
        case proxy(Proxy)
        /// The variable's value cannot be used; it is not shown, as it may hold a password.
        case unusable(variable: String)
    }

    func choice(for address: WebAddress) -> Choice {
        let (text, variable) = address.scheme == .https ? (https, "HTTPS_PROXY") : (http, "HTTP_PROXY")
        guard let text, !isException(address.host, port: address.port) else { return .direct }
        guard let proxy = ProxyRules.parse(text) else { return .unusable(variable: variable) }
        return .proxy(proxy)
    }

    /// Loopback never goes through a proxy. `*` excepts every host; `example.org` that host and all below it,
    /// `.example.org` and `*.example.org` only those below it; addresses and CIDR ranges literal addresses. A port in an
    /// entry must match too.
    private func isException(_ host: String, port: Int) -> Bool {
        if Loopback.contains(host) { return true }
        let address = IPAddress(host)
        return exceptions.contains { entry in
            if entry == "*" { return true }
            if let slash = entry.lastIndex(of: "/"), let network = IPAddress(entry[..<slash]),
                let bits = Int(entry[entry.index(after: slash)...])
            {
                return address?.isInside(network, bits: bits) ?? false
            }
            if let whole = IPAddress(entry) { return address == whole }
            var pattern = entry
            if pattern.hasPrefix("*.") { pattern.removeFirst() }
            let onlyBelow = pattern.hasPrefix(".")
            if onlyBelow { pattern.removeFirst() }
            guard let (name, wantedPort) = WebAddress.splitPort(pattern) else { return false }
            if let wantedPort, wantedPort != port { return false }
            if let literal = IPAddress(name) { return address == literal }
            return host.hasSuffix("." + name) || (!onlyBelow && host == name)
        }
    }

    static func parse(_ text: String) -> Proxy? {
        var kind = Proxy.Kind.http
        var rest = Substring(text)
        for (prefix, meaning) in [
            ("http://", Proxy.Kind.http), ("socks5h://", .socks5), ("socks5://", .socks5),
        ]
        where text.lowercased().hasPrefix(prefix) {
            kind = meaning
            rest = text.dropFirst(prefix.count)
        }
        rest = rest.prefix { $0 != "/" }
        var userInformation: String?
        if let at = rest.lastIndex(of: "@") {
            userInformation = percentDecoded(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = WebAddress.splitPort(rest) else { return nil }
        return Proxy(
            kind: kind, host: host, port: port ?? (kind == .http ? 80 : 1080),
            userInformation: userInformation)
    }

    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Hosts that are this machine by their name alone.
enum Loopback {
    static func contains(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || (IPAddress(host)?.isLoopback ?? false)
    }
}
