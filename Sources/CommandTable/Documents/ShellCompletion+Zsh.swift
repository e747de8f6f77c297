extension ShellCompletion {
    static var zshScript: String {
        var text = """
            #compdef ctr
            # zsh completion of ctr, made from its table of verbs and flags.

            _ctr_containers() {
                local -a names
                names=(${(f)"$(ctr \(listing(.containers)[0]) 2>/dev/null)"})
                compadd -a names
            }

            _ctr_images() {
                local -a names
                names=(${(f)"$(ctr \(listing(.images)[0]) 2>/dev/null)"})
                compadd -a names
            }

            _ctr_volumes() {
                local -a names
                names=(${(f)"$(ctr \(listing(.volumes)[0]) 2>/dev/null)"})
                compadd -a names
            }

            _ctr_networks() {
                local -a names
                names=(${(f)"$(ctr \(listing(.networks)[0]) 2>/dev/null)"})
                compadd -a names
            }

            _ctr_containers_images() { _ctr_containers; _ctr_images }

            _ctr_containers_files() { _ctr_containers; _files }

            _ctr_verbs() {
                local -a verbs
                verbs=(
            \(described(firstWords))    )
                _describe -t commands command verbs
            }


            """
        for verb in Verb.listed {
            text += "\(function(verb.rawValue))() {\n    _arguments -s -S"
            if !verb.description.interspersed { text += " -A '-*'" }
            for flag in flags(of: verb) { text += " \\\n        \(specification(flag))" }
            text += " \\\n        \(positionals(verb.description))\n}\n\n"
        }
        for group in VerbGroup.allCases {
            let prefix = group.rawValue + " "
            let members = spellings.filter { $0.words.hasPrefix(prefix) }
            let words = members.map {
                (word: String($0.words.dropFirst(prefix.count)), meaning: $0.verb.description.meaning)
            }.sorted { $0.word < $1.word }
            text += dispatcher(
                name: function(group.rawValue), leading: "",
                first:
                    "local -a verbs; verbs=(\n\(described(words))        ); _describe -t commands command verbs",
                cases: members.map { (String($0.words.dropFirst(prefix.count)), function($0.verb.rawValue)) })
        }
        let leading = CommandTable.globalFlags.map { " \\\n        \(specification($0))" }.joined()
        text += dispatcher(
            name: "_ctr", leading: leading, first: "_ctr_verbs",
            cases: firstWords.map { ($0.word, function($0.word)) })
        return text + "if [[ $funcstack[1] == _ctr ]]; then _ctr \"$@\"; else compdef _ctr ctr; fi\n"
    }

    private static func dispatcher(
        name: String, leading: String, first: String, cases: [(word: String, function: String)]
    ) -> String {
        var text = """
            \(name)() {
                local curcontext=$curcontext state state_descr line
                typeset -A opt_args
                _arguments -C -s -S -A '-*'\(leading) \\
                    '1: :->verb' '*:: :->arguments' && return
                case $state in
                verb)
                    \(first)
                    ;;
                arguments)
                    case $words[1] in

            """
        for (word, function) in cases { text += "        \(word)) \(function) ;;\n" }
        return text + "        esac\n        ;;\n    esac\n}\n\n"
    }

    private static func described(_ words: [(word: String, meaning: String)]) -> String {
        words.map { "        \(quoted("\($0.word):\(escaped($0.meaning, ":")) "))\n" }.joined()
    }

    private static func function(_ words: String) -> String {
        "_ctr_" + words.map { $0 == " " ? "_" : String($0) }.joined()
    }

    /// One argument of `_arguments` for the flag; `--name=` takes its value after `=` or as the next word.
    private static func specification(_ flag: FlagDescription) -> String {
        let long = "--\(flag.name.rawValue)"
        var many = false
        if case .list = flag.kind { many = true }
        let tail =
            "[\(escaped(flag.meaning, "[]:"))]" + (flag.isToggle ? "" : ":\(flag.valueName):\(action(flag))")
        guard let short = flag.short else {
            return quoted("\(many ? "*" : "")\(long)\(flag.isToggle ? "" : "=")\(tail)")
        }
        let exclusive = many ? "*" : "(-\(short) \(long))"
        return flag.isToggle
            ? "\(quoted(exclusive)){-\(short),\(long)}\(quoted(tail))"
            : "\(quoted(exclusive)){-\(short)+,\(long)=}\(quoted(tail))"
    }

    private static func action(_ flag: FlagDescription) -> String {
        let choices = flag.choices.filter { !$0.isEmpty }
        if !choices.isEmpty { return "(\(choices.joined(separator: " ")))" }
        switch flag.name {
        case .envFile, .labelFile, .cidfile, .output, .input, .root, .runRoot: return "_files"
        case .volumesFrom: return "_ctr_containers"
        case .network: return "_ctr_networks"
        default: return ""
        }
    }

    private static func positionals(_ description: VerbDescription) -> String {
        let action: String
        switch description.completes {
        case .containers: action = "_ctr_containers"
        case .images: action = "_ctr_images"
        case .containersAndImages: action = "_ctr_containers_images"
        case .containersAndFiles: action = "_ctr_containers_files"
        case .volumes: action = "_ctr_volumes"
        case .networks: action = "_ctr_networks"
        case .networksAndContainers: return "'1:network:_ctr_networks' '2:container:_ctr_containers'"
        case .files: action = "_files"
        case .shells: action = "(\(allCases.map(\.rawValue).joined(separator: " ")))"
        case .verbs: action = "_ctr_verbs"
        case .nothing: action = ""
        }
        guard description.interspersed else { return "'1:name:\(action)' '*:::command:_normal'" }
        return description.arguments.upperBound == 0 ? "'*: :'" : "'*:name:\(action)'"
    }

    private static func escaped(_ text: String, _ special: String) -> String {
        text.map { special.contains($0) || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
}
