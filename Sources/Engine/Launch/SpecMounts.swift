internal import Failure
internal import LinuxSystem
internal import OCI
internal import Volumes

/// A container's own mounts in the words of a runtime spec. Keeps open what a source names by descriptor.
struct SpecMounts {
    private(set) var mounts: [RuntimeSpec.Mount] = []
    private var kept: [SharedFileDescriptor] = []

    init(of record: ContainerRecord, engine: Engine) throws(Failure) {
        let own = Set(record.mounts.map(\.target))
        for name in NetworkFiles.names where !own.contains("/etc/\(name)") && !own.contains("/etc") {
            mounts.append(
                RuntimeSpec.Mount(
                    destination: "/etc/\(name)", type: "bind", source: engine.path(of: record, name),
                    options: ["rbind", "rprivate"]))
        }
        if !record.settings.life.secrets.isEmpty { mounts += try engine.secretMounts(of: record) }
        for line in record.settings.mounts {
            let mount = try StoredMount(line: line)
            switch mount.kind {
            case .tmpfs: mounts.append(SpecMounts.tmpfs(mount))
            case .bind:
                mounts.append(try SpecMounts.bind(mount, record))
                try engine.labelSource(mount.source, of: mount, record)
            case .volume: try add(volume: mount, of: record, engine)
            }
        }
    }

    private static func tmpfs(_ mount: StoredMount) -> RuntimeSpec.Mount {
        var options = mount.options.isEmpty ? ["nosuid", "nodev", "noexec"] : mount.options
        if mount.isReadOnly { options.append("ro") }
        return RuntimeSpec.Mount(destination: mount.target, type: "tmpfs", source: "tmpfs", options: options)
    }

    private static func bind(_ mount: StoredMount, _ record: ContainerRecord) throws(Failure)
        -> RuntimeSpec.Mount
    {
        guard (try? FileDescriptor.exists(mount.source)) ?? false else {
            throw Failure(
                .notFound, "mount \(mount.source) at \(mount.target): the host has no such path",
                hint: "it was there when the container was created")
        }
        let recursion = mount.options.first ?? "rbind"
        var options = [recursion == "bind" ? "bind" : "rbind"]
        options.append(mount.propagation.isEmpty ? "rprivate" : mount.propagation)
        if mount.isReadOnly {
            options.append("ro")
            if recursion == "rbind" || recursion == "rbind-readonly" { options.append("rro") }
        }
        var made = RuntimeSpec.Mount(
            destination: mount.target, type: "bind", source: mount.source, options: options)
        guard let mapping = mount.idMapping else { return made }
        made.options?.append("idmap")
        if mapping.isEmpty {
            guard record.settings.userNamespace.maps != nil else {
                throw Failure(
                    .invalidArgument,
                    "mount \(mount.source) at \(mount.target): idmap is for containers with a user namespace",
                    hint: "give --userns or --uidmap, or a mapping: idmap=uids=SOURCE-MOUNT-SIZE;gids=…")
            }
        } else {
            let ranges = try MountRequest.idRanges(mapping)
            func mappings(_ ranges: [MountRequest.IDRange]) -> [RuntimeSpec.IDMapping] {
                ranges.map {
                    RuntimeSpec.IDMapping(containerID: $0.source, hostID: $0.mounted, size: $0.count)
                }
            }
            made.uidMappings = mappings(ranges.uids)
            made.gidMappings = mappings(ranges.gids)
        }
        return made
    }

    private mutating func add(volume mount: StoredMount, of record: ContainerRecord, _ engine: Engine)
        throws(Failure)
    {
        let volume = try engine.volumeStore.inspect(mount.source)
        var source = try VolumeStore.dataPath(volume, root: engine.rootPath)
        var mapped = false
        if record.settings.userNamespace.maps != nil {
            let place = try engine.open(mount)
            mapped = try engine.mapsOwners(mount, place.raw, of: record)
        }
        var readOnly = mount.isReadOnly
        try engine.labelSource(source, of: mount, record)
        if case .bind(_, let isReadOnly) = try volume.backing, isReadOnly { readOnly = true }
        if !mount.subpath.isEmpty {
            let directory = try engine.open(mount)
            kept.append(directory)
            source = "/proc/self/fd/\(directory.raw)"
        }
        mounts.append(
            RuntimeSpec.Mount(
                destination: mount.target, type: "bind", source: source,
                options: ["rbind", "rprivate"] + (readOnly ? ["ro"] : []) + (mapped ? ["idmap"] : [])))
    }
}
