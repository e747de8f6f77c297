import CommandTable
import Engine
import Failure
import LinuxSystem
import Networks

/// `ctr ps`
enum ListVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: filterKeys)
            })
        let last = command.flag(.latest) ? 1 : command.integer(.last) ?? -1
        let all =
            command.flag(.all) || last > 0 || !filters.values("status").isEmpty
            || !filters.values("exited").isEmpty
        let everything = try engine.containers()
        let networks = NetworkFilter(try networkNames(filters, engine), try ports(filters))
        var shown: [ContainerSummary] = []
        for container in everything where all || container.state.isRunning {
            if try passes(container, filters, among: everything), networks.passes(container, engine) {
                shown.append(container)
            }
        }
        if last > 0 { shown = Array(shown.prefix(Int(last))) }
        if command.flag(.quiet) {
            let whole = command.flag(.noTrunc)
            for container in shown {
                Console.out((whole ? container.record.id : container.record.shortID) + "\n")
            }
            return 0
        }
        let withSize = command.flag(.size)
        let now = Timestamp.now().nanosecondsSinceEpoch
        var rows: [TemplateValue] = []
        for container in shown {
            let size = withSize ? try engine.sizes(of: container.record) : nil
            let ports = engine.networkState(of: container).map {
                PortBinding.text(PortBinding.all($0, exposed: container.record.settings.networking.exposed))
            }
            rows.append(
                row(container, ports: ports ?? "", size: size, whole: command.flag(.noTrunc), now: now))
        }
        var source =
            "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
        if withSize { source += "\t{{.Size}}" }
        if let format = command.value(.format), format != "table" { source = format }
        Console.out(try Template(source).listing(rows, headings: headings))
        return 0
    }

    static let filterKeys = [
        "ancestor", "before", "exited", "expose", "health", "id", "label", "name", "network", "publish",
        "since", "status", "volume",
    ]

    private static let headings: [(field: String, title: String)] = [
        ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"), ("Status", "STATUS"), ("State", "STATE"), ("Ports", "PORTS"),
        ("Names", "NAMES"), ("Size", "SIZE"), ("Labels", "LABELS"), ("Mounts", "MOUNTS"),
        ("Networks", "NETWORKS"), ("LocalVolumes", "LOCAL VOLUMES"),
    ]

    private static func row(
        _ container: ContainerSummary, ports: String, size: ContainerSizes?, whole: Bool, now: Int64
    ) -> TemplateValue {
        let record = container.record
        let words = (record.settings.entrypoint + record.settings.command).joined(separator: " ")
        let command = whole || words.count <= 20 ? words : words.prefix(19) + "…"
        let mounts = record.mounts
        return .object([
            .init("Command", .string("\"\(command)\"")),
            .init("CreatedAt", .string(TimeText.local(record.created))),
            .init("ID", .string(whole ? record.id : record.shortID)),
            .init("Image", .string(record.image)),
            .init("Labels", .string(record.settings.labels.joined(separator: ","))),
            .init("LocalVolumes", .string(String(mounts.filter { $0.kind == .volume }.count))),
            .init("Mounts", .string(mounts.map(\.source).filter { !$0.isEmpty }.joined(separator: ","))),
            .init("Names", .string(record.name)),
            .init("Networks", .string(NetworkFilter.networks(of: record).joined(separator: ","))),
            .init("Ports", .string(ports)),
            .init("RunningFor", .string(HumanDuration.ago(from: record.created, to: now))),
            .init("Size", .string(size.map(sizeText) ?? "0B")),
            .init("State", .string(container.state.word)),
            .init("Status", .string(status(container.state, now: now))),
        ])
    }

    /// A network may be named by its id.
    private static func networkNames(_ filters: Filters, _ engine: Engine) throws(Failure) -> [String] {
        var names: [String] = []
        for word in filters.values("network") {
            do throws(Failure) {
                names.append(try engine.network(word).name)
            } catch {
                guard error.code == .notFound else { throw error }
                names.append(word)
            }
        }
        return names
    }

    private static func ports(
        _ filters: Filters
    ) throws(Failure) -> (published: [ExposedPorts], exposed: [ExposedPorts]) {
        func list(_ key: String) throws(Failure) -> [ExposedPorts] {
            var list: [ExposedPorts] = []
            for text in filters.values(key) {
                do throws(Failure) {
                    list.append(try ExposedPorts(parsing: text))
                } catch {
                    throw error.within("filter \(key)=\(text)")
                }
            }
            return list
        }
        return (try list("publish"), try list("expose"))
    }

    private static func sizeText(_ sizes: ContainerSizes) -> String {
        "\(HumanSize.decimal(sizes.written)) (virtual \(HumanSize.decimal(sizes.written + sizes.image)))"
    }

    static func status(_ state: ContainerState, now: Int64) -> String {
        switch state.status {
        case .created: "Created"
        case .running:
            "Up \(HumanDuration.text(nanoseconds: now - state.startedAt))\(state.isPaused ? " (Paused)" : health(state))"
        case .restarting:
            "Restarting (\(state.exitCode)) \(HumanDuration.ago(from: state.finishedAt, to: now))"
        case .exited: "Exited (\(state.exitCode)) \(HumanDuration.ago(from: state.finishedAt, to: now))"
        }
    }

    private static func health(_ state: ContainerState) -> String {
        guard let health = state.health else { return "" }
        return health.status == "starting" ? " (health: starting)" : " (\(health.status))"
    }

    private static func passes(
        _ container: ContainerSummary, _ filters: Filters, among all: [ContainerSummary]
    ) throws(Failure) -> Bool {
        if filters.isEmpty { return true }
        let record = container.record
        func created(of word: String) -> Int64? {
            all.first { $0.record.name == word || $0.record.id.hasPrefix(word) }?.record.created
        }
        return filters.passes("id") { record.id.hasPrefix($0) }
            && filters.passes("name") { record.name.contains($0) }
            && filters.passes("status") { $0 == container.state.word }
            && filters.passes("health") { $0 == container.state.health?.status ?? "none" }
            && filters.passes("exited") {
                container.state.status == .exited && Int32($0) == container.state.exitCode
            }
            && filters.passes("ancestor") { word in
                record.image == word || record.image.hasSuffix("/\(word)") || record.image == "\(word):latest"
                    || record.imageID.hasPrefix(word) || record.imageID.hasPrefix("sha256:\(word)")
            }
            && filters.passes("volume") { word in
                record.mounts.contains { $0.source == word || $0.target == word }
            }
            && filters.passes("before") { created(of: $0).map { record.created < $0 } ?? false }
            && filters.passes("since") { created(of: $0).map { record.created > $0 } ?? false }
            && filters.passesLabels(LabelList.map(record.settings.labels))
    }
}

enum LabelList {
    static func map(_ labels: [String]) -> [String: String] {
        var map: [String: String] = [:]
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            map[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return map
    }
}
