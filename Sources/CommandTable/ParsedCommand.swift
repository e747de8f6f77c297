package import Failure

/// A command line that obeys the table: which verb, with which flags and arguments.
package struct ParsedCommand: Sendable {
    package let verb: Verb
    package let request: Request
    /// The words that are not flags: `IMAGE COMMAND ARG...` of `run`.
    package let positionals: [String]

    /// Whether to carry out the verb, or to tell about it.
    package enum Request: Equatable, Sendable {
        case perform
        case help(HelpTopic)
        /// `ctr --version`: one line, without asking anything.
        case versionLine
    }

    struct Setting {
        let flag: FlagName
        let value: String
    }

    let settings: [Setting]
    let descriptions: [FlagDescription]

    init(
        verb: Verb, request: Request, positionals: [String] = [], settings: [Setting] = [],
        descriptions: [FlagDescription] = []
    ) {
        self.verb = verb
        self.request = request
        self.positionals = positionals
        self.settings = settings
        self.descriptions = descriptions
    }
}

extension ParsedCommand {
    /// Whether a switch is on: as given last, or its default.
    package func flag(_ name: FlagName) -> Bool {
        if let given = value(name) { return Toggle.parse(given) ?? false }
        for description in descriptions + CommandTable.globalFlags where description.name == name {
            if case .toggle(let value) = description.kind { return value }
        }
        assertionFailure("\(verb.commandPath) has no switch --\(name.rawValue)")
        return false
    }

    /// The value given last, or nil when the flag was not given.
    package func value(_ name: FlagName) -> String? {
        assert(has(name), "\(verb.commandPath) has no flag --\(name.rawValue)")
        return settings.last { $0.flag == name }?.value
    }

    /// Every value given, in the order of the command line.
    package func values(_ name: FlagName) -> [String] {
        assert(has(name), "\(verb.commandPath) has no flag --\(name.rawValue)")
        return settings.filter { $0.flag == name }.map(\.value)
    }

    /// Whether the flag is on the command line at all.
    package func isGiven(_ name: FlagName) -> Bool {
        settings.contains { $0.flag == name }
    }

    /// Whether this verb knows the flag.
    package func has(_ name: FlagName) -> Bool {
        descriptions.contains { $0.name == name } || CommandTable.globalFlags.contains { $0.name == name }
    }

    /// The value given last, read by `parse`; its failure is told with the flag and the value.
    package func parsed<Value>(
        _ name: FlagName, _ parse: (String) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard let text = value(name) else { return nil }
        do {
            return try parse(text)
        } catch {
            throw refusal(of: text, for: name, because: error)
        }
    }

    /// Every value given, each read by `parse`; the failure is told with the flag and the value.
    package func parsedList<Value>(
        _ name: FlagName, _ parse: (String) throws(Failure) -> Value
    ) throws(Failure) -> [Value] {
        var list: [Value] = []
        for text in values(name) {
            do {
                list.append(try parse(text))
            } catch {
                throw refusal(of: text, for: name, because: error)
            }
        }
        return list
    }

    /// The whole number given last.
    package func integer(_ name: FlagName) -> Int64? { value(name).flatMap { Int64($0) } }

    private func refusal(of text: String, for name: FlagName, because failure: Failure) -> Failure {
        let spelling = descriptions.first { $0.name == name }?.spelling ?? "--\(name.rawValue)"
        return Failure(
            failure.code, "invalid argument \"\(text)\" for \"\(spelling)\" flag: \(failure.message)",
            hint: failure.hint ?? CommandTable.helpHint(for: verb), cause: failure.cause)
    }
}
