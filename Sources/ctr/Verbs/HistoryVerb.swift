import CommandTable
import Engine
import Failure
import LinuxSystem

enum HistoryVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let entries = try engine.history(command.positionals[0])
        if command.flag(.quiet) {
            for entry in entries { Console.out("\(entry.id.map { shown($0, command) } ?? "<missing>")\n") }
            return 0
        }
        let now = Timestamp.now().nanosecondsSinceEpoch
        let human = command.flag(.human)
        let rows = entries.map { entry in
            let createdBy = entry.createdBy.map { $0 == "\t" ? " " : $0 }
            return TemplateValue.object([
                .init("ID", .string(entry.id.map { shown($0, command) } ?? "<missing>")),
                .init(
                    "CreatedSince",
                    .string(
                        human
                            ? entry.created.map { HumanDuration.ago(from: $0, to: now) } ?? "N/A"
                            : entry.created.map(TimeText.utc) ?? "")),
                .init("CreatedAt", .string(entry.created.map(TimeText.utc) ?? "")),
                .init(
                    "CreatedBy",
                    .string(
                        command.flag(.noTrunc) || createdBy.count <= 45
                            ? createdBy : createdBy.prefix(44) + "…")),
                .init("Size", .string(human ? HumanSize.decimal(entry.size) : String(entry.size))),
                .init("Comment", .string(entry.comment)),
            ])
        }
        var source = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        if let format = command.value(.format), format != "table" { source = format }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("ID", "IMAGE"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT"),
                    ("CreatedBy", "CREATED BY"), ("Size", "SIZE"), ("Comment", "COMMENT"),
                ]))
        return 0
    }

    private static func shown(_ id: String, _ command: ParsedCommand) -> String {
        command.flag(.noTrunc) ? id : String(id.drop { $0 != ":" }.dropFirst().prefix(12))
    }
}

extension String {
    fileprivate func map(_ transform: (Character) -> Character) -> String { String(lazy.map(transform)) }
}
