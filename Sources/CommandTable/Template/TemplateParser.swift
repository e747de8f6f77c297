import Failure

/// Makes a tree of a template's tokens.
struct TemplateParser {
    private let tokens: [TemplateToken]
    private var position = 0
    private var depth = 0

    /// Deeper nesting is no template of a person, and parsing is recursive.
    private static let deepest = 100

    init(tokens: [TemplateToken]) {
        self.tokens = tokens
    }

    mutating func parse() throws(Failure) -> [TemplateNode] {
        let (nodes, end) = try block()
        if let end { throw TemplateLexer.failure("{{\(end)}} without a beginning") }
        return nodes
    }

    private func failure(_ why: String) -> Failure { TemplateLexer.failure(why) }

    private mutating func next() -> TemplateToken? {
        guard position < tokens.count else { return nil }
        position += 1
        return tokens[position - 1]
    }

    private var peek: TemplateToken? { position < tokens.count ? tokens[position] : nil }

    /// Nodes up to the end or to `{{end}}` or `{{else`, which is eaten and told; after `else` its rest is still to be read.
    private mutating func block() throws(Failure) -> (nodes: [TemplateNode], end: String?) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("nested deeper than \(Self.deepest)") }
        var nodes: [TemplateNode] = []
        while let token = next() {
            if case .text(let text) = token {
                nodes.append(.text(text))
                continue
            }
            guard case .word(let word)? = peek else {
                nodes.append(try action())
                continue
            }
            switch word {
            case "end":
                position += 1
                try close(after: "end")
                return (nodes, "end")
            case "else":
                position += 1
                return (nodes, "else")
            case "if", "with":
                position += 1
                nodes.append(try conditional(word))
            case "range":
                position += 1
                nodes.append(try range())
            case "define", "template", "block", "break", "continue":
                throw Failure(.unsupported, "template: {{\(word)}} is not supported")
            default:
                nodes.append(try action())
            }
        }
        return (nodes, nil)
    }

    private mutating func close(after what: String) throws(Failure) {
        guard next() == .close else { throw failure("unexpected words after \(what)") }
    }

    private mutating func action() throws(Failure) -> TemplateNode {
        if case .variable(let name, let path)? = peek, path.isEmpty, position + 1 < tokens.count,
            tokens[position + 1] == .declare || tokens[position + 1] == .assign
        {
            let declares = tokens[position + 1] == .declare
            position += 2
            let pipeline = try pipeline()
            try close(after: "a pipeline")
            return declares ? .declare(name, pipeline) : .assign(name, pipeline)
        }
        let pipeline = try pipeline()
        try close(after: "a pipeline")
        return .print(pipeline)
    }

    private mutating func conditional(_ word: String) throws(Failure) -> TemplateNode {
        let condition = try pipeline()
        try close(after: word)
        let (then, end) = try block()
        let otherwise = try elseBlock(end, of: word)
        return word == "if"
            ? .if(condition, then: then, else: otherwise) : .with(condition, then: then, else: otherwise)
    }

    private mutating func elseBlock(_ end: String?, of word: String) throws(Failure) -> [TemplateNode] {
        switch end {
        case "end": return []
        case "else":
            if case .word(let chained)? = peek, chained == word, word != "range" {
                position += 1
                // `{{else if}}` shares the `{{end}}` of the whole.
                return [try conditional(word)]
            }
            try close(after: "else")
            let (nodes, end) = try block()
            guard end == "end" else { throw failure("{{\(word)}} without {{end}}") }
            return nodes
        default: throw failure("{{\(word)}} without {{end}}")
        }
    }

    private mutating func range() throws(Failure) -> TemplateNode {
        var names: [String] = []
        let start = position
        while case .variable(let name, let path)? = peek, path.isEmpty, names.count < 2 {
            names.append(name)
            position += 1
            guard peek == .comma else { break }
            position += 1
        }
        if !names.isEmpty, peek == .declare {
            position += 1
        } else {
            names = []
            position = start
        }
        let pipeline = try pipeline()
        try close(after: "range")
        let (body, end) = try block()
        return .range(pipeline, names: names, body: body, else: try elseBlock(end, of: "range"))
    }

    private mutating func pipeline() throws(Failure) -> TemplatePipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("nested deeper than \(Self.deepest)") }
        var commands = [try command()]
        while peek == .pipe {
            position += 1
            commands.append(try command())
        }
        for command in commands.dropFirst() {
            guard case .call = command else { throw failure("only a function can stand after |") }
        }
        return TemplatePipeline(commands: commands)
    }

    private mutating func command() throws(Failure) -> TemplateCommand {
        if case .word(let name)? = peek, TemplateParser.literal(name) == nil {
            position += 1
            guard TemplateFunction(rawValue: name) != nil else {
                let meant = Suggestion.nearest(to: name, among: TemplateFunction.allCases.map(\.rawValue))
                throw Failure(
                    .invalidArgument, "template: no function is named \"\(name)\"",
                    hint: meant.map { "Did you mean \"\($0)\"? A field begins with a dot." }
                        ?? "A field begins with a dot: {{.\(name)}}.")
            }
            var arguments: [TemplateOperand] = []
            while let operand = try operand() { arguments.append(operand) }
            return .call(name, arguments)
        }
        guard let first = try operand() else { throw failure("a value is missing") }
        guard try operand() == nil else { throw failure("only a function takes arguments") }
        return .operand(first)
    }

    private static func literal(_ word: String) -> TemplateValue? {
        switch word {
        case "true": .bool(true)
        case "false": .bool(false)
        case "nil": .null
        default: nil
        }
    }

    private mutating func operand() throws(Failure) -> TemplateOperand? {
        switch peek {
        case .path(let names):
            position += 1
            return .path(names)
        case .variable(let name, let path):
            position += 1
            return .variable(name, path)
        case .string(let text):
            position += 1
            return .literal(.string(text))
        case .integer(let value):
            position += 1
            return .literal(.integer(value))
        case .double(let value):
            position += 1
            return .literal(.double(value))
        case .word(let word):
            position += 1
            if let literal = Self.literal(word) { return .literal(literal) }
            guard TemplateFunction(rawValue: word) != nil else {
                throw failure("no function is named \"\(word)\"")
            }
            return .function(word)
        case .leftParen:
            position += 1
            let pipeline = try pipeline()
            guard case .rightParen(let path)? = next() else { throw failure("( without )") }
            return .group(pipeline, path)
        default:
            return nil
        }
    }
}
