import Dockerfile
import Testing

@Suite struct PathPatternTests {
    static let simple: [(String, String, Bool)] = [
        ("abc", "abc", true), ("*", "abc", true), ("*c", "abc", true), ("a*", "a", true), ("a*", "abc", true),
        ("a*", "ab/c", false), ("a*/b", "abc/b", true), ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", true), ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false), ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false), ("ab[c]", "abc", true), ("ab[b-d]", "abc", true),
        ("ab[e-g]", "abc", false), ("ab[^c]", "abc", false), ("ab[^e-g]", "abc", true),
        ("a\\*b", "a*b", true), ("a\\*b", "ab", false), ("a?b", "a☺b", true), ("a[^a]b", "a☺b", true),
        ("a???b", "a☺b", false), ("[a-ζ]*", "α", true), ("*[a-ζ]", "A", false), ("a?b", "a/b", false),
        ("a*b", "a/b", false), ("[\\]a]", "]", true), ("[\\-]", "-", true), ("[x\\-]", "x", true),
        ("*x", "xxx", true),
        ("", "", true), ("", "a", false), ("*", "", true), ("a**b", "axxb", true), ("a**b", "a/b", false),
    ]

    @Test(arguments: simple) func matchesLikeAShell(_ pattern: String, _ path: String, _ expected: Bool)
        throws
    {
        #expect(try PathPattern(pattern).matches(path) == expected)
    }

    static let recursive: [(String, String, Bool)] = [
        ("**", "a", true), ("**", "a/b", true), ("**/", "a", true), ("**/b", "b", true),
        ("**/b", "a/b", true),
        ("**/b", "a/c/b", true), ("**/b", "ab", false), ("**b", "ab", true), ("**/b/**", "b", false),
        ("**/b/**", "a/b/c/d", true), ("a/**", "a", false), ("a/**", "a/b/c", true), ("a**", "abc/d", true),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/xb", false),
        ("a/**/b", "ab", false),
        ("**/*.go", "x.go", true), ("**/*.go", "a/b/x.go", true), ("**/*.go", "a/go", false),
        ("*.go", "a/x.go", false),
        ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d/c", false), ("**/a?/**/*.c", "x/ab/y/z.c", true),
        ("**/a?/**/*.c", "a/z.c", false), ("**/[ab]/x", "q/b/x", true), ("**/*", "a/b", true),
        ("a/**/b/**/c", "a/1/b/2/3/c", true), ("a/**/b/**/c", "a/1/c", false), ("x*?", "x€", true),
        ("*??", "€", false),
    ]

    @Test(arguments: recursive) func matchesAnyDepth(_ pattern: String, _ path: String, _ expected: Bool)
        throws
    {
        #expect(try PathPattern(pattern, .recursive).matches(path) == expected)
    }

    @Test(arguments: ["[", "[]", "[a", "[^", "[a-", "[-a]", "[a-]", "[]a]", "a\\", "[\\"])
    func refusesWhatIsMalformed(_ pattern: String) {
        let error = #expect(throws: DockerfileError.self) { _ = try PathPattern(pattern) }
        #expect(error?.message.contains("\"\(pattern)\" is malformed") == true)
    }

    @Test(arguments: [
        ("a", false), ("a*", true), ("a\\*", false), ("a\\\\*", true), ("[a]", true), ("a?", true),
    ])
    func knowsAWildcard(_ text: String, _ expected: Bool) {
        #expect(PathPattern.isWildcard(text) == expected)
    }

    @Test func matchesBytesThatAreNoText() throws {
        #expect(try PathPattern("a?b").matches([0x61, 0xFF, 0x62]))
        #expect(try PathPattern([0x2A, 0xFE]).matches([0x61, 0xFE]))
        #expect(try !PathPattern("a??b").matches([0x61, 0xFF, 0x62]))
    }

    @Test func noPatternIsSlow() throws {
        let pattern = try PathPattern(String(repeating: "**/a*", count: 40) + "b", .recursive)
        #expect(!pattern.matches(String(repeating: "a/", count: 400) + "a"))
    }
}
