import Failure
import Testing

@testable import RegistryClient

@Suite("Parsers")
struct ParserTests {
    private func parse(_ headers: String...) -> [AuthenticationChallenge] {
        AuthenticationChallenge.parse(headers)
    }

    @Test func challenges() {
        #expect(
            parse(
                #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#
            )
                == [
                    AuthenticationChallenge(
                        scheme: "bearer",
                        parameters: [
                            "realm": "https://auth.docker.io/token", "service": "registry.docker.io",
                            "scope": "repository:a/b:pull,push",
                        ])
                ])
        #expect(
            parse("bAsIc ReAlM=plain") == [
                AuthenticationChallenge(scheme: "basic", parameters: ["realm": "plain"])
            ])
        #expect(
            parse(#"Negotiate, Basic realm="a \"b\", c" , Bearer realm = "x""#).map(\.scheme)
                == ["negotiate", "basic", "bearer"])
        #expect(
            parse(#"Basic realm="a \"b\", c", x=1"#).first?.parameters == ["realm": #"a "b", c"#, "x": "1"])
        #expect(parse("Negotiate YII=, Basic realm=x").map(\.scheme) == ["negotiate", "basic"])
        #expect(parse("Basic realm=a", "Bearer realm=b").map(\.scheme) == ["basic", "bearer"])
        // The first of two equal names counts.
        #expect(parse(#"Bearer realm="a",realm="b""#).first?.parameters["realm"] == "a")
        #expect(parse("").isEmpty)
        #expect(parse(",,, ,").isEmpty)
        #expect(
            parse(#"Bearer realm="no end"#) == [AuthenticationChallenge(scheme: "bearer", parameters: [:])])
    }

    /// Whatever comes, the parser ends. A small fuzzer with the grammar's own characters.
    @Test func challengesOfRubbish() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abB=,\" \\\t/;~é")
        for _ in 0..<3000 {
            let text = String(
                (0..<Int.random(in: 0..<40, using: &generator)).compactMap { _ in alphabet.randomElement() })
            _ = AuthenticationChallenge.parse([text])
        }
    }

    @Test(arguments: [
        (#"{"a":[1,-2.5e+3,true,null],"b":{"c":"x\u00e9\ud83d\ude00\n"}}"#, true), ("[]", true),
        (" 0 ", true),
        ("", false), ("{", false), ("[1,]", false), (#"{"a":1,}"#, false), ("01", false), ("1.", false),
        ("nul", false),
        ("\"\u{1}\"", false), (#""\x""#, false), ("[1] 2", false), ("{1:2}", false), ("-", false),
        (#""\ud83d""#, true),
    ])
    func json(text: String, isValid: Bool) {
        #expect(((try? JSON(parsing: Array(text.utf8))) != nil) == isValid)
    }

    @Test func jsonKeepsWhatItDoesNotKnow() throws {
        let text = #"{"z":1.50,"a":[{"k":18446744073709551616}],"s":"tab\t\"q\" \u007f é","e":{},"f":[]}"#
        let json = try JSON(parsing: Array(text.utf8))
        #expect(try JSON(parsing: json.serialized()) == json)
        #expect(json.members?.map(\.name) == ["z", "a", "s", "e", "f"])
        #expect(json["z"] == .number("1.50"))
        #expect(json["s"]?.text == "tab\t\"q\" \u{7f} é")
        #expect(
            String(decoding: json.serialized(), as: UTF8.self).hasPrefix(
                "{\n\t\"z\": 1.50,\n\t\"a\": [\n\t\t{"))
    }

    @Test func jsonHasADepth() {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(throws: Failure.self) { try JSON(parsing: Array(deep.utf8)) }
        let fine = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: Never.self) { try JSON(parsing: Array(fine.utf8)) }
        #expect(throws: Failure.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64(plain: String, encoded: String) {
        // RFC 4648, section 10.
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        #expect(Base64.decode(String(encoded.prefix { $0 != "=" })) == Array(plain.utf8))
    }

    @Test func base64OfRubbish() {
        for text in ["Z", "Zm9v!", "====", "Zg===", " Zg=="] { #expect(Base64.decode(text) == nil) }
        #expect(Base64.decode("-_-_") == Base64.decode("+/+/"))
    }

    @Test func addresses() throws {
        let base = try #require(WebAddress("https://Registry.Example.org:5000/v2/a/blobs/uploads/1?x=y#z"))
        #expect(base.host == "registry.example.org")
        #expect(base.port == 5000)
        #expect(base.text == "https://registry.example.org:5000/v2/a/blobs/uploads/1?x=y")
        #expect(base.redacted == "https://registry.example.org:5000/v2/a/blobs/uploads/1")
        #expect(base.resolving("/v2/b?s=1")?.text == "https://registry.example.org:5000/v2/b?s=1")
        #expect(base.resolving("2?s=1")?.text == "https://registry.example.org:5000/v2/a/blobs/uploads/2?s=1")
        #expect(base.resolving("?s=2")?.text == "https://registry.example.org:5000/v2/a/blobs/uploads/1?s=2")
        #expect(base.resolving("//other/x")?.text == "https://other/x")
        #expect(base.resolving("http://other:80/x?y=http://z")?.text == "http://other/x?y=http://z")
        #expect(base.resolving("/x?to=http://z")?.host == "registry.example.org")
        #expect(base.appending(query: "digest", "sha256:ab").text.hasSuffix("?x=y&digest=sha256:ab"))
        #expect(base.appending(query: "q", "a b&c=d").text.hasSuffix("&q=a%20b%26c%3Dd"))
        #expect(WebAddress("http://[::1]:5000")?.text == "http://[::1]:5000/")
        #expect(WebAddress("http://[::1]:5000")?.host == "::1")
        for text in [
            "ftp://a/", "https://", "https://user:pw@host/", "https://ho st/", "https://host:99999/",
            "host/path",
            "https://a\\b/", "https://[zz]/", "https://a/b c", "https://a/\r\nX: y",
        ] {
            #expect(WebAddress(text) == nil, "\(text)")
        }
        #expect(base.resolving("/a\r\nHost: evil") == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true),
        ("localhost", true),
        ("a.localhost", true), ("128.0.0.1", false), ("localhost.example.org", false), ("::2", false),
        ("127.0.0.1.example", false),
        ("127.1", false), ("0.0.0.0", false),
    ])
    func loopback(host: String, isLoopback: Bool) {
        #expect(Loopback.contains(host) == isLoopback)
    }

    @Test func literals() {
        #expect(
            IPAddress("2001:db8::1")?.bytes == [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [
                1
            ])
        #expect(IPAddress("::")?.bytes == [UInt8](repeating: 0, count: 16))
        #expect(IPAddress("1:2:3:4:5:6:7:8")?.bytes.count == 16)
        for text in [
            "1:2:3", ":::", "1::2::3", "256.1.1.1", "1.2.3", "1.2.3.4.5", "g::", "12345::", "",
            "1:2:3:4:5:6:7:8:9", ":1:2:3:4:5:6:7",
        ] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }

    @Test func proxies() throws {
        let rules = ProxyRules(environment: [
            "HTTP_PROXY": "http://proxy:3128", "https_proxy": "http://u:p%40ss@secure.proxy:8080/",
            "NO_PROXY":
                "example.org,.internal, *.wild.net,10.0.0.0/8,192.168.1.7,port.com:5000,2001:db8::/32",
        ])
        func goes(_ text: String) throws -> String? {
            switch rules.choice(for: try #require(WebAddress(text))) {
            case .proxy(let proxy): "\(proxy.host):\(proxy.port)"
            case .direct: nil
            case .unusable: "unusable"
            }
        }
        #expect(try goes("http://a.com/") == "proxy:3128")
        #expect(try goes("https://a.com/") == "secure.proxy:8080")
        #expect(
            rules.choice(for: try #require(WebAddress("https://a.com/")))
                == .proxy(.init(kind: .http, host: "secure.proxy", port: 8080, userInformation: "u:p@ss")))
        for host in [
            "example.org", "a.example.org", "x.internal", "b.wild.net", "10.2.3.4", "192.168.1.7",
            "port.com:5000",
            "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "[2001:db8::7]",
        ] {
            #expect(try goes("https://\(host)/") == nil, "\(host)")
        }
        for host in [
            "internal", "wild.net", "notexample.org", "11.2.3.4", "192.168.1.8", "port.com:5001",
            "[2001:db9::7]",
        ] {
            #expect(try goes("https://\(host)/") != nil, "\(host)")
        }
        let a = try #require(WebAddress("http://a.com/"))
        #expect(ProxyRules(environment: [:]).choice(for: a) == .direct)
        #expect(
            ProxyRules(environment: ["HTTP_PROXY": "http://p", "NO_PROXY": "*"]).choice(for: a) == .direct)
        #expect(
            ProxyRules(environment: ["HTTP_PROXY": "https://p:secret@x:1"]).choice(for: a)
                == .unusable(variable: "HTTP_PROXY"))
        #expect(ProxyRules.parse("socks5://s")?.port == 1080)
        #expect(ProxyRules.parse("plain.proxy:80")?.kind == .http)
    }

    @Test func links() {
        #expect(
            LinkHeader.next([#"</v2/a/tags/list?n=2&last=b>; rel="next""#]) == "/v2/a/tags/list?n=2&last=b")
        #expect(LinkHeader.next(["<a>; rel=prev, <b>; title=\"x\"; rel=next"]) == "b")
        #expect(LinkHeader.next(["<a>; REL=\"last next\""]) == "a")
        #expect(LinkHeader.next(["<a>; rel=prev", "nonsense", "<b", ""]) == nil)
    }

    @Test func dates() {
        // RFC 9110's own example.
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.seconds("Thu, 29 Feb 2024 00:00:00 GMT") == 1_709_164_800)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate.seconds(text) == nil)
        }
    }

    @Test func pauses() {
        let policy = RetryPolicy(tries: 5, firstPause: .seconds(1), longestPause: .seconds(20))
        for (number, low) in [(2, 1), (3, 3), (4, 9), (5, 20)] {
            let pause = policy.pause(beforeTry: number, asked: nil) ?? .zero
            #expect(pause >= .seconds(low) && pause <= .seconds(low) * 1.25)
        }
        #expect((policy.pause(beforeTry: 2, asked: .seconds(7)) ?? .zero) >= .seconds(7))
        #expect(policy.pause(beforeTry: 2, asked: .seconds(21)) == nil)
        #expect(RetryPolicy.asked(retryAfter: "120", date: nil) == .seconds(120))
        #expect(
            RetryPolicy.asked(
                retryAfter: "Sun, 06 Nov 1994 08:49:47 GMT", date: "Sun, 06 Nov 1994 08:49:37 GMT")
                == .seconds(10))
        #expect(RetryPolicy.asked(retryAfter: "soon", date: nil) == nil)
        #expect(RetryPolicy.asked(retryAfter: "-1", date: nil) == nil)
    }

    @Test func explanations() {
        func line(_ text: String) -> String { RegistryAnswer.explanation(Array(text.utf8)).line }
        #expect(line(#"{"errors":[{"code":"A","message":"one"},{"code":"B"}]}"#) == "one; B")
        #expect(line(#"{"details":"incorrect username or password"}"#) == "incorrect username or password")
        #expect(line(#"{"error":"invalid","error_description":"why"}"#) == "why")
        #expect(line("<html>") == "")
        #expect(line(#"{"errors":"x"}"#) == "")
    }
}
