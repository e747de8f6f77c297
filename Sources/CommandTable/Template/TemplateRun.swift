import Failure

/// One execution of a template over one value.
struct TemplateRun {
    private let root: TemplateValue
    private let isHeading: Bool
    private var variables: [(name: String, value: TemplateValue)] = []

    init(root: TemplateValue, isHeading: Bool) {
        self.root = root
        self.isHeading = isHeading
    }

    mutating func text(_ nodes: [TemplateNode]) throws(Failure) -> String {
        var text = ""
        try run(nodes, root, &text)
        return text
    }

    private mutating func run(
        _ nodes: [TemplateNode], _ dot: TemplateValue, _ text: inout String
    ) throws(Failure) {
        let scope = variables.count
        defer { variables.removeSubrange(scope...) }
        for node in nodes {
            switch node {
            case .text(let literal): text += literal
            case .print(let pipeline): text += try value(of: pipeline, dot).text
            case .declare(let name, let pipeline):
                variables.append((name, try value(of: pipeline, dot)))
            case .assign(let name, let pipeline):
                guard let place = variables.lastIndex(where: { $0.name == name }) else {
                    throw undefined(name)
                }
                variables[place].value = try value(of: pipeline, dot)
            case .if(let condition, let then, let otherwise):
                try run(try value(of: condition, dot).truth ? then : otherwise, dot, &text)
            case .with(let condition, let then, let otherwise):
                let value = try value(of: condition, dot)
                if value.truth {
                    try run(then, value, &text)
                } else {
                    try run(otherwise, dot, &text)
                }
            case .range(let pipeline, let names, let body, let otherwise):
                try range(try value(of: pipeline, dot), names, body, otherwise, dot, &text)
            }
        }
    }

    private mutating func range(
        _ value: TemplateValue, _ names: [String], _ body: [TemplateNode], _ otherwise: [TemplateNode],
        _ dot: TemplateValue, _ text: inout String
    ) throws(Failure) {
        let pairs: [(TemplateValue, TemplateValue)]
        switch value {
        case .array(let list): pairs = list.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .map(let map): pairs = map.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .null: pairs = []
        case .string where isHeading: pairs = [(0, value)]
        case .object, .string, .bool, .integer, .double:
            throw TemplateLexer.failure("range goes over a list or a map, not \(value.kindName)")
        }
        if pairs.isEmpty { return try run(otherwise, dot, &text) }
        for (key, element) in pairs {
            let scope = variables.count
            defer { variables.removeSubrange(scope...) }
            if names.count == 2 { variables.append((names[0], key)) }
            if let name = names.last { variables.append((name, element)) }
            try run(body, element, &text)
        }
    }

    private func value(of pipeline: TemplatePipeline, _ dot: TemplateValue) throws(Failure) -> TemplateValue {
        var result: TemplateValue?
        for command in pipeline.commands {
            switch command {
            case .operand(let operand): result = try value(of: operand, dot)
            case .call(let name, let operands): result = try call(name, operands, piped: result, dot)
            }
        }
        return result ?? .null
    }

    private func call(
        _ name: String, _ operands: [TemplateOperand], piped: TemplateValue?, _ dot: TemplateValue
    ) throws(Failure) -> TemplateValue {
        guard let function = TemplateFunction(rawValue: name) else {
            throw TemplateLexer.failure("no function is named \"\(name)\"")
        }
        var arguments: [TemplateValue] = []
        for operand in operands {
            let argument = try value(of: operand, dot)
            // `and` and `or` go no further than the argument that decides: {{if and .Health (eq .Health.Status "up")}}.
            if function == .and, !argument.truth { return argument }
            if function == .or, argument.truth { return argument }
            arguments.append(argument)
        }
        if let piped { arguments.append(piped) }
        if isHeading, function.passesHeading {
            // `index .Labels "x"` has the field first, `join .Names ","` too; a literal is never a heading.
            return arguments.first ?? .null
        }
        return try function.call(arguments)
    }

    private func value(of operand: TemplateOperand, _ dot: TemplateValue) throws(Failure) -> TemplateValue {
        switch operand {
        case .literal(let value): return value
        case .path(let names): return try field(names, of: dot)
        case .variable("", let names): return try field(names, of: root)
        case .variable(let name, let names):
            guard let variable = variables.last(where: { $0.name == name }) else { throw undefined(name) }
            return try field(names, of: variable.value)
        case .group(let pipeline, let names): return try field(names, of: try value(of: pipeline, dot))
        case .function(let name): return try call(name, [], piped: nil, dot)
        }
    }

    private func field(_ names: [String], of value: TemplateValue) throws(Failure) -> TemplateValue {
        var value = value
        for (depth, name) in names.enumerated() {
            switch value {
            case .object(let fields):
                guard let found = fields.first(where: { $0.name == name }) else {
                    let known = fields.map(\.name)
                    let meant =
                        known.first { $0.lowercased() == name.lowercased() }
                        ?? Suggestion.nearest(to: name, among: known)
                    throw Failure(
                        .invalidArgument, "template: no field .\(names[...depth].joined(separator: "."))",
                        hint: meant.map {
                            "Did you mean .\((names[..<depth] + [$0]).joined(separator: "."))?"
                        }
                            ?? "The fields are \(known.joined(separator: ", ")).")
                }
                value = found.value
            case .map(let map): value = map[name] ?? .null
            case .null: return .null
            // Below a heading there is nothing: the column of {{.State.Status}} is headed by State.
            case .string where isHeading: return value
            case .string, .bool, .integer, .double, .array:
                throw TemplateLexer.failure(
                    ".\(names[..<depth].joined(separator: ".")) is \(value.kindName) and has no field .\(name)"
                )
            }
        }
        return value
    }

    private func undefined(_ name: String) -> Failure {
        TemplateLexer.failure("the variable $\(name) is not set")
    }
}
