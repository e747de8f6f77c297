extension VerbDescription {
    static var run: VerbDescription {
        VerbDescription(
            .run, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a container from an image and start it",
            about: """
                The image is pulled when it is not there. In the foreground the exit code is that of the container's \
                command; 125 is a failure of ctr itself, 126 a command that cannot be executed, 127 one that does not \
                exist, and 128+n the end by signal n. Flags end at the image: what follows it belongs to the command.
                """,
            arguments: 1...unlimited, interspersed: false, completes: .images,
            flags: containerFlags + [
                .toggle(.detach, short: "d", "Leave the container in the background and print its ID"),
                .value(
                    .detachKeys, "string",
                    "Keys that leave the container's terminal, ctrl-p,ctrl-q unless given",
                    check: .detachKeys),
                .toggle(.rm, "Remove the container and its anonymous volumes when it has ended"),
                .toggle(.rmi, "As --rm, and remove the image too unless something else needs it"),
                .toggle(.sigProxy, "Pass signals that ctr receives on to the process", on: true),
                .value(
                    .wait, "string",
                    "With -d: return when the container is healthy; fails when it becomes unhealthy or ends first",
                    check: .oneOf(["healthy"])),
                .value(
                    .waitTimeout, "duration", "Longest time for --wait; exit code 124 when it is over",
                    check: .duration),
            ])
    }

    static var create: VerbDescription {
        VerbDescription(
            .create, "[OPTIONS] IMAGE [COMMAND] [ARG...]",
            "Create a container from an image, to be started later",
            about:
                "Prints the ID of the new container. Flags end at the image: what follows it belongs to the command.",
            arguments: 1...unlimited, interspersed: false, completes: .images,
            flags: containerFlags + [
                .toggle(.rm, "Remove the container and its anonymous volumes when it has ended")
            ])
    }

    /// What `run` and `create` share.
    private static var containerFlags: [FlagDescription] {
        processFlags + fileFlags + hostFlags + networkFlags + limitFlags + cgroupFlags + lifeFlags
    }

    private static var processFlags: [FlagDescription] {
        [
            .list(.annotation, "map", "Add an annotation to the container's OCI spec", check: .label),
            .list(
                .attach, short: "a", "list", "Attach to stdin, stdout or stderr",
                check: .oneOf(["stdin", "stdout", "stderr"])),
            .value(.cidfile, "string", "Write the container's ID to this file, which must not exist"),
            .value(.entrypoint, "string", "Run this instead of the image's entrypoint"),
            .list(.env, short: "e", "list", "Set an environment variable", check: .environment),
            .list(.envFile, "list", "Read environment variables from a file"),
            .toggle(.`init`, "Run ctr's small init as process 1, which forwards signals and reaps processes"),
            .toggle(.interactive, short: "i", "Keep stdin open even if nobody is attached"),
            .list(.label, short: "l", "list", "Set a label on the container", check: .label),
            .list(.labelFile, "list", "Read labels from a file"),
            .value(
                .logDriver, "string", "How output is kept (json-file, k8s-file, journald, none)",
                check: .oneOf(["json-file", "k8s-file", "journald", "none"]), default: "json-file"),
            .list(
                .logOpt, "list", "Option of the log: max-size (10m), max-file (5), tag, labels, env",
                check: .keyValue),
            .value(.name, "string", "Name the container"),
            .toggle(.noHealthcheck, "Run no health check, whatever the image says"),
            .value(
                .platform, "string", "Choose this platform of the image (os/arch[/variant])"),
            .value(
                .pull, "string", "When to pull the image (always, missing, never)",
                check: .oneOf(["always", "missing", "never"]), default: "missing"),
            .toggle(.quiet, short: "q", "Do not show the progress of the pull"),
            .value(
                .restart, "string",
                "What to do when the process has ended (no, always, unless-stopped, on-failure[:RETRIES])",
                check: .restartPolicy, default: "no"),
            .value(.stopSignal, "string", "Signal that asks the process to end", check: .signal),
            .value(
                .stopTimeout, "int", "Seconds to wait after the stop signal before the process is killed",
                check: .integer(-1...Int64(Int32.max))),
            .toggle(.tty, short: "t", "Give the process a terminal"),
            .value(.user, short: "u", "string", "User of the process (name or uid[:group or gid])"),
            .value(.workdir, short: "w", "string", "Working directory of the process"),
        ]
    }

    private static var fileFlags: [FlagDescription] {
        [
            .list(
                .device, "list",
                "Give the container a device of the host (HOST[:CONTAINER][:rwm]) or one of a CDI spec (vendor.com/class=name)",
                check: .device),
            .value(
                .gpus, "gpu-request",
                "Give the container NVIDIA GPUs by their CDI spec (all, a number, device=INDEX|UUID,...)",
                check: .gpus),
            .list(
                .mount, "mount",
                "Mount a volume, a directory of the host or a tmpfs (type=...,source=...,target=...)"),
            .toggle(.readOnly, "Mount the container's root file system read-only"),
            .value(.shmSize, "bytes", "Size of /dev/shm", check: .byteSize, default: "64m"),
            .list(.tmpfs, "list", "Mount a tmpfs (PATH[:OPTIONS])"),
            .list(
                .volume, short: "v", "list",
                "Mount a volume or a directory of the host ([SOURCE:]PATH[:OPTIONS])"),
            .list(.volumesFrom, "list", "Mount the volumes of another container (CONTAINER[:ro])"),
        ]
    }

    private static var hostFlags: [FlagDescription] {
        [
            .list(
                .addHost, "list", "Add a line to /etc/hosts (NAME:ADDRESS, NAME:host-gateway)",
                check: .extraHost),
            .list(.capAdd, "list", "Give the process a capability"),
            .list(.capDrop, "list", "Take a capability from the process"),
            .value(
                .cgroupns, "string", "Cgroup namespace (host, private)", check: .oneOf(["host", "private"])),
            .value(.domainname, "string", "NIS domain name of the container"),
            .list(.groupAdd, "list", "Add the process to a group"),
            .value(.hostname, short: "h", "string", "Host name of the container"),
            .value(.ipc, "string", "IPC namespace (private, host, none, shareable, container:NAME)"),
            .value(
                .oomScoreAdj, "int",
                "How likely the kernel ends the process when memory runs out (-1000 to 1000)",
                check: .integer(-1000...1000)),
            .value(.pid, "string", "PID namespace (host, container:NAME)"),
            .toggle(.privileged, "Give the container every capability and device, and no confinement"),
            .list(
                .securityOpt, "list",
                "Security option (no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE, label=...)"),
            .list(.sysctl, "map", "Set a kernel parameter of the container's namespaces", check: .keyValue),
            .list(.ulimit, "ulimit", "Set a resource limit (NAME=SOFT[:HARD])", check: .ulimit),
            .list(.gidmap, "list", "Map groups of the container (CONTAINER:HOST[:SIZE])"),
            .list(.uidmap, "list", "Map users of the container (CONTAINER:HOST[:SIZE])"),
            .value(
                .userns, "string",
                "User namespace (host, auto[:size=N,uidmapping=C:H:N,gidmapping=C:H:N], keep-id[:uid=N,gid=N], nomap, container:NAME)"
            ),
            .value(.uts, "string", "UTS namespace (host)", check: .oneOf(["", "host"])),
        ]
    }
}
