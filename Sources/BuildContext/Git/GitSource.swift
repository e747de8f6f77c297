package import Failure

/// A git repository as the place of a build's files, in the forms that docker and BuildKit take:
/// `https://HOST/REPO.git`, `git://`, `ssh://`, `USER@HOST:PATH`, `github.com/USER/REPO` and `file://`, each with
/// `#REF:SUBDIR` or `?ref=&tag=&branch=&commit=&checksum=&subdir=&keep-git-dir=&submodules=` behind it.
package struct GitSource: Sendable, Equatable {
    /// What git is given: without a login, a query and a fragment.
    package let address: String
    /// nil: the repository's HEAD.
    package private(set) var ref: GitRef?
    /// What the commit's name must be or begin with, in lower case.
    package var checksum: String?
    /// Components without `.` and `..`; empty: all of the repository.
    package private(set) var subdirectory = ""
    package var keepsGitDirectory = false
    package private(set) var fetchesSubmodules = true

    /// `user:password` of an http address, decoded; never in an argument, a file or a message.
    let login: String?
    let scheme: GitAddress.Scheme

    /// Whether a context's word has the form of a git address. A directory of that name must be looked for before:
    /// `github.com/USER/REPO` could be one.
    package static func isGit(_ text: String) -> Bool { GitAddress(text) != nil }

    /// - Throws: `invalidArgument` for what is no address of a repository, or asks it for something unknown.
    package init(_ text: String) throws(Failure) {
        guard let parts = GitAddress(text) else {
            throw Failure(
                .invalidArgument,
                "\(GitSource.printable(GitSource.withoutLogin(text))) is not the address of a git repository")
        }
        address = parts.url
        login = parts.login
        scheme = parts.scheme
        do throws(Failure) {
            try take(fragment: parts.fragment)
            try take(query: parts.query)
        } catch {
            throw error.within(address)
        }
        // A whole commit that is all that was asked for is what is fetched, not what HEAD is compared with.
        if ref == nil, let checksum, checksum.utf8.count >= 40 { ref = .commit(checksum) }
    }

    private mutating func take(fragment: String) throws(Failure) {
        let halves = fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if let name = halves.first, !name.isEmpty { ref = try GitRef(String(name)) }
        if halves.count > 1 { subdirectory = try GitSource.cleaned(String(halves[1])) }
    }

    private mutating func take(query: [(name: String, value: String?)]) throws(Failure) {
        var seen: Set<String> = []
        for (name, given) in query {
            let value = given ?? ""
            guard seen.insert(name == "commit" ? "checksum" : name).inserted else {
                throw Failure(.invalidArgument, "\(name) is given twice")
            }
            switch name {
            case "keep-git-dir": keepsGitDirectory = try GitSource.flag(name, value)
            case "submodules": fetchesSubmodules = try GitSource.flag(name, value)
            case "ref", "tag", "branch", "subdir", "commit", "checksum":
                guard !value.isEmpty else { throw Failure(.invalidArgument, "\(name) has no value") }
                try take(name, value)
            default:
                throw Failure(
                    .invalidArgument, "there is no \"\(GitSource.printable(name))\" to ask a repository for",
                    hint: "ref, tag, branch, commit, checksum, subdir, keep-git-dir and submodules there are")
            }
        }
    }

    private mutating func take(_ name: String, _ value: String) throws(Failure) {
        switch name {
        case "ref": try take(try GitRef(value))
        case "tag": try take(try GitRef(tag: value))
        case "branch": try take(try GitRef(branch: value))
        case "subdir":
            let cleaned = try GitSource.cleaned(value)
            guard subdirectory.isEmpty || subdirectory == cleaned else {
                throw Failure(.invalidArgument, "two subdirectories are named")
            }
            subdirectory = cleaned
        default:
            let text = value.lowercased()
            guard GitRef.isChecksum(text) else { throw GitSource.notChecksum(value) }
            checksum = text
        }
    }

    static func notChecksum(_ text: String) -> Failure {
        Failure(
            .invalidArgument, "\"\(printable(text))\" is not the checksum of a commit",
            hint: "it has 7 to 40 hexadecimal digits")
    }

    private mutating func take(_ other: GitRef) throws(Failure) {
        guard ref == nil || ref == other else { throw Failure(.invalidArgument, "two refs are named") }
        ref = other
    }

    private static func flag(_ name: String, _ value: String) throws(Failure) -> Bool {
        switch value.lowercased() {
        case "", "1", "t", "true": return true
        case "0", "f", "false": return false
        default: throw Failure(.invalidArgument, "\(name) is true or false, not \"\(printable(value))\"")
        }
    }

    private static func cleaned(_ path: String) throws(Failure) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else {
            throw Failure(.invalidArgument, "the subdirectory \(printable(path)) leads out of the repository")
        }
        return parts.joined(separator: "/")
    }

    /// Of a text that need not be an address: what stands between `://` and the last `@` could be a password.
    private static func withoutLogin(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        var start = text.startIndex
        while start < at {
            if text[start...].hasPrefix("://") {
                let end = text.index(start, offsetBy: 3)
                return end <= at ? String(text[..<end]) + String(text[text.index(after: at)...]) : text
            }
            start = text.index(after: start)
        }
        return text
    }
}
