/// docs/cli.md: every verb and flag.
package enum MarkdownReference {
    package static var text: String {
        var page = """
            # The command line of ctr

            Made from the table of verbs and flags (`Sources/CommandTable`); changes belong there.

            ```
            ctr [OPTIONS] COMMAND
            ```

            ## Global options


            """
        page += options(CommandTable.globalFlags)
        page += "\n## Commands\n\n| command | meaning |\n|---|---|\n"
        for verb in Verb.listed {
            page += "| [`\(verb.commandPath)`](#\(anchor(verb))) | \(cell(verb.description.meaning)) |\n"
        }
        for verb in Verb.listed { page += section(verb) }
        return page
    }

    private static func section(_ verb: Verb) -> String {
        let description = verb.description
        let usage = description.usageLine.split(separator: "\n").map { line in line.drop { $0 == "\t" } }
        var text =
            "\n## \(verb.commandPath)\n\n\(description.meaning).\n\n```\n\(usage.joined(separator: "\n"))\n```\n"
        if !description.about.isEmpty { text += "\n\(HelpText.wrapped(description.about, width: 120))\n" }
        if !description.spellings.isEmpty {
            let others = description.spellings.filter { $0 != verb.commandPath }
            text += "\nThe same: \(others.map { "`\($0)`" }.joined(separator: ", "))\n"
        }
        if !description.flags.isEmpty { text += "\n" + options(description.flags) }
        return text
    }

    private static func options(_ flags: [FlagDescription]) -> String {
        var text = "| option | meaning |\n|---|---|\n"
        for flag in HelpText.sorted(flags) {
            let short = flag.short.map { "`-\($0)`, " } ?? ""
            let value = flag.valueName.isEmpty ? "" : " \(flag.valueName)"
            text += "| \(short)`--\(flag.name.rawValue)\(value)` | \(cell(HelpText.meaning(of: flag))) |\n"
        }
        return text
    }

    private static func cell(_ text: String) -> String {
        text.map { $0 == "|" ? "\\|" : String($0) }.joined()
    }

    private static func anchor(_ verb: Verb) -> String {
        verb.commandPath.map { $0 == " " ? "-" : String($0) }.joined()
    }
}
