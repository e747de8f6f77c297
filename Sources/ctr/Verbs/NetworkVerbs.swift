import CommandTable
import Engine
import Failure
import Front
import LinuxSystem
import Networks

enum NetworkCreateVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var request = NetworkCreation(name: command.positionals[0])
        request.driver = command.value(.driver) ?? "bridge"
        request.subnets = try command.parsedList(.subnet) { (text) throws(Failure) in try IPPrefix(text) }
        request.gateways = try command.parsedList(.gateway) { (text) throws(Failure) in
            try NetworkRequest.server(text)
        }
        request.ranges = try command.parsedList(.ipRange) { (text) throws(Failure) in try IPPrefix(text) }
        request.wantsIPv6 = command.flag(.ipv6)
        request.isInternal = command.flag(.`internal`)
        request.options = command.values(.opt)
        request.labels = try command.parsedList(.label) { (text) throws(Failure) in
            try KeyValue.label(text)
        }.map { "\($0.key)=\($0.value)" }
        Console.out(try engine.createNetwork(request) + "\n")
        return 0
    }
}

enum NetworkListVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(
                    text, keys: ["dangling", "driver", "id", "label", "name", "scope", "type"])
            })
        for type in filters.values("type") where type != "custom" && type != "builtin" {
            throw Failure(.invalidArgument, "filter type=\(type): it is custom or builtin")
        }
        let dangling = try filters.flag("dangling")
        let used = dangling == nil ? [] : Set(try engine.networkMembers().map(\.network))
        let networks = try engine.networks().filter { network in
            let isPredefined = NetworkName.predefined.contains(network.name)
            if let dangling, dangling == (isPredefined || used.contains(network.name)) { return false }
            return filters.passes("name") { network.name.contains($0) }
                && filters.passes("id") { network.id.hasPrefix($0) }
                && filters.passes("driver") { $0 == network.driverName }
                && filters.passes("scope") { $0 == "local" }
                && filters.passes("type") { $0 == (isPredefined ? "builtin" : "custom") }
                && filters.passesLabels(network.labelMap)
        }
        let whole = command.flag(.noTrunc)
        if command.flag(.quiet) {
            for network in networks { Console.out((whole ? network.id : network.shortID) + "\n") }
            return 0
        }
        var source = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
        if let format = command.value(.format), format != "table" { source = format }
        let rows = networks.map { network in
            TemplateValue.object([
                .init("CreatedAt", .string(TimeText.local(network.created.nanosecondsSinceEpoch))),
                .init("Driver", .string(network.driverName)),
                .init("ID", .string(whole ? network.id : network.shortID)),
                .init("IPv4", .string(String(network.subnets.contains { $0.prefix.family == .v4 }))),
                .init("IPv6", .string(String(network.hasIPv6))),
                .init("Internal", .string(String(network.isInternal))),
                .init(
                    "Labels",
                    .string(network.labels.map { "\($0.key)=\($0.value)" }.joined(separator: ","))),
                .init("Name", .string(network.name)),
                .init("Scope", "local"),
                .init(
                    "Subnets",
                    .string(network.subnets.map(\.prefix.description).joined(separator: ","))),
            ])
        }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("ID", "NETWORK ID"), ("Name", "NAME"), ("Driver", "DRIVER"), ("Scope", "SCOPE"),
                    ("IPv4", "IPV4"), ("IPv6", "IPV6"), ("Internal", "INTERNAL"), ("Labels", "LABELS"),
                    ("CreatedAt", "CREATED AT"), ("Subnets", "SUBNETS"),
                ]))
        return 0
    }
}

enum NetworkInspectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let members = try engine.networkMembers()
        return try InspectVerb.show(command, command.positionals) { (word) throws(Failure) in
            NetworkInspection.value(try engine.network(word), members)
        }
    }
}

enum NetworkRemoveVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        Program.each(command.positionals, verb: .networkRemove, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            do throws(Failure) {
                try engine.removeNetwork(word)
            } catch {
                guard error.code == .notFound, command.flag(.force) else { throw error }
            }
            Console.out(word + "\n")
        }
    }
}

enum NetworkPruneVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["label", "until"])
            })
        let now = Timestamp.now().nanosecondsSinceEpoch
        var newest = now
        for text in filters.values("until") {
            do throws(Failure) {
                newest = min(newest, try PointInTime.nanoseconds(text, now: now))
            } catch {
                throw error.within("filter until=\(text)")
            }
        }
        let doomed = try engine.prunableNetworks().filter { network in
            network.created.nanosecondsSinceEpoch <= newest && filters.passesLabels(network.labelMap)
        }
        let warning =
            "WARNING! This will remove all custom networks not used by at least one container."
        guard command.flag(.force) || Confirmation.ask(warning) else { return 0 }
        let gone = try engine.pruneNetworks(doomed)
        if !gone.isEmpty { Console.out("Deleted Networks:\n" + gone.joined(separator: "\n") + "\n\n") }
        return 0
    }
}

enum NetworkConnectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let attachment = try NetworkFlags.attachment(command)
        try engine.connect(
            container: command.positionals[1], network: command.positionals[0], attachment: attachment)
        return 0
    }
}

enum NetworkDisconnectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try engine.disconnect(
            command.positionals[1], from: command.positionals[0], force: command.flag(.force))
        return 0
    }
}

enum NetworkReloadVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try engine.reloadNetworks()
        return 0
    }
}

extension Network {
    /// docker calls the driver of `none` so.
    var driverName: String { driver == .none ? "null" : driver.rawValue }

    var labelMap: [String: String] {
        Dictionary(labels.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}
