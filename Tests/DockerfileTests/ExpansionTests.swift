import Dockerfile
import Testing

@Suite struct ExpansionTests {
    static let variables = [
        "x": "value", "empty": "", "path": "/usr/local/bin/tool.tar.gz", "list": "a b  c", "star": "a*b",
        "quoted": "it's", "Ünïcode_1": "ü", "1": "one",
    ]

    static let words: [(String, String)] = [
        ("", ""), ("plain text", "plain text"),
        ("$x", "value"), ("${x}", "value"), ("a${x}b", "avalueb"), ("$x/$x", "value/value"),
        ("$nothing.", "."), ("$Ünïcode_1", "ü"), ("$1x", "onex"), ("$", "$"), ("a$", "a$"), ("$.", "$."),
        ("$?$@$#", ""), ("${?}", ""),
        ("'$x'", "$x"), ("\"$x\"", "value"), ("\"'$x'\"", "'value'"), ("'a'\"b\"c", "abc"),
        ("\\$x", "$x"), ("\\\\$x", "\\value"), ("\\a\\ b", "a b"), ("end\\", "end"),
        ("\"\\$x \\\" \\\\ \\n\"", "$x \" \\ \\n"), ("'\\'", "\\"), ("$quoted", "it's"),
        ("${x:-w}", "value"), ("${x-w}", "value"), ("${empty:-w}", "w"), ("${empty-w}", ""),
        ("${nothing:-w}", "w"), ("${nothing-w}", "w"), ("${nothing:-}", ""),
        ("${x:+w}", "w"), ("${x+w}", "w"), ("${empty:+w}", ""), ("${empty+w}", "w"), ("${nothing+w}", ""),
        ("${x:?m}", "value"), ("${empty?m}", ""),
        ("${nothing:-${nope:-${x}}}", "value"), ("${nothing:-'a $x' \"$x\"}", "a $x value"),
        ("${nothing:-\\}}", "}"),
        ("${path#*/}", "usr/local/bin/tool.tar.gz"), ("${path##*/}", "tool.tar.gz"),
        ("${path%.*}", "/usr/local/bin/tool.tar"), ("${path%%.*}", "/usr/local/bin/tool"),
        ("${path#/usr}", "/local/bin/tool.tar.gz"), ("${path#usr}", "/usr/local/bin/tool.tar.gz"),
        ("${path%gz}", "/usr/local/bin/tool.tar."), ("${x#?}", "alue"), ("${x%??}", "val"),
        ("${x##*}", ""), ("${x#*}", "value"), ("${x%%*}", ""), ("${star#a\\*}", "b"), ("${x#a\\*}", "value"),
        ("${nothing#*}", ""), ("${x#[v]}", "value"),
        ("${path/\\//_}", "_usr/local/bin/tool.tar.gz"), ("${path//\\//_}", "_usr_local_bin_tool.tar.gz"),
        ("${x/a/$1}", "vonelue"), ("${x/a/}", "vlue"), ("${x//?/ab}", "ababababab"), ("${x/*/w}", "w"),
        ("${x/l*/}", "va"), ("${x/z/w}", "value"), ("${x//a*u/-}", "v-e"), ("${x/a/'b c'}", "vb clue"),
    ]

    @Test(arguments: words) func expandsAWord(_ text: String, _ expected: String) throws {
        #expect(try Expansion(variables: Self.variables).word(text).value == expected)
    }

    @Test(arguments: [
        ("'", "single quote"), ("\"", "double quote"), ("\"$x", "double quote"), ("${x", "}"), ("${", "}"),
        ("${x:-w", "}"), ("${x:", "}"), ("${x/a", "/"), ("${x/a/b", "}"), ("${}", "name"), ("${{x}}", "name"),
        ("${:x}", "name"), ("${x^}", "no form"), ("${x:=w}", "no form"), ("${nothing:?go away}", "go away"),
        ("${nothing?}", "nothing: is not set"), ("${empty:?}", "empty: is empty"), ("${x#\\a}", "escape"),
    ])
    func refusesWhatIsMalformed(_ text: String, _ part: String) throws {
        let expansion = Expansion(variables: Self.variables)
        let error = #expect(throws: DockerfileError.self) { _ = try expansion.word(text) }
        #expect(error?.message.contains(part) == true)
    }

    @Test(arguments: [
        ("a b", ["a", "b"]), ("  a\t b ", ["a", "b"]), ("$list", ["a", "b", "c"]),
        ("\"$list\" x", ["a b  c", "x"]),
        ("a\\ b c", ["a b", "c"]), ("x$list", ["xa", "b", "c"]), ("'' a", ["a"]), ("", []), ("$empty", []),
    ])
    func splitsIntoWords(_ text: String, _ expected: [String]) throws {
        #expect(try Expansion(variables: Self.variables).words(text).value == expected)
    }

    @Test func backtickEscapes() throws {
        let expansion = Expansion(escape: "`", variables: ["x": "1"])
        #expect(try expansion.word(#"c:\dir\$x `$x "`$x`""`"#).value == #"c:\dir\1 $x $x""#)
    }

    @Test func heredocsHaveNoQuotes() throws {
        let expansion = Expansion(escape: "`", variables: ["x": "1"])
        #expect(try expansion.heredoc("it's \"$x\" '${x}' \\$x `$x\n").value == "it's \"1\" '1' $x `1\n")
    }

    @Test func messagesHaveOneLine() {
        let error = #expect(throws: DockerfileError.self) {
            _ = try Expansion(variables: [:]).heredoc("first ${x:?go\naway} $x\nsecond\n")
        }
        #expect(error?.message == "cannot expand \"first ${x:?go…\": x: go…")
    }

    @Test func tellsWhichVariablesWereRead() throws {
        let expanded = try Expansion(variables: ["a": "1", "b": ""]).word(
            "$a ${b:-$c} ${d:-e} $f ${g:+h} ${i#x} '$j'")
        #expect(expanded.used == ["a", "b"])
        #expect(expanded.undefined == ["c", "f", "i"])
    }
}
