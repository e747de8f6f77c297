extension VerbDescription {
    /// Of `run` and `create`: what a container's monitor watches over, and podman's flags about the start.
    static var lifeFlags: [FlagDescription] {
        [
            .toggle(.envHost, "Pass ctr's own environment to the process, below what the image sets"),
            .value(.healthCmd, "string", "Check the container's health by this shell command"),
            .value(.healthInterval, "duration", "Time between two checks (30s)", check: .duration),
            .value(
                .healthOnFailure, "string",
                "What becomes of an unhealthy container (none, kill, restart, stop)",
                check: .oneOf(["none", "kill", "restart", "stop"]), default: "none"),
            .value(
                .healthRetries, "int", "Failures in a row that make the container unhealthy (3)",
                check: .integer(0...Int64(Int32.max))),
            .value(
                .healthStartInterval, "duration",
                "Time between two checks in the start period, until the first success (5s)", check: .duration),
            .value(
                .healthStartPeriod, "duration", "Time after the start in which failures do not count (0s)",
                check: .duration),
            .value(
                .healthTimeout, "duration", "Time after which a check is killed and counts as failed (30s)",
                check: .duration),
            .value(
                .imageVolume, "string",
                "What becomes of the image's volumes (anonymous, bind, tmpfs, ignore)",
                check: .oneOf(["anonymous", "bind", "tmpfs", "ignore"]), default: "anonymous"),
            .value(
                .isolation, "string", "Only default: others are for Windows", check: .oneOf(["", "default"])),
            .toggle(.readOnlyTmpfs, "With --read-only: a writable tmpfs at /run, /tmp and /var/tmp"),
            .toggle(.replace, "Remove the container that has the name first, running or not"),
            .list(.requires, "list", "Start these containers first"),
            .toggle(.rootfs, "The image is a directory of the host, which becomes the container's root"),
            .list(
                .secret, "list",
                "Give the container a secret (NAME[,type=mount|env,target=...,uid=0,gid=0,mode=0444])"),
            .list(.storageOpt, "list", "Refused: an overlay has no options of this kind"),
            .value(
                .timeout, "int", "Seconds after which the container is killed, 0 for never",
                check: .integer(0...Int64(Int32.max)), default: "0"),
            .value(.tz, "string", "Time zone of the container: local, or a name (Europe/Berlin)"),
            .list(.unsetenv, "list", "Leave out a variable that the image sets"),
            .toggle(.unsetenvAll, "Leave out all variables that the image sets"),
            .value(
                .volumeDriver, "string", "Driver of the volumes that are made", check: .oneOf(["", "local"])),
        ]
    }

    static var healthcheckRun: VerbDescription {
        VerbDescription(
            .healthcheckRun, "CONTAINER", "Run a container's health check now",
            about:
                "The exit code is 0 when the check succeeds, else 1, with the container's state as output.",
            arguments: 1...1, completes: .containers)
    }

    static var systemBoot: VerbDescription {
        VerbDescription(
            .systemBoot, "", "Start the containers that are to run after a boot",
            about: """
                As docker's daemon does when it starts: always, unless-stopped if nobody stopped the container, and \
                on-failure if its last exit code was not 0 and tries are left, stopped by hand or not. Prints the names of \
                what it starts.
                """,
            arguments: 0...0)
    }

    static var systemInstall: VerbDescription {
        VerbDescription(
            .systemInstall, "[OPTIONS]", "Write and enable the systemd unit that runs ctr system boot",
            about: "Another --root gets a unit of its own.", arguments: 0...0,
            flags: [.toggle(.user, "A unit of the user's own systemd, not of the machine's")])
    }

    static var systemUninstall: VerbDescription {
        VerbDescription(
            .systemUninstall, "[OPTIONS]", "Disable and remove the unit that ctr system install wrote",
            arguments: 0...0,
            flags: [.toggle(.user, "The unit of the user's own systemd, not of the machine's")])
    }

    static var secretCreate: VerbDescription {
        VerbDescription(
            .secretCreate, "[OPTIONS] SECRET FILE|-", "Keep a value that containers may read",
            about: "Prints its ID. - reads the value from stdin.", arguments: 2...2,
            flags: [
                .toggle(.env, "FILE is the name of a variable of ctr's own environment, which has the value"),
                .list(.label, short: "l", "list", "Set a label on the secret", check: .label),
                .toggle(.replace, "Put the value in the place of a secret that has the name"),
            ])
    }

    static var secretList: VerbDescription {
        VerbDescription(
            .secretList, "[OPTIONS]", "List secrets", arguments: 0...0,
            flags: [
                .list(
                    .filter, short: "f", "filter", "Only those that fit (name=db)",
                    check: .filter(["id", "label", "name"])),
                format,
                .toggle(.quiet, short: "q", "Only IDs"),
            ])
    }

    static var secretInspect: VerbDescription {
        VerbDescription(
            .secretInspect, "[OPTIONS] SECRET [SECRET...]", "Show everything about secrets but their values",
            arguments: 1...unlimited, flags: [inspectFormat])
    }

    static var secretRemove: VerbDescription {
        VerbDescription(
            .secretRemove, "[OPTIONS] SECRET [SECRET...]", "Remove secrets",
            about: "Containers that run keep what they have; they cannot be started again without it.",
            arguments: 0...unlimited,
            flags: [
                .toggle(.all, short: "a", "All of them"),
                .toggle(.ignore, short: "i", "A secret that does not exist is no failure"),
            ])
    }
}
