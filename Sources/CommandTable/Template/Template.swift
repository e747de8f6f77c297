package import Failure

/// A `--format` template: the part of Go's text/template that docker's users write.
///
/// `{{.ID}}`, `{{.State.Running}}`, `{{index .Config.Labels "x"}}`, `{{json .}}`, `{{len .Mounts}}`,
/// `{{range .Mounts}}{{.Name}}{{else}}-{{end}}`, `{{range $k, $v := .Labels}}`, `{{if eq .State "running"}}{{else if ...}}{{end}}`,
/// `{{with .X}}{{end}}`, variables, pipes, parentheses, `{{-` and `-}}`, comments, and the functions of ``TemplateFunction``.
package struct Template: Sendable {
    /// What the whole is printed as.
    package enum Shape: Equatable, Sendable {
        /// One line for each object.
        case lines
        /// `table ...`: a heading, then aligned columns.
        case table
        /// The word `json` alone: each object as JSON in a line.
        case json
    }

    package let shape: Shape
    let nodes: [TemplateNode]

    /// Throws `.invalidArgument` that says what is wrong and where.
    ///
    /// - Parameter escapes: whether `\t` and `\n` outside of braces stand for a tab and a newline, as in docker's listing
    ///   verbs; not in `inspect`.
    package init(_ source: String, escapes: Bool = true) throws(Failure) {
        var body = source[...]
        while let last = body.last, last == " " || last == "\n" { body.removeLast() }
        if body == "json" {
            shape = .json
            nodes = []
            return
        }
        body = source[...]
        if body == "table" || body.hasPrefix("table ") || body.hasPrefix("table\\t") {
            shape = .table
            body = body.dropFirst(5).drop { $0 == " " }
            guard !body.isEmpty else {
                throw Failure(.invalidArgument, "template: nothing after \"table\"")
            }
        } else {
            shape = .lines
        }
        let text = escapes ? Self.unescaped(body) : String(body)
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: text))
        nodes = try parser.parse()
    }

    /// The text for one object, without a newline after it.
    package func text(of value: TemplateValue) throws(Failure) -> String {
        if shape == .json { return value.json() }
        var run = TemplateRun(root: value, isHeading: false)
        return try run.text(nodes)
    }

    /// The heading of a table: each field by the name in `headings`, as `["ID": "CONTAINER ID"]`.
    package func heading(_ headings: [(field: String, title: String)]) throws(Failure) -> String {
        let fields = headings.map { TemplateValue.Field($0.field, .string($0.title)) }
        var run = TemplateRun(root: .object(fields), isHeading: true)
        return try run.text(nodes)
    }

    /// Everything that a listing verb prints: a line for each value, or a table with its heading.
    package func listing(
        _ values: [TemplateValue], headings: [(field: String, title: String)]
    ) throws(Failure) -> String {
        if shape == .table {
            var table = TextTable()
            table.append(line: try heading(headings))
            for value in values { table.append(line: try text(of: value)) }
            return table.text
        }
        var text = ""
        for value in values { text += try self.text(of: value) + "\n" }
        return text
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\\", let next = rest.first, next == "t" || next == "n" {
                rest.removeFirst()
                result += next == "t" ? "\t" : "\n"
            } else {
                result.append(character)
            }
        }
        return result
    }
}
