package import Engine
internal import LinuxSystem

/// What a copy does with owners and with what gives its bearer rights.
struct CopyPolicy: Sendable {
    /// nil: owners stay what they are.
    let owner: Owner?
    /// Out of a container without `-a`: a file that the caller owns must not hand the caller's rights to others. Set-id
    /// bits and capabilities stay behind, and a device node opens for its owner alone.
    let dropsRights: Bool

    struct Owner: Sendable {
        let uid, gid: UInt32
    }

    func uid(_ status: FileStatus) -> UInt32 { owner?.uid ?? status.uid }
    func gid(_ status: FileStatus) -> UInt32 { owner?.gid ?? status.gid }

    func permissions(_ status: FileStatus) -> UInt32 {
        guard dropsRights else { return status.permissions }
        switch status.kind {
        case .characterDevice, .blockDevice: return status.permissions & 0o600
        case .directory: return status.permissions & 0o1777
        default: return status.permissions & 0o777
        }
    }

    /// Those that say something on any file system; labels and marks of the source's stay there.
    func copies(attribute: String) -> Bool {
        if attribute == "security.capability" { return !dropsRights }
        return attribute.hasPrefix("user.") && !attribute.hasPrefix("user.overlay.")
    }

    static let intoContainer = CopyPolicy(owner: Owner(uid: 0, gid: 0), dropsRights: false)
    static let asItIs = CopyPolicy(owner: nil, dropsRights: false)
}
