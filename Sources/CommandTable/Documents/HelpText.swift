/// Help in docker's shape: usage, one line of meaning, then columns.
package enum HelpText {
    package static func text(on topic: HelpTopic) -> String {
        switch topic {
        case .program: program
        case .group(let group): text(on: group)
        case .verb(let verb): text(on: verb)
        }
    }

    /// The one line that says what ctr is.
    static let programMeaning = "Containers and images without a daemon"

    /// Verbs that a new user looks for, in the order of use.
    static let commonVerbs: [Verb] = [
        .run, .exec, .ps, .logs, .stop, .rm, .pull, .push, .images, .login, .logout,
    ]

    static var otherVerbs: [Verb] {
        Verb.allCases
            .filter { $0 != .internal && !commonVerbs.contains($0) && !$0.rawValue.utf8.contains(0x20) }
            .sorted { $0.rawValue < $1.rawValue }
    }

    private static var program: String {
        var text = "Usage:  ctr [OPTIONS] COMMAND\n\n\(programMeaning)\n"
        let groups = VerbGroup.allCases.map { ($0.rawValue, $0.meaning) }
        let common = commonVerbs.map { ($0.rawValue, $0.description.meaning) }
        let others = otherVerbs.map { ($0.rawValue, $0.description.meaning) }
        let width = (groups + common + others).map(\.0.count).max() ?? 0
        text += section("Common Commands", common, width)
        text += section("Management Commands", groups, width)
        text += section("Commands", others, width)
        text += options("Global Options", CommandTable.globalFlags)
        text += "\nRun 'ctr COMMAND --help' for more information on a command.\n"
        return text
    }

    private static func text(on group: VerbGroup) -> String {
        let members = group.members.map { ($0.word, $0.verb.description.meaning) }
        return "Usage:  \(group.commandPath) COMMAND\n\n\(group.meaning)\n"
            + section("Commands", members, members.map(\.0.count).max() ?? 0)
            + "\nRun '\(group.commandPath) COMMAND --help' for more information on a command.\n"
    }

    private static func text(on verb: Verb) -> String {
        let description = verb.description
        var text = "Usage:  \(description.usageLine)\n\n\(description.meaning)\n"
        if !description.about.isEmpty { text += "\n\(wrapped(description.about, width: 80))\n" }
        if !description.spellings.isEmpty {
            text += "\nAliases:\n  \(description.spellings.joined(separator: ", "))\n"
        }
        return text + options("Options", description.flags)
    }

    private static func section(_ title: String, _ rows: [(String, String)], _ width: Int) -> String {
        var text = "\n\(title):\n"
        for (word, meaning) in rows {
            text += "  \(word)\(spaces(width - word.count + 3))\(meaning)\n"
        }
        return text
    }

    private static func options(_ title: String, _ flags: [FlagDescription]) -> String {
        let rows = sorted(flags).map { (heading(of: $0), meaning(of: $0)) }
        guard !rows.isEmpty else { return "" }
        let width = rows.map(\.0.count).max() ?? 0
        var text = "\n\(title):\n"
        for (heading, meaning) in rows {
            text += "  \(heading)\(spaces(width - heading.count + 3))\(meaning)\n"
        }
        return text
    }

    static func sorted(_ flags: [FlagDescription]) -> [FlagDescription] {
        flags.filter { !$0.hidden }.sorted { $0.name.rawValue < $1.name.rawValue }
    }

    /// `-m, --memory bytes`, the long names of all flags in one column.
    static func heading(of flag: FlagDescription) -> String {
        let short = flag.short.map { "-\($0), " } ?? "    "
        return "\(short)--\(flag.name.rawValue)" + (flag.valueName.isEmpty ? "" : " \(flag.valueName)")
    }

    static func meaning(of flag: FlagDescription) -> String {
        flag.meaning + (flag.defaultText.map { " (default \($0))" } ?? "")
    }

    private static func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

    /// The text in lines of at most `width` characters where its words allow it.
    static func wrapped(_ text: String, width: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        if !line.isEmpty { lines.append(line) }
        return lines.joined(separator: "\n")
    }
}
