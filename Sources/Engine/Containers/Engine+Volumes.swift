package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import Runtime
internal import Volumes

/// A volume as listings and `inspect` show it.
package struct VolumeSummary: Sendable {
    package let name: String
    /// Nanoseconds since 1970.
    package let created: Int64
    package let labels: [String]
    package let options: [String]
    package let mountpoint: String
    /// For an anonymous volume: whose it is and why; else empty.
    package let owner: String
    /// Ids of containers.
    package let users: [String]

    package var isUsed: Bool { !users.isEmpty }
    package var isAnonymous: Bool { !owner.isEmpty }
}

extension Engine {
    var volumeStore: VolumeStore { VolumeStore(root: root.descriptor) }

    package func volumePath(_ name: String) -> String {
        guard let volume = try? volumeStore.find(name),
            let path = try? VolumeStore.dataPath(volume, root: rootPath)
        else { return "\(rootPath)/volumes/\(name)/data" }
        return path
    }

    package func createVolume(
        _ name: String?, labels: [String], options: [String], driver: String
    ) throws(Failure) -> String {
        let specification = try VolumeSpecification(
            name: name ?? randomHex(bytes: 32), driver: driver, labels: labels.map(Engine.pair),
            driverOptions: options.map(Engine.pair))
        let made = try volumeStore.create(specification)
        if made.isNew { tellVolume("create", made.volume.name) }
        return made.volume.name
    }

    private static func pair(_ text: String) -> MountRequest.KeyAndValue {
        let key = text.prefix { $0 != "=" }
        return MountRequest.KeyAndValue(String(key), String(text.dropFirst(key.utf8.count + 1)))
    }

    package func volumes() throws(Failure) -> [VolumeSummary] {
        var summaries: [VolumeSummary] = []
        for volume in try volumeStore.list().volumes { summaries.append(try summary(volume)) }
        return summaries
    }

    package func volume(_ name: String) throws(Failure) -> VolumeSummary {
        try summary(try volumeStore.inspect(name))
    }

    private func summary(_ volume: Volume) throws(Failure) -> VolumeSummary {
        let owner = try volume.owner.map { (owner) throws(Failure) in
            let container =
                try containerStore.record(of: owner.containerID)?.name ?? String(owner.containerID.prefix(12))
            return "\(container):\(owner.path)"
        }
        return VolumeSummary(
            name: volume.name, created: volume.created.nanosecondsSinceEpoch,
            labels: volume.labels.map { "\($0.key)=\($0.value)" },
            options: volume.driverOptions.map { "\($0.key)=\($0.value)" },
            mountpoint: try VolumeStore.dataPath(volume, root: rootPath), owner: owner ?? "",
            users: try volumeStore.users(of: volume.name))
    }

    package func removeVolume(_ name: String) throws(Failure) {
        try volumeStore.remove(name)
        tellVolume("destroy", name)
    }

    package func prunableVolumes(all: Bool) throws(Failure) -> [VolumeSummary] {
        try volumes().filter { !$0.isUsed && (all || $0.isAnonymous) }
    }

    /// One that a container uses by now stays.
    package func pruneVolumes(_ doomed: [VolumeSummary]) throws(Failure) -> PruneOutcome {
        var outcome = PruneOutcome()
        for volume in doomed {
            let bytes = try DiskUsage.bytes(below: volume.mountpoint)
            do throws(Failure) {
                try volumeStore.remove(volume.name)
            } catch {
                guard error.code == .conflict || error.code == .notFound else { throw error }
                continue
            }
            tellVolume("destroy", volume.name)
            outcome.lines.append(volume.name)
            outcome.bytes += bytes
        }
        return outcome
    }

    // MARK: of containers

    /// Makes the container's volumes and fills the new ones from its image. The container's directory is there, under
    /// its first name.
    func useVolumes(_ users: [MountResolution.User], of record: ContainerRecord) throws(Failure) {
        let isGiven = record.settings.userNamespace.copiesLayers
        for user in users {
            let used = try volumeStore.use(
                user.specification, by: record.id,
                fill: user.isNeverFilled && !isGiven
                    ? nil
                    : { (directory) throws(Failure) in
                        try self.giveVolume(directory, to: record)
                        if !user.isNeverFilled { try self.fill(directory, from: user.target, of: record) }
                    })
            if used.isNew { tellVolume("create", used.volume.name) }
        }
    }

    /// Where no mount can show it so, an empty volume belongs to the root of the container's user namespace on the disk.
    private func giveVolume(_ directory: Int32, to record: ContainerRecord) throws(Failure) {
        let ids = record.settings.userNamespace
        guard ids.copiesLayers, let owner = try ids.maps?.outside(uid: 0, gid: 0) else { return }
        try during("give the volume to the container") { () throws(SystemError) in
            try Directory.changeOwner(".", in: directory, uid: owner.uid, gid: owner.gid)
        }
    }

    private func fill(_ directory: Int32, from path: String, of record: ContainerRecord) throws(Failure) {
        if record.layers.isEmpty { return }
        let image = try RootMount(engine: self, record: record).mountImage()
        let source: FileDescriptor
        do throws(SystemError) {
            source = try FileDescriptor.open(
                path, in: image.descriptor.raw, [.readOnly, .directory], resolve: [.inRoot, .noMagicLinks])
        } catch {
            // A file, or nothing: the volume stays empty.
            if error.code == .notFound || error.code == .invalidArgument { return }
            throw error.failure("fill the volume at \(path)")
        }
        // Elsewhere a volume has the image's owners on the disk, and each container sees its own.
        let ids = record.settings.userNamespace
        try TreeCopy.copy(from: source.raw, to: directory, owners: ids.copiesLayers ? ids.maps : nil)
    }

    func releaseVolumes(of record: ContainerRecord, removingAnonymous: Bool) throws(Failure) {
        for mount in record.mounts where mount.kind == .volume {
            try volumeStore.release(mount.source, by: record.id)
        }
        if removingAnonymous, !record.anonymousVolumes.isEmpty {
            for name in try volumeStore.removeAnonymous(of: record.id, named: record.anonymousVolumes) {
                tellVolume("destroy", name)
            }
        }
    }

    func isDirectory(_ mount: StoredMount) throws(Failure) -> Bool {
        guard mount.kind == .bind else { return true }
        return try during("mount \(mount.source)") { () throws(SystemError) in
            try FileDescriptor.status(mount.source, follow: true).kind == .directory
        }
    }
}
