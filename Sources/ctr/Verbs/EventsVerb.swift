import CivilTime
import CommandTable
import Engine
import EventJournal
import Failure
import LinuxSystem

/// `ctr events`: what the journal has, and what comes.
enum EventsVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let start = Timestamp.now().nanosecondsSinceEpoch
        func time(_ flag: FlagName) throws(Failure) -> Int64? {
            try command.parsed(flag) { (text) throws(Failure) in
                try PointInTime.nanoseconds(text, now: start)
            }
        }
        let since = try time(.since)
        let until = try time(.until)
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in try Filter.parse(text, keys: keys) })
        let format = command.value(.format)
        let template = try format.map { (text) throws(Failure) in
            try Template(text == "json" ? "{{json .}}" : text)
        }
        let everything = since != nil || until != nil
        return try during("read the events") { () throws(SystemError) in
            var reader = try EventReader(engine.journal, fromStart: everything)
            while true {
                for event in try reader.next() {
                    if let since, event.time < since { continue }
                    if let until, event.time > until { return 0 }
                    guard passes(event, filters) else { continue }
                    Console.out(line(event, template))
                }
                guard Console.flush() else { return 1 }
                var patience: Int32 = -1
                if let until {
                    let left = until - Timestamp.now().nanosecondsSinceEpoch
                    guard left > 0 else { return 0 }
                    patience = Int32(clamping: left / 1_000_000 + 1)
                }
                _ = try FileDescriptor.wait(for: reader.raw, milliseconds: patience)
            }
        }
    }

    private static let keys = [
        "container", "daemon", "event", "health_status", "image", "label", "network", "scope", "type",
        "volume",
    ]

    private static func passes(_ event: Event, _ filters: Filters) -> Bool {
        if filters.isEmpty { return true }
        func names(_ kind: Event.Kind, _ word: String) -> Bool {
            event.kind == kind && (event.id == word || event["name"] == word || event.id.hasPrefix(word))
        }
        let verb = String(event.action.prefix { $0 != ":" })
        return filters.passes("type") { $0 == event.kind.rawValue }
            && filters.passes("event") { $0 == event.action || $0 == verb }
            && filters.passes("health_status") { event.action == "health_status: \($0)" }
            && filters.passes("container") { names(.container, $0) }
            && filters.passes("volume") { names(.volume, $0) }
            && filters.passes("network") { names(.network, $0) }
            && filters.passes("image") { word in
                let image = event.kind == .image ? event["name"] ?? event.id : event["image"] ?? ""
                return image == word || event.kind == .image && event.id.hasPrefix(word)
                    || image.prefix(while: { $0 != ":" }) == word || image == "\(word):latest"
            }
            && filters.passes("scope") { $0 == "local" }
            && filters.passes("daemon") { _ in true }
            && filters.passesLabels(
                Dictionary(event.attributes.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
    }

    private static func line(_ event: Event, _ template: Template?) -> String {
        guard let template else { return "\(text(event))\n" }
        let value = value(event)
        return ((try? template.text(of: value)) ?? "") + "\n"
    }

    /// `2026-11-23T05:00:09.123456789+00:00 container create ID (image=…, name=…)`
    private static func text(_ event: Event) -> String {
        let time = Timestamp(nanosecondsSinceEpoch: event.time)
        let civil = CivilTime(secondsSinceEpoch: time.seconds)
        let fraction = CivilTime.padded(Int64(time.nanoseconds), 9)
        let attributes = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let tail = attributes.isEmpty ? "" : " (\(attributes.joined(separator: ", ")))"
        return
            "\(civil.date)T\(civil.clock).\(fraction)Z \(event.kind.rawValue) \(event.action) \(event.id)\(tail)"
    }

    /// As docker's API has it.
    private static func value(_ event: Event) -> TemplateValue {
        var fields: [TemplateValue.Field] = []
        if event.kind != .volume, event.kind != .network {
            fields.append(.init("status", .string(event.action)))
            fields.append(.init("id", .string(event.id)))
        }
        if let image = event["image"], event.kind == .container {
            fields.append(.init("from", .string(image)))
        }
        fields += [
            .init("Type", .string(event.kind.rawValue)),
            .init("Action", .string(event.action)),
            .init(
                "Actor",
                .object([
                    .init("ID", .string(event.id)),
                    .init(
                        "Attributes",
                        .labels(
                            Dictionary(
                                event.attributes.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))),
                ])),
            .init("scope", "local"),
            .init("time", .integer(event.time / 1_000_000_000)),
            .init("timeNano", .integer(event.time)),
        ]
        return .object(fields)
    }
}
