internal import LinuxSystem

/// The parts of a repository's address, as text.
struct GitAddress {
    enum Scheme: String, Sendable { case http, https, git, ssh, file }

    var scheme: Scheme
    var url: String
    var login: String?
    var query: [(name: String, value: String?)] = []
    var fragment = ""

    /// nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != 0x5c }) else {
            return nil
        }
        let hash = text.firstIndex(of: "#") ?? text.endIndex
        let mark = text[..<hash].firstIndex(of: "?") ?? hash
        let body = text[..<mark]
        guard let (scheme, url, login) = GitAddress.address(body) else { return nil }
        self.scheme = scheme
        self.url = url
        self.login = login
        if hash < text.endIndex { fragment = GitAddress.decoded(text[text.index(after: hash)...]) }
        guard mark < hash else { return }
        for pair in text[text.index(after: mark)..<hash].split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query.append(
                (
                    GitAddress.decoded(halves[0]),
                    halves.count > 1 ? GitAddress.decoded(halves[1]) : nil
                ))
        }
    }

    private static func address(_ body: Substring) -> (Scheme, url: String, login: String?)? {
        if body.hasPrefix("github.com/") {
            guard body.utf8.count > "github.com/".utf8.count else { return nil }
            return (.https, "https://\(body)", nil)
        }
        guard let colon = body.firstIndex(of: ":") else { return nil }
        guard body[colon...].hasPrefix("://") else { return shortForm(body, colon) }
        guard let scheme = Scheme(rawValue: body[..<colon].lowercased()) else { return nil }
        let rest = body[body.index(colon, offsetBy: 3)...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = rest[slash...]
        guard path.utf8.count > 1 else { return nil }
        if scheme == .file { return rest[..<slash].isEmpty ? (.file, "file://\(path)", nil) : nil }
        var host = rest[..<slash]
        var user: Substring?
        if let at = host.lastIndex(of: "@") {
            user = host[..<at]
            host = host[host.index(after: at)...]
        }
        guard isHost(host) else { return nil }
        switch scheme {
        case .http, .https:
            // Any other file of a web server is a file.
            guard path.hasSuffix(".git") else { return nil }
            return (scheme, "\(scheme.rawValue)://\(host)\(path)", user.map(decoded))
        default:
            if let user {
                guard scheme == .ssh, isUser(user) else { return nil }
                return (.ssh, "ssh://\(user)@\(host)\(path)", nil)
            }
            return (scheme, "\(scheme.rawValue)://\(host)\(path)", nil)
        }
    }

    /// `USER@HOST:PATH`
    private static func shortForm(_ body: Substring, _ colon: Substring.Index) -> (
        Scheme, url: String, login: String?
    )? {
        guard let at = body[..<colon].firstIndex(of: "@") else { return nil }
        let host = body[body.index(after: at)..<colon]
        let path = body[body.index(after: colon)...]
        guard isUser(body[..<at]), isHost(host), !host.hasPrefix("["), !path.isEmpty, !path.hasPrefix("-")
        else { return nil }
        return (.ssh, String(body), nil)
    }

    private static func isUser(_ text: Substring) -> Bool {
        !text.isEmpty && !text.hasPrefix("-") && text.utf8.allSatisfy { isWord($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "-_.".utf8.contains(byte)
        }
    }

    /// `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`
    private static func isHost(_ text: Substring) -> Bool {
        var name = text
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            guard UInt16(text[text.index(after: colon)...]) != nil else { return false }
            name = text[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            return name.utf8.dropFirst().dropLast().allSatisfy {
                GitRef.isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            }
        }
        return isUser(name)
    }

    static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, rest.prefix(2).allSatisfy(GitRef.isHexDigit),
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

extension GitSource {
    /// Fit for one line of a message.
    static func printable(_ text: String) -> String {
        let shown = RawPath(text).shown
        return shown.count > 200 ? shown.prefix(200) + "…" : shown
    }
}
