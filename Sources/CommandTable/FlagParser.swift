import Failure

/// Reads flags by docker's rules (those of Go's pflag): a switch never takes the next word, a flag with a value takes it even
/// if it begins with a dash, letters can be put together, `--` ends the flags.
struct FlagParser {
    let flags: [FlagDescription]
    let commandPath: String
    let interspersed: Bool
    private(set) var settings: [ParsedCommand.Setting] = []
    private(set) var positionals: [String] = []

    init(flags: [FlagDescription], commandPath: String, interspersed: Bool) {
        self.flags = flags
        self.commandPath = commandPath
        self.interspersed = interspersed
    }

    func isOn(_ name: FlagName) -> Bool {
        settings.last { $0.flag == name }.flatMap { Toggle.parse($0.value) } ?? false
    }

    mutating func read(_ arguments: ArraySlice<String>) throws(Failure) {
        var rest = arguments
        while let word = rest.popFirst() {
            let bytes = word.utf8
            guard bytes.first == UInt8(ascii: "-"), bytes.count > 1 else {
                positionals.append(word)
                if interspersed { continue }
                break
            }
            if word == "--" { break }
            if bytes.dropFirst().first == UInt8(ascii: "-") {
                try readLong(word, &rest)
            } else {
                try readShort(word, &rest)
            }
        }
        positionals += rest
    }

    private mutating func readLong(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        let body = word.dropFirst(2)
        guard let head = body.utf8.first, head != UInt8(ascii: "-"), head != UInt8(ascii: "=") else {
            throw usage("bad flag syntax: \(word)")
        }
        let equals = body.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = equals.map { body[..<$0] } ?? body
        guard
            let flag = flags.first(where: {
                $0.name.rawValue == name || $0.alternate.map { $0 == name } == true
            })
        else { throw unknownFlag(String(name)) }
        if let equals {
            try set(flag, String(body[body.utf8.index(after: equals)...]))
        } else if flag.isToggle {
            try set(flag, "true")
        } else if let next = rest.popFirst() {
            try set(flag, next)
        } else {
            throw usage("flag needs an argument: --\(name)")
        }
    }

    private mutating func readShort(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        var letters = word.unicodeScalars.dropFirst()
        while let letter = letters.first {
            let group = String(letters)
            letters = letters.dropFirst()
            // `-h` of a verb that has its own comes first in the list; the common one is the last.
            guard let flag = flags.first(where: { $0.short == letter }) else {
                throw usage("unknown shorthand flag: '\(letter)' in -\(group)")
            }
            if letters.first == "=", letters.count > 1 {
                try set(flag, String(letters.dropFirst()))
                return
            }
            if flag.isToggle {
                try set(flag, "true")
                continue
            }
            if !letters.isEmpty {
                try set(flag, String(letters))
            } else if let next = rest.popFirst() {
                try set(flag, next)
            } else {
                throw usage("flag needs an argument: '\(letter)' in -\(group)")
            }
            return
        }
    }

    private mutating func set(_ flag: FlagDescription, _ value: String) throws(Failure) {
        do {
            try flag.kind.check(value)
        } catch {
            throw usage("invalid argument \"\(value)\" for \"\(flag.spelling)\" flag: \(error.message)")
        }
        settings.append(ParsedCommand.Setting(flag: flag.name, value: value))
    }

    private func unknownFlag(_ name: String) -> Failure {
        let known = flags.map(\.name.rawValue)
        let meant = Suggestion.nearest(to: name, among: known).map { "Did you mean '--\($0)'? " } ?? ""
        return usage("unknown flag: --\(name)", meant: meant)
    }

    private func usage(_ message: String, meant: String = "") -> Failure {
        Failure(.invalidArgument, message, hint: "\(meant)See '\(commandPath) --help'.")
    }
}
