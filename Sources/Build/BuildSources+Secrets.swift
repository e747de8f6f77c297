internal import Dockerfile
internal import Failure
internal import LinuxSystem

/// Secrets are read when a step asks for them and written to memory alone: the tmpfs of the build's own mount namespace.
extension BuildSources {
    /// As BuildKit's.
    private static let longestSecret = 500 << 10

    private func secret(_ mount: RunMount) throws(Failure) -> [UInt8]? {
        let id = mount.secretID
        guard let source = request.secrets.first(where: { $0.id == id }) else {
            guard mount.isRequired else { return nil }
            throw Failure(
                .notFound, "secret \(id): not found", hint: "give it by --secret id=\(id),src=FILE")
        }
        switch source.origin {
        case .environment(let name):
            guard let value = Process.environmentValue(name) else {
                throw Failure(
                    .notFound, "--secret id=\(id): the environment has no variable \(name)")
            }
            return Array(value.utf8)
        case .file(let path):
            return try during("--secret id=\(id): read \(path)") { () throws(SystemError) in
                try FileDescriptor.open(path, [.readOnly]).readAll(limit: BuildSources.longestSecret)
            }
        }
    }

    /// The secrets that a RUN gets as variables.
    func environment(of mounts: [RunMount]) throws(Failure) -> [(name: String, value: String)] {
        var values: [(name: String, value: String)] = []
        for mount in mounts where mount.kind == .secret {
            guard let name = mount.environmentName, let bytes = try secret(mount) else { continue }
            guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                throw Failure(.invalidArgument, "secret \(mount.secretID) is no text for a variable")
            }
            values.append((name, text))
        }
        return values
    }

    /// The path of a file with the secret, for one step; nil where there is none and none is required.
    func secretFile(_ mount: RunMount, _ session: BuildSession) throws(Failure) -> String? {
        guard let bytes = try secret(mount) else { return nil }
        let directory = try session.work.memoryDirectory("secret")
        try during("hand over the secret \(mount.secretID)") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                "\(directory)/secret", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o400)
            try file.write(bytes)
            try file.changeOwner(uid: mount.uid ?? 0, gid: mount.gid ?? 0)
            try file.changeMode(mount.mode ?? 0o400)
        }
        return "\(directory)/secret"
    }

    /// nil where no agent was given and none is required.
    func agent(_ mount: RunMount, _ session: BuildSession) throws(Failure) -> AgentProxy? {
        let id = mount.id ?? "default"
        guard let source = request.agents.first(where: { $0.id == id }) else {
            guard mount.isRequired else { return nil }
            throw Failure(
                .notFound, "unset ssh forward key \(id)",
                hint: "give it by --ssh \(id), or --ssh \(id)=SOCKET")
        }
        return try AgentProxy(
            to: source.socket, in: try session.work.memoryDirectory("agent"), mode: mount.mode ?? 0o600,
            uid: mount.uid ?? 0, gid: mount.gid ?? 0)
    }
}

extension RunMount {
    /// `id`, else the name of the target, else of the source.
    var secretID: String {
        if let id { return id }
        let path = target.isEmpty ? source : target
        return path.split(separator: "/").last.map(String.init) ?? path
    }
}
