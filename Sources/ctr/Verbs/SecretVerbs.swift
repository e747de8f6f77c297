import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum SecretCreateVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let labels = try command.parsedList(.label) { (text) throws(Failure) in try KeyValue.label(text) }
            .map { "\($0.key)=\($0.value)" }
        let secret = try engine.secretStore.create(
            command.positionals[0], try value(command), labels: labels, replacing: command.flag(.replace))
        Console.out(secret.id + "\n")
        return 0
    }

    private static func value(_ command: ParsedCommand) throws(Failure) -> [UInt8] {
        let word = command.positionals[1]
        if command.flag(.env) {
            guard let value = Process.environmentValue(word) else {
                throw Failure(.notFound, "the variable \(word) is not set")
            }
            return Array(value.utf8)
        }
        return try during("read \(word == "-" ? "stdin" : word)") { () throws(SystemError) in
            if word == "-" {
                return try FileDescriptor.withBorrowed(0) { (input) throws(SystemError) in
                    try input.readAll(limit: 1 << 20)
                }
            }
            return try FileDescriptor.open(word).readAll(limit: 1 << 20)
        }
    }
}

enum SecretListVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["id", "label", "name"])
            })
        let secrets = try engine.secretStore.all().filter { secret in
            filters.passes("name") { secret.name.contains($0) }
                && filters.passes("id") { secret.id.hasPrefix($0) }
                && filters.passesLabels(LabelList.map(secret.labels))
        }
        if command.flag(.quiet) {
            for secret in secrets { Console.out(secret.id + "\n") }
            return 0
        }
        var source = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}"
        if let format = command.value(.format), format != "table" { source = format }
        let now = Timestamp.now().nanosecondsSinceEpoch
        let rows = secrets.map { secret in
            TemplateValue.object([
                .init("ID", .string(secret.id)), .init("Name", .string(secret.name)),
                .init("Driver", "file"),
                .init("CreatedAt", .string(HumanDuration.ago(from: secret.created, to: now))),
                .init("UpdatedAt", .string(HumanDuration.ago(from: secret.updated, to: now))),
                .init("Labels", .string(secret.labels.joined(separator: ","))),
            ])
        }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("ID", "ID"), ("Name", "NAME"), ("Driver", "DRIVER"), ("CreatedAt", "CREATED"),
                    ("UpdatedAt", "UPDATED"), ("Labels", "LABELS"),
                ]))
        return 0
    }
}

enum SecretInspectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try InspectVerb.show(command, command.positionals) { (word) throws(Failure) in
            let secret = try engine.secretStore.resolve(word)
            return .object([
                .init("ID", .string(secret.id)),
                .init("CreatedAt", .string(TimeText.rfc3339(secret.created))),
                .init("UpdatedAt", .string(TimeText.rfc3339(secret.updated))),
                .init(
                    "Spec",
                    .object([
                        .init("Name", .string(secret.name)),
                        .init(
                            "Driver", .object([.init("Name", "file"), .init("Options", .object([]))])),
                        .init("Labels", .labels(LabelList.map(secret.labels))),
                    ])),
            ])
        }
    }
}

enum SecretRemoveVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let words = command.flag(.all) ? try engine.secretStore.all().map(\.name) : command.positionals
        guard command.flag(.all) || !words.isEmpty else {
            throw Failure(.invalidArgument, "which secret?", hint: "give names, or --all")
        }
        return Program.each(words, verb: command.verb, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            do throws(Failure) {
                let secret = try engine.secretStore.resolve(word)
                try engine.secretStore.remove(secret)
                Console.out(secret.id + "\n")
            } catch {
                guard error.code == .notFound, command.flag(.ignore) else { throw error }
            }
        }
    }
}
