package import Failure

/// Finds the login for a repository in what docker and podman have left on this host. Files and helper programs are reached
/// through closures: this room makes no system call.
package struct CredentialLookup: Sendable {
    /// Runs a program found in PATH with one argument (`get`, `store` or `erase`), writes `input` to it and gives what
    /// it printed. Throws `notFound` when the program says that it has no credentials, anything else when it
    /// cannot be run or fails.
    package typealias HelperRun =
        @Sendable (_ program: String, _ verb: String, _ input: [UInt8]) async throws(Failure) -> [UInt8]
    /// A file's bytes, nil when there is no such file.
    package typealias FileRead = @Sendable (_ path: String) throws(Failure) -> [UInt8]?
    /// The names in a directory, empty when there is no such directory.
    package typealias DirectoryList = @Sendable (_ path: String) throws(Failure) -> [String]

    package var environment: [String: String]
    package var userID: UInt32
    package var readFile: FileRead
    package var runHelper: HelperRun

    package init(
        environment: [String: String], userID: UInt32, readFile: @escaping FileRead,
        runHelper: @escaping HelperRun
    ) {
        self.environment = environment
        self.userID = userID
        self.readFile = readFile
        self.runHelper = runHelper
    }

    /// What was found, and what stood in the way: files that are broken, helpers that do not run. These matter only
    /// once the registry refuses.
    package struct Result: Sendable {
        package var credential: Credential?
        package var obstacles: [Failure] = []
    }

    /// Looks in `DOCKER_AUTH_CONFIG`, `REGISTRY_AUTH_FILE`, docker's file and podman's files, in that order: what was set
    /// for this one command before what was set up once. The first that has a login for the host gives it, by the key
    /// that covers most of the name.
    package func credential(registry: String, repository: String) async -> Result {
        var result = Result()
        if let text = nonEmpty("DOCKER_AUTH_CONFIG") {
            do {
                let file = try CredentialFile(Array(text.utf8))
                result.credential = file.credential(registry: registry, repository: repository)
                if result.credential != nil { return result }
            } catch {
                result.obstacles.append(error.within("DOCKER_AUTH_CONFIG"))
            }
        }
        for path in paths {
            let file: CredentialFile
            do {
                guard let bytes = try readFile(path) else { continue }
                file = try CredentialFile(bytes)
            } catch {
                result.obstacles.append(error.within(path))
                continue
            }
            if let program = file.helper(for: registry) {
                do {
                    result.credential = try await ask(program, registry)
                } catch {
                    result.obstacles.append(error.within(path))
                }
            }
            if result.credential == nil {
                result.credential = file.credential(registry: registry, repository: repository)
            }
            if result.credential != nil { return result }
        }
        return result
    }

    /// The files in their order, whether they exist or not.
    package var paths: [String] {
        var paths: [String] = []
        if let path = nonEmpty("REGISTRY_AUTH_FILE") { paths.append(path) }
        if let path = dockerFile { paths.append(path) }
        if let directory = nonEmpty("XDG_RUNTIME_DIR") { paths.append("\(directory)/containers/auth.json") }
        paths.append("/run/containers/\(userID)/auth.json")
        if let directory = nonEmpty("XDG_CONFIG_HOME") ?? nonEmpty("HOME").map({ "\($0)/.config" }) {
            paths.append("\(directory)/containers/auth.json")
        }
        return paths.reduce(into: []) { unique, path in
            if !unique.contains(path) { unique.append(path) }
        }
    }

    /// The file that a login is written to: `REGISTRY_AUTH_FILE` where set, else docker's. nil when HOME is not set.
    package var loginPath: String? { nonEmpty("REGISTRY_AUTH_FILE") ?? dockerFile }

    private var dockerFile: String? {
        if let directory = nonEmpty("DOCKER_CONFIG") { return "\(directory)/config.json" }
        return nonEmpty("HOME").map { "\($0)/.docker/config.json" }
    }

    private func nonEmpty(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    private func ask(_ program: String, _ registry: String) async throws(Failure) -> Credential? {
        try CredentialHelper.check(program)
        let output: [UInt8]
        do {
            output = try await runHelper(program, "get", CredentialHelper.serverName(registry))
        } catch  where error.code == .notFound {
            return nil
        }
        return try CredentialHelper.credential(output, program: program)
    }
}
