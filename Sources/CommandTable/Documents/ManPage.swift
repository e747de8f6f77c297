/// The man page ctr(1) in roff's man macros.
package enum ManPage {
    /// - Parameter version: stands in the footer.
    package static func text(version: String) -> String {
        var page = """
            .\\" Made by ctr from its table of verbs and flags; changes belong there.
            .TH CTR 1 "" "ctr \(escaped(version))" "User Commands"
            .SH NAME
            ctr \\- \(escaped(lowercasedFirst(HelpText.programMeaning)))
            .SH SYNOPSIS
            .B ctr
            [OPTIONS] COMMAND
            .SH DESCRIPTION
            Runs containers from layered images, without a daemon.
            The verbs and flags mean what they mean in docker.
            .SH GLOBAL OPTIONS

            """
        page += options(CommandTable.globalFlags)
        page += ".SH COMMANDS\n"
        for verb in Verb.listed { page += section(verb) }
        page += """
            .SH EXIT STATUS
            .TP
            .B 0
            Done.
            .TP
            .B 1
            A command other than those below failed.
            .TP
            .B 125
            ctr itself failed in run, create, start, exec or attach.
            .TP
            .B 126
            The command in the container cannot be executed.
            .TP
            .B 127
            The command does not exist in the container.
            .TP
            .B 128+n
            The command was ended by signal n.
            .PP
            Otherwise run and exec end with the exit code of the command.
            .SH ENVIRONMENT
            .TP
            .B CTR_ROOT
            As \\-\\-root.
            .TP
            .B CTR_RUN_ROOT
            As \\-\\-run\\-root.
            .TP
            .B CTR_NETWORK
            What run and create take for \\-\\-network where none is given, instead of bridge.
            .TP
            .B CTR_PUBLISH_ADDRESS
            The address of the host where ports are published that name none, in place of every address.
            .TP
            .B CTR_CDI_SPEC_DIRS
            Directories of CDI specs, separated by colons, in place of /etc/cdi and /var/run/cdi; of
            .B run
            and
            .BR create .
            .TP
            .BR HTTP_PROXY ", " HTTPS_PROXY ", " NO_PROXY
            Proxies on the way to registries.

            """
        return page
    }

    private static func section(_ verb: Verb) -> String {
        let description = verb.description
        var text = ".SS \"\(escaped(description.usageLine.replacingTabs))\"\n"
        text += line("\(description.meaning).")
        if !description.about.isEmpty { text += ".PP\n" + line(description.about) }
        if !description.spellings.isEmpty {
            text += ".PP\nThe same: " + escaped(description.spellings.joined(separator: ", ")) + ".\n"
        }
        return text + options(description.flags)
    }

    private static func options(_ flags: [FlagDescription]) -> String {
        var text = ""
        for flag in HelpText.sorted(flags) {
            let short = flag.short.map { "\\-\(escaped(String($0))), " } ?? ""
            let value = flag.valueName.isEmpty ? "" : " \\fI\(escaped(flag.valueName))\\fR"
            text += ".TP\n\\fB\(short)\\-\\-\(escaped(flag.name.rawValue))\\fR\(value)\n"
            text += line(HelpText.meaning(of: flag))
        }
        return text
    }

    /// A line of text; a dot or an apostrophe at its head would be a macro.
    private static func line(_ text: String) -> String {
        let body = escaped(text)
        return (body.hasPrefix(".") || body.hasPrefix("'") ? "\\&" : "") + body + "\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "\"": result += "\\(dq"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            default: result.append(character)
            }
        }
        return result
    }

    private static func lowercasedFirst(_ text: String) -> String {
        text.prefix(1).lowercased() + text.dropFirst()
    }
}

extension String {
    /// A usage of two lines in one: help has a tab before the second.
    fileprivate var replacingTabs: String {
        split(separator: "\n").map { line in line.drop { $0 == "\t" } }.joined(separator: " | ")
    }
}

extension Verb {
    /// Every verb that lists show, in the order of the alphabet.
    static var listed: [Verb] {
        allCases.filter { $0 != .internal }.sorted { $0.rawValue < $1.rawValue }
    }
}
