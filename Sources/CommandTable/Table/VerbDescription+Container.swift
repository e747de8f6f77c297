extension VerbDescription {
    static var start: VerbDescription {
        VerbDescription(
            .start, "[OPTIONS] CONTAINER [CONTAINER...]", "Start containers that are not running",
            arguments: 1...unlimited, completes: .containers,
            flags: [
                .toggle(.attach, short: "a", "Attach to the output, and pass signals on"),
                detachKeys,
                .toggle(.interactive, short: "i", "Attach stdin too"),
            ])
    }

    static var stop: VerbDescription {
        VerbDescription(
            .stop, "[OPTIONS] CONTAINER [CONTAINER...]", "Stop containers",
            about: """
                The process gets the container's stop signal (SIGTERM unless the image or --stop-signal says otherwise), \
                and SIGKILL when it has not ended in time.
                """,
            arguments: 1...unlimited, completes: .containers, flags: stopFlags)
    }

    static var restart: VerbDescription {
        VerbDescription(
            .restart, "[OPTIONS] CONTAINER [CONTAINER...]", "Stop containers and start them again",
            arguments: 1...unlimited, completes: .containers, flags: stopFlags)
    }

    static var kill: VerbDescription {
        VerbDescription(
            .kill, "[OPTIONS] CONTAINER [CONTAINER...]", "Send a signal to running containers",
            arguments: 1...unlimited, completes: .containers,
            flags: [
                .value(.signal, short: "s", "string", "Signal to send", check: .signal, default: "KILL")
            ])
    }

    static var rm: VerbDescription {
        VerbDescription(
            .rm, "[OPTIONS] CONTAINER [CONTAINER...]", "Remove containers",
            about: "A running container is refused without --force. Named volumes always stay.",
            arguments: 1...unlimited, completes: .containers,
            flags: [
                .toggle(.force, short: "f", "Kill a running container first"),
                .toggle(.volumes, short: "v", "Remove the container's anonymous volumes too"),
            ])
    }

    static var ps: VerbDescription {
        VerbDescription(
            .ps, "[OPTIONS]", "List containers",
            arguments: 0...0,
            flags: [
                .toggle(.all, short: "a", "Also those that are not running"),
                .list(
                    .filter, short: "f", "filter", "Only those that fit (status=exited)",
                    check: .filter([
                        "ancestor", "before", "exited", "expose", "health", "id", "label", "name", "network",
                        "publish", "since", "status", "volume",
                    ])),
                format,
                .value(
                    .last, short: "n", "int", "Only the last so many created, running or not",
                    check: .integer(-1...Int64.max), default: "-1"),
                .toggle(.latest, short: "l", "Only the last created, running or not"),
                noTrunc,
                .toggle(.quiet, short: "q", "Only IDs"),
                .toggle(.size, short: "s", "Also the size of what the container has written"),
            ])
    }

    static var logs: VerbDescription {
        VerbDescription(
            .logs, "[OPTIONS] CONTAINER", "Print a container's output",
            arguments: 1...1, completes: .containers,
            flags: [
                .toggle(.follow, short: "f", "Go on with new output until the container ends"),
                .value(
                    .since, "string",
                    "Only what is newer than this time or duration (2026-01-31T08:30:00Z, 10m)"),
                .value(
                    .tail, short: "n", "string", "Only so many lines from the end", check: .tail,
                    default: "all"),
                .toggle(.timestamps, short: "t", "Put the time before each line"),
                .value(
                    .until, "string",
                    "Only what is older than this time or duration (2026-01-31T08:30:00Z, 10m)"),
            ])
    }

    static var exec: VerbDescription {
        VerbDescription(
            .exec, "[OPTIONS] CONTAINER COMMAND [ARG...]", "Run a command in a running container",
            about: "The exit code is the command's; 125, 126 and 127 as for ctr run.",
            arguments: 2...unlimited, interspersed: false, completes: .containers,
            flags: [
                .toggle(.detach, short: "d", "Leave the command in the background"),
                detachKeys,
                .list(.env, short: "e", "list", "Set an environment variable", check: .environment),
                .list(.envFile, "list", "Read environment variables from a file"),
                .toggle(.interactive, short: "i", "Keep stdin open even if nobody is attached"),
                .toggle(.privileged, "Give the command every capability"),
                .toggle(.tty, short: "t", "Give the command a terminal"),
                .value(.user, short: "u", "string", "User of the command (name or uid[:group or gid])"),
                .value(.workdir, short: "w", "string", "Working directory of the command"),
            ])
    }

    static var attach: VerbDescription {
        VerbDescription(
            .attach, "[OPTIONS] CONTAINER", "Attach to the input and output of a running container",
            arguments: 1...1, completes: .containers,
            flags: [
                detachKeys,
                .toggle(.noStdin, "Do not attach stdin"),
                .toggle(.sigProxy, "Pass signals that ctr receives on to the process", on: true),
            ])
    }

    static var wait: VerbDescription {
        VerbDescription(
            .wait, "CONTAINER [CONTAINER...]",
            "Wait until containers have ended, then print their exit codes",
            arguments: 1...unlimited, completes: .containers)
    }

    static var inspect: VerbDescription {
        VerbDescription(
            .inspect, "[OPTIONS] NAME|ID [NAME|ID...]",
            "Show everything about containers, images, volumes or networks",
            arguments: 1...unlimited, completes: .containersAndImages,
            flags: [
                inspectFormat,
                .toggle(.size, short: "s", "Also the sizes of containers"),
                .value(
                    .type, "string", "Only objects of this type (container, image, volume, network)",
                    check: .oneOf(["container", "image", "volume", "network"])),
            ])
    }

    static var containerInspect: VerbDescription {
        VerbDescription(
            .containerInspect, "[OPTIONS] CONTAINER [CONTAINER...]", "Show everything about containers",
            arguments: 1...unlimited, completes: .containers,
            flags: [inspectFormat, .toggle(.size, short: "s", "Also the sizes")])
    }

    static var rename: VerbDescription {
        VerbDescription(
            .rename, "CONTAINER NEW_NAME", "Rename a container", arguments: 2...2, completes: .containers)
    }

    static var cp: VerbDescription {
        VerbDescription(
            .cp,
            "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tctr cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
            "Copy files between a container and the host",
            about: """
                - as the source reads a tar archive from stdin and unpacks it into a directory of the container; - as the \
                target writes a tar archive of the source to stdout.
                """,
            arguments: 2...2, completes: .containersAndFiles,
            flags: [
                .toggle(.archive, short: "a", "Keep the owner and group of what is copied"),
                .toggle(.followLink, short: "L", "Copy what a symbolic link in the source points to"),
                .toggle(.quiet, short: "q", "Do not show the progress"),
            ])
    }

    static var diff: VerbDescription {
        VerbDescription(
            .diff, "CONTAINER", "List what a container has changed in its file system",
            about: "A line begins with A for added, C for changed or D for deleted.",
            arguments: 1...1, completes: .containers)
    }

    static var export: VerbDescription {
        VerbDescription(
            .export, "[OPTIONS] CONTAINER", "Write a container's file system as a tar archive",
            arguments: 1...1, completes: .containers,
            flags: [.value(.output, short: "o", "string", "Write to this file instead of stdout")])
    }

    static var bundle: VerbDescription {
        VerbDescription(
            .bundle, "IMAGE|CONTAINER DIR", "Write an OCI bundle that any OCI runtime runs",
            about: "DIR must not exist or be empty; it receives config.json and rootfs.",
            arguments: 2...2, completes: .containersAndImages)
    }

    private static var stopFlags: [FlagDescription] {
        [
            .value(
                .signal, short: "s", "string", "Signal to send instead of the container's stop signal",
                check: .signal),
            .value(
                .timeout, short: "t", "int", "Seconds to wait before the process is killed, -1 for ever",
                check: .integer(-1...Int64(Int32.max)), or: "time"),
        ]
    }

    private static var detachKeys: FlagDescription {
        .value(
            .detachKeys, "string", "Keys that leave the container's terminal, ctrl-p,ctrl-q unless given",
            check: .detachKeys)
    }

    static var noTrunc: FlagDescription { .toggle(.noTrunc, "Do not shorten anything") }

    static var format: FlagDescription {
        .value(.format, "string", "Print by a template: 'table TEMPLATE', 'TEMPLATE', or json")
    }

    static var inspectFormat: FlagDescription {
        .value(.format, short: "f", "string", "Print by a template instead of JSON: 'TEMPLATE', or json")
    }
}
