extension ShellCompletion {
    static var bashScript: String {
        var verbs = ""
        for verb in Verb.listed {
            let words = spellings.filter { $0.verb == verb }.map { "'\($0.words)'" }.joined(separator: " | ")
            let flags = flags(of: verb)
            let description = verb.description
            verbs += """
                    \(words))
                        flags=\(quoted(flags.map { "--\($0.name.rawValue)" }.joined(separator: " ")))
                        takes=\(quoted(takesValue(flags)))
                        kind=\(description.completes.rawValue) mixed=\(description.interspersed ? 1 : 0)
                        ;;

                """
        }
        var choices = ""
        for verb in Verb.listed {
            for flag in verb.description.flags where !flag.choices.filter({ !$0.isEmpty }).isEmpty {
                let words = spellings.filter { $0.verb == verb }.map {
                    "'\($0.words) --\(flag.name.rawValue)'"
                }
                choices +=
                    "        \(words.joined(separator: " | "))) words='\(flag.choices.joined(separator: " "))' ;;\n"
            }
        }
        let groups = VerbGroup.allCases.map { group in
            "        \(group.rawValue)) words='\(groupWords(group))' ;;\n"
        }.joined()
        let first = firstWords.map(\.word).joined(separator: " ")
        let global = CommandTable.globalFlags
        let globalTakes = takesValue(global).split(separator: " ").joined(separator: " | ")
        return """
            # bash completion of ctr, made from its table of verbs and flags.
            _ctr() {
                local line=${COMP_LINE:0:COMP_POINT} cur='' prev='' verb='' word words flags='' takes='' kind=nothing
                local mixed=1 skip=0 count=0 ended=0 i
                local -a typed
                COMPREPLY=()
                # By the line and not by COMP_WORDS, which is cut at every colon of an image's name.
                read -ra typed <<<"$line"
                if [[ $line != *[[:space:]] ]]; then
                    cur=${typed[${#typed[@]} - 1]}
                    unset "typed[${#typed[@]} - 1]"
                fi
                for ((i = 1; i < ${#typed[@]}; i++)); do
                    word=${typed[i]}
                    if ((skip)); then
                        skip=0
                    elif [[ -z $verb ]]; then
                        case $word in
                        \(globalTakes)) skip=1 ;;
                        -*) ;;
                        \(VerbGroup.allCases.map(\.rawValue).joined(separator: " | ")))
                            if ((i + 1 < ${#typed[@]})); then
                                i=$((i + 1))
                                verb="$word ${typed[i]}"
                                _ctr_verb
                            else
                                verb=$word
                            fi
                            ;;
                        *)
                            verb=$word
                            _ctr_verb
                            ;;
                        esac
                    elif ((ended)); then
                        count=$((count + 1))
                    else
                        case $word in
                        --) ended=1 ;;
                        -*) [[ " $takes " == *" $word "* ]] && skip=1 ;;
                        *)
                            count=$((count + 1))
                            ((mixed)) || ended=1
                            ;;
                        esac
                    fi
                done
                ((skip)) && prev=${typed[${#typed[@]} - 1]}
                if [[ $cur == --*=* ]]; then
                    prev=${cur%%=*}
                    cur=${cur#*=}
                    skip=1
                fi
                words=''
                if ((skip)); then
                    _ctr_choices
                elif [[ -z $verb ]]; then
                    words='\(first)'
                    [[ $cur == -* ]] && words='\(global.map { "--\($0.name.rawValue)" }.joined(separator: " "))'
                elif ((!ended)) && [[ $cur == -* ]]; then
                    words=$flags
                else
                    case $verb in
            \(groups)        *) _ctr_names ;;
                    esac
                fi
                # An empty answer lets bash complete names of files.
                [[ -n $words ]] || return 0
                local IFS=$' \\t\\n'
                COMPREPLY=($(compgen -W "$words" -- "$cur"))
                # bash replaces only what stands after the last colon.
                if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
                    local head=${cur%"${cur##*:}"}
                    COMPREPLY=("${COMPREPLY[@]#"$head"}")
                fi
            }

            _ctr_verb() {
                case $verb in
            \(verbs)    esac
            }

            _ctr_choices() {
                case "$verb $prev" in
            \(choices)        *) words='' ;;
                esac
            }

            _ctr_names() {
                if ((!mixed && count > 0)); then
                    return
                fi
                case $kind in
                containers | containersAndFiles) words=$(ctr \(listing(.containers)[0]) 2>/dev/null) ;;
                images) words=$(ctr \(listing(.images)[0]) 2>/dev/null) ;;
                containersAndImages)
                    words=$(ctr \(listing(.containers)[0]) 2>/dev/null; ctr \(listing(.images)[0]) 2>/dev/null)
                    ;;
                volumes) words=$(ctr \(listing(.volumes)[0]) 2>/dev/null) ;;
                networks) words=$(ctr \(listing(.networks)[0]) 2>/dev/null) ;;
                networksAndContainers)
                    if ((count)); then
                        words=$(ctr \(listing(.containers)[0]) 2>/dev/null)
                    else
                        words=$(ctr \(listing(.networks)[0]) 2>/dev/null)
                    fi
                    ;;
                shells) words='\(allCases.map(\.rawValue).joined(separator: " "))' ;;
                verbs) words='\(first)' ;;
                esac
            }

            complete -o default -F _ctr ctr

            """
    }

    private static func groupWords(_ group: VerbGroup) -> String {
        let prefix = group.rawValue + " "
        return spellings.filter { $0.words.hasPrefix(prefix) }
            .map { String($0.words.dropFirst(prefix.count)) }.sorted().joined(separator: " ")
    }

    private static func takesValue(_ flags: [FlagDescription]) -> String {
        flags.filter { !$0.isToggle }.flatMap { flag in
            ["--\(flag.name.rawValue)"] + (flag.short.map { ["-\($0)"] } ?? [])
                + (flag.alternate.map { ["--\($0)"] } ?? [])
        }.joined(separator: " ")
    }
}
