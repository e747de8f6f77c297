import Failure
import OCI
import Testing

@Suite struct JSONTests {
    @Test func deterministic() throws {
        let bytes = try JSON.encode(["b": "x/y", "a": "ä", "B": "\u{1}\"", "aa": ""])
        #expect(text(bytes) == #"{"B":"\u0001\"","a":"ä","aa":"","b":"x/y"}"#)
        // Two dictionaries of the same pairs, filled in another order, iterate differently.
        for _ in 0..<20 {
            let pairs = (0..<50).map { ("k\($0)", "v") }
            let one = Dictionary(uniqueKeysWithValues: pairs.shuffled())
            let other = Dictionary(uniqueKeysWithValues: pairs.shuffled())
            #expect(try JSON.encode(one) == JSON.encode(other))
        }
    }

    @Test func pretty() throws {
        #expect(text(try JSON.encodePretty(["b": 1, "a": 2])).hasSuffix("}\n"))
    }

    @Test func wholeNumbers() throws {
        let bytes = Array("[0,18446744073709551615]".utf8)
        #expect(try JSON.decode([UInt64].self, from: bytes, as: "numbers") == [0, .max])
        #expect(text(try JSON.encode([UInt64.max])) == "[18446744073709551615]")
        for bad in ["[18446744073709551616]", "[-1]", "[1.5]", "[\"1\"]", "[1e400]"] {
            #expect(
                failure(of: { try JSON.decode([UInt64].self, from: Array(bad.utf8), as: "numbers") })?.code
                    == .invalidArgument, "\(bad)")
        }
    }

    @Test(arguments: [
        "", " ", "{", "[1,", "\"", "\"\\", "nul", "{\"a\":1}}", "{\"a\"}", "\u{FEFF}", "{'a':1}", "[1] x",
        "{\"a\":\"\\u12\"}",
    ])
    func broken(text: String) {
        let failed = failure(of: { try JSON.decode([String: Int].self, from: Array(text.utf8), as: "doc") })
        #expect(failed?.code == .invalidArgument)
        #expect(failed?.message.hasPrefix("doc: ") == true)
    }

    @Test func notUTF8() {
        for bytes: [UInt8] in [[0xFF, 0xFE], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0]] {
            #expect(failure(of: { try JSON.decode(String.self, from: bytes, as: "doc") }) != nil)
        }
    }

    @Test func depth() {
        for opening in ["[", "{\"a\":"] {
            let bomb = Array(String(repeating: opening, count: 100_000).utf8)
            let failed = failure(of: { try JSON.decode(Descriptor.self, from: bomb, as: "doc") })
            #expect(failed?.message.contains("deeper than 128") == true)
        }
        let inString = Array(("\"" + String(repeating: "[", count: 1000) + "\\\"[\"").utf8)
        #expect((try? JSON.decode(String.self, from: inString, as: "doc"))?.count == 1002)
        let unknown =
            #"{"known":1,"x":"# + String(repeating: "[", count: 120) + String(repeating: "]", count: 120)
            + "}"
        struct Known: Decodable { var known: Int }
        #expect((try? JSON.decode(Known.self, from: Array(unknown.utf8), as: "doc"))?.known == 1)
    }

    @Test func size() {
        let bytes = Array(("\"" + String(repeating: "a", count: JSON.documentLimit) + "\"").utf8)
        #expect(
            failure(of: { try JSON.decode(String.self, from: bytes, as: "doc") })?.message.contains("4194304")
                == true)
    }

    @Test func pathsOfNumbers() {
        for (bad, message) in [
            ("[300]", "doc: 0: 300 is"), ("[0,-1]", "doc: 1: -1 is"), ("[1,2e9]", "doc: 1: 2e9 is"),
        ] {
            let failed = failure(of: { try JSON.decode([UInt8].self, from: Array(bad.utf8), as: "doc") })
            #expect(failed?.message == message + " not a whole number in range")
        }
        struct Inner: Decodable { var a: [[UInt8]] }
        let nested = Array(#"[{"a":[[1,2],[3,-4]]}]"#.utf8)
        #expect(
            failure(of: { try JSON.decode([Inner].self, from: nested, as: "doc") })?.message
                == "doc: 0.a.1.1: -4 is not a whole number in range")
    }

    static let paths: [(String, String)] = [
        (#"{"size":1,"digest":"x"}"#, "descriptor: mediaType: missing"),
        (
            #"{"mediaType":"m","size":1,"digest":"x"}"#,
            #"descriptor: digest: "x" is not a sha256 or sha512 digest"#
        ),
        (#"{"mediaType":1}"#, "descriptor: mediaType: not a string"),
        (#"{"mediaType":null}"#, "descriptor: mediaType: null where a string is needed"),
        (#"{"mediaType":"m","size":"1","digest":"DIGEST"}"#, "descriptor: size: not a whole number in range"),
        (#"{"mediaType":"m","size":-1,"digest":"DIGEST"}"#, "descriptor: size: -1 is negative"),
        (#"{"mediaType":"m","size":1,"digest":"DIGEST","urls":["a",2]}"#, "descriptor: urls.1: not a string"),
        (#"{"mediaType":"m","size":1,"digest":"DIGEST","urls":{}}"#, "descriptor: urls: not a list"),
        (
            #"{"mediaType":"m","size":1,"digest":"DIGEST","annotations":[]}"#,
            "descriptor: annotations: not an object"
        ),
        (
            #"{"mediaType":"m","size":1,"digest":"DIGEST","annotations":{"a\nb":1}}"#,
            #"descriptor: annotations.a\u{a}b: not a string"#
        ),
        // swift-foundation gives no path for these.
        (
            #"{"mediaType":"m","size":1.5,"digest":"DIGEST","x":[1,{"y":-2}]}"#,
            "descriptor: size: 1.5 is not a whole number in range"
        ),
        (
            #"{"mediaType":"1,\"2","x":[1e3,{"y":-2}],"digest":"DIGEST","size":9223372036854775808}"#,
            "descriptor: size: 9223372036854775808 is not a whole number in range"
        ),
        (
            #"{"mediaType":"m","digest":"DIGEST","size":1,"platform":{"os":"a","architecture":"b"},"size" 1}"#,
            "descriptor: not valid JSON"
        ),
        (#"[]"#, "descriptor: not an object"), (#"{"mediaType""#, "descriptor: not valid JSON"),
    ]

    @Test(arguments: paths)
    func fieldPaths(document: String, message: String) throws {
        let parts = document.split(separator: "DIGEST", omittingEmptySubsequences: false)
        let bytes = Array(parts.joined(separator: try digest("1").description).utf8)
        #expect(
            failure(of: { try JSON.decode(Descriptor.self, from: bytes, as: "descriptor") })?.message
                == message)
    }
}
