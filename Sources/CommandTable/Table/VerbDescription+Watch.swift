extension VerbDescription {
    static var pause: VerbDescription {
        VerbDescription(
            .pause, "CONTAINER [CONTAINER...]", "Freeze all processes of containers",
            about:
                "A paused container takes no commands; stop and kill thaw it after they have sent their signal.",
            arguments: 1...unlimited, completes: .containers)
    }

    static var unpause: VerbDescription {
        VerbDescription(
            .unpause, "CONTAINER [CONTAINER...]", "Let the processes of paused containers go on",
            arguments: 1...unlimited, completes: .containers)
    }

    static var stats: VerbDescription {
        VerbDescription(
            .stats, "[OPTIONS] [CONTAINER...]", "Show what containers use of the machine",
            about: "Once a second, of all running containers unless some are named, until it is interrupted.",
            arguments: 0...unlimited, completes: .containers,
            flags: [
                .toggle(.all, short: "a", "Also those that are not running"),
                format,
                .toggle(.noStream, "Only once"),
                noTrunc,
            ])
    }

    static var top: VerbDescription {
        VerbDescription(
            .top, "CONTAINER [ps OPTIONS]", "List the processes of a container",
            about: """
                Options as of ps: -ef (which is the default), aux, -o COLUMN,... Or columns by name: pid, ppid, user, \
                args, comm and others; a wrong one is answered with all. Everything is read from the host's /proc, no \
                program of the container is run. In -o and in the default, pids and users are the host's; as columns by \
                name, pid, ppid, uid and user are the container's, and hpid and huser the host's.
                """,
            arguments: 1...unlimited, interspersed: false, completes: .containers)
    }

    static var events: VerbDescription {
        VerbDescription(
            .events, "[OPTIONS]", "Show what happens to containers, images, volumes and networks",
            about: """
                New events as they come, until it is interrupted; with --since also those that were, and with --until \
                only those before. They are kept below the root, the last 8 MB of them.
                """,
            arguments: 0...0,
            flags: [
                .list(
                    .filter, short: "f", "filter", "Only those that fit (type=container, event=die)",
                    check: .filter([
                        "container", "daemon", "event", "health_status", "image", "label", "network", "scope",
                        "type", "volume",
                    ])),
                format,
                .value(
                    .since, "string", "Also events since this time or duration (2026-01-31T08:30:00Z, 10m)"),
                .value(.until, "string", "Only events until this time or duration"),
            ])
    }
}
