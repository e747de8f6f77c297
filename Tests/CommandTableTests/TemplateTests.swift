import CommandTable
import Failure
import Testing

@Suite struct TemplateTests {
    private static let container: TemplateValue = .object([
        .init("ID", "0123"), .init("Names", "cache"), .init("Size", 77), .init("Ratio", .double(0.5)),
        .init(
            "State", .object([.init("Running", true), .init("Status", "running"), .init("Health", .null)])),
        .init(
            "Config",
            .object([
                .init("Labels", .labels(["b": "2", "a.x": "1"])), .init("Cmd", .strings(["sh", "-c"])),
            ])),
        .init("Mounts", .array([.object([.init("Name", "v")]), .object([.init("Name", "w")])])),
        .init("None", .array([])),
    ])

    private func text(_ source: String, escapes: Bool = true) throws(Failure) -> String {
        try Template(source, escapes: escapes).text(of: Self.container)
    }

    @Test(arguments: [
        ("{{.ID}}", "0123"), ("{{ .ID }}\\t{{.Names}}", "0123\tcache"), ("{{.State.Running}}", "true"),
        ("{{json .State}}", #"{"Running":true,"Status":"running","Health":null}"#),
        ("{{json .Config.Cmd}}", #"["sh","-c"]"#),
        ("{{index .Config.Labels \"a.x\"}}", "1"), ("{{index .Config.Labels \"zz\"}}", ""),
        ("{{.Config.Labels.b}}", "2"),
        ("{{.Config.Labels.zz}}", "<no value>"), ("{{index .Config.Cmd 1}}", "-c"),
        ("{{(index .Mounts 1).Name}}", "w"),
        ("{{range .Mounts}}[{{.Name}}]{{end}}", "[v][w]"), ("{{range .None}}x{{else}}none{{end}}", "none"),
        ("{{range $i, $m := .Mounts}}{{$i}}={{$m.Name}};{{end}}", "0=v;1=w;"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a.x=1 b=2 "),
        ("{{range $m := .Mounts}}{{$m.Name}}{{end}}", "vw"),
        ("{{len .Mounts}}{{len .ID}}{{len .Config.Labels}}", "242"), ("{{join .Config.Cmd \",\"}}", "sh,-c"),
        ("{{upper .Names}}{{lower \"AB\"}}{{title \"a bc\"}}", "CACHEabA Bc"),
        ("{{split \"a,b\" \",\"}}", "[a b]"),
        ("{{println .ID}}", "0123\n"), ("{{print .ID .Names}}", "0123 cache"),
        ("{{printf \"%-6s|%q|%5d%%\" .ID .Names 7}}", "0123  |\"cache\"|    7%"),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        ("{{if .None}}a{{else if eq .Size 77}}b{{else}}c{{end}}", "b"),
        ("{{if and .State.Health (eq .State.Health.Status \"up\")}}a{{else}}b{{end}}", "b"),
        ("{{if or .None .Names}}a{{end}}", "a"), ("{{if not .None}}a{{end}}", "a"),
        ("{{if ne .Names \"x\"}}a{{end}}", "a"),
        ("{{if eq .Names \"x\" \"cache\"}}a{{end}}", "a"),
        ("{{if gt .Size 70}}a{{end}}{{if lt .Ratio 1}}b{{end}}", "ab"),
        ("{{with .State}}{{.Status}}{{end}}", "running"), ("{{with .State.Health}}x{{else}}no{{end}}", "no"),
        ("{{.Names | upper | printf \"%s!\"}}", "CACHE!"),
        ("{{.Config.Cmd}} {{.Config.Labels}}", "[sh -c] map[a.x:1 b:2]"),
        ("{{$x := .ID}}{{range .Mounts}}{{$x}}{{$.Names}}{{end}}", "0123cache0123cache"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"), ("a {{- .ID -}} b", "a0123b"),
        ("{{/* note */}}x", "x"),
        ("plain", "plain"), ("", ""), ("{{pad .ID 1 2}}|", " 0123  |"), ("{{truncate .ID 2}}", "01"),
        ("{{`a\\b`}}", "a\\b"),
        ("{{.State.Health.Status}}", "<no value>"), ("{{.Ratio}} {{-1}}", "0.5 -1"),
        ("json", Self.container.json()),
        ("{{eq 1 1}}{{\"}}\"}}", "true}}"),
    ])
    func `templates as docker's users write them`(_ source: String, _ wanted: String) throws {
        #expect(try text(source) == wanted)
    }

    @Test(
        arguments: [
            ("{{.Id}}", "template: no field .Id", "Did you mean .ID?"),
            ("{{.State.Runing}}", "template: no field .State.Runing", "Did you mean .State.Running?"),
            ("{{.ID.X}}", "template: .ID is a text and has no field .X", nil),
            ("{{ID}}", "template: no function is named \"ID\"", "A field begins with a dot: {{.ID}}."),
            (
                "{{jsn .}}", "template: no function is named \"jsn\"",
                "Did you mean \"json\"? A field begins with a dot."
            ),
            ("{{.ID", "template: {{ without }}", nil),
            ("{{if .ID}}x", "template: {{if}} without {{end}}", nil),
            ("{{end}}", "template: {{end}} without a beginning", nil),
            ("{{range .ID}}{{end}}", "template: range goes over a list or a map, not a text", nil),
            ("{{index .Config.Cmd 9}}", "template: index 9 is outside of a list of 2", nil),
            ("{{\"x}}", "template: a text without closing \"", nil),
            ("{{len 5}}", "template: len wants a text, a list or an object, not a number", nil),
            ("{{join .ID}}", "template: join wants two values, not 1", nil),
            ("{{$y}}", "template: the variable $y is not set", nil),
            ("{{.ID .Names}}", "template: only a function takes arguments", nil),
            ("{{}}", "template: a value is missing", nil),
            ("{{define \"x\"}}{{end}}", "template: {{define}} is not supported", nil),
            ("{{.ID | .Names}}", "template: only a function can stand after |", nil),
            ("table", "template: nothing after \"table\"", nil),
            ("{{eq .ID 1}}", "template: eq cannot compare a text and a number", nil),
            ("{{(.ID}}", "template: ( without )", nil),
            ("{{printf \"%s\"}}", "template: printf has too few values for \"%s\"", nil),
            ("{{5x}}", "template: \"5x\" is not a number", nil),
            ("{{if}}{{end}}", "template: a value is missing", nil),
            ("{{.ID.}}", "template: a field name is missing after .", nil),
        ] as [(String, String, String?)])
    func `a bad template says why`(_ source: String, _ message: String, _ hint: String?) {
        do {
            _ = try text(source)
            Issue.record("no failure")
        } catch {
            #expect(error.message == message)
            if let hint { #expect(error.hint == hint) }
        }
    }

    @Test func `nesting has a bound`() {
        let deep = String(repeating: "(", count: 20_000)
        #expect(throws: Failure.self) { try Template("{{\(deep)}}") }
        #expect(throws: Failure.self) { try Template(String(repeating: "{{if .}}", count: 20_000)) }
    }

    @Test func `inspect leaves backslashes alone`() throws {
        #expect(try text("{{.ID}}\\t", escapes: false) == "0123\\t")
    }

    @Test func `a table has a heading and columns`() throws {
        let headings = [
            (field: "ID", title: "CONTAINER ID"), (field: "Names", title: "NAMES"),
            (field: "State", title: "STATE"),
        ]
        let table = try Template("table {{.ID}}\\t{{upper .Names}}\\t{{.State.Status}}")
        #expect(table.shape == .table)
        #expect(
            try table.listing([Self.container], headings: headings) == """
                CONTAINER ID   NAMES     STATE
                0123           CACHE     running

                """)
        #expect(throws: Failure.self) { try Template("table {{.Nope}}").heading(headings) }
    }

    @Test func `json keeps the order of fields and sorts maps`() {
        let value: TemplateValue = .object([
            .init("z", .labels(["b": "<&>", "a": "\"\\\u{1}\n\u{2028}"])), .init("a", .array([])),
            .init("n", .double(1.5)),
        ])
        #expect(value.json() == #"{"z":{"a":"\"\\\u0001\n\u2028","b":"<&>"},"a":[],"n":1.5}"#)
        #expect(
            TemplateValue.array([.object([.init("a", .strings(["x"]))])]).json(indent: "    ") == """
                [
                    {
                        "a": [
                            "x"
                        ]
                    }
                ]
                """)
    }
}
