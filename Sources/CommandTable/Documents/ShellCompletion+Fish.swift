extension ShellCompletion {
    static var fishScript: String {
        let global = CommandTable.globalFlags
        let globalTakes = global.filter { !$0.isToggle }.flatMap { flag in
            ["--\(flag.name.rawValue)"] + (flag.short.map { ["-\($0)"] } ?? [])
        }
        var text = """
            # fish completion of ctr, made from its table of verbs and flags.

            # The verb's words on the line so far, one line of text.
            function __ctr_words
                set -l skip 0
                set -l found
                for word in (commandline -opc)[2..-1]
                    if test $skip = 1
                        set skip 0
                    else if test (count $found) = 0; and contains -- $word \(globalTakes.joined(separator: " "))
                        set skip 1
                    else if not string match -q -- '-*' $word
                        set -a found $word
                        if test (count $found) = 2; or not contains -- $found[1] \(VerbGroup.allCases.map(\.rawValue).joined(separator: " "))
                            break
                        end
                    end
                end
                echo "$found"
            end

            function __ctr_uses
                contains -- (__ctr_words) $argv
            end

            complete -c ctr -f

            """
        for flag in HelpText.sorted(global) { text += line(for: flag, condition: "__ctr_uses ''") }
        for (word, meaning) in firstWords {
            text += "complete -c ctr -n \"__ctr_uses ''\" -a \(fishQuoted(word)) -d \(fishQuoted(meaning))\n"
        }
        for group in VerbGroup.allCases {
            let prefix = group.rawValue + " "
            for (words, verb) in spellings where words.hasPrefix(prefix) {
                text += "complete -c ctr -n \"__ctr_uses \(group.rawValue)\" -a "
                text +=
                    "\(fishQuoted(String(words.dropFirst(prefix.count)))) -d \(fishQuoted(verb.description.meaning))\n"
            }
        }
        for verb in Verb.listed {
            let words = spellings.filter { $0.verb == verb }.map { "'\($0.words)'" }.joined(separator: " ")
            let condition = "__ctr_uses \(words)"
            for flag in flags(of: verb) { text += line(for: flag, condition: condition) }
            for argument in arguments(verb.description) {
                text += "complete -c ctr -n \"\(condition)\" \(argument)\n"
            }
        }
        return text
    }

    private static func line(for flag: FlagDescription, condition: String) -> String {
        var text = "complete -c ctr -n \"\(condition)\""
        if let short = flag.short { text += " -s \(short)" }
        text += " -l \(flag.name.rawValue)"
        let choices = flag.choices.filter { !$0.isEmpty }
        if !choices.isEmpty {
            text += " -x -a \(fishQuoted(choices.joined(separator: " ")))"
        } else if !flag.isToggle {
            // -r leaves the names of files, which fit most values that are not words.
            text += " -r -F"
        }
        return text + " -d \(fishQuoted(flag.meaning))\n"
    }

    private static func arguments(_ description: VerbDescription) -> [String] {
        var list = listing(description.completes).map { "-a \(fishQuoted("(ctr \($0) 2>/dev/null)"))" }
        switch description.completes {
        case .files, .containersAndFiles: list.append("-F")
        case .shells: list.append("-a \(fishQuoted(allCases.map(\.rawValue).joined(separator: " ")))")
        case .verbs: list.append("-a \(fishQuoted(firstWords.map(\.word).joined(separator: " ")))")
        case .containers, .images, .containersAndImages, .volumes, .networks, .networksAndContainers,
            .nothing:
            break
        }
        return list
    }

    private static func fishQuoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }
}
