internal import Engine
internal import Archive
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import RegistryClient

/// What the registry client needs of this host.
enum RegistryAccess {
    static func client() -> RegistryClient { RegistryClient(configuration()) }

    static func configuration() -> RegistryConfiguration {
        var configuration = RegistryConfiguration(
            credentials: credentials, listDirectory: { (path) throws(Failure) in try names(in: path) },
            hash: { algorithm, bytes in hash(algorithm, bytes) })
        configuration.userAgent = "ctr/\(Build.version)"
        if let hosts = Process.environmentValue("CTR_INSECURE_REGISTRIES") {
            configuration.insecureRegistries = Set(
                hosts.split { $0 == "," || $0 == " " }.map { $0.lowercased() })
        }
        return configuration
    }

    static var credentials: CredentialLookup {
        CredentialLookup(
            environment: environment, userID: Process.effectiveUID,
            readFile: { (path) throws(Failure) in
                try during("read \(path)") { () throws(SystemError) in
                    try AtomicFile.read(path, limit: 4 << 20)
                }
            },
            runHelper: { (program, verb, input) async throws(Failure) in try runHelper(program, verb, input) }
        )
    }

    private static var environment: [String: String] {
        var values: [String: String] = [:]
        for line in Process.environment {
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return values
    }

    private static func names(in path: String) throws(Failure) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try Directory.open(path))
        } catch {
            if error.code == .notFound { return [] }
            throw error.failure("list \(path)")
        }
    }

    private static func hash(_ algorithm: Digest.Algorithm, _ bytes: [UInt8]) -> Digest {
        var hash = ContentHash(for: algorithm)
        hash.update(bytes)
        do throws(Failure) {
            return try hash.finish()
        } catch {
            preconditionFailure("a hash is no digest: \(error)")
        }
    }

    /// Runs a credential helper: the first program of that name in PATH, as a shell would.
    static func runHelper(_ program: String, _ verb: String, _ input: [UInt8]) throws(Failure) -> [UInt8] {
        guard let helper = HelperProgram.find(program, in: Process.environmentValue("PATH")) else {
            throw Failure(
                .unavailable, "credential helper \(program) is not in PATH",
                hint: "install it, or take it out of docker's config.json")
        }
        let outcome = try helper.run([verb], environment: Process.environment, input: input)
        guard outcome.code == 0 else {
            let text =
                String(decoding: outcome.output.prefix(200), as: UTF8.self).split(
                    whereSeparator: \.isNewline
                ).first ?? ""
            // The words that docker's helpers and docker itself agree on.
            if text.contains("credentials not found") {
                throw Failure(.notFound, "\(program) has no credentials for this registry")
            }
            throw Failure(
                .unavailable, "\(program) \(verb) failed with exit code \(outcome.code): \(text)")
        }
        return outcome.output
    }
}
