package import Failure

extension Reference {
    /// The most characters of `host/path`; distribution-spec names it as clients' limit.
    static let nameLimit = 255
    static let tagLimit = 128

    /// Reads what a person or a Dockerfile wrote, with docker's defaults: `docker.io`, `library/`, `latest`.
    /// - Throws: `invalidArgument`, one line that says which part is wrong.
    package static func parse(_ text: String) throws(Failure) -> Reference {
        func refuse(_ why: String, hint: String? = nil) -> Failure {
            Failure(.invalidArgument, "\(text.quotedForMessage) is not an image name: \(why)", hint: hint)
        }
        guard !text.isEmpty else { throw refuse("it is empty") }
        guard !isIdentifier(text) else {
            throw refuse("64 hex digits are an id", hint: "a digest is written as name@sha256:…")
        }
        guard !text.contains("://") else {
            throw refuse("it holds a URL scheme", hint: "leave out everything up to ://")
        }

        let (domain, remainder) = splitDomain(text)
        guard isDomain(domain) else {
            throw refuse("\(domain.quotedForMessage) is not a registry's host[:port]")
        }

        var rest = remainder[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            do {
                digest = try Digest(String(rest[rest.index(after: at)...]))
            } catch {
                throw refuse(error.message)
            }
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.firstIndex(of: ":") {
            let word = String(rest[rest.index(after: colon)...])
            guard isTag(word) else {
                throw refuse(
                    "\(word.quotedForMessage) is not a tag: up to \(tagLimit) of letters, digits, _ . -, "
                        + "not starting with . or -")
            }
            tag = word
            rest = rest[..<colon]
        }
        let path = String(rest)
        guard !path.isEmpty, path != "library/" else { throw refuse("it names no repository") }
        guard !path.utf8.contains(where: { (0x41...0x5A).contains($0) }) else {
            let lower = Reference(domain: domain, path: path.lowercased(), tag: nil, digest: nil)
            throw refuse(
                "the repository must be in lower case",
                hint: "did you mean \(lower.familiarName.onOneLine(limit: 160))?")
        }
        guard path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isPathComponent) else {
            throw refuse(
                "a part of \(path.quotedForMessage) is not letters and digits joined by one . or _, two _ or any -"
            )
        }
        guard domain.utf8.count + 1 + path.utf8.count <= nameLimit else {
            throw refuse("host and repository are longer than \(nameLimit) characters")
        }
        return Reference(
            domain: domain, path: path, tag: tag ?? (digest == nil ? defaultTag : nil), digest: digest)
    }

    /// Docker's rule: what stands before the first slash is a host only if it is `localhost`, holds a dot or
    /// a colon, or has an upper-case letter, which no repository may.
    static func splitDomain(_ text: String) -> (domain: String, remainder: String) {
        var domain = hubDomain
        var remainder = text
        if let slash = text.firstIndex(of: "/") {
            let first = text[..<slash]
            if first == "localhost" || first.contains(where: { $0 == "." || $0 == ":" })
                || first.lowercased() != first
            {
                domain = String(first)
                remainder = String(text[text.index(after: slash)...])
            }
        }
        if domain == "index.docker.io" { domain = hubDomain }
        if domain == hubDomain, !remainder.contains("/") { remainder = "library/" + remainder }
        return (domain, remainder)
    }

    /// Whether the text is an image's or container's full id.
    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    static func isTag(_ text: String) -> Bool {
        guard (1...tagLimit).contains(text.utf8.count), let first = text.utf8.first else { return false }
        let joins: (UInt8) -> Bool = { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        return !joins(first)
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") || joins($0) }
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
    static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var sawWord = false
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x61...0x7A:
                switch separator {
                case []: break
                case [UInt8(ascii: ".")], [UInt8(ascii: "_")], [UInt8(ascii: "_"), UInt8(ascii: "_")]: break
                case let run where run.allSatisfy({ $0 == UInt8(ascii: "-") }): break
                default: return false
                }
                separator = []
                sawWord = true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                guard sawWord else { return false }
                separator.append(byte)
            default:
                return false
            }
        }
        return sawWord && separator.isEmpty
    }

    static func isDomain(_ text: String) -> Bool {
        var host = text[...]
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<close].utf8
            guard address.filter({ $0 == UInt8(ascii: ":") }).count >= 2,
                address.allSatisfy({ isHex($0) || $0 == UInt8(ascii: ":") })
            else { return false }
            let rest = host[host.index(after: close)...]
            return rest.isEmpty || (rest.first == ":" && isPort(rest.dropFirst()))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return isAlphanumeric(first) && isAlphanumeric(last)
                && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text) else {
            return false
        }
        return (1...65535).contains(port)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
