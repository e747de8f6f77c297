internal import Failure

/// The address of a file as a person writes it: a login, blanks and letters of all alphabets may be in it.
struct FileAddress {
    let web: WebAddress
    let authorization: String?

    /// - Throws: `invalidArgument`; the message holds no login.
    init(_ text: String) throws(Failure) {
        var login: String?
        var rest = Substring(text)
        var scheme = Substring()
        for known in ["https://", "http://"] where text.lowercased().hasPrefix(known) {
            scheme = text.prefix(known.count)
            rest = text.dropFirst(known.count)
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        if let at = rest[..<end].lastIndex(of: "@") {
            login = FileAddress.decoded(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let isOneLine = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        guard isOneLine, !scheme.isEmpty, let web = WebAddress(scheme + FileAddress.encoded(rest)) else {
            throw Failure(
                .invalidArgument,
                "\"\(RegistryAnswer.sanitized(scheme + rest))\" is not an address of http or https")
        }
        self.web = web
        authorization = login.map { "Basic \(Base64.encode($0.utf8))" }
    }

    /// The last component of the path.
    var name: String? {
        let path = web.target.prefix { $0 != "?" }
        return path.split(separator: "/").last.flatMap { FileAddress.fileName(FileAddress.decoded($0)) }
    }

    /// nil for what cannot be a name in a directory.
    static func fileName(_ text: some StringProtocol) -> String? {
        guard let name = text.split(separator: "/").last, !text.hasSuffix("/"), name != ".", name != "..",
            (1...255).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { return nil }
        return String(name)
    }

    private static func encoded(_ text: Substring) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
                result.append(byte)
            } else {
                result += WebAddress.percentEncoded(byte).utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, rest.first != UInt8(ascii: "+"),
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
