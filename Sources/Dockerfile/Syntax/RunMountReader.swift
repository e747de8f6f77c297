/// From the expanded fields of a `--mount` to what it means.
struct RunMountReader {
    typealias Key = RunMountFields.Key

    let values: [Key: String]

    func mount() throws(DockerfileError) -> RunMount {
        let kind = try kind()
        try checkKeys(of: kind)
        var mount = RunMount(kind, target: values[.target] ?? "", source: values[.source] ?? "")
        mount.from = given(.from)
        mount.id = given(.id)
        if let readOnly = try boolean(.readonly) { mount.isReadOnly = readOnly }
        if let writable = try boolean(.readwrite) { mount.isReadOnly = !writable }
        mount.isRequired = try boolean(.required) ?? false
        mount.sharing = try sharing()
        mount.size = try size()
        mount.mode = try mode()
        mount.uid = try identifier(.uid)
        mount.gid = try identifier(.gid)
        mount.environmentName = given(.env)
        try setDefaults(&mount)
        return mount
    }

    /// An empty value is none.
    private func given(_ key: Key) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    private func kind() throws(DockerfileError) -> RunMount.Kind {
        guard let value = values[.type] else { return .bind }
        guard let kind = RunMount.Kind(rawValue: value.lowercased()) else {
            throw DockerfileError(
                "unsupported mount type \"\(value)\"",
                hint: Nearest(among: RunMount.Kind.allCases.map(\.rawValue)).hint(for: value)
                    ?? "it is bind, cache, tmpfs, secret or ssh")
        }
        return kind
    }

    private static let owners: [(key: Key, kinds: Set<RunMount.Kind>)] = [
        (.from, [.bind, .cache]),
        (.sharing, [.cache]),
        (.required, [.secret, .ssh]),
        (.size, [.tmpfs]),
        (.mode, [.cache, .secret, .ssh]),
        (.uid, [.cache, .secret, .ssh]),
        (.gid, [.cache, .secret, .ssh]),
        (.env, [.secret]),
    ]

    private func checkKeys(of kind: RunMount.Kind) throws(DockerfileError) {
        for owner in Self.owners where values[owner.key] != nil && !owner.kinds.contains(kind) {
            throw DockerfileError("a \(kind.rawValue) mount has no field \"\(owner.key.rawValue)\"")
        }
    }

    private func setDefaults(_ mount: inout RunMount) throws(DockerfileError) {
        switch mount.kind {
        case .bind, .tmpfs:
            try requireTarget(mount)
        case .cache:
            try requireTarget(mount)
            mount.id = mount.id ?? mount.target
            mount.mode = mount.mode ?? 0o755
        case .secret:
            try takeSourceAsID(&mount)
            guard let id = mount.id ?? Self.baseName(mount.target) else {
                throw DockerfileError("a secret mount needs an id, a source or a target")
            }
            mount.id = id
            // A secret in a variable is a file only where that is asked for.
            if mount.target.isEmpty, mount.environmentName == nil, let name = Self.baseName(id) {
                mount.target = "/run/secrets/\(name)"
            }
            mount.mode = mount.mode ?? 0o400
        case .ssh:
            try takeSourceAsID(&mount)
            mount.id = mount.id ?? "default"
            mount.mode = mount.mode ?? 0o600
        }
    }

    private func takeSourceAsID(_ mount: inout RunMount) throws(DockerfileError) {
        guard !mount.source.isEmpty else { return }
        guard mount.id == nil else {
            throw DockerfileError("a \(mount.kind.rawValue) mount takes its id or its source, not both")
        }
        mount.id = mount.source
        mount.source = ""
    }

    private func requireTarget(_ mount: RunMount) throws(DockerfileError) {
        guard !mount.target.isEmpty else {
            throw DockerfileError(
                "a \(mount.kind.rawValue) mount needs a target", hint: "write it as target=PATH")
        }
        guard mount.target.first == "/" else { return }
        var depth = 0
        for part in mount.target.split(separator: "/") where part != "." {
            depth = part == ".." ? max(0, depth - 1) : depth + 1
        }
        guard depth > 0 else { throw DockerfileError("invalid mount target \"\(mount.target)\"") }
    }

    private static func baseName(_ path: String) -> String? {
        path.split(separator: "/").last.map(String.init)
    }
}
