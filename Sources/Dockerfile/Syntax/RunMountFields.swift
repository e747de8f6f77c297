/// The fields of a `--mount`, each known and given once; their values are still unexpanded.
struct RunMountFields {
    enum Key: String, CaseIterable {
        case type, from, source, target, readonly, readwrite, id, sharing, required, size, mode, uid, gid, env

        private static let aliases: [String: Key] = [
            "src": .source, "dst": .target, "destination": .target, "ro": .readonly, "rw": .readwrite,
        ]
        static var spellings: [String] { allCases.map(\.rawValue) + aliases.keys.sorted() }

        init?(spelling: String) {
            guard let key = Key(rawValue: spelling) ?? Self.aliases[spelling] else { return nil }
            self = key
        }

        /// `ro` is short for `ro=true`.
        var mayStandAlone: Bool { self == .readonly || self == .readwrite || self == .required }
    }

    private(set) var values: [Key: String] = [:]

    init(_ text: String) throws(DockerfileError) {
        for field in try CSVFields.read(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let spelling = parts[0].lowercased()
            guard !field.isEmpty else { throw DockerfileError("a mount field is empty") }
            guard let key = Key(spelling: spelling) else {
                throw DockerfileError(
                    "unknown mount field \"\(parts[0])\"",
                    hint: Nearest(among: Key.spellings).hint(for: spelling))
            }
            guard parts.count == 2 || key.mayStandAlone else {
                throw DockerfileError(
                    "mount field \"\(spelling)\" needs a value", hint: "write it as \(spelling)=VALUE")
            }
            guard values[key] == nil else {
                throw DockerfileError("mount field \"\(spelling)\" is given twice")
            }
            values[key] = parts.count == 2 ? parts[1] : "true"
        }
        guard values[.readonly] == nil || values[.readwrite] == nil else {
            throw DockerfileError("a mount is either readonly or readwrite")
        }
        try checkFrom()
    }

    /// Which stages a build needs must be known before any variable of a stage is.
    private func checkFrom() throws(DockerfileError) {
        guard let from = values[.from], let dollar = from.firstIndex(of: "$"),
            from.index(after: dollar) < from.endIndex
        else { return }
        throw DockerfileError(
            "mount field \"from\" takes no variables", hint: "FROM takes them: name a stage for it with AS")
    }
}
