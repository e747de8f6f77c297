package import Failure

/// The one table of verbs and flags. Parsing, help, shell completion, the man page and docs/cli.md come from it.
///
/// It is on the start path of every container: a verb's row is built when that verb is looked up and no other.
package enum CommandTable {
    /// Flags that stand before the verb and hold for every one.
    package static let globalFlags: [FlagDescription] = [
        .toggle(.debug, short: "D", "Print the causes of a failure"),
        .toggle(.help, short: "h", "Print help and end"),
        .value(
            .logLevel, short: "l", "string",
            "No effect yet, nothing is logged (debug, info, warn, error, fatal)",
            check: .oneOf(["debug", "info", "warn", "error", "fatal"]), default: "info"),
        .value(.root, "string", "Directory of images, containers and volumes (CTR_ROOT)"),
        .value(.runRoot, "string", "Directory of what lives until the next boot (CTR_RUN_ROOT)"),
        .toggle(.version, short: "v", "Print the version in one line and end"),
    ]

    /// What every verb understands beside its own flags. A verb whose own `-h` means something else has `--help` only.
    static let helpFlag: FlagDescription = .toggle(.help, short: "h", "Print help on this command and end")

    static func helpHint(for verb: Verb) -> String { "See '\(verb.commandPath) --help'." }

    /// Reads the words after the program's name.
    ///
    /// No words at all, or a group's word alone, ask for help. Throws `.invalidArgument` with a hint for everything that the
    /// table does not allow; the exit code for it is ``usageExitCode(of:)``.
    package static func parse(_ arguments: [String]) throws(Failure) -> ParsedCommand {
        var globals = FlagParser(flags: globalFlags, commandPath: "ctr", interspersed: false)
        try globals.read(arguments[...])
        let words = globals.positionals
        if globals.isOn(.help) {
            return ParsedCommand(verb: .help, request: .help(try topic(of: words)))
        }
        if globals.isOn(.version) { return ParsedCommand(verb: .version, request: .versionLine) }
        guard let first = words.first else {
            return ParsedCommand(verb: .help, request: .help(.program), settings: globals.settings)
        }
        if first.utf8.starts(with: "__".utf8) {
            return ParsedCommand(
                verb: .internal, request: .perform, positionals: words, settings: globals.settings)
        }
        if first == VerbGroup.oci.rawValue { return try parseRuntime(words, globals: globals.settings) }
        guard let (verb, rest) = try find(words) else {
            return ParsedCommand(verb: .help, request: .help(try topic(of: words)))
        }
        return try parse(verb, rest, globals: globals.settings)
    }

    /// The exit code that goes with a failure of ``parse(_:)`` on the same words.
    package static func usageExitCode(of arguments: [String]) -> Int32 {
        var globals = FlagParser(flags: globalFlags, commandPath: "ctr", interspersed: false)
        guard (try? globals.read(arguments[...])) != nil,
            let found = try? find(globals.positionals)
        else { return 1 }
        return found.verb.usageExitCode
    }

    /// `oci` has flags of its own before the verb.
    private static func parseRuntime(
        _ words: [String], globals: [ParsedCommand.Setting]
    ) throws(Failure) -> ParsedCommand {
        var flags = FlagParser(
            flags: runtimeFlags, commandPath: VerbGroup.oci.commandPath, interspersed: false)
        try flags.read(words.dropFirst())
        if flags.isOn(.version) { return ParsedCommand(verb: .ociFeatures, request: .versionLine) }
        guard let second = flags.positionals.first, second != "help", !flags.isOn(.help) else {
            return ParsedCommand(verb: .help, request: .help(.group(.oci)))
        }
        guard let verb = Verb(words: "oci \(second)") else { throw unknown(second, in: .oci) }
        return try parse(
            verb, flags.positionals.dropFirst(), globals: globals + flags.settings, outer: runtimeFlags)
    }

    private static func parse(
        _ verb: Verb, _ rest: ArraySlice<String>, globals: [ParsedCommand.Setting],
        outer: [FlagDescription] = []
    ) throws(Failure) -> ParsedCommand {
        let description = verb.description
        var parser = FlagParser(
            flags: description.flags + [helpFlag], commandPath: verb.commandPath,
            interspersed: description.interspersed)
        try parser.read(rest)
        if parser.isOn(.help) { return ParsedCommand(verb: .help, request: .help(.verb(verb))) }
        if verb == .help {
            return ParsedCommand(verb: .help, request: .help(try topic(of: parser.positionals)))
        }
        try description.checkCount(of: parser.positionals)
        return ParsedCommand(
            verb: verb, request: .perform, positionals: parser.positionals,
            settings: globals + parser.settings, descriptions: description.flags + outer)
    }

    /// The verb at the head of these words and the words after it; nil for a group's word alone or with a flag after it.
    private static func find(_ words: [String]) throws(Failure) -> (verb: Verb, rest: ArraySlice<String>)? {
        guard let first = words.first else { return nil }
        if let verb = Verb(words: first) { return (verb, words.dropFirst()) }
        guard let group = VerbGroup(rawValue: first) else { throw unknown(first) }
        guard words.count > 1, !words[1].utf8.starts(with: "-".utf8), words[1] != "help" else { return nil }
        guard let verb = Verb(words: "\(first) \(words[1])") else {
            throw unknown(words[1], in: group)
        }
        return (verb, words.dropFirst(2))
    }

    /// What `ctr help WORDS` is about.
    private static func topic(of words: [String]) throws(Failure) -> HelpTopic {
        guard let first = words.first else { return .program }
        if let verb = Verb(words: first) { return .verb(verb) }
        guard let group = VerbGroup(rawValue: first) else { throw unknown(first) }
        guard words.count > 1 else { return .group(group) }
        let second = words[1]
        if second == "-h" || second == "--help" || second == "help" { return .group(group) }
        if second.utf8.starts(with: "-".utf8) {
            throw Failure(
                .invalidArgument, "unknown flag: \(second)", hint: "See '\(group.commandPath) --help'.")
        }
        guard let verb = Verb(words: "\(first) \(second)") else { throw unknown(second, in: group) }
        return .verb(verb)
    }

    private static func unknown(_ word: String, in group: VerbGroup? = nil) -> Failure {
        let path = group?.commandPath ?? "ctr"
        let known =
            group?.members.map(\.word)
            ?? Verb.allCases.filter { $0 != .internal && !$0.rawValue.utf8.contains(UInt8(ascii: " ")) }
            .map(\.rawValue) + VerbGroup.allCases.map(\.rawValue)
        let meant = Suggestion.nearest(to: word, among: known).map { "Did you mean '\(path) \($0)'? " } ?? ""
        return Failure(
            .invalidArgument, "unknown command: \(path) \(word)", hint: "\(meant)See '\(path) --help'.")
    }
}

extension VerbDescription {
    func checkCount(of positionals: [String]) throws(Failure) {
        guard !arguments.contains(positionals.count) else { return }
        let low = arguments.lowerBound
        let high = arguments.upperBound
        func noun(_ count: Int) -> String { count == 1 ? "argument" : "arguments" }
        let wants: String
        if high == 0 {
            wants = "accepts no arguments"
        } else if low == high {
            wants = "requires exactly \(low) \(noun(low))"
        } else if high == VerbDescription.unlimited {
            wants = "requires at least \(low) \(noun(low))"
        } else if low == 0 {
            wants = "requires at most \(high) \(noun(high))"
        } else {
            wants = "requires at least \(low) and at most \(high) arguments"
        }
        throw Failure(
            .invalidArgument, "\"\(verb.commandPath)\" \(wants)",
            hint: "Usage:  \(usageLine)\n\(CommandTable.helpHint(for: verb))")
    }
}
