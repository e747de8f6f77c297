internal import CommandTable
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Runtime
internal import Volumes

extension Engine {
    /// Makes a container: its image is there (pulled if the policy says so), its record is durable, its volumes are
    /// made and filled. Nothing of it is left behind on a failure, except volumes that have a name.
    package func create(_ request: CreateRequest, images: any ImageProvider) throws(Failure)
        -> ContainerRecord
    {
        let idFile = try request.idFile.map { (path) throws(Failure) in try reserveIDFile(path) }
        do throws(Failure) {
            let record = try createRecord(request, images)
            if let idFile {
                let id = record.id
                try during("write --cidfile \(request.idFile ?? "")") { () throws(SystemError) in
                    try FileDescriptor.withBorrowed(idFile.raw) { (file) throws(SystemError) in
                        try file.write(id)
                    }
                }
            }
            return record
        } catch {
            if let path = request.idFile { try? Directory.removeFile(path) }
            throw error
        }
    }

    private func createRecord(_ request: CreateRequest, _ images: any ImageProvider) throws(Failure)
        -> ContainerRecord
    {
        let settings = try checked(request.settings)
        let mounts = try mountRequests(request)
        let image = try imageForContainer(request, images)
        // From here to the record nothing of the image may be swept away.
        let lock = try root.lock(.store, .shared)
        defer { _ = lock.raw }
        guard let directories = image.layerDirectories else {
            throw Failure(
                .internal, "the layers of \(request.image) are not unpacked", hint: "pull the image again")
        }
        let records = try layerRecords(directories)
        // What lies under an opaque root does not show, and the kernel does not heed that mark.
        let layers = Array(directories.suffix(OverlayMount.visible(records)))
        let id = ContainerID.random()
        var record = ContainerRecord(
            id: id, created: Timestamp.now().nanosecondsSinceEpoch, image: request.image,
            imageID: image.id.description, manifestDigest: image.manifest.digest.description, layers: layers,
            platform: image.platform.description, settings: merge(settings, request, image.settings, id: id))
        guard !(record.settings.entrypoint + record.settings.command).isEmpty else {
            throw Failure(
                .invalidArgument, "no command specified",
                hint: "the image has neither ENTRYPOINT nor CMD: give a command after the image")
        }
        // What the kernel or the host would refuse at the start is refused now, before anything is made.
        _ = try SpecBuilder.build(
            try SpecOptions(
                record, user: UserIdentity(), namespaces: try namespaces(of: record.settings), mounts: []),
            host: try hostFacts())
        var resolved = MountResolution(engine: self, record: record)
        try resolved.add(mounts)
        try resolved.add(volumesFrom: request.volumesFrom)
        try resolved.add(imageVolumes: image.settings.volumes ?? [])
        record = resolved.record
        let users = resolved.users
        try containerStore.create(&record, name: request.name, durable: !settings.autoRemove) {
            (directory, record) throws(Failure) in
            try makeUpper(in: directory, records, record)
            try useVolumes(users, of: record)
        }
        return record
    }

    /// Top first.
    private func layerRecords(_ directories: [String]) throws(Failure) -> [LayerRecord] {
        var records: [LayerRecord] = []
        for name in directories.reversed() {
            let bytes = try during("read the record of layer \(name.prefix(12))") { () throws(SystemError) in
                try AtomicFile.read("layers/\(name)/record", in: root.descriptor.raw, limit: 256 << 20)
            }
            guard let bytes else {
                throw Failure(
                    .notFound, "layer \(name.prefix(12)) is not unpacked", hint: "pull the image again")
            }
            records.append(try LayerRecord(text: String(decoding: bytes, as: UTF8.self)))
        }
        return records
    }

