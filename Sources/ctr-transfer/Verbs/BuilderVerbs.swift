import Build
import BuildScreen
import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

/// `ctr builder df`
enum BuilderDiskUsageVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let selection = try BuildCacheFilters.selection(command)
        let items = try engine.buildCacheItems().filter(selection.fits).sorted {
            ($0.lastUsed, $0.id) > ($1.lastUsed, $1.id)
        }
        if command.flag(.verbose) {
            for item in items { Console.out(BuildCacheText.block(item)) }
            Console.out(total(items))
            return 0
        }
        let format = command.value(.format) ?? "table"
        let source =
            format == "table" ? "table {{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastAccessed}}" : format
        Console.out(
            try Template(source).listing(
                items.map { BuildCacheText.value($0) },
                headings: [
                    ("ID", "ID"), ("Reclaimable", "RECLAIMABLE"), ("Size", "SIZE"),
                    ("LastAccessed", "LAST ACCESSED"), ("Type", "TYPE"), ("Description", "DESCRIPTION"),
                    ("CreatedAt", "CREATED AT"), ("LastUsedAt", "LAST USED AT"), ("InUse", "IN USE"),
                ]))
        // A format of one's own is for a program.
        if format == "table" { Console.out(total(items)) }
        return 0
    }

    private static func total(_ items: [BuildCacheItem]) -> String {
        """
        Reclaimable:\t\(HumanSize.decimal(items.filter { !$0.isUsed }.bytes, digits: 4))
        Total:\t\t\(HumanSize.decimal(items.bytes, digits: 4))

        """
    }
}

/// `ctr builder prune`
enum BuilderPruneVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var selection = try BuildCacheFilters.selection(command)
        selection.all = command.flag(.all)
        selection.keeping = try command.parsed(.keepStorage) { (text) throws(Failure) in
            try ByteSize.parse(text)
        }
        let warning =
            "WARNING! This will remove all \(selection.all ? "" : "dangling ")build cache."
        guard command.flag(.force) || Confirmation.ask(warning) else { return 0 }
        defer { engine.emptyTrashInBackground() }
        let outcome = try engine.pruneBuildCache(selection)
        if !outcome.lines.isEmpty {
            Console.out("Deleted build cache objects:\n\(outcome.lines.joined(separator: "\n"))\n\n")
        }
        Console.out("Total reclaimed space: \(HumanSize.decimal(outcome.bytes, digits: 4))\n")
        return 0
    }
}

/// `--filter` of both.
enum BuildCacheFilters {
    static func selection(_ command: ParsedCommand) throws(Failure) -> BuildCacheSelection {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["id", "type", "until"])
            })
        var selection = BuildCacheSelection()
        selection.ids = filters.values("id")
        for word in filters.values("type") {
            guard let kind = BuildCacheItem.Kind(rawValue: word) else {
                throw Failure(
                    .invalidArgument, "filter type=\(word): there is no such type",
                    hint: "there are \(BuildCacheItem.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            selection.kinds.insert(kind)
        }
        let now = Timestamp.now().nanosecondsSinceEpoch
        for word in filters.values("until") {
            do throws(Failure) {
                let time = Timestamp(
                    nanosecondsSinceEpoch: try PointInTime.nanoseconds(word, now: now))
                selection.before = max(selection.before ?? time, time)
            } catch {
                throw error.within("filter until=\(word)")
            }
        }
        return selection
    }
}

/// An item for people. What a Dockerfile called it is a stranger's text.
enum BuildCacheText {
    static func value(_ item: BuildCacheItem) -> TemplateValue {
        .object([
            .init("ID", .string(item.shortID)), .init("Type", .string(item.kind.rawValue)),
            .init("Reclaimable", .string(item.isUsed ? "false" : "true")),
            .init("InUse", .string(item.isUsed ? "true" : "false")),
            .init("Size", .string(HumanSize.decimal(item.size, digits: 4))),
            .init("LastAccessed", .string(lastUsed(item))),
            .init("LastUsedAt", .string(RFC3339.text(item.lastUsed))),
            .init("CreatedAt", .string(made(item))),
            .init("Description", .string(TerminalText.line(item.description))),
        ])
    }

    static func block(_ item: BuildCacheItem) -> String {
        """
        ID:\t\t\(item.id)
        Type:\t\t\(item.kind.rawValue)
        Description:\t\(TerminalText.line(item.description))
        Created at:\t\(made(item))
        Last used:\t\(lastUsed(item))
        Reclaimable:\t\(!item.isUsed)
        Size:\t\t\(HumanSize.decimal(item.size, digits: 4))


        """
    }

    private static func made(_ item: BuildCacheItem) -> String {
        item.made.map { RFC3339.text(Timestamp(seconds: $0)) } ?? ""
    }

    private static func lastUsed(_ item: BuildCacheItem) -> String {
        HumanDuration.ago(
            from: item.lastUsed.nanosecondsSinceEpoch, to: Timestamp.now().nanosecondsSinceEpoch)
    }
}
