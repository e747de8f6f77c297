import CommandTable
import Engine
import Failure
import LinuxSystem

/// `ctr images [REPOSITORY[:TAG]]`
enum ImagesVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["before", "dangling", "label", "reference", "since"])
            })
        let dangling = try filters.flag("dangling")
        let images = try engine.images(matching: command.positionals.first)
        let shown = images.filter { image in
            let isDangling = image.tag == nil
            if let dangling, dangling != isDangling { return false }
            return filters.passesLabels(image.labels)
                && filters.passes("reference") {
                    Wildcard.matches($0, image.name ?? "") || Wildcard.matches($0, image.repository ?? "")
                }
                && filters.passes("before") { word in
                    images.first { $0.answers(to: word) }.map { image.created < $0.created } ?? false
                }
                && filters.passes("since") { word in
                    images.first { $0.answers(to: word) }.map { image.created > $0.created } ?? false
                }
        }
        let whole = command.flag(.noTrunc)
        if command.flag(.quiet) {
            var seen: Set<String> = []
            for image in shown where seen.insert(image.id).inserted {
                Console.out((whole ? image.id : image.shortID) + "\n")
            }
            return 0
        }
        let now = Timestamp.now().nanosecondsSinceEpoch
        var source =
            command.flag(.digests)
            ? "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
            : "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
        if let format = command.value(.format), format != "table" { source = format }
        let rows = shown.map { image in
            TemplateValue.object([
                .init("CreatedAt", .string(TimeText.local(image.created))),
                .init(
                    "CreatedSince",
                    .string(image.created == 0 ? "N/A" : HumanDuration.ago(from: image.created, to: now))),
                .init("Digest", .string(image.digest)),
                .init("ID", .string(whole ? image.id : image.shortID)),
                .init("Repository", .string(image.repository ?? "<none>")),
                .init("Size", .string(HumanSize.decimal(image.size))),
                .init("Tag", .string(image.tag ?? "<none>")),
            ])
        }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("Digest", "DIGEST"), ("ID", "IMAGE ID"),
                    ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT"), ("Size", "SIZE"),
                ]))
        return 0
    }
}

/// Shell patterns of `*` and `?`; `*` stays within a path's component, as docker's do.
enum Wildcard {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            var rest = text
            while true {
                if matches(pattern.dropFirst(), rest) { return true }
                guard let next = rest.first, next != UInt8(ascii: "/") else { return false }
                rest = rest.dropFirst()
            }
        }
        guard let next = text.first, first == UInt8(ascii: "?") || first == next else { return false }
        return matches(pattern.dropFirst(), text.dropFirst())
    }
}
