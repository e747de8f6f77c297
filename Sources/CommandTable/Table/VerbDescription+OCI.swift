/// `ctr oci …`: the command line of other OCI runtimes, with their words.
extension CommandTable {
    /// Between `oci` and the verb, as engines give them.
    package static let runtimeFlags: [FlagDescription] = [
        .ignoredValue(.criu, "path", "Without effect: there are no checkpoints"),
        .toggle(.debug, "Log more"),
        .toggle(.help, short: "h", "Print help and end"),
        .value(.log, "file", "Write errors to this file too", default: "stderr"),
        .value(
            .logFormat, "string", "How they are written (text, json)", check: .oneOf(["text", "json"]),
            default: "text"),
        .value(.root, "string", "Directory of the containers' states (/run/ctr-oci)"),
        .value(
            .rootless, "string", "Whether the user is an ordinary one (true, false, auto)",
            check: .oneOf(["true", "false", "auto"]), default: "auto"),
        .toggle(.systemdCgroup, "Ask systemd for cgroups; cgroupsPath is SLICE:PREFIX:NAME"),
        .toggle(.version, short: "v", "Print the versions of the runtime and the specification"),
    ]
}

extension VerbDescription {
    static var ociCreate: VerbDescription {
        VerbDescription(
            .ociCreate, "[OPTIONS] ID", "Make a container from a bundle; its process waits for start",
            arguments: 1...1, completes: .nothing, flags: bundleFlags)
    }

    static var ociRun: VerbDescription {
        VerbDescription(
            .ociRun, "[OPTIONS] ID", "Make a container from a bundle and start it",
            about:
                "In the foreground the exit code is the process's, and the container is deleted when it has ended.",
            arguments: 1...1, completes: .nothing,
            flags: bundleFlags + [
                detached,
                .toggle(.keep, "Do not delete the container when it has ended"),
                .toggle(.noSubreaper, "Do not become the parent of the container's orphans"),
            ])
    }

    static var ociStart: VerbDescription {
        VerbDescription(.ociStart, "ID", "Start what create has made", arguments: 1...1)
    }

    static var ociState: VerbDescription {
        VerbDescription(.ociState, "ID", "Print a container's state as JSON", arguments: 1...1)
    }

    static var ociKill: VerbDescription {
        VerbDescription(
            .ociKill, "[OPTIONS] ID [SIGNAL]", "Send a signal to a container's first process (SIGTERM)",
            arguments: 1...2,
            flags: [.toggle(.all, short: "a", "Send it to every process of the container")])
    }

    static var ociDelete: VerbDescription {
        VerbDescription(
            .ociDelete, "[OPTIONS] ID", "Remove what is left of a stopped container", arguments: 1...1,
            flags: [
                .toggle(
                    .force, short: "f", "Kill a running container first; one that is not there is no failure")
            ]
        )
    }

    static var ociExec: VerbDescription {
        VerbDescription(
            .ociExec, "[OPTIONS] ID [COMMAND] [ARG...]", "Run another process in a container",
            about: "What is not said is as in the container's configuration. The exit code is the process's.",
            arguments: 1...unlimited, interspersed: false,
            flags: [
                .list(.additionalGids, short: "g", "gid", "Add the process to a group"),
                .value(.apparmor, "string", "AppArmor profile of the process"),
                .list(.cap, short: "c", "list", "Give the process a capability"),
                .value(
                    .cgroup, "string", "Run it in this cgroup below the container's ([CONTROLLER,...:]PATH)"),
                .value(.cwd, "string", "Working directory"),
                .list(.env, short: "e", "list", "Set an environment variable", check: .keyValue),
                .toggle(.ignorePaused, "Also in a paused container, where it waits"),
                .toggle(.noNewPrivs, "The process gains no privileges by execve"),
                .value(.process, short: "p", "path", "Read the whole process from this JSON file"),
                .value(.processLabel, "string", "SELinux label of the process"),
                .toggle(.tty, short: "t", "Give the process a terminal"),
                .value(.user, short: "u", "string", "User of the process (uid[:gid])"),
            ] + launchFlags + [detached])
    }

    static var ociPs: VerbDescription {
        VerbDescription(
            .ociPs, "[OPTIONS] ID [PS OPTIONS]", "List the processes of a container",
            arguments: 1...unlimited, interspersed: false, flags: [runtimeFormat])
    }

    static var ociList: VerbDescription {
        VerbDescription(
            .ociList, "[OPTIONS]", "List containers", arguments: 0...0,
            flags: [runtimeFormat, .toggle(.quiet, short: "q", "Only IDs")])
    }

