internal import Failure

extension GitSource {
    /// One line for what git had to say.
    func failure(_ answer: GitProgram.Answer, _ doing: String) -> Failure {
        let text = answer.complaints.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("host key verification failed", "no matching host key") {
            return Failure(
                .unauthenticated, "\(address): \(doing)the host's key is not known",
                hint: "add it to known_hosts: connect once by ssh and compare the fingerprint")
        }
        if says("permission denied (", "no supported authentication methods", "too many authentication") {
            return Failure(
                .unauthenticated, "\(address): \(doing)the ssh agent has no key that the server takes",
                hint: "give the build an agent with one, by --ssh default")
        }
        if says(
            "authentication failed", "could not read username", "could not read password", "terminal prompts",
            "error: 401", "error: 403", "access denied")
        {
            return Failure(
                .unauthenticated, "\(address): \(doing)there is no such repository, or it wants a login")
        }
        if says("could not resolve host", "name or service not known", "unable to look up") {
            return Failure(.unavailable, "\(address): \(doing)the host's name is unknown")
        }
        if says("connection refused", "connection timed out", "no route to host", "failed to connect") {
            return Failure(.unavailable, "\(address): \(doing)the server cannot be reached")
        }
        if says("cannot run ssh", "ssh: not found", "ssh: no such file") {
            return Failure(
                .unavailable, "\(address): \(doing)there is no ssh on this host",
                hint: "install the package openssh-client")
        }
        if says("couldn't find remote ref"), let ref {
            return Failure(.notFound, "\(address) has no ref \(ref.text)")
        }
        if says("not our ref", "unadvertised object"), let ref {
            return Failure(.notFound, "\(address) has no commit \(ref.text)")
        }
        if says(
            "not found", "does not appear to be a git repository", "does not exist", "not exported",
            "no such repository")
        {
            return Failure(.notFound, "\(address): \(doing)there is no such repository")
        }
        if says("mismatched algorithms") {
            return Failure(
                .unsupported, "\(address): \(doing)a repository of SHA-256 is fetched by a whole commit only")
        }
        if says("transport", "not allowed"), says("not allowed") {
            return Failure(.permissionDenied, "\(address): \(doing)a submodule's address is not allowed")
        }
        return Failure(.unavailable, "\(address): \(doing)\(GitSource.reason(answer.complaints))")
    }

    /// The line that git ended with.
    private static func reason(_ complaints: String) -> String {
        let lines = complaints.split(whereSeparator: \.isNewline)
        let line =
            lines.last { $0.hasPrefix("fatal: ") } ?? lines.last { $0.hasPrefix("error: ") } ?? lines.last
        guard let line else { return "the connection ended before an answer came" }
        let prefix = ["fatal: ", "error: "].first { line.hasPrefix($0) } ?? ""
        return printable(String(line.dropFirst(prefix.count)))
    }
}
