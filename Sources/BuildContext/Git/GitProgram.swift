internal import Failure
internal import LinuxSystem

/// The host's git, run so that nothing of the host's or of a repository's own configuration counts.
struct GitProgram {
    private let program: HelperProgram
    private let environment: [String]

    init(_ access: GitAccess, for source: GitSource) throws(Failure) {
        guard let program = HelperProgram.find("git", in: access.environment["PATH"]) else {
            throw Failure(
                .unavailable, "git is not in PATH, and \(source.address) cannot be fetched without it",
                hint: "install the package git")
        }
        self.program = program
        environment = GitProgram.environment(access, for: source)
    }

    struct Answer {
        var isDone: Bool
        var output: String
        var complaints: String
    }

    /// - Parameter directory: the work tree; nil: no repository at all.
    func run(_ arguments: [String], in directory: String?, limit: Int = 4 << 20) throws(Failure) -> Answer {
        // Without one the caller's directory would be looked at, whose configuration may name programs.
        let place = ["-C", directory ?? "/dev"]
        let outcome = try program.run(
            place + GitProgram.settings + arguments, environment: environment, limit: limit,
            // git's files are 0666 and 0777 less this.
            keepsComplaints: true, umask: 0o022)
        return Answer(
            isDone: outcome.code == 0, output: String(decoding: outcome.output, as: UTF8.self),
            complaints: String(decoding: outcome.complaints, as: UTF8.self))
    }

    private static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=true", "core.autocrlf=false",
        "gc.auto=0", "maintenance.auto=false", "advice.detachedHead=false", "init.defaultBranch=main",
        "credential.helper=", "protocol.version=2", "submodule.recurse=false",
        "fetch.recurseSubmodules=false",
        // A server that stands still is given up.
        "http.lowSpeedLimit=1000", "http.lowSpeedTime=60",
    ].flatMap { ["-c", $0] }

    private static let passedOn = [
        "PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    ]

    private static func environment(_ access: GitAccess, for source: GitSource) -> [String] {
        let protocols = "http:https:git:ssh"
        var values = [
            // Nothing can be below a file.
            "HOME": "/dev/null/home", "XDG_CONFIG_HOME": "/dev/null/config",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": "/", "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false",
            // Counts before protocol.*.allow; what is not in it, ext:: among it, is refused, for submodules too.
            "GIT_ALLOW_PROTOCOL": source.scheme == .file ? "file:\(protocols)" : protocols,
            "GIT_SSH_COMMAND": ssh(access), "GIT_SSH_VARIANT": "ssh", "LC_ALL": "C",
        ]
        values["PATH"] = HelperProgram.standardPath
        for name in passedOn { if let value = access.environment[name] { values[name] = value } }
        if let agent = access.sshAgent { values["SSH_AUTH_SOCK"] = agent }
        if let header = authorization(access, for: source) {
            // Not by -c: all users of the host can see arguments.
            values["GIT_CONFIG_COUNT"] = "1"
            values["GIT_CONFIG_KEY_0"] = "http.\(origin(of: source.address)).extraHeader"
            values["GIT_CONFIG_VALUE_0"] = header
        }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// ssh finds the user's home by itself: his configuration and his keys are not meant, the agent is.
    private static func ssh(_ access: GitAccess) -> String {
        var command =
            "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=none -o ForwardAgent=no"
            + " -o StrictHostKeyChecking=yes -o ConnectTimeout=30 -o ServerAliveInterval=15"
        if let file = access.knownHosts {
            // For the shell that git runs it with, and for ssh's own reader of options.
            let quoted = file.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: #"'\''"#)
            command += " -o 'UserKnownHostsFile=\"\(quoted)\"'"
        }
        return command
    }

    private static func authorization(_ access: GitAccess, for source: GitSource) -> String? {
        guard source.scheme == .http || source.scheme == .https else { return nil }
        guard let login = source.login ?? access.token.map({ "x-access-token:\($0)" }) else { return nil }
        return "Authorization: Basic \(base64(Array(login.utf8)))"
    }

    private static func origin(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        return parts.count > 1 ? "\(parts[0])//\(parts[1])/" : url
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var value = 0
            for position in 0..<3 {
                value = value << 8 | (position < group.count ? Int(group[start + position]) : 0)
            }
            for position in 0..<4 {
                text.append(
                    position <= group.count ? digits[value >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
