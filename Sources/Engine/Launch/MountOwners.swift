internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Runtime
internal import Volumes

/// How the owners of a mount are seen in a container, and `:U`.
extension Engine {
    /// `:U`: what is mounted belongs to the container's user. At each start, as in podman: the user may be another's id by
    /// now.
    func changeOwners(of record: ContainerRecord, _ user: UserIdentity) throws(Failure) {
        for mount in record.mounts where mount.changesOwner {
            do throws(Failure) {
                if mount.kind == .bind, let name = try SystemPaths.named(by: mount.source) {
                    throw Failure(
                        .permissionDenied,
                        "the option U would give \(name) of the host to the container's user")
                }
                let place = try open(mount)
                let maps = try mapsOwners(mount, place.raw, of: record)
                // Through a mapped mount the container sees its own ids where the disk has them.
                let owner = maps ? (user.uid, user.gid) : try record.owner(uid: user.uid, gid: user.gid)
                try TreeOwner.change(place.raw, uid: owner.0, gid: owner.1)
            } catch {
                throw error.within("mount \(mount.source) at \(mount.target)")
            }
        }
    }

    /// The directory or file that a mount shows. What is in a volume is a container's doing: a link there leads nowhere
    /// else.
    func open(_ mount: StoredMount) throws(Failure) -> SharedFileDescriptor {
        guard mount.kind == .volume else {
            return try during("mount \(mount.source) at \(mount.target)") { () throws(SystemError) in
                SharedFileDescriptor(try FileDescriptor.open(mount.source, [.pathOnly]))
            }
        }
        let data = try volumeStore.openData(try volumeStore.inspect(mount.source))
        if mount.subpath.isEmpty { return SharedFileDescriptor(data) }
        return try during("mount \(mount.subpath) of volume \(mount.source)") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(
                    mount.subpath, in: data.raw, [.pathOnly], resolve: [.beneath, .noMagicLinks]))
        }
    }

    /// Whether the container sees the mount's owners through its user namespace: a volume where the file system can show it
    /// so, for its owners are those of containers; a path of the host only where `idmap` asks for it.
    ///
    /// - Parameter source: what is mounted, open.
    func mapsOwners(_ mount: StoredMount, _ source: Int32, of record: ContainerRecord) throws(Failure) -> Bool
    {
        if mount.kind == .bind { return mount.idMapping == "" }
        guard mount.kind == .volume, let ids = try record.idsOfMounts() else { return false }
        let path = "/proc/self/fd/\(source)"
        return try FileDescriptor.withBorrowed(ids.raw) { (ids) throws(Failure) in
            try Engine.mapsMount(of: path, by: ids)
        }
    }
}

extension StoredMount {
    /// `U`
    var changesOwner: Bool { options.contains("U") }

    /// `idmap`: empty for the container's ids, else the mapping; nil without it.
    var idMapping: String? {
        for option in options where option == "idmap" || option.hasPrefix("idmap=") {
            return String(option.dropFirst("idmap=".count))
        }
        return nil
    }
}
