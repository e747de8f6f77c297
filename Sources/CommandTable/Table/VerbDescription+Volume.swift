extension VerbDescription {
    static var volumeCreate: VerbDescription {
        VerbDescription(
            .volumeCreate, "[OPTIONS] [VOLUME]", "Create a volume",
            about:
                "Prints its name, which is made up when none is given. A volume that exists already with the same options is no failure.",
            arguments: 0...1,
            flags: [
                .value(.driver, short: "d", "string", "Driver of the volume", default: "local"),
                .list(.label, short: "l", "list", "Set a label on the volume", check: .label),
                .list(.opt, short: "o", "map", "Set an option of the driver", check: .keyValue),
            ])
    }

    static var volumeList: VerbDescription {
        VerbDescription(
            .volumeList, "[OPTIONS]", "List volumes",
            arguments: 0...0,
            flags: [
                .list(
                    .filter, short: "f", "filter", "Only those that fit (dangling=true)",
                    check: .filter(["dangling", "driver", "label", "name"])),
                format,
                .toggle(.quiet, short: "q", "Only names"),
            ])
    }

    static var volumeInspect: VerbDescription {
        VerbDescription(
            .volumeInspect, "[OPTIONS] VOLUME [VOLUME...]", "Show everything about volumes",
            arguments: 1...unlimited, completes: .volumes, flags: [inspectFormat])
    }

    static var volumeRemove: VerbDescription {
        VerbDescription(
            .volumeRemove, "[OPTIONS] VOLUME [VOLUME...]", "Remove volumes and their data",
            about: "A volume that a container uses, running or not, is refused.",
            arguments: 1...unlimited, completes: .volumes,
            flags: [.toggle(.force, short: "f", "A volume that does not exist is no failure")])
    }

    static var volumePrune: VerbDescription {
        VerbDescription(
            .volumePrune, "[OPTIONS]", "Remove anonymous volumes that no container uses",
            arguments: 0...0,
            flags: [
                .toggle(.all, short: "a", "Also named volumes that no container uses"),
                .list(
                    .filter, "filter", "Only those that fit (label=KEY)", check: .filter(["label"])),
                .toggle(.force, short: "f", "Do not ask"),
            ])
    }
}
