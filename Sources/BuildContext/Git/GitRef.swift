internal import Failure

/// What of a repository is asked for.
package enum GitRef: Sendable, Equatable {
    /// A branch, else a tag, else what is below `refs/`.
    case name(String)
    case branch(String)
    case tag(String)
    /// A whole one, 40 or 64 hexadecimal digits.
    case commit(String)

    init(_ text: String) throws(Failure) {
        if text.utf8.count == 40 || text.utf8.count == 64, text.utf8.allSatisfy(GitRef.isHexDigit) {
            self = .commit(text.lowercased())
        } else if text.hasPrefix("refs/heads/") {
            self = try GitRef(branch: text)
        } else if text.hasPrefix("refs/tags/") {
            self = try GitRef(tag: text)
        } else {
            try GitRef.check(text)
            self = .name(text)
        }
    }

    init(branch text: String) throws(Failure) {
        let name = text.hasPrefix("refs/heads/") ? String(text.dropFirst(11)) : text
        try GitRef.check(name)
        self = .branch(name)
    }

    init(tag text: String) throws(Failure) {
        let name = text.hasPrefix("refs/tags/") ? String(text.dropFirst(10)) : text
        try GitRef.check(name)
        self = .tag(name)
    }

    var text: String {
        switch self {
        case .name(let name), .branch(let name), .tag(let name): name
        case .commit(let hex): hex
        }
    }

    /// Full names in the order in which they count: git-checkout prefers branches.
    var candidates: [String] {
        switch self {
        case .name("HEAD"): ["HEAD"]
        case .name(let name) where name.hasPrefix("refs/"): [name]
        case .name(let name): ["refs/heads/\(name)", "refs/tags/\(name)", "refs/\(name)"]
        case .branch(let name): ["refs/heads/\(name)"]
        case .tag(let name): ["refs/tags/\(name)"]
        case .commit: []
        }
    }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    static func isChecksum(_ text: String) -> Bool {
        (7...64).contains(text.utf8.count) && text.utf8.allSatisfy(isHexDigit)
    }

    /// git-check-ref-format(1): nothing that could be an option, a pattern, a refspec or an expression.
    private static func check(_ name: String) throws(Failure) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSound =
            name.utf8.count <= 1024 && !name.hasPrefix("-") && !name.contains("..") && !name.contains("@{")
            && name != "@" && !name.hasSuffix(".")
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !"~^:?*[\\".utf8.contains($0) }
            && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }
        guard isSound else {
            throw Failure(.invalidArgument, "\"\(GitSource.printable(name))\" is not the name of a ref")
        }
    }
}
