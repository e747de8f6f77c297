internal import Engine
internal import LinuxSystem

/// What a copy does with owners and with what gives its bearer rights.
struct CopyPolicy: Sendable {
    /// nil: owners stay what they are.
    let owner: Owner?
    /// Between the host's ids and those of a container's user namespace.
    var translation = Translation.none
    /// Out of a container without `-a`: a file that the caller owns must not hand the caller's rights to others. Set-id
    /// bits and capabilities stay behind, and a device node opens for its owner alone.
    let dropsRights: Bool

    struct Owner: Sendable {
        let uid, gid: UInt32
    }

    enum Translation: Sendable {
        case none
        case outOf(UserMaps)
        case into(UserMaps)

        /// - Throws: EINVAL for an owner that the container's user namespace does not have, as chown(2) there.
        func owner(_ owner: Owner) throws(SystemError) -> Owner {
            switch self {
            case .none: return owner
            case .outOf(let maps):
                let inside = maps.inside(uid: owner.uid, gid: owner.gid)
                return Owner(uid: inside.uid, gid: inside.gid)
            case .into(let maps):
                guard let outside = try? maps.outside(uid: owner.uid, gid: owner.gid) else {
                    throw SystemError(
                        call: "chown", path: "\(owner.uid):\(owner.gid) in the container",
                        errno: Errno.invalid)
                }
                return Owner(uid: outside.uid, gid: outside.gid)
            }
        }
    }

    func owner(_ status: FileStatus) throws(SystemError) -> Owner {
        try translation.owner(owner ?? Owner(uid: status.uid, gid: status.gid))
    }

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

    /// Into a container: its root's, or owners as they are.
    static func into(_ maps: UserMaps?, keepsOwners: Bool) -> CopyPolicy {
        CopyPolicy(
            owner: keepsOwners ? nil : Owner(uid: 0, gid: 0), translation: maps.map { .into($0) } ?? .none,
            dropsRights: false)
    }

    /// Out of a container, with owners as they are there.
    static func outOf(_ maps: UserMaps?) -> CopyPolicy {
        CopyPolicy(owner: nil, translation: maps.map { .outOf($0) } ?? .none, dropsRights: false)
    }

    static let asItIs = CopyPolicy(owner: nil, dropsRights: false)
}