    static var ociPause: VerbDescription {
        VerbDescription(.ociPause, "ID", "Freeze every process of a container", arguments: 1...1)
    }

    static var ociResume: VerbDescription {
        VerbDescription(.ociResume, "ID", "Let a paused container go on", arguments: 1...1)
    }

    static var ociSpec: VerbDescription {
        VerbDescription(
            .ociSpec, "[OPTIONS]", "Write a config.json to begin with", arguments: 0...0,
            flags: [
                .value(.bundle, short: "b", "path", "Directory to write it to", default: "."),
                .toggle(.rootless, "One for an ordinary user"),
            ])
    }

    static var ociFeatures: VerbDescription {
        VerbDescription(.ociFeatures, "", "Print what this runtime can do, as JSON", arguments: 0...0)
    }

    static var ociUpdate: VerbDescription {
        VerbDescription(
            .ociUpdate, "[OPTIONS] ID", "Change the limits of a running container", arguments: 1...1,
            flags: [
                .value(.blkioWeight, "int", "Weight of block I/O", check: .integer(0...1000)),
                .value(
                    .cpuBurst, "int", "Microseconds above the quota in one period",
                    check: .integer(0...Int64.max)),
                .value(
                    .cpuIdle, "int", "1: the processor only when nobody else wants it", check: .integer(0...1)
                ),
                .value(
                    .cpuPeriod, "int", "Period of the processor time limit", check: .integer(0...Int64.max)),
                .value(.cpuQuota, "int", "Processor time in one period", check: .integer(-1...Int64.max)),
                .value(
                    .cpuRealtimePeriod, "int", "Period of real-time scheduling",
                    check: .integer(0...Int64.max)),
                .value(
                    .cpuRealtimeRuntime, "int", "Real-time processor time in one period",
                    check: .integer(0...Int64.max)),
                .value(
                    .cpuShare, "int", "Weight among containers that compete for processors",
                    check: .integer(0...262_144), or: "cpu-shares"),
                .value(.cpusetCPUs, "string", "Processors that may be used"),
                .value(.cpusetMems, "string", "Memory nodes that may be used"),
                .ignoredValue(
                    .kernelMemory, "bytes", "Without effect: the kernel has no such limit any more"),
                .ignoredValue(.kernelMemoryTCP, "bytes", "Without effect: as --kernel-memory"),
                .value(.l3CacheSchema, "string", "Share of the L3 cache: L3:ID=MASK;…"),
                .value(.memBwSchema, "string", "Share of memory bandwidth: MB:ID=PERCENT;…"),
                .value(.memory, "bytes", "Limit of memory", check: .byteSizeOrUnlimited),
                .value(
                    .memoryReservation, "bytes", "Memory that is kept when memory runs short",
                    check: .byteSizeOrUnlimited),
                .value(
                    .memorySwap, "bytes", "Limit of memory and swap together", check: .byteSizeOrUnlimited),
                .value(.pidsLimit, "int", "Limit of processes", check: .integer(-1...Int64.max)),
                .value(
                    .resources, short: "r", "path", "Read linux.resources from this JSON file, - for stdin"),
            ])
    }

    static var ociEvents: VerbDescription {
        VerbDescription(
            .ociEvents, "[OPTIONS] ID", "Print what a container uses, and when its memory has run out",
            about: "A line of JSON each. It ends with the container.", arguments: 1...1,
            flags: [
                .value(.interval, "duration", "Time between two lines (5s)", default: "5s"),
                .toggle(.stats, "Print once and end"),
            ])
    }

    private static var runtimeFormat: FlagDescription {
        .value(
            .format, short: "f", "string", "table or json", check: .oneOf(["table", "json"]), default: "table"
        )
    }

    private static var detached: FlagDescription {
        .toggle(.detach, short: "d", "Leave the process in the background")
    }

    private static var bundleFlags: [FlagDescription] {
        [
            .value(.bundle, short: "b", "path", "Directory of the bundle", default: "."),
            .toggle(.noNewKeyring, "Keep the caller's session keyring"),
            .toggle(.noPivot, "Change the root without pivot_root"),
        ] + launchFlags
    }

    /// Of all that start a process.
    private static var launchFlags: [FlagDescription] {
        [
            .value(.consoleSocket, "path", "Send the terminal's master to this socket"),
            .value(.pidFile, "path", "Write the process's pid to this file"),
            .value(.pidfdSocket, "path", "Send the process's pidfd to this socket"),
            .value(
                .preserveFds, "int", "Pass so many descriptors from 3 on to the process",
                check: .integer(0...1024), default: "0"),
        ]
    }
}
