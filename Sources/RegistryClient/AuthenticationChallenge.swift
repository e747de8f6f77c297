/// One challenge of a `WWW-Authenticate` header: how a server wants to be authenticated to.
package struct AuthenticationChallenge: Hashable, Sendable {
    /// Lower case: `bearer`, `basic`.
    package let scheme: String
    /// Names in lower case.
    package let parameters: [String: String]

    package init(scheme: String, parameters: [String: String]) {
        self.scheme = scheme
        self.parameters = parameters
    }
}

extension AuthenticationChallenge {
    /// All challenges of all `WWW-Authenticate` headers of one answer. What cannot be read is skipped: another
    /// challenge of the list may still be one that can be met.
    ///
    ///     challenge  = scheme [ 1*SP ( token68 / [ param *( OWS "," OWS param ) ] ) ]      RFC 7235, section 2.1
    ///     param      = token BWS "=" BWS ( token / quoted-string )
    ///
    /// A comma separates parameters and challenges alike: a token that no `=` follows begins a new challenge.
    package static func parse(_ headers: [String]) -> [AuthenticationChallenge] {
        headers.flatMap { header in
            var scanner = Scanner(bytes: Array(header.utf8))
            return scanner.challenges()
        }
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func challenges() -> [AuthenticationChallenge] {
            var found: [AuthenticationChallenge] = []
            while true {
                skip { $0 == UInt8(ascii: ",") || Self.isSpace($0) }
                guard next != nil else { return found }
                guard let scheme = token() else {
                    skipToComma()
                    continue
                }
                skip(Self.isSpace)
                if skipToken68() {
                    found.append(AuthenticationChallenge(scheme: scheme.lowercased(), parameters: [:]))
                    continue
                }
                found.append(AuthenticationChallenge(scheme: scheme.lowercased(), parameters: parameters()))
            }
        }

        /// Reads `name=value` pairs until something else begins, and leaves the position there.
        mutating func parameters() -> [String: String] {
            var parameters: [String: String] = [:]
            while true {
                let back = position
                skip { $0 == UInt8(ascii: ",") || Self.isSpace($0) }
                guard let name = token() else {
                    // Rubbish inside a list: what follows the next comma may be sound.
                    if next == nil { return parameters }
                    skipToComma()
                    continue
                }
                skip(Self.isSpace)
                guard next == UInt8(ascii: "=") else {
                    position = back
                    return parameters
                }
                position += 1
                skip(Self.isSpace)
                guard let value = next == UInt8(ascii: "\"") ? quoted() : token() else { continue }
                // The first of two equal names counts, so that nothing appended can override it.
                if parameters[name.lowercased()] == nil { parameters[name.lowercased()] = value }
            }
        }

        mutating func skip(_ matches: (UInt8) -> Bool) {
            while let byte = next, matches(byte) { position += 1 }
        }

        /// To the next comma outside of a quoted string.
        mutating func skipToComma() {
            while let byte = next, byte != UInt8(ascii: ",") {
                if byte == UInt8(ascii: "\"") {
                    if quoted() == nil { return }
                } else {
                    position += 1
                }
            }
        }

        mutating func token() -> String? {
            let start = position
            skip(Self.isTokenCharacter)
            return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
        }

        /// nil, at the end, when the closing quote is missing.
        mutating func quoted() -> String? {
            position += 1
            var content: [UInt8] = []
            while let byte = next {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = next else { return nil }
                    content.append(escaped)
                    position += 1
                default: content.append(byte)
                }
            }
            return nil
        }

        /// `Negotiate YII=`: one token68 up to a comma or the end. Leaves the position where it was if there is none.
        mutating func skipToken68() -> Bool {
            let start = position
            skip { Self.isTokenCharacter($0) || $0 == UInt8(ascii: "/") }
            let body = position
            skip { $0 == UInt8(ascii: "=") }
            let end = position
            skip(Self.isSpace)
            // `a=b` stops before b; `a, b=c` is a scheme with no parameters only if nothing was read.
            if body > start, next == nil || next == UInt8(ascii: ","), end > body || body > start {
                return true
            }
            position = start
            return false
        }

        static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

        static func isTokenCharacter(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
    }
}
