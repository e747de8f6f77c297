import Failure
import OCI
import Testing

private let hex = String(repeating: "ab", count: 32)

@Suite struct ReferenceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        var domain: String
        var path: String
        var tag: String?
        var digest = false
        var familiar: String
        var testDescription: String { text }
    }

    static let rows: [Row] = [
        Row(
            text: "redis", domain: "docker.io", path: "library/redis", tag: "latest", familiar: "redis:latest"
        ),
        Row(text: "redis:7", domain: "docker.io", path: "library/redis", tag: "7", familiar: "redis:7"),
        Row(
            text: "docker.io/library/redis:7", domain: "docker.io", path: "library/redis", tag: "7",
            familiar: "redis:7"),
        Row(
            text: "docker.io/redis:7", domain: "docker.io", path: "library/redis", tag: "7",
            familiar: "redis:7"),
        Row(
            text: "index.docker.io/redis", domain: "docker.io", path: "library/redis", tag: "latest",
            familiar: "redis:latest"),
        Row(
            text: "library/redis", domain: "docker.io", path: "library/redis", tag: "latest",
            familiar: "redis:latest"),
        Row(
            text: "bitnami/redis:7.2-debian", domain: "docker.io", path: "bitnami/redis", tag: "7.2-debian",
            familiar: "bitnami/redis:7.2-debian"),
        Row(text: "a/b/c", domain: "docker.io", path: "a/b/c", tag: "latest", familiar: "a/b/c:latest"),
        Row(
            text: "docker.io/library/a/b", domain: "docker.io", path: "library/a/b", tag: "latest",
            familiar: "library/a/b:latest"),
        Row(text: "ghcr.io/o/p:v1", domain: "ghcr.io", path: "o/p", tag: "v1", familiar: "ghcr.io/o/p:v1"),
        Row(text: "quay.io/p", domain: "quay.io", path: "p", tag: "latest", familiar: "quay.io/p:latest"),
        Row(
            text: "localhost/x", domain: "localhost", path: "x", tag: "latest", familiar: "localhost/x:latest"
        ),
        Row(
            text: "localhost:5000", domain: "docker.io", path: "library/localhost", tag: "5000",
            familiar: "localhost:5000"),
        Row(
            text: "localhost:5000/x:1", domain: "localhost:5000", path: "x", tag: "1",
            familiar: "localhost:5000/x:1"),
        Row(
            text: "127.0.0.1:5000/a/b", domain: "127.0.0.1:5000", path: "a/b", tag: "latest",
            familiar: "127.0.0.1:5000/a/b:latest"),
        Row(
            text: "[::1]:5000/x", domain: "[::1]:5000", path: "x", tag: "latest",
            familiar: "[::1]:5000/x:latest"),
        Row(
            text: "[2001:db8::1]/x:t", domain: "[2001:db8::1]", path: "x", tag: "t",
            familiar: "[2001:db8::1]/x:t"),
        Row(text: "host:80/x", domain: "host:80", path: "x", tag: "latest", familiar: "host:80/x:latest"),
        Row(text: "Registry/x", domain: "Registry", path: "x", tag: "latest", familiar: "Registry/x:latest"),
        Row(
            text: "xn--n3h.com/x", domain: "xn--n3h.com", path: "x", tag: "latest",
            familiar: "xn--n3h.com/x:latest"),
        Row(
            text: "a__b/c-----d/e.f_g", domain: "docker.io", path: "a__b/c-----d/e.f_g", tag: "latest",
            familiar: "a__b/c-----d/e.f_g:latest"),
        Row(text: "r:_T.-", domain: "docker.io", path: "library/r", tag: "_T.-", familiar: "r:_T.-"),
        Row(
            text: "redis@sha256:\(hex)", domain: "docker.io", path: "library/redis", tag: nil, digest: true,
            familiar: "redis@sha256:\(hex)"),
        Row(
            text: "redis:7@sha256:\(hex)", domain: "docker.io", path: "library/redis", tag: "7", digest: true,
            familiar: "redis:7@sha256:\(hex)"),
        Row(
            text: "h.x:1/p:t@sha256:\(hex)", domain: "h.x:1", path: "p", tag: "t", digest: true,
            familiar: "h.x:1/p:t@sha256:\(hex)"),
        // Their short forms would mean something else.
        Row(
            text: "docker.io/a.b/c", domain: "docker.io", path: "a.b/c", tag: "latest",
            familiar: "docker.io/a.b/c:latest"),
        Row(
            text: "docker.io/localhost/c", domain: "docker.io", path: "localhost/c", tag: "latest",
            familiar: "docker.io/localhost/c:latest"),
        Row(
            text: "library/\(hex)", domain: "docker.io", path: "library/\(hex)", tag: "latest",
            familiar: "docker.io/library/\(hex):latest"),
        Row(
            text: "\(hex):t", domain: "docker.io", path: "library/\(hex)", tag: "t",
            familiar: "docker.io/library/\(hex):t"),
        Row(
            text: "r:" + String(repeating: "t", count: 128), domain: "docker.io", path: "library/r",
            tag: String(repeating: "t", count: 128), familiar: "r:" + String(repeating: "t", count: 128)),
    ]

    @Test(arguments: rows)
    func parses(row: Row) throws {
        let reference = try Reference.parse(row.text)
        #expect(reference.domain == row.domain)
        #expect(reference.path == row.path)
        #expect(reference.tag == row.tag)
        #expect((reference.digest?.hex == hex) == row.digest)
        #expect(reference.familiar == row.familiar)
        #expect(try Reference.parse(reference.familiar) == reference)
        #expect(try Reference.parse(reference.canonical) == reference)
        let bytes = try JSON.encode([reference])
        #expect(try JSON.decode([Reference].self, from: bytes, as: "list") == [reference])
    }

    static let refused: [(String, String)] = [
        ("", "empty"), (hex, "id"), ("Redis", "lower case"), ("a/Redis", "lower case"),
        ("https://ghcr.io/x", "scheme"), ("redis:", "tag"), ("redis:a:b", "tag"), ("redis:-a", "tag"),
        ("redis:.a", "tag"), ("redis:" + String(repeating: "t", count: 129), "tag"), ("redis:ä", "tag"),
        ("redis@", "digest"), ("redis@sha256:abc", "digest"), ("redis@md5:\(hex)", "digest"),
        ("redis@sha256:\(hex):t", "digest"), ("redis@sha256:\(hex.uppercased())", "digest"),
        (":7", "no repository"), ("@sha256:\(hex)", "no repository"), ("docker.io/", "no repository"),
        ("localhost/", "no repository"), ("docker.io/library/", "no repository"), ("/x", "a part"),
        ("a//b", "a part"),
        ("a/b/", "a part"), ("-a", "a part"), ("a-", "a part"), ("a.", "a part"), ("a..b", "a part"),
        ("a___b", "a part"), ("a._b", "a part"), ("a b", "a part"), ("ä", "a part"), ("a/../b", "a part"),
        ("../etc/passwd", "host"), ("a\u{0}b", "a part"), ("a\nb", "a part"), ("$(id)", "a part"),
        ("h.x:/p", "host"), ("h.x:99999/p", "host"), ("h.x:0/p", "host"), ("h.x:1a/p", "host"),
        ("-h.x/p", "host"), ("h-.x/p", "host"), ("h..x/p", "host"), ("h_.x/p", "host"),
        ("user@h.x/p", "host"),
        ("[::1/p", "host"), ("[::1]x/p", "host"), ("[:]/p", "host"), ("[::g]/p", "host"),
        ("[]:5000/p", "host"),
        ("h.x/" + String(repeating: "a", count: 252), "longer"),
    ]

    @Test(arguments: refused)
    func refuses(text: String, reason: String) {
        let failed = failure(of: { try Reference.parse(text) })
        #expect(failed?.code == .invalidArgument)
        #expect(failed?.message.contains(reason) == true, "\(failed?.message ?? "")")
    }

    @Test func longestName() throws {
        #expect(try Reference.parse("h.x/" + String(repeating: "a", count: 251)).name.utf8.count == 255)
    }

    @Test func hosts() throws {
        #expect(try Reference.parse("redis").registryHost == "registry-1.docker.io")
        #expect(try Reference.parse("ghcr.io/a").registryHost == "ghcr.io")
    }

    @Test func changes() throws {
        let reference = try Reference.parse("redis:7")
        let pinned = reference.with(digest: try digest("1"))
        #expect(pinned.canonical == "docker.io/library/redis:7@\(try digest("1"))")
        #expect(pinned.with(tag: nil).with(digest: nil) == reference.with(tag: "latest"))
    }

    @Test func hint() {
        #expect(failure(of: { try Reference.parse("MyApp:7") })?.hint == "did you mean myapp?")
    }

    @Test func terminalSequencesAreEscaped() {
        let message = failure(of: { try Reference.parse("a\u{1B}[2Jb\u{202E}c") })?.message ?? ""
        #expect(message.contains("u{1b}[2Jb"))
        #expect(!message.unicodeScalars.contains("\u{1B}"))
        #expect(!message.unicodeScalars.contains("\u{202E}"))
    }

}
