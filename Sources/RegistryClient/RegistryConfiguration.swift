package import OCI

/// What a `RegistryClient` needs to know of the host and of the user's wishes. Nothing of it is looked up by this room
/// itself.
package struct RegistryConfiguration: Sendable {
    package typealias Hash = @Sendable (_ algorithm: Digest.Algorithm, _ bytes: [UInt8]) -> Digest

    package var hash: Hash
    package var credentials: CredentialLookup
    package var listDirectory: CredentialLookup.DirectoryList
    /// Where the proxies are read from; by default the credentials' environment.
    package var environment: [String: String]
    /// `host` or `host:port` of registries that may be spoken to over plain HTTP or with any certificate.
    package var insecureRegistries: Set<String> = []
    /// Hosts of token servers that may be sent the logins of registries of other sites, from `CTR_TOKEN_HOSTS`.
    package var trustedTokenHosts: Set<String>
    /// Each holds one directory a registry, `HOST[:PORT]`, with `*.crt` (trusted), `*.cert` and `*.key` (one's own).
    package var certificateDirectories = ["/etc/docker/certs.d", "/etc/containers/certs.d"]
    package var userAgent = "ctr"
    package var eventLoopThreads = 1
    /// Blobs up to this many bytes are held in memory and so can be sent again.
    package var smallUpload = 4 << 20
    /// Bytes of one chunk, where a registry takes a blob only in chunks.
    package var uploadChunk = 8 << 20
    package var retry = RetryPolicy()
    package var timeouts = Timeouts()

    package struct Timeouts: Sendable {
        /// For name lookup, TCP and TLS together.
        package var connect: Duration = .seconds(10)
        /// From the request to the answer's head, and to the end of a small answer.
        package var answer: Duration = .seconds(60)
        /// How long a body may stand still while more of it is wanted.
        package var stall: Duration = .seconds(60)
        /// For the answer to an upload, which a registry may copy and hash before it speaks.
        package var uploadAnswer: Duration = .seconds(300)

        package init() {}
    }

    package init(
        credentials: CredentialLookup, listDirectory: @escaping CredentialLookup.DirectoryList,
        hash: @escaping Hash
    ) {
        self.credentials = credentials
        self.listDirectory = listDirectory
        self.hash = hash
        environment = credentials.environment
        trustedTokenHosts = Set(
            (credentials.environment["CTR_TOKEN_HOSTS"] ?? "").split { $0 == "," || $0 == " " }
                .map { $0.lowercased() })
    }

    func isInsecure(_ address: WebAddress) -> Bool {
        insecureRegistries.contains(address.host) || insecureRegistries.contains(address.hostAndPort)
    }
}
