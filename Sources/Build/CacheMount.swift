internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI

/// The directory behind `RUN --mount=type=cache`, held as its sharing mode wants for as long as the step runs.
///
/// ```
/// build/mounts/<sha256 of the id>/
///   id           what people call it
///   lock         shared: steps that share it; exclusive: a step that has it alone, or a prune
///   data/        what the steps see
///   data.1/ …    of steps that wanted one of their own while others were taken, with lock.1 …
/// ```
///
/// The id is a stranger's text: only its digest becomes a name.
final class CacheMount: @unchecked Sendable {
    let path: String
    private let mount: RunMount
    private let lock: HeldLock

    init(_ mount: RunMount, _ stage: StageBuild, _ step: Int) throws(Failure) {
        self.mount = mount
        let session = stage.session
        let id = mount.id ?? mount.target
        let name = "build/mounts/\(ContentHash.hex(of: Array(id.utf8)))"
        let root = session.engine.root
        let directory = try during("open the cache mount \(id)") { () throws(SystemError) in
            let opened = SharedFileDescriptor(try root.directory(name))
            if try !FileDescriptor.exists("id", in: opened.raw) {
                try AtomicFile.write(Array(id.utf8), to: "id", in: opened.raw, durable: false)
            }
            return opened
        }
        let data: String
        switch mount.sharing {
        case .shared:
            lock = try CacheMount.wait(for: "lock", directory, .shared, session)
            data = "data"
        case .locked:
            lock = try CacheMount.wait(for: "lock", directory, .exclusive, session)
            data = "data"
        case .private:
            let (free, suffix) = try CacheMount.free(directory)
            lock = free
            data = "data\(suffix)"
        }
        path = "\(session.engine.rootPath)/\(name)/\(data)"
        let isNew = try during("open the cache mount \(id)") { () throws(SystemError) in
            try Directory.ensure(data, in: directory.raw, mode: mount.mode ?? 0o755)
        }
        if isNew { try fill(data, of: directory, stage, step) }
        // When it was used last, for `builder prune --filter until=…`.
        let now = Timestamp.now()
        try? Directory.changeTimes("lock", in: directory.raw, accessed: now, modified: now)
    }

    func target(_ stage: StageBuild) -> String { stage.absolute(mount.target) }

    /// With what `from` and `source` name, and the owner and mode that were asked for.
    private func fill(
        _ data: String, of directory: SharedFileDescriptor, _ stage: StageBuild, _ step: Int
    ) throws(Failure) {
        let opened = try during("open the cache mount") { () throws(SystemError) in
            SharedFileDescriptor(try Directory.open(data, in: directory.raw))
        }
        if mount.from != nil {
            let tree = try stage.session.sources.tree(mount.from, for: stage, step: step).tree
            let source = mount.source.isEmpty ? "." : mount.source
            try tree.select(sources: [source]).copy(into: opened.raw, destination: "/", CopyOptions())
        }
        let (mode, uid, gid) = (mount.mode ?? 0o755, mount.uid ?? 0, mount.gid ?? 0)
        try during("make the cache mount") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(opened.raw) { (file) throws(SystemError) in
                try file.changeOwner(uid: uid, gid: gid)
                try file.changeMode(mode)
            }
        }
    }

    private static func wait(
        for name: String, _ directory: SharedFileDescriptor, _ mode: FileLock.Mode, _ session: BuildSession
    ) throws(Failure) -> HeldLock {
        while true {
            if let lock = try HeldLock(name, directory, mode) { return lock }
            try session.check()
            Process.sleep(microseconds: 20_000)
        }
    }

    private static func free(_ directory: SharedFileDescriptor) throws(Failure) -> (HeldLock, String) {
        for number in 0..<10_000 {
            let suffix = number == 0 ? "" : ".\(number)"
            if let lock = try HeldLock("lock\(suffix)", directory, .exclusive) { return (lock, suffix) }
        }
        throw Failure(.resourceExhausted, "no cache mount is free")
    }
}

/// A lock that lives as long as a reference to it.
private final class HeldLock {
    private let lock: FileLock

    /// nil where another holds it.
    init?(_ name: String, _ directory: SharedFileDescriptor, _ mode: FileLock.Mode) throws(Failure) {
        do throws(SystemError) {
            guard let lock = try FileLock.attempt(name, in: directory.raw, mode) else { return nil }
            self.lock = lock
        } catch {
            throw error.failure("take a cache mount")
        }
    }
}
