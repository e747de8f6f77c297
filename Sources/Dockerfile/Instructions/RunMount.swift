/// A `--mount` of RUN with its values expanded.
package struct RunMount: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case bind, cache, tmpfs, secret, ssh }
    package enum Sharing: String, Sendable, CaseIterable { case shared, `private`, locked }

    package var kind: Kind
    /// Empty where it is not given and has no default.
    package var target: String
    /// A path in what `from` names; empty: its root.
    package var source: String
    package var from: String?
    package var isReadOnly: Bool
    package var id: String?
    package var sharing: Sharing = .shared
    package var isRequired = false
    /// Bytes, of a tmpfs.
    package var size: Int64?
    package var mode: UInt32?
    package var uid, gid: UInt32?
    /// The variable that a secret is put into.
    package var environmentName: String?

    package init(_ kind: Kind, target: String = "", source: String = "") {
        self.kind = kind
        self.target = target
        self.source = source
        isReadOnly = kind == .bind || kind == .secret || kind == .ssh
    }
}
