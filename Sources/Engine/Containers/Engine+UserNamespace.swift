internal import ContainerMonitor
internal import Failure
internal import ImageStore
internal import LaunchPlan
internal import LinuxSystem
internal import Rootless
internal import Runtime

extension Engine {
    /// What can be refused before an image is pulled.
    func checkUserNamespace(_ settings: ContainerSettings) throws(Failure) {
        var asked = settings.userNamespace
        guard asked.isAskedFor else { return }
        if asked.mode.hasPrefix(Engine.otherContainer) { return try join(&asked) }
        _ = try UserNamespaceRequest(caller: caller(), takenUIDs: [], takenGIDs: []).resolve(asked)
    }

    private static let otherContainer = "container:"

    /// The ids of a container that asks for a user namespace, in its settings. Ids that are handed out are the container's
    /// from its record on: who asks for `auto` holds `locks/ids` until then.
    ///
    /// - Returns: the lock, if one is needed.
    func resolveUserNamespace(_ settings: inout ContainerSettings) throws(Failure) -> FileLock? {
        var asked = settings.userNamespace
        guard asked.isAskedFor else { return nil }
        if asked.mode.hasPrefix(Engine.otherContainer) {
            try join(&asked)
            settings.userNamespace = asked
            return nil
        }
        let isAuto = asked.mode == "auto" || asked.mode.hasPrefix("auto:")
        let lock = isAuto ? try lockIDs() : nil
        let others = isAuto ? try containerStore.all().compactMap(\.settings.userNamespace.maps) : []
        let request = UserNamespaceRequest(
            caller: caller(), takenUIDs: others.flatMap(\.uids.ranges),
            takenGIDs: others.flatMap(\.gids.ranges))
        guard let maps = try request.resolve(asked) else {
            return lock
        }
        asked.uids = maps.uids.lines
        asked.gids = maps.gids.lines
        asked.copiesLayers = try !mapsMounts(asked, settings)
        settings.userNamespace = asked
        // As in podman: who keeps the id runs by it.
        if asked.mode == "keep-id" || asked.mode.hasPrefix("keep-id:"), settings.user.isEmpty,
            let uid = maps.uids.inside(0), let gid = maps.gids.inside(0)
        {
            settings.user = "\(uid):\(gid)"
        }
        return lock
    }

    private func lockIDs() throws(Failure) -> FileLock {
        try during("lock the ids of user namespaces") { () throws(SystemError) in
            try Directory.ensure("locks", in: root.descriptor.raw)
            return try FileLock("locks/ids", in: root.descriptor.raw, .exclusive)
        }
    }

    private func caller() -> UserNamespaceRequest.Caller {
        if UserNamespace.isNested {
            let uids = UserNamespace.uids.ranges.reduce(0) { $0 + $1.count }
            let gids = UserNamespace.gids.ranges.reduce(0) { $0 + $1.count }
            return UserNamespaceRequest.Caller(
                ordinary: (UserNamespace.outerUID, UserNamespace.outerGID),
                uids: uids > 1 ? [SubordinateIDs.Range(start: 1, count: uids - 1)] : [],
                gids: gids > 1 ? [SubordinateIDs.Range(start: 1, count: gids - 1)] : [],
                uidCount: uids, gidCount: gids)
        }
        // As podman has it: the ranges of a user that need not exist.
        let uids = SubordinateIDs.read("/etc/subuid", user: "containers", uid: .max).ranges
        let gids = SubordinateIDs.read("/etc/subgid", user: "containers", uid: .max).ranges
        let both = !uids.isEmpty && !gids.isEmpty
        return UserNamespaceRequest.Caller(
            ordinary: nil, uids: both ? uids : [UserNamespaceRequest.defaultPool],
            gids: both ? gids : [UserNamespaceRequest.defaultPool])
    }

    private func join(_ asked: inout UserNamespaceSettings) throws(Failure) {
        let name = String(asked.mode.dropFirst(Engine.otherContainer.count))
        let other = try container(name)
        let theirs = other.settings.userNamespace
        guard theirs.maps != nil else {
            throw Failure(
                .conflict, "--userns container:\(name): that container has no user namespace of its own")
        }
        asked.uids = theirs.uids
        asked.gids = theirs.gids
        asked.copiesLayers = theirs.copiesLayers
        asked.container = other.id
    }

    /// Whether the file system of the container's root takes id-mapped mounts, and this user may make them: tried.
    private func mapsMounts(_ ids: UserNamespaceSettings, _ settings: ContainerSettings) throws(Failure)
        -> Bool
    {
        if UserNamespace.isNested { return false }
        guard let maps = ids.maps else { return true }
        let path = settings.life.rootDirectory.isEmpty ? rootPath : settings.life.rootDirectory
        return try Engine.mapsMount(of: path, by: try maps.idMaps.openNamespace())
    }

    static func mapsMount(of path: String, by namespace: borrowing FileDescriptor) throws(Failure) -> Bool {
        do throws(SystemError) {
            let mount = try DetachedMount(bind: path, recursive: false)
            try mount.mapIDs(by: namespace.raw, recursive: false)
            return true
        } catch {
            if error.isInvalid || error.isNoCall || error.errno == Errno.notPermitted { return false }
            throw error.failure("map the owners of \(path)")
        }
    }
}

extension ContainerRecord {
    /// Who a file belongs to outside that belongs to a user and a group of the container.
    func owner(uid: UInt32, gid: UInt32) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        try settings.userNamespace.maps?.outside(uid: uid, gid: gid) ?? (uid, gid)
    }

    /// The user namespace with the container's ids, for mounts that show owners through it; nil where there is none, or
    /// the files have such owners on the disk.
    func idsOfMounts() throws(Failure) -> SharedFileDescriptor? {
        let ids = settings.userNamespace
        guard !ids.copiesLayers, let maps = ids.maps else { return nil }
        return SharedFileDescriptor(try maps.idMaps.openNamespace())
    }
}

extension UserMaps {
    /// In the plan's words.
    var idMaps: IDMaps {
        func text(_ map: IDMap) -> String { map.lines.map { $0 + "\n" }.joined() }
        return IDMaps(uids: text(uids), gids: text(gids))
    }
}
