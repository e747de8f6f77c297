/// One verb of the table: its arguments, its flags and the words about it.
package struct VerbDescription: Sendable {
    package let verb: Verb
    /// What follows the verb in the usage line: `[OPTIONS] IMAGE [COMMAND] [ARG...]`.
    package let synopsis: String
    /// One line, no full stop.
    package let meaning: String
    /// A paragraph for the man page and docs/cli.md; empty where the line says it all.
    package let about: String
    package let arguments: ClosedRange<Int>
    /// Whether flags may follow the first positional. Not for `run`, `create` and `exec`: what follows belongs to the command.
    package let interspersed: Bool
    package let completes: Completes
    package let flags: [FlagDescription]

    /// What a positional names, for shell completion.
    package enum Completes: String, Sendable {
        case containers
        case images
        case containersAndImages
        case volumes
        case networks
        case networksAndContainers
        case files
        case containersAndFiles
        case shells
        case verbs
        case nothing
    }

    package init(
        _ verb: Verb, _ synopsis: String, _ meaning: String, about: String = "", arguments: ClosedRange<Int>,
        interspersed: Bool = true, completes: Completes = .nothing, flags: [FlagDescription] = []
    ) {
        self.verb = verb
        self.synopsis = synopsis
        self.meaning = meaning
        self.about = about
        self.arguments = arguments
        self.interspersed = interspersed
        self.completes = completes
        self.flags = flags
    }

    package var hidden: Bool { verb == .internal }

    /// `ctr run [OPTIONS] IMAGE [COMMAND] [ARG...]`
    package var usageLine: String {
        synopsis.isEmpty ? verb.commandPath : "\(verb.commandPath) \(synopsis)"
    }

    /// Every way to say this verb, the canonical one among them, as docker lists them; empty when there is one only.
    package var spellings: [String] {
        let others = Verb.aliases.filter { $0.verb == verb }.map { "ctr \($0.words)" }
        return others.isEmpty ? [] : others + [verb.commandPath]
    }

    /// A verb takes any number of positionals up to `unlimited`.
    package static let unlimited = Int.max
}
