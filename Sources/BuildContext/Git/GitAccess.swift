/// What a fetch may use of the host and of the caller; nothing else reaches git.
package struct GitAccess: Sendable {
    /// Of it PATH, the proxies and the places of trusted certificates are passed on.
    package var environment: [String: String]
    /// The socket of an ssh agent (SSH_AUTH_SOCK).
    package var sshAgent: String?
    /// A file of the keys that ssh's hosts must have; nil: the calling user's `known_hosts` and the host's.
    package var knownHosts: String?
    /// A token for http, as BuildKit's secret GIT_AUTH_TOKEN; a login in the address counts before it.
    package var token: String?

    package init(environment: [String: String]) { self.environment = environment }
}
