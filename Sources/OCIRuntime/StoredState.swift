internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// What is kept of a container between two calls of the runtime. Its status is not: that is the kernel's to say.
struct StoredState: Sendable {
    private static let kind = "ctr-oci-state 2"

    var bundle: String
    var rootfs: String
    /// The first process; nil before there is one.
    var process: ProcessIdentity?
    /// Nanoseconds since 1970.
    var created: Int64
    /// User of the runtime.
    var owner: UInt32
    var annotations: [String: String]
    /// Directories of resctrl that were made for it, deepest first.
    var classes: [String] = []
    /// Of a container in the runtime's own mount namespace: the mount that is its root (`SharedRoot`).
    var rootMount: UInt64?
    /// `--no-new-keyring` of create, which holds for exec too.
    var keepsKeyring = false
    /// nil where it has no cgroups of its own.
    var location: CgroupLocation?

    init(
        bundle: String, rootfs: String, created: Int64, annotations: [String: String],
        location: CgroupLocation?
    ) {
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        owner = UserNamespace.outerUID
        self.annotations = annotations
        self.location = location
    }

    var record: FlatRecord {
        get {
            var record = FlatRecord(kind: StoredState.kind)
            record.add("bundle", bundle)
            record.add("rootfs", rootfs)
            if let process { record.add("process", "\(process.pid) \(process.startTime)") }
            record.add("created", String(created))
            record.add("owner", String(owner))
            for (key, value) in annotations.sorted(by: { $0.key < $1.key }) {
                record.add("annotation", key)
                record.add("annotation-value", value)
            }
            record.add("class", all: classes)
            record.add("root-mount", ifPresent: rootMount.map(String.init))
            if keepsKeyring { record.add("keyring", "kept") }
            if let location {
                record.add("location", location.unified ?? "")
                for place in location.legacy {
                    record.add("legacy", "\(place.controllers.joined(separator: ",")) \(place.directory)")
                }
                record.add("unified-controller", all: location.unifiedControllers)
                record.add("cgroup", all: location.toRemove)
            }
            return record
        }
    }

    init(_ bytes: [UInt8], name: String) throws(Failure) {
        let record = try FlatRecord(kind: StoredState.kind, parsing: bytes, name: name)
        bundle = record.first("bundle") ?? ""
        rootfs = record.first("rootfs") ?? ""
        let words = (record.first("process") ?? "").split(separator: " ")
        if words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]) {
            process = ProcessIdentity(pid: pid, startTime: start)
        }
        created = Int64(record.first("created") ?? "") ?? 0
        owner = UInt32(record.first("owner") ?? "") ?? 0
        annotations = Dictionary(
            zip(record.all("annotation"), record.all("annotation-value")), uniquingKeysWith: { $1 })
        classes = record.all("class")
        rootMount = record.first("root-mount").flatMap { UInt64($0) }
        keepsKeyring = record.first("keyring") == "kept"
        guard let unified = record.first("location") else { return }
        let legacy = record.all("legacy").map { line in
            let controllers = line.prefix { $0 != " " }
            return CgroupLocation.Legacy(
                controllers: controllers.split(separator: ",").map(String.init),
                directory: String(line.dropFirst(controllers.count + 1)))
        }
        location = CgroupLocation(
            unified: unified.isEmpty ? nil : unified, legacy: legacy,
            unifiedControllers: record.all("unified-controller"), toRemove: record.all("cgroup"))
    }
}

extension StoredState {
    var cgroupsToRemove: [String] { location?.toRemove ?? [] }

    func removeCgroups() {
        CgroupRemoval.remove(cgroupsToRemove) { Process.sleep(microseconds: 5000) }
        CgroupParents.remove(above: cgroupsToRemove)
    }

    /// - Parameter directory: the container's.
    func status(in directory: String) -> RuntimeState.Status {
        guard let process else { return .creating }
        guard process.isAlive else { return .stopped }
        if isFrozen { return .paused }
        let waits = (try? FileDescriptor.exists("\(directory)/\(StateDirectory.fifo)")) ?? false
        return waits ? .created : .running
    }

    var isFrozen: Bool {
        guard let freezer = location?.freezer, let bytes = (try? AtomicFile.read(freezer.file)) ?? nil else {
            return false
        }
        let word = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return word == freezer.freeze || word == "FREEZING"
    }

    func runtimeState(_ id: String, _ status: RuntimeState.Status) -> RuntimeState {
        RuntimeState(
            id: id, status: status, pid: status == .stopped ? 0 : process?.pid ?? 0, bundle: bundle,
            annotations: annotations.isEmpty ? nil : annotations)
    }
}
