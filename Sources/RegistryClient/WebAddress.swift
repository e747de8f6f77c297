/// An http or https URL (RFC 3986) in the parts that decisions are made on: who is spoken to, and how.
struct WebAddress: Hashable, Sendable {
    enum Scheme: String, Sendable {
        case http, https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    var scheme: Scheme
    /// Lower case, an IPv6 address without its brackets.
    var host: String
    var port: Int
    /// Path and query, percent-encoded as it goes on the wire; begins with a slash.
    var target: String

    init(scheme: Scheme, host: String, port: Int? = nil, target: String) {
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port ?? scheme.defaultPort
        self.target = target
    }

    /// nil for what is no absolute http or https URL, carries user information (which would be a way to confuse
    /// the host), or has characters that do not belong into a request line.
    init?(_ text: String) {
        guard let colon = text.range(of: "://"),
            let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased())
        else { return nil }
        let rest = text[colon.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard let (host, port) = WebAddress.splitPort(rest[..<end]) else { return nil }
        var target = String(rest[end...].prefix { $0 != "#" })
        if !target.hasPrefix("/") { target = "/" + target }
        guard WebAddress.isClean(target) else { return nil }
        self.init(scheme: scheme, host: host, port: port, target: target)
    }

    /// A `Location` or `Link` target as seen from this address (RFC 3986, section 5.2).
    func resolving(_ reference: String) -> WebAddress? {
        if let scheme = reference.range(of: "://"),
            reference[..<scheme.lowerBound].allSatisfy({ $0.isLetter })
        {
            return WebAddress(reference)
        }
        if reference.hasPrefix("//") { return WebAddress("\(scheme.rawValue):\(reference)") }
        let relative = String(reference.prefix { $0 != "#" })
        guard WebAddress.isClean(relative) else { return nil }
        var result = self
        let path = target.prefix { $0 != "?" }
        if relative.hasPrefix("/") {
            result.target = relative
        } else if relative.hasPrefix("?") {
            result.target = path + relative
        } else {
            let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
            let end = relative.firstIndex(of: "?") ?? relative.endIndex
            result.target = WebAddress.withoutDots(directory + relative[..<end]) + relative[end...]
        }
        return result
    }

    /// RFC 3986, section 5.2.4.
    private static func withoutDots(_ path: Substring) -> String {
        var parts: [Substring] = []
        let given = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (number, part) in given.enumerated() {
            let isLast = number == given.count - 1
            switch part {
            case ".": if isLast { parts.append("") }
            case "..":
                _ = parts.popLast()
                if isLast { parts.append("") }
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    func appending(query name: String, _ value: String) -> WebAddress {
        var result = self
        result.target += (target.contains("?") ? "&" : "?") + name + "=" + WebAddress.percentEncoded(value)
        return result
    }

    /// `host:port`, as errors name it.
    var hostAndPort: String { "\(bracketedHost):\(port)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// Without the query: upload and storage addresses carry signatures there.
    var redacted: String {
        "\(scheme.rawValue)://\(bracketedHost)\(port == scheme.defaultPort ? "" : ":\(port)")"
            + target.prefix { $0 != "?" }
    }

    var text: String {
        "\(scheme.rawValue)://\(bracketedHost)\(port == scheme.defaultPort ? "" : ":\(port)")\(target)"
    }

    func isSameOrigin(as other: WebAddress) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// `host`, `host:port`, `[v6]:port`; nil when it is none of these.
    static func splitPort(_ authority: some StringProtocol) -> (host: String, port: Int?)? {
        var host = String(authority)
        var port: Int?
        if host.hasPrefix("[") {
            guard let close = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: close)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()) else { return nil }
                port = Int(number)
            }
            host = String(host[host.index(after: host.startIndex)..<close])
            guard host.contains(":"), IPAddress(host) != nil else { return nil }
            return (host.lowercased(), port)
        }
        if let colon = host.firstIndex(of: ":") {
            guard let number = UInt16(host[host.index(after: colon)...]) else { return nil }
            port = Int(number)
            host = String(host[..<colon])
        }
        let allowed = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard !host.isEmpty, host.utf8.allSatisfy(allowed) else { return nil }
        return (host.lowercased(), port)
    }

    private static func isClean(_ target: String) -> Bool {
        target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    }

    /// A query's value: everything but RFC 3986's unreserved characters, and `:`, `/` and `,`, which registries
    /// are used to see as they are.
    static func percentEncoded(_ value: String) -> String {
        var text = ""
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            case _ where "-._~:/,".utf8.contains(byte): text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += percentEncoded(byte)
            }
        }
        return text
    }

    static func percentEncoded(_ byte: UInt8) -> String {
        let hex = String(byte, radix: 16, uppercase: true)
        return "%" + (hex.count == 1 ? "0" : "") + hex
    }
}

extension StringProtocol {
    /// The first place of `needle`; the standard library has this only for whole collections of other kinds.
    fileprivate func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
