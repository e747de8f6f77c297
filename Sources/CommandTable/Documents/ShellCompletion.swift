/// The completion scripts that `ctr completion SHELL` prints. What they need of verbs and flags is written into them, so that
/// a key press starts ctr only for names of containers, images, volumes and networks.
package enum ShellCompletion: String, CaseIterable, Sendable {
    case bash
    case zsh
    case fish

    package var script: String {
        switch self {
        case .bash: Self.bashScript
        case .zsh: Self.zshScript
        case .fish: Self.fishScript
        }
    }

    /// The words after `ctr` that print the names of such things, one a line.
    static func listing(_ kind: VerbDescription.Completes) -> [String] {
        let containers = "ps -a --format '{{.Names}}'"
        let images = "images --format '{{.Repository}}:{{.Tag}}'"
        let networks = "network ls --format '{{.Name}}'"
        switch kind {
        case .containers, .containersAndFiles: return [containers]
        case .images: return [images]
        case .containersAndImages: return [containers, images]
        case .volumes: return ["volume ls -q"]
        case .networks: return [networks]
        case .networksAndContainers: return [networks, containers]
        case .files, .shells, .verbs, .nothing: return []
        }
    }

    /// First words: verbs of one word and groups, with their meanings.
    static var firstWords: [(word: String, meaning: String)] {
        let verbs = Verb.listed.filter { !$0.rawValue.utf8.contains(0x20) }
            .map { (word: $0.rawValue, meaning: $0.description.meaning) }
        let groups = VerbGroup.allCases.map { (word: $0.rawValue, meaning: $0.meaning) }
        return (verbs + groups).sorted { $0.word < $1.word }
    }

    static func flags(of verb: Verb) -> [FlagDescription] {
        HelpText.sorted(verb.description.flags + [CommandTable.helpFlag])
    }

    /// Every pair of words that is a verb of its own or another word for one.
    static var spellings: [(words: String, verb: Verb)] {
        Verb.listed.map { (words: $0.rawValue, verb: $0) } + Verb.aliases
    }

    /// In single quotes for a shell of the Bourne family.
    static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }
}
