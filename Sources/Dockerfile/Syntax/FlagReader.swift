/// The flags of an instruction, checked against those that it knows.
struct FlagReader {
    enum Known {
        case text(String), boolean(String)
        /// May be given more than once.
        case list(String)

        var name: String {
            switch self {
            case .text(let name), .boolean(let name), .list(let name): name
            }
        }
    }

    private let flags: [Flag]

    init(_ flags: [Flag], of keyword: Keyword) throws(DockerfileError) {
        self.flags = flags
        var seen: Set<String> = []
        for flag in flags {
            guard let known = keyword.flags.first(where: { $0.name == flag.name }) else {
                throw DockerfileError(
                    "unknown flag \"--\(flag.name)\" for \(keyword.rawValue)", at: flag.range,
                    hint: Self.hint(for: flag, of: keyword))
            }
            switch known {
            case .list:
                try Self.requireValue(flag)
            case .text:
                try Self.requireValue(flag)
                try Self.requireOnce(flag, &seen)
            case .boolean:
                _ = try Self.boolean(flag)
                try Self.requireOnce(flag, &seen)
            }
        }
    }

    func flag(_ name: String) -> Flag? { flags.first { $0.name == name } }
    func all(_ name: String) -> [Flag] { flags.filter { $0.name == name } }

    /// An empty value is none.
    func value(_ name: String) -> String? {
        guard let value = flag(name)?.value, !value.isEmpty else { return nil }
        return value
    }

    func boolean(_ name: String) throws(DockerfileError) -> Bool? {
        guard let flag = flag(name) else { return nil }
        return try Self.boolean(flag)
    }

    private static func boolean(_ flag: Flag) throws(DockerfileError) -> Bool {
        switch flag.value?.lowercased() {
        case nil, "true": return true
        case "false": return false
        case let value?:
            throw DockerfileError(
                "flag \"--\(flag.name)\" is true or false, not \"\(value)\"", at: flag.range)
        }
    }

    private static func requireValue(_ flag: Flag) throws(DockerfileError) {
        guard flag.value == nil else { return }
        throw DockerfileError(
            "flag \"--\(flag.name)\" needs a value", at: flag.range, hint: "write it as --\(flag.name)=VALUE")
    }

    private static func requireOnce(_ flag: Flag, _ seen: inout Set<String>) throws(DockerfileError) {
        guard seen.insert(flag.name).inserted else {
            throw DockerfileError("flag \"--\(flag.name)\" is given twice", at: flag.range)
        }
    }

    private static func hint(for flag: Flag, of keyword: Keyword) -> String? {
        let near = Nearest(among: keyword.flags.map { "--\($0.name)" }).hint(for: "--\(flag.name)")
        if let near { return near }
        let others = Keyword.allCases.filter { other in other.flags.contains { $0.name == flag.name } }
        if !others.isEmpty { return "it is a flag of \(others.map(\.rawValue).joined(separator: " and "))" }
        return keyword.flags.isEmpty ? "\(keyword.rawValue) has no flags; -- before the words ends them" : nil
    }
}
