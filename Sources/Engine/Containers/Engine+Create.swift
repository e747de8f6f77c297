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
        if request.replaces { try removeNamesake(request) }
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
        var settings = try resolved(try checked(request.settings))
        settings.deviceSpecDirectories = deviceSpecDirectories(for: settings)
        _ = try deviceEdits(of: settings)
        for word in request.requires { settings.life.requires.append(try container(word).id) }
        for line in settings.life.secrets {
            _ = try secretStore.value(of: try StoredSecret(line: line).name)
        }
        let mounts = try mountRequests(request)
        if !settings.life.rootDirectory.isEmpty { return try createImageless(request, settings, mounts) }
        let image = try imageForContainer(request, images)
        let ids = try resolveUserNamespace(&settings)
        defer { withExtendedLifetime(ids) {} }
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
        try finish(&record, request, mounts, imageVolumes: image.settings.volumes ?? [], records)
        return record
    }

    /// `--rootfs`: the directory is all that there is of an image.
    private func createImageless(
        _ request: CreateRequest, _ settings: ContainerSettings, _ mounts: [MountRequest]
    ) throws(Failure) -> ContainerRecord {
        var settings = settings
        let path = settings.life.rootDirectory
        let real = try during("--rootfs \(path)") { () throws(SystemError) in
            let directory = try FileDescriptor.open(path, [.pathOnly, .directory])
            return try Directory.readLink("/proc/self/fd/\(directory.raw)").shown
        }
        settings.life.rootDirectory = real
        let ids = try resolveUserNamespace(&settings)
        defer { withExtendedLifetime(ids) {} }
        let id = ContainerID.random()
        var record = ContainerRecord(
            id: id, created: Timestamp.now().nanosecondsSinceEpoch, image: real, imageID: "",
            manifestDigest: "", layers: [], platform: "linux/\(Build.architecture)",
            settings: merge(settings, request, ImageConfig.Settings(), id: id))
        try finish(&record, request, mounts, imageVolumes: [], [])
        return record
    }

    /// The checks of what is whole now, the mounts, and the directory.
    private func finish(
        _ record: inout ContainerRecord, _ request: CreateRequest, _ mounts: [MountRequest],
        imageVolumes: [String], _ records: [LayerRecord]
    ) throws(Failure) {
        guard !(record.settings.entrypoint + record.settings.command).isEmpty else {
            throw Failure(
                .invalidArgument, "no command specified",
                hint: "the image has neither ENTRYPOINT nor CMD: give a command after the image")
        }
        // What the kernel or the host would refuse at the start is refused now, before anything is made.
        let host = try hostFacts()
        var spec = try SpecBuilder.build(
            try SpecOptions(
                record, user: UserIdentity(), namespaces: try namespaces(of: record.settings), mounts: []),
            host: host)
        try addDevices(of: record.settings, to: &spec, host: host)
        try checkHooks(of: record.settings, spec)
        if !host.inUserNamespace {
            let resources = spec.linux?.resources
            try placement(record.id, resources, host, parent: record.settings.cgroupParent)?.check(resources)
        }
        _ = try logDriver(record)
        try chooseLabels(for: &record, host)
        var resolved = MountResolution(engine: self, record: record)
        try resolved.add(mounts)
        try resolved.add(volumesFrom: request.volumesFrom)
        switch request.imageVolumes {
        case .anonymous, .bind: try resolved.add(imageVolumes: imageVolumes)
        case .tmpfs: try resolved.add(temporaryImageVolumes: imageVolumes)
        case .ignore: break
        }
        record = resolved.record
        let users = resolved.users
        try containerStore.create(&record, name: request.name, durable: !record.settings.autoRemove) {
            (directory, record) throws(Failure) in
            try makeUpper(in: directory, records, record)
            if record.settings.userNamespace.copiesLayers { try copyBase(of: record, in: directory) }
            try useVolumes(users, of: record)
        }
        do throws(Failure) { try keepAddresses(of: record) } catch {
            // Another one was as fast.
            remove([record], force: true, volumes: true) { _, _ in }
            throw error
        }
        tell("create", record)
    }

    /// `--replace`: the container that has the name goes, whatever it does.
    private func removeNamesake(_ request: CreateRequest) throws(Failure) {
        guard let name = request.name else {
            throw Failure(.invalidArgument, "cannot replace a container without --name")
        }
        let former: ContainerRecord
        do throws(Failure) { former = try container(name) } catch {
            if error.code == .notFound { return }
            throw error
        }
        // A word may be the beginning of an id as well.
        guard former.name == name else { return }
        var failure: Failure?
        remove([former], force: true, volumes: false) { failure = $1 ?? failure }
        if let failure { throw failure.within("--replace") }
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

    /// The image's files with owners of the container's user namespace, where no mount can show them so.
    private func copyBase(
        of record: ContainerRecord, in directory: borrowing FileDescriptor
    ) throws(Failure) {
        guard !record.layers.isEmpty, let maps = record.settings.userNamespace.maps else { return }
        let image = try RootMount(engine: self, record: record).mountImage()
        let parent = directory.raw
        do throws(Failure) {
            let (from, to) = try during("open the image") { () throws(SystemError) in
                try Directory.make("base", in: parent)
                return (
                    SharedFileDescriptor(try Directory.open(".", in: image.descriptor.raw)),
                    SharedFileDescriptor(try Directory.open("base", in: parent))
                )
            }
            try TreeCopy.copy(from: from.raw, to: to.raw, owners: maps)
            try during("open the image") { () throws(SystemError) in
                let status = try FileDescriptor.status("base", in: parent)
                try Directory.changeOwner("upper", in: parent, uid: status.uid, gid: status.gid)
            }
        } catch {
            throw error.within("copy the files of \(record.image) for --userns")
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
        var environment = Engine.override(
            request.hostEnvironment, with: request.unsetsImageEnvironment ? [] : image.env ?? [])
        environment.removeAll { setting in
            request.unsetEnvironment.contains { $0[...] == setting.prefix { $0 != "=" } }
        }
        for setting in request.environment {
            let name = setting.prefix { $0 != "=" }
            environment.removeAll { $0.prefix { $0 != "=" } == name }
            environment.append(setting)
        }
        merged.environment = environment
        merged.networking.exposed += (image.exposedPorts ?? []).compactMap { try? ExposedPorts(parsing: $0) }
            .filter { !merged.networking.exposed.contains($0) }
        merged.life.health = merged.life.health.merged(with: image.healthcheck, shell: image.shell)
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

    private static func override(_ base: [String], with settings: [String]) -> [String] {
        if base.isEmpty { return settings }
        let names = Set(settings.map { $0.prefix { $0 != "=" } })
        return base.filter { !names.contains($0.prefix { $0 != "=" }) } + settings
    }

    private static func hostName() -> String {
        let bytes = (try? AtomicFile.read("/proc/sys/kernel/hostname", limit: 256)) ?? nil
        return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// What can be refused before an image is pulled.
    private func checked(_ settings: ContainerSettings) throws(Failure) -> ContainerSettings {
        try checkUserNamespace(settings)
        _ = try namespaces(of: settings)
        try checkLog(settings)
        try settings.life.health.check()
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
