extension VerbDescription {
    static var build: VerbDescription {
        VerbDescription(
            .build, "[OPTIONS] PATH | URL | -", "Build an image from a Dockerfile",
            about:
                "The same context and Dockerfile give the same image on every machine: files have the time of "
                + "SOURCE_DATE_EPOCH, else of the context's newest commit, else 1970. "
                + "--progress=json writes an object a line to stderr: step (0: none), name, event (began, log, told, cached, "
                + "done, failed, canceled, warned), time (RFC 3339) and data (the output's line, or the message).",
            arguments: 1...1, completes: .files,
            flags: [
                .list(
                    .addHost, "list", "Add a line NAME:ADDRESS to /etc/hosts of every RUN", check: .extraHost),
                .list(.annotation, "list", "Add an annotation to the image's manifest", check: .keyValue),
                .list(.buildArg, "list", "Give an ARG its value (NAME alone: the caller's own)"),
                .list(
                    .buildContext, "list", "Name another context: NAME=PATH, NAME=docker-image://IMAGE",
                    check: .keyValue),
                .list(
                    .cacheFrom, "list",
                    "Take steps from a cache: type=registry,ref=IMAGE or type=local,src=DIRECTORY"),
                .list(
                    .cacheTo, "list",
                    "Keep the steps in a cache: type=registry,ref=IMAGE[,mode=max] or type=local,dest=DIRECTORY"
                ),
                .toggle(.check, "Only look for mistakes in the Dockerfile, by BuildKit's rules"),
                .toggle(.explain, "Tell of each step why the cache was used or not"),
                .value(.file, short: "f", "string", "Name of the Dockerfile (PATH/Dockerfile; - is stdin)"),
                .value(.iidfile, "file", "Write the image ID to a file"),
                .list(.label, "list", "Set a label of the image", check: .label),
                .toggle(.load, "Keep the image in the store, which is done anyway"),
                .value(.metadataFile, "file", "Write what was built to a file, as JSON"),
                .value(
                    .network, "string", "Network of RUN (default, none, host, or a network's name)",
                    default: "host"),
                .toggle(.noCache, "Run every step"),
                .list(.noCacheFilter, "list", "Run every step of these stages"),
                .list(
                    .output, short: "o", "list",
                    "Where the result goes: type=image|oci|docker|tar|local[,dest=PATH][,name=NAME][,push=true]"
                ),
                .value(.platform, "string", "Build for this platform (os/arch[/variant])"),
                .value(
                    .progress, "string",
                    "How progress is shown (auto, plain, tty, json, rawjson, quiet); auto is BUILDKIT_PROGRESS, if set",
                    check: .oneOf(["auto", "plain", "tty", "json", "rawjson", "quiet"]), default: "auto"),
                .toggle(.pull, "Look for newer base images at their registries"),
                .toggle(.push, "Push the image under all its names"),
                .toggle(.quiet, short: "q", "Print nothing but the image ID"),
                .list(.secret, "list", "Give RUN a secret: id=ID[,src=FILE|,env=NAME]"),
                .value(.shmSize, "bytes", "Size of /dev/shm of RUN", check: .byteSize),
                .list(.ssh, "list", "Give RUN an ssh agent: default, or ID=SOCKET"),
                .list(.tag, short: "t", "list", "Name of the image (NAME:TAG)"),
                .value(.target, "string", "Build this stage instead of the last"),
                .list(.ulimit, "ulimit", "Limit of RUN (NAME=SOFT[:HARD])", check: .ulimit),
                .ignored(.rm, "Steps leave no containers", on: true),
                .ignored(.forceRemove, "Steps leave no containers"),
            ])
    }

    static var builderDiskUsage: VerbDescription {
        VerbDescription(
            .builderDiskUsage, "[OPTIONS]", "Show what the build cache takes",
            arguments: 0...0,
            flags: [
                .list(
                    .filter, "filter", "Only those that fit (until=24h, type=step|mount|memory)",
                    check: .filter(["id", "type", "until"])),
                .toggle(.verbose, "Everything about each entry"),
                format,
            ])
    }

    static var builderPrune: VerbDescription {
        VerbDescription(
            .builderPrune, "[OPTIONS]", "Remove the build cache",
            about:
                "Without --all, steps that no image is made of and what was remembered of files; with it, all steps and "
                + "the cache mounts. Builds at work keep what they use.",
            arguments: 0...0,
            flags: [
                .toggle(.all, short: "a", "Also steps of images that are here, and cache mounts"),
                .list(
                    .filter, "filter", "Only those that fit (until=24h, type=step|mount|memory)",
                    check: .filter(["id", "type", "until"])),
                .toggle(.force, short: "f", "Do not ask"),
                .value(
                    .keepStorage, "bytes", "Keep this much of what was used last", check: .byteSize),
            ])
    }
}
