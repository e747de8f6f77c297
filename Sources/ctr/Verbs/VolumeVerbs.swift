import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum VolumeCreateVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let name = try engine.createVolume(
            command.positionals.first, labels: command.values(.label), options: command.values(.opt),
            driver: command.value(.driver) ?? "local")
        Console.out(name + "\n")
        return 0
    }
}

enum VolumeListVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["dangling", "driver", "label", "name"])
            })
        let dangling = try filters.flag("dangling")
        let volumes = try engine.volumes().filter { volume in
            if let dangling, dangling == volume.isUsed { return false }
            return filters.passes("name") { volume.name.contains($0) }
                && filters.passes("driver") { $0 == "local" }
                && filters.passesLabels(LabelList.map(volume.labels))
        }
        if command.flag(.quiet) {
            for volume in volumes { Console.out(volume.name + "\n") }
            return 0
        }
        // An anonymous volume shows whose it is: nobody knows it by its name.
        var source = "table {{.Driver}}\t{{.Name}}\t{{.Owner}}"
        if let format = command.value(.format), format != "table" { source = format }
        let rows = volumes.map { volume in
            TemplateValue.object([
                .init("Driver", "local"), .init("Name", .string(volume.name)),
                .init("Owner", .string(volume.owner)), .init("Scope", "local"),
                .init("Mountpoint", .string(volume.mountpoint)),
                .init("Labels", .string(volume.labels.joined(separator: ","))),
            ])
        }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("Driver", "DRIVER"), ("Name", "VOLUME NAME"), ("Owner", "OWNER"), ("Scope", "SCOPE"),
                    ("Mountpoint", "MOUNTPOINT"), ("Labels", "LABELS"),
                ]))
        return 0
    }
}

enum VolumeInspectVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try InspectVerb.show(command, command.positionals) { (word) throws(Failure) in
            VolumeInspection.value(try engine.volume(word))
        }
    }
}

enum VolumeRemoveVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        defer { engine.emptyTrashInBackground() }
        return Program.each(command.positionals, verb: .volumeRemove, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            do throws(Failure) {
                try engine.removeVolume(word)
            } catch {
                guard error.code == .notFound, command.flag(.force) else { throw error }
            }
            Console.out(word + "\n")
        }
    }
}

enum VolumePruneVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let filters = Filters(
            try command.parsedList(.filter) { (text) throws(Failure) in
                try Filter.parse(text, keys: ["all", "label", "label!"])
            })
        let filtered = try filters.flag("all")
        let all = command.flag(.all) || filtered ?? false
        let doomed = try engine.prunableVolumes(all: all).filter {
            filters.passesLabels(LabelList.map($0.labels))
        }
        let warning =
            "WARNING! This will remove \(all ? "all" : "anonymous") local volumes not used by at least one container."
        guard command.flag(.force) || Confirmation.ask(warning) else { return 0 }
        defer { engine.emptyTrashInBackground() }
        let outcome = try engine.pruneVolumes(doomed)
        if !outcome.lines.isEmpty {
            Console.out("Deleted Volumes:\n" + outcome.lines.joined(separator: "\n") + "\n\n")
        }
        Console.out("Total reclaimed space: \(HumanSize.decimal(outcome.bytes))\n")
        return 0
    }
}
