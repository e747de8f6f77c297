import Dockerfile

/// A parsed Dockerfile as text that does not change unless the document does.
struct DocumentPrinter {
    private(set) var text = ""
    private var depth = 0

    init(_ document: DockerfileDocument) {
        for directive in document.directives {
            line("directive \(place(directive.range)) \(directive.name) \(quoted(directive.value))")
        }
        line("escape \(document.escape)")
        for instruction in document.globalArguments { print(instruction) }
        for stage in document.stages { print(stage) }
        for warning in document.warnings {
            line("warning \(warning.range.map(place) ?? "-") \(warning.rule): \(warning.message)")
        }
    }

    private mutating func line(_ words: String) {
        text += String(repeating: "  ", count: depth) + words + "\n"
    }

    private mutating func nested(_ body: (inout DocumentPrinter) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }

    private func place(_ range: SourceRange) -> String {
        "\(range.firstLine)-\(range.lastLine)" + (range.column.map { ":\($0)" } ?? "")
    }

    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private func quoted(_ list: [String]) -> String { "[" + list.map(quoted).joined(separator: ", ") + "]" }

    private mutating func print(_ stage: Stage) {
        line("stage \(stage.index) \(place(stage.range)) \(quoted(stage.text))")
        nested { printer in
            printer.line("base \(printer.quoted(stage.base))")
            printer.field("name", stage.name)
            if stage.writtenName != stage.name { printer.field("written name", stage.writtenName) }
            printer.field("platform", stage.platform)
            if stage.writtenKeyword != "FROM" { printer.field("written", stage.writtenKeyword) }
            if stage.writtenAs != "AS" { printer.field("as", stage.writtenAs) }
            for instruction in stage.instructions { printer.print(instruction) }
        }
    }

    private mutating func field(_ name: String, _ value: String?) {
        if let value { line("\(name) \(quoted(value))") }
    }

    private mutating func number(_ name: String, _ value: (some BinaryInteger)?) {
        if let value { line("\(name) \(value)") }
    }

    private mutating func flag(_ name: String, _ value: Bool?) {
        if let value { line("\(name) \(value)") }
    }

    private mutating func print(_ instruction: Instruction) {
        line("\(place(instruction.range)) \(quoted(instruction.text))")
        nested { printer in
            let keyword = instruction.text.prefix { $0 != " " }
            if instruction.writtenKeyword != keyword { printer.field("written", instruction.writtenKeyword) }
            printer.print(instruction.kind)
        }
    }

    private mutating func print(_ kind: Instruction.Kind) {
        switch kind {
        case .add(let file), .copy(let file): print(file)
        case .arg(let declarations):
            for argument in declarations {
                line("arg \(quoted(argument.name))" + (argument.value.map { " = \(quoted($0))" } ?? ""))
            }
        case .cmd(let command), .entrypoint(let command): print(command)
        case .env(let assignments), .label(let assignments):
            for item in assignments {
                line("\(quoted(item.name)) = \(quoted(item.value))" + (item.isLegacy ? " legacy" : ""))
            }
        case .expose(let words), .shell(let words), .volume(let words): line("words \(quoted(words))")
        case .healthcheck(let check): print(check)
        case .maintainer(let word), .stopsignal(let word), .user(let word), .workdir(let word):
            line("word \(quoted(word))")
        case .onbuild(let text, let trigger):
            line("trigger \(quoted(text))")
            print(trigger.instruction)
        case .run(let run):
            for mount in run.mounts { line("mount \(quoted(mount))") }
            if run.network != .default { line("network \(run.network.rawValue)") }
            print(run.command)
        }
    }

    private mutating func print(_ command: CommandLine) {
        switch command.form {
        case .exec(let words): line("exec \(quoted(words))")
        case .shell(let text): line("shell \(quoted(text))")
        }
        for heredoc in command.heredocs { print(heredoc) }
        if command.script != nil { line("the heredoc is the script") }
    }

    private mutating func print(_ heredoc: Heredoc) {
        var words = "heredoc \(quoted(heredoc.name))"
        if heredoc.descriptor != 0 { words += " to \(heredoc.descriptor)" }
        if !heredoc.expands { words += " literal" }
        if heredoc.chomps { words += " chomped" }
        line("\(words): \(quoted(heredoc.content))")
    }

    private mutating func print(_ file: FileInstruction) {
        line("from \(quoted(file.sources)) to \(quoted(file.destination))")
        for heredoc in file.heredocs { print(heredoc) }
        field("owner", file.owner)
        field("mode", file.mode)
        if file.link { flag("link", true) }
        if !file.excludes.isEmpty { line("excludes \(quoted(file.excludes))") }
        field("stage", file.from)
        if file.parents { flag("parents", true) }
        field("checksum", file.checksum)
        if file.keepGitDirectory { flag("keep git directory", true) }
        flag("unpack", file.unpacks)
    }

    private mutating func print(_ check: HealthcheckInstruction) {
        if let command = check.command { print(command) } else { line("none") }
        number("interval", check.interval)
        number("timeout", check.timeout)
        number("start period", check.startPeriod)
        number("start interval", check.startInterval)
        number("retries", check.retries)
    }
}
