import Failure
import Testing

@testable import BuildContext

@Suite("Addresses of git repositories")
struct GitAddressTests {
    @Test(arguments: [
        ("https://example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://example.org:8443/a.git", "https://example.org:8443/a.git"),
        ("http://[::1]:80/a.git", "http://[::1]:80/a.git"),
        ("https://ann:secret@example.org/a.git", "https://example.org/a.git"),
        ("git://example.org/a", "git://example.org/a"),
        ("ssh://git@example.org:2222/a/b", "ssh://git@example.org:2222/a/b"),
        ("git@github.com:user/repo.git", "git@github.com:user/repo.git"),
        ("other@host-1.example:repo", "other@host-1.example:repo"),
        ("github.com/user/repo", "https://github.com/user/repo"),
        ("github.com/user/repo.git", "https://github.com/user/repo.git"),
        ("file:///srv/repo", "file:///srv/repo"),
    ])
    func addresses(_ text: String, _ address: String) throws {
        #expect(GitSource.isGit(text))
        #expect(try GitSource(text).address == address)
        let source = try GitSource(text + "#v1.0:docs/./part/")
        #expect(source.address == address)
        #expect(source.ref == .name("v1.0"))
        #expect(source.subdirectory == "docs/part")
        #expect(!source.keepsGitDirectory && source.fetchesSubmodules)
    }

    @Test(arguments: [
        "", ".", "./github.com/a", "directory", "dir.git", "/srv/repo.git", "https://example.org/a.tar",
        "https://example.org/a.git/x", "https://example.org", "https://example.org/?a.git",
        "docker-image://a",
        "ftp://example.org/a.git", "ext::sh -c id", "ext::sh", "git@-oProxyCommand=id:a", "-u@host:a",
        "git@host:-oa", "git@host:", "ssh://-oProxyCommand=id/a", "ssh://u:pw@host/a", "git://u@host/a",
        "ssh://host:port/a", "file://host/a", "file://../a", "https://ex ample.org/a.git", "github.com/",
        "https://example.org/a\n.git", "oci-layout://x", "host:path", "C:\\x",
    ])
    func others(_ text: String) {
        #expect(!GitSource.isGit(text))
        let failure = #expect(throws: Failure.self) { try GitSource(text) }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func fragments() throws {
        let hex = String(repeating: "aB", count: 20)
        #expect(try GitSource("https://h/a.git#\(hex)").ref == .commit(hex.lowercased()))
        #expect(try GitSource("https://h/a.git#refs/heads/x/y").ref == .branch("x/y"))
        #expect(try GitSource("https://h/a.git#refs/tags/v1").ref == .tag("v1"))
        #expect(try GitSource("https://h/a.git#refs/pull/5/head").ref == .name("refs/pull/5/head"))
        #expect(try GitSource("https://h/a.git#").ref == nil)
        // A name's own: full names are what is asked for, so it is no refspec's.
        #expect(try GitSource("https://h/a.git#+a").ref == .name("+a"))
        let below = try GitSource("https://h/a.git#:sub")
        #expect(below.ref == nil && below.subdirectory == "sub")
        #expect(try GitSource("https://h/a.git#:/").subdirectory == "")
        let query = "https://h/a.git?branch=x&subdir=a/b&keep-git-dir=true&submodules=0&checksum=ABCDEF1"
        let source = try GitSource(query)
        #expect(source.ref == .branch("x") && source.subdirectory == "a/b" && source.checksum == "abcdef1")
        #expect(source.keepsGitDirectory && !source.fetchesSubmodules)
        #expect(try GitSource("git@h:a.git?tag=v1#:s").ref == .tag("v1"))
        #expect(try GitSource("https://h/a.git?commit=\(hex)").ref == .commit(hex.lowercased()))
        #expect(try GitSource("https://ann:p%40w@h/a.git").login == "ann:p@w")
    }

    @Test(arguments: [
        "#--upload-pack=id", "#-x", "#a..b", "#a b", "#a^", "#a~1", "#a@{1}", "#a*", "#a:../x",
        "#:a/../../x", "?ref=a&ref=b", "?ref=a&branch=a", "?unknown=1", "?checksum=xyz", "?checksum=abc",
        "?keep-git-dir=maybe", "?ref=", "?tag=", "#a.lock", "#/a", "#a//b",
        "?commit=abcdef1&checksum=abcdef1",
        "?subdir=a#:b",
    ])
    func refused(_ suffix: String) {
        let text = "https://ann:secret@h/a.git\(suffix)"
        let failure = #expect(throws: Failure.self) { try GitSource(text) }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.contains("secret") == false)
    }
}
