internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import Synchronization

/// A build's scratch: `build/scratch/<random>/` on the store's file system for what becomes mounts, and a tmpfs in the
/// build's own mount namespace for what must never reach a disk. Both go with their owner; what a killed build leaves is
/// swept by the next one.
final class WorkDirectory: Sendable {
    let path: String
    /// Secrets and agents' sockets.
    let memoryPath: String
    private let root: SharedFileDescriptor
    private let name: String
    private let lock: Mutex<FileLock?>
    private let count = Atomic<Int>(0)

    init(engine: Engine) throws(Failure) {
        let root = engine.root.descriptor
        self.root = root
        let name = "build/scratch/\(randomHex(bytes: 8))"
        self.name = name
        path = "\(engine.rootPath)/\(name)"
        memoryPath = "\(engine.runPath)/build"
        let memoryPath = memoryPath
        do throws(SystemError) {
            _ = try engine.root.directory("build/scratch")
            WorkDirectory.sweep(root)
            lock = Mutex(try FileLock("\(name).lock", in: root.raw, .exclusive))
            try Directory.make(name, in: root.raw)
            try Directory.ensurePath(memoryPath)
            try DetachedMount(
                type: "tmpfs", source: "ctr-build", [.string("mode", "0700")],
                attributes: [.noSetUID, .noDevices, .noExecute]
            ).attach(at: memoryPath)
        } catch {
            throw error.failure("make a place for the build")
        }
    }

    deinit {
        try? MountTable.detach(memoryPath)
        try? Directory.removeTree(name, in: root.raw)
        lock.withLock { lock in
            try? Directory.removeFile("\(name).lock", in: root.raw)
            lock = nil
        }
    }

    /// A new directory of the scratch.
    func directory(_ kind: String) throws(Failure) -> (path: String, descriptor: SharedFileDescriptor) {
        let number = count.add(1, ordering: .relaxed).newValue
        let own = "\(kind)-\(number)"
        let root = root
        let place = "\(name)/\(own)"
        let opened = try during("make \(path)/\(own)") { () throws(SystemError) in
            try Directory.make(place, in: root.raw)
            return SharedFileDescriptor(try Directory.open(place, in: root.raw))
        }
        return ("\(path)/\(own)", opened)
    }

    /// A new directory in memory.
    func memoryDirectory(_ kind: String) throws(Failure) -> String {
        let number = count.add(1, ordering: .relaxed).newValue
        let own = "\(memoryPath)/\(kind)-\(number)"
        try during("make \(own)") { () throws(SystemError) in try Directory.make(own) }
        return own
    }

    /// What builds that live no more have left.
    private static func sweep(_ root: SharedFileDescriptor) {
        guard let work = try? Directory.open("build/scratch", in: root.raw),
            let names = try? Directory.names(in: work)
        else { return }
        for name in names where name.hasSuffix(".lock") {
            guard let held = (try? FileLock.attempt(name, in: work.raw, .exclusive)) ?? nil else { continue }
            try? Directory.removeTree(String(name.dropLast(".lock".count)), in: work.raw)
            try? Directory.removeFile(name, in: work.raw)
            _ = held.raw
        }
    }
}
