internal import Failure
internal import LinuxSystem
internal import OCI
internal import Volumes

/// From what the flags ask for to the mounts of a record: volumes get their names, missing host directories are made
/// as docker does.
struct MountResolution {
    /// A volume that the container will use.
    struct User {
        let specification: VolumeSpecification
        let target: String
        let isNeverFilled: Bool
    }

    let engine: Engine
    private(set) var record: ContainerRecord
    private(set) var users: [User] = []
    private var targets: Set<String> = []

    init(engine: Engine, record: ContainerRecord) {
        self.engine = engine
        self.record = record
    }

    mutating func add(_ requests: [MountRequest]) throws(Failure) {
        for request in requests {
            switch request.source {
            case .tmpfs:
                keep(
                    StoredMount(
                        kind: .tmpfs, source: "", target: request.target, isReadOnly: request.isReadOnly,
                        options: request.options))
            case .bind(let path, let createsSource):
                try checkSource(path, createsSource)
                keep(
                    StoredMount(
                        kind: .bind, source: path, target: request.target, isReadOnly: request.isReadOnly,
                        propagation: request.propagation ?? "",
                        options: [MountResolution.word(request.recursion)] + MountResolution.marks(request)))
            case .volume(let name):
                let specification = try volume(name, request)
                users.append(
                    User(
                        specification: specification, target: request.target,
                        isNeverFilled: request.isNeverFilled))
                keep(
                    StoredMount(
                        kind: .volume, source: specification.name, target: request.target,
                        isReadOnly: request.isReadOnly, options: MountResolution.marks(request),
                        subpath: request.subpath, isNeverFilled: request.isNeverFilled))
            }
        }
    }

    /// `--volumes-from NAME[:ro|rw]`: the other one's volumes and binds at their places, unless something is there.
    mutating func add(volumesFrom words: [String]) throws(Failure) {
        for word in words {
            let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, parts.count == 1 || parts[1] == "ro" || parts[1] == "rw" else {
                throw Failure(.invalidArgument, "--volumes-from \(word): the mode is ro or rw")
            }
            for var mount in try engine.container(parts[0]).mounts where mount.kind != .tmpfs {
                guard !targets.contains(mount.target) else { continue }
                if parts.count == 2 { mount.isReadOnly = mount.isReadOnly || parts[1] == "ro" }
                if mount.kind == .volume {
                    users.append(
                        User(
                            specification: try VolumeSpecification(name: mount.source), target: mount.target,
                            isNeverFilled: true))
                }
                keep(mount)
            }
        }
    }

    /// The image's VOLUMEs that nothing else stands at: anonymous volumes, owned by this container.
    mutating func add(imageVolumes paths: [String]) throws(Failure) {
        for path in paths.sorted() {
            let request: MountRequest
            do throws(Failure) {
                request = try MountRequest(volume: path, workingDirectory: "/")
            } catch {
                throw error.within("the image's VOLUME \(path)")
            }
            guard !targets.contains(request.target) else { continue }
            try add([request])
        }
    }

    /// `--image-volume tmpfs`.
    mutating func add(temporaryImageVolumes paths: [String]) throws(Failure) {
        for path in paths.sorted() where !targets.contains(path) {
            keep(StoredMount(kind: .tmpfs, source: "", target: path, options: ["nosuid", "nodev"]))
        }
    }

    private mutating func keep(_ mount: StoredMount) {
        targets.insert(mount.target)
        record.settings.mounts.append(mount.line)
    }

    private mutating func volume(_ name: String?, _ request: MountRequest) throws(Failure)
        -> VolumeSpecification
    {
        if let name {
            return try VolumeSpecification(
                name: name, labels: request.labels, driverOptions: request.driverOptions)
        }
        let specification = VolumeSpecification(
            anonymousFor: Volume.Owner(containerID: record.id, path: request.target), labels: request.labels)
        record.anonymousVolumes.append(specification.name)
        return specification
    }

    private func checkSource(_ path: String, _ createsSource: Bool) throws(Failure) {
        do throws(SystemError) {
            _ = try FileDescriptor.status(path, follow: true)
        } catch {
            guard error.code == .notFound else { throw error.failure("mount \(path)") }
            guard createsSource else {
                throw Failure(
                    .notFound,
                    "invalid mount config for type \"bind\": bind source path does not exist: \(path)",
                    hint: "make it, or use -v, which makes missing directories")
            }
            try during("make \(path)") { () throws(SystemError) in
                try Directory.ensurePath(path, mode: 0o755)
            }
        }
    }

    private static func marks(_ request: MountRequest) -> [String] {
        (request.relabeling.map { [$0] } ?? []) + (request.changesOwner ? ["U"] : [])
            + (request.idMapping.map { [$0.isEmpty ? "idmap" : "idmap=\($0)"] } ?? [])
    }

    private static func word(_ recursion: MountRequest.Recursion) -> String {
        switch recursion {
        case .enabled: "rbind"
        case .disabled: "bind"
        case .writable: "rbind-writable"
        case .readOnly: "rbind-readonly"
        }
    }
}
