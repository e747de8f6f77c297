/// A first word that only opens a second: `ctr volume ls`.
package enum VerbGroup: String, CaseIterable, Sendable {
    case builder
    case container
    case healthcheck
    case image
    case network
    case oci
    case secret
    case system
    case volume

    package var commandPath: String { "ctr \(rawValue)" }

    package var meaning: String {
        switch self {
        case .builder: "Work with the build cache"
        case .container: "Work with containers"
        case .healthcheck: "Check the health of containers"
        case .image: "Work with images"
        case .network: "Work with networks"
        case .oci: "Be an OCI runtime for other engines (also as ctr-oci)"
        case .secret: "Work with secrets"
        case .system: "Work with ctr as a whole"
        case .volume: "Work with volumes"
        }
    }

    /// Second words and their verbs, in alphabetical order; of several words for one verb only the shortest common one.
    package var members: [(word: String, verb: Verb)] {
        let prefix = rawValue + " "
        var found: [(word: String, verb: Verb)] = []
        for verb in Verb.allCases where verb.rawValue.hasPrefix(prefix) {
            found.append((String(verb.rawValue.dropFirst(prefix.count)), verb))
        }
        for (words, verb) in Verb.aliases
        where words.hasPrefix(prefix) && !found.contains(where: { $0.verb == verb }) {
            found.append((String(words.dropFirst(prefix.count)), verb))
        }
        return found.sorted { $0.word < $1.word }
    }
}
