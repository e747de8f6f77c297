internal import Failure

/// A registry by the name that references carry, and the host behind it.
struct Registry: Hashable, Sendable {
    /// `docker.io`, `127.0.0.1:5000`
    let name: String
    let host: String
    /// nil when the scheme decides.
    let port: Int?

    init(_ name: String) throws(Failure) {
        // Hub's name is not its API's host.
        let authority = name == "docker.io" || name == "index.docker.io" ? "registry-1.docker.io" : name
        guard let (host, port) = WebAddress.splitPort(authority) else {
            throw Failure(.invalidArgument, "\"\(RegistryAnswer.sanitized(name))\" is not a registry's host")
        }
        self.name = name
        self.host = host
        self.port = port
    }

    func address(_ scheme: WebAddress.Scheme) -> WebAddress {
        WebAddress(scheme: scheme, host: host, port: port, target: "/v2/")
    }

    var isLoopback: Bool { Loopback.contains(host) }
}
