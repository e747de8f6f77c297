import Failure
import Testing
import YAML

@Suite struct YAMLDocumentTests {
    private func json(_ text: String) throws -> String {
        String(
            decoding: try YAMLDocument.json(
                Array(text.utf8), as: "file", plainKeys: ["count", "on", "ids"]), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("a: b", #"{"a":"b"}"#),
            (
                "# comment\n---\na:\n- b\n- c: d # more\n  e: [f, 'g h', \"i\\tj\"]\nk: {}\n",
                #"{"a":["b",{"c":"d","e":["f","g h","i\u0009j"]}],"k":{}}"#
            ),
            ("name: 0\nversion: 1.10\nyes: no", #"{"name":"0","version":"1.10","yes":"no"}"#),
            ("count: 12", #"{"count":12}"#), ("count: 0666", #"{"count":438}"#),
            ("count: 0o17", #"{"count":15}"#),
            ("count: 0x1F", #"{"count":31}"#), ("count: \"12\"", #"{"count":"12"}"#),
            ("count: -3", #"{"count":-3}"#),
            ("count: 1e3", #"{"count":"1e3"}"#), ("count: 08", #"{"count":"08"}"#),
            ("ids: [1, 2]", #"{"ids":[1,2]}"#),
            ("ids:\n  deeper: 1", #"{"ids":{"deeper":"1"}}"#),
            ("on: true", #"{"on":true}"#), ("on: False", #"{"on":false}"#), ("on: 'true'", #"{"on":"true"}"#),
            ("off: true", #"{"off":"true"}"#), ("count: !!str 7", #"{"count":"7"}"#),
            ("a: !!int 7", #"{"a":"7"}"#),
            ("a:\nb: ~\nc: null\nd: ''", #"{"a":null,"b":null,"c":null,"d":""}"#),
            ("a: |\n  two\n  lines\n", #"{"a":"two\u000alines\u000a"}"#),
            ("a: >-\n  one\n  line\n", #"{"a":"one line"}"#),
            ("a: &x [1]\nb: *x", #"{"a":["1"],"b":["1"]}"#), ("a: \"q\\\"\\\\\"", #"{"a":"q\"\\"}"#),
            ("ä: ☃", #"{"ä":"☃"}"#), ("", "null"), ("{\"json\": [\"too\"]}", #"{"json":["too"]}"#),
        ])
    func `a document is the same in JSON`(_ text: String, _ wanted: String) throws {
        #expect(try json(text) == wanted)
    }

    @Test(
        arguments: [
            ("a: [1\nb: 2", "file: line 2: "), ("a: 1\na: 2", "line 2: the key a is given twice"),
            ("a: 1\n---\nb: 2", "a second document"), ("a: *b", "the alias *b has no anchor before it"),
            ("a: &b [*b]", "the alias *b has no anchor"), ("[a]: 1", "a key that is no text"),
            ("a: !!binary aGk=", "the tag tag:yaml.org,2002:binary is not known"), ("\ta: 1", "line 1: "),
        ])
    func `what is wrong is told with its line`(_ text: String, _ says: String) throws {
        let failure = try #require(throws: Failure.self) { try json(text) }
        #expect(failure.message.contains(says), "\(failure.message)")
        #expect(failure.code == .invalidArgument)
        #expect(!failure.message.contains("\n"))
    }

    @Test func `a document that is not what it seems stays small`() throws {
        let deep = String(repeating: "[", count: 5000)
        #expect(try #require(throws: Failure.self) { try json(deep) }.message.contains("nest deeper"))
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            bomb +=
                "a\(level): &a\(level) ["
                + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        #expect(
            try #require(throws: Failure.self) { try json(bomb) }.message.contains("aliases make more than"))
    }

    @Test func `bytes of any kind end in an answer`() {
        var random = SystemRandomNumberGenerator()
        let seed = Array("a: &x {b: [1, 'c', \"d\"], e: |\n  f\n}\ng: *x\n".utf8)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            do { _ = try YAMLDocument.json(bytes, as: "file", plainKeys: []) } catch {
                #expect(!error.message.contains("\n"))
            }
        }
    }
}
