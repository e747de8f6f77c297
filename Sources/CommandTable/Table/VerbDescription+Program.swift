extension VerbDescription {
    static var doctor: VerbDescription {
        VerbDescription(
            .doctor, "[OPTIONS]", "Look for what keeps this host from running containers well",
            about: """
                Looks as the user that asks: root, or one whose containers run in a user namespace. Under each lack is the \
                line that mends it, for a root shell. The exit code is 1 where something keeps containers from running.
                """,
            arguments: 0...0,
            flags: [.value(.format, "string", "Print as json", check: .oneOf(["json"]))])
    }

    static var version: VerbDescription {
        VerbDescription(
            .version, "[OPTIONS]", "Show the versions of ctr and of what it is built on", arguments: 0...0,
            flags: [inspectFormat])
    }

    static var info: VerbDescription {
        VerbDescription(
            .info, "[OPTIONS]", "Show the store, the host and what of it ctr uses", arguments: 0...0,
            flags: [inspectFormat])
    }

    static var completion: VerbDescription {
        VerbDescription(
            .completion, "bash|zsh|fish", "Print the completion script of a shell",
            about: "For bash: ctr completion bash > /etc/bash_completion.d/ctr",
            arguments: 1...1, completes: .shells)
    }

    static var help: VerbDescription {
        VerbDescription(
            .help, "[COMMAND]", "Show help on a command", arguments: 0...2, completes: .verbs)
    }

    static var `internal`: VerbDescription {
        VerbDescription(
            .internal, "", "What ctr starts itself for", arguments: 0...unlimited, interspersed: false)
    }
}
