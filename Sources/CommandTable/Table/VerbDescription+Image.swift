extension VerbDescription {
    static var pull: VerbDescription {
        VerbDescription(
            .pull, "[OPTIONS] NAME[:TAG|@DIGEST]", "Pull an image from a registry",
            arguments: 1...1, completes: .images,
            flags: [
                .toggle(.allTags, short: "a", "Pull every tag of the repository"),
                .value(.platform, "string", "Choose this platform of the image (os/arch[/variant])"),
                .toggle(.quiet, short: "q", "Only print the name of the image"),
            ])
    }

    static var push: VerbDescription {
        VerbDescription(
            .push, "[OPTIONS] NAME[:TAG]", "Push an image to a registry",
            arguments: 1...1, completes: .images,
            flags: [
                .toggle(.allTags, short: "a", "Push every tag of the repository"),
                .toggle(.quiet, short: "q", "Only print the name of the image"),
            ])
    }

    static var images: VerbDescription {
        VerbDescription(
            .images, "[OPTIONS] [REPOSITORY[:TAG]]", "List images",
            arguments: 0...1, completes: .images,
            flags: [
                .toggle(.all, short: "a", "Also those without a name"),
                .toggle(.digests, "Also digests"),
                .list(
                    .filter, short: "f", "filter", "Only those that fit (dangling=true)",
                    check: .filter(["before", "dangling", "label", "reference", "since", "until"])),
                format,
                noTrunc,
                .toggle(.quiet, short: "q", "Only IDs"),
            ])
    }

    static var rmi: VerbDescription {
        VerbDescription(
            .rmi, "[OPTIONS] IMAGE [IMAGE...]", "Remove images",
            arguments: 1...unlimited, completes: .images,
            flags: [
                .toggle(
                    .force, short: "f",
                    "Remove also an image that stopped containers use or that has several names"),
                .toggle(.noPrune, "No effect: images here have no nameless parents"),
            ])
    }

    static var tag: VerbDescription {
        VerbDescription(
            .tag, "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Give an image another name", arguments: 2...2,
            completes: .images)
    }

    static var history: VerbDescription {
        VerbDescription(
            .history, "[OPTIONS] IMAGE", "Show how an image was made",
            arguments: 1...1, completes: .images,
            flags: [
                format,
                .toggle(.human, short: "H", "Print sizes and times for people", on: true),
                noTrunc,
                .toggle(.quiet, short: "q", "Only IDs"),
            ])
    }

    static var `import`: VerbDescription {
        VerbDescription(
            .import, "[OPTIONS] FILE|- [REPOSITORY[:TAG]]", "Make an image of one layer from a tar archive",
            arguments: 1...2, completes: .files,
            flags: [
                .list(
                    .change, short: "c", "list", "Apply a Dockerfile instruction to the image (CMD [\"sh\"])"),
                .value(.message, short: "m", "string", "Comment in the image's history"),
                .value(.platform, "string", "Platform of the image (os/arch[/variant])"),
            ])
    }

    static var save: VerbDescription {
        VerbDescription(
            .save, "[OPTIONS] IMAGE [IMAGE...]", "Write images to a file that docker, podman and skopeo read",
            about: "The file is an OCI image layout and a docker archive at once.",
            arguments: 1...unlimited, completes: .images,
            flags: [
                .value(.output, short: "o", "string", "Write to this file instead of stdout"),
                .value(.platform, "string", "Only this platform of the images (os/arch[/variant])"),
            ])
    }

    static var load: VerbDescription {
        VerbDescription(
            .load, "[OPTIONS]", "Read images from a file that ctr, docker, podman or skopeo wrote",
            arguments: 0...0,
            flags: [
                .value(.input, short: "i", "string", "Read from this file instead of stdin"),
                .toggle(.quiet, short: "q", "Do not show the progress"),
            ])
    }

    static var login: VerbDescription {
        VerbDescription(
            .login, "[OPTIONS] [SERVER]", "Log in to a registry",
            about: "Without SERVER it is docker.io. What is not given by flags is asked for on the terminal.",
            arguments: 0...1,
            flags: [
                .value(.password, short: "p", "string", "Password; others can see it in the process list"),
                .toggle(.passwordStdin, "Read the password from stdin"),
                .value(.username, short: "u", "string", "User name"),
            ])
    }

    static var logout: VerbDescription {
        VerbDescription(
            .logout, "[SERVER]", "Log out from a registry", about: "Without SERVER it is docker.io.",
            arguments: 0...1)
    }

    static var imageInspect: VerbDescription {
        VerbDescription(
            .imageInspect, "[OPTIONS] IMAGE [IMAGE...]", "Show everything about images",
            arguments: 1...unlimited, completes: .images, flags: [inspectFormat])
    }

    static var imagePrune: VerbDescription {
        VerbDescription(
            .imagePrune, "[OPTIONS]", "Remove images that nothing uses",
            arguments: 0...0,
            flags: [
                .toggle(.all, short: "a", "Also those with a name that no container uses"),
                .list(
                    .filter, "filter", "Only those that fit (until=24h)",
                    check: .filter(["dangling", "label", "until"])),
                .toggle(.force, short: "f", "Do not ask"),
            ])
    }
}
