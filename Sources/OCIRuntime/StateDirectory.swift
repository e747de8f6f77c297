internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// A container's directory below `--root`:
///
/// ```
/// <root>/<id>/           mode 0700
///     config.json        the bundle's, as it was at create
///     state              StoredState; not there while the container is being made
///     exec.fifo          the first process waits there for `start`; gone afterwards
///     lock               held by who changes the container
/// ```
///
/// A container is there as soon as the directory is, so that an id is taken once. What a killed `create` left is removed
/// by `delete --force`.
struct StateDirectory: ~Copyable {
    static let fifo = "exec.fifo"

    let id: String
    let path: String
    let descriptor: FileDescriptor
    private let lock: FileLock

    /// - Throws: `alreadyExists`.
    static func make(_ id: String, in root: String) throws(Failure) -> StateDirectory {
        try BundleRuntime.checkID(id)
        let path = "\(root)/\(id)"
        do throws(SystemError) {
            try Directory.ensurePath(root, mode: 0o711)
            try Directory.make(path, mode: 0o711)
            // Whatever the umask: the first process finds its FIFO there as the user that it is by then.
            try Directory.changeMode(path, in: currentDirectory, mode: 0o711)
        } catch {
            if error.errno == Errno.exists {
                throw Failure(.alreadyExists, "container with given ID already exists: \(id)")
            }
            throw error.failure("make \(path)")
        }
        return try StateDirectory(id, path)
    }

    /// - Throws: `notFound`.
    static func open(_ id: String, in root: String) throws(Failure) -> StateDirectory {
        try BundleRuntime.checkID(id)
        return try StateDirectory(id, "\(root)/\(id)")
    }

    private init(_ id: String, _ path: String) throws(Failure) {
        func named<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(Failure) -> Value {
            do throws(SystemError) { return try body() } catch {
                if error.errno == Errno.noEntry {
                    throw Failure(.notFound, "container does not exist: \(id)")
                }
                throw error.failure("open \(path)")
            }
        }
        let opened = try named { () throws(SystemError) in try Directory.open(path) }
        let number = opened.raw
        lock = try named { () throws(SystemError) in try FileLock("lock", in: number, .exclusive) }
        descriptor = opened
        self.id = id
        self.path = path
    }

    /// The child that waits for `start` has a copy of every descriptor of this process: closing ours would not let go.
    deinit { lock.letGo() }

    func write(_ state: StoredState) throws(Failure) {
        let bytes = state.record.bytes
        try during("write \(path)/state") { () throws(SystemError) in
            try AtomicFile.write(bytes, to: "state", in: descriptor.raw, durable: false)
        }
    }

    /// nil while the container is being made.
    func state() throws(Failure) -> StoredState? { try StateDirectory.state(in: path) }

    /// Without the lock: for who only looks.
    static func state(in path: String) throws(Failure) -> StoredState? {
        let bytes = try during("read \(path)/state") { () throws(SystemError) in
            try AtomicFile.read("\(path)/state")
        }
        return try bytes.map { (bytes) throws(Failure) in try StoredState(bytes, name: "\(path)/state") }
    }

    /// The configuration as it was at create.
    func spec() throws(Failure) -> RuntimeSpec {
        let bytes = try during("read \(path)/config.json") { () throws(SystemError) in
            try AtomicFile.read("config.json", in: descriptor.raw)
        }
        guard let bytes else { throw Failure(.dataLoss, "\(path) has no config.json") }
        return try RuntimeSpec(bytes: bytes)
    }

    func keep(config: [UInt8]) throws(Failure) {
        try during("write \(path)/config.json") { () throws(SystemError) in
            try AtomicFile.write(config, to: "config.json", in: descriptor.raw, durable: false)
        }
    }

    /// The last act on a container.
    consuming func remove() throws(Failure) {
        let path = path
        try during("remove \(path)") { () throws(SystemError) in try Directory.removeTree(path) }
    }
}