    /// The container's own layer. Its root shows in the merged one: it is as the topmost layer that tells of its root.
    private func makeUpper(
        in directory: borrowing FileDescriptor, _ records: [LayerRecord], _ record: ContainerRecord
    ) throws(Failure) {
        let parent = directory.raw
        let place = records.firstIndex(where: \.hasRootEntry)
        let base = place.map { record.layers[record.layers.count - 1 - min($0, record.layers.count - 1)] }
        try during("make the layer of \(record.name)") { () throws(SystemError) in
            try Directory.make("upper", in: parent, mode: 0o755)
            try Directory.make("work", in: parent)
            guard let base else { return }
            let status = try FileDescriptor.status("layers/\(base)/fs", in: root.descriptor.raw)
            let upper = try Directory.open("upper", in: parent)
            try upper.changeOwner(uid: status.uid, gid: status.gid)
            try upper.changeMode(status.permissions)
        }
    }

    /// docker's rules of what flags and image make together.
    func merge(
        _ settings: ContainerSettings, _ request: CreateRequest, _ image: ImageConfig.Settings, id: String
    ) -> ContainerSettings {
        var merged = settings
        if let entrypoint = request.entrypoint {
            merged.entrypoint = entrypoint.isEmpty ? [] : [entrypoint]
            merged.command = request.arguments
        } else {
            merged.entrypoint = image.entrypoint ?? []
            merged.command = request.arguments.isEmpty ? image.cmd ?? [] : request.arguments
        }
        var environment = image.env ?? []
        for setting in request.environment {
            let name = setting.prefix { $0 != "=" }
            environment.removeAll { $0.prefix { $0 != "=" } == name }
            environment.append(setting)
        }
        merged.environment = environment
        if merged.user.isEmpty { merged.user = image.user ?? "" }
        if merged.workingDirectory.isEmpty { merged.workingDirectory = image.workingDir ?? "" }
        if merged.stopSignal.isEmpty { merged.stopSignal = image.stopSignal ?? "" }
        var labels: [String] = []
        let own = Set(merged.labels.map { $0.prefix { $0 != "=" } })
        for (key, value) in (image.labels ?? [:]).sorted(by: { $0.key < $1.key })
        where !own.contains(key[...]) {
            labels.append("\(key)=\(value)")
        }
        merged.labels = labels + merged.labels
        if merged.uts == "host" {
            merged.hostname = ""
        } else if merged.hostname.isEmpty {
            merged.hostname = merged.network == "host" ? Engine.hostName() : String(id.prefix(12))
        }
        return merged
    }

    private static func hostName() -> String {
        let bytes = (try? AtomicFile.read("/proc/sys/kernel/hostname", limit: 256)) ?? nil
        return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// What can be refused before an image is pulled.
    private func checked(_ settings: ContainerSettings) throws(Failure) -> ContainerSettings {
        _ = try namespaces(of: settings)
        _ = try logDriver(settings)
        if !settings.stopSignal.isEmpty { _ = try SignalName.parse(settings.stopSignal) }
        if settings.hostname.utf8.count > 64 {
            throw Failure(.invalidArgument, "--hostname \(settings.hostname): longer than 64 bytes")
        }
        if settings.uts == "host", !settings.hostname.isEmpty {
            throw Failure(.invalidArgument, "conflicting options: hostname and the UTS mode")
        }
        return settings
    }

    private func mountRequests(_ request: CreateRequest) throws(Failure) -> [MountRequest] {
        if request.volumes.isEmpty, request.mounts.isEmpty, request.temporary.isEmpty { return [] }
        let here = try during("find the working directory") { () throws(SystemError) in
            try Directory.readLink("/proc/self/cwd")
        }
        return try MountRequest.all(
            volumes: request.volumes, mounts: request.mounts, tmpfs: request.temporary,
            workingDirectory: String(decoding: here.bytes, as: UTF8.self))
    }

    /// docker refuses a file that is there: it may hold another container's id.
    private func reserveIDFile(_ path: String) throws(Failure) -> SharedFileDescriptor {
        do throws(SystemError) {
            return SharedFileDescriptor(
                try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o644))
        } catch {
            if error.code == .alreadyExists {
                throw Failure(
                    .alreadyExists,
                    "container ID file found, make sure the other container isn't running or delete \(path)")
            }
            throw error.failure("--cidfile \(path)")
        }
    }
}
