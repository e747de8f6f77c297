internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

extension BundleRuntime {
    /// Lets the first process of a created container go on.
    package func start(_ id: String) throws(Failure) {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        switch status {
        case .created: break
        case .stopped: throw Failure(.conflict, "cannot start a container that has stopped: \(id)")
        default:
            throw Failure(.conflict, "cannot start an already running container: \(id) is \(status.rawValue)")
        }
        let spec = try directory.spec()
        guard spec.process != nil else {
            throw Failure(.invalidArgument, "cannot start \(id): config.json: process: missing")
        }
        try letGo(state, directory)
        RuntimeHooks.enter(state.bundle, for: spec.hooks?.poststart)
        do throws(Failure) {
            try RuntimeHooks.run(
                spec.hooks?.poststart, "poststart", state: state.runtimeState(id, .running))
        } catch {
            try? end(state)
            throw error
        }
    }

    /// Until the program runs: the process holds its end of the FIFO open over the startContainer hooks, and tells of what
    /// fails there. Hooks after the start come after those.
    private func letGo(_ state: StoredState, _ directory: borrowing StateDirectory) throws(Failure) {
        let descriptor = directory.descriptor.raw
        let told = try during("start \(directory.id)") { () throws(SystemError) in
            // The process first: with the FIFO open it goes on, and may have ended the next moment.
            guard let process = try state.process?.open() else {
                throw SystemError(call: "pidfd_open", path: nil, errno: Errno.noProcess)
            }
            let fifo = try FileDescriptor.open(
                StateDirectory.fifo, in: descriptor, [.readOnly, .nonBlocking])
            let queue = try EventQueue()
            try queue.add(fifo.raw, .read, token: 1)
            try queue.add(process.raw, .read, token: 2)
            var told: [UInt8] = []
            while true {
                let hasEnded = try queue.wait().contains { $0.token == 2 }
                let before = told.count
                let isOver = try BundleRuntime.drain(fifo, into: &told)
                if before == 0, !told.isEmpty {
                    try Directory.removeFile(StateDirectory.fifo, in: descriptor)
                }
                if !told.isEmpty, isOver || hasEnded { return told }
                if hasEnded { throw SystemError(call: "read", path: nil, errno: Errno.noProcess) }
            }
        }
        // The first byte only says that it goes on.
        if let failure = LaunchFailure(toldAfterStart: told.dropFirst()) {
            throw failure.failure.within("start \(directory.id)")
        }
    }

    /// Answers whether the other end is closed.
    private static func drain(_ fifo: borrowing FileDescriptor, into bytes: inout [UInt8]) throws(SystemError)
        -> Bool
    {
        while true {
            var room: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
            let number = fifo.raw
            let size = try withUnsafeMutableBytes(of: &room) { (buffer) throws(SystemError) in
                let size = try Launching.readAvailable(number, into: buffer)
                bytes += buffer.prefix(size ?? 0)
                return size
            }
            guard let size else { return false }
            if size == 0 { return true }
        }
    }

    /// runtime.md, "Query State", with what other runtimes add.
    package func state(_ id: String) throws(Failure) -> ContainerSummary {
        try BundleRuntime.checkID(id)
        let path = "\(root)/\(id)"
        guard try during("look for \(id)", { () throws(SystemError) in try FileDescriptor.exists(path) })
        else {
            throw Failure(.notFound, "container does not exist: \(id)")
        }
        return try summary(id)
    }

    /// Every container below `--root`.
    package func list() throws(Failure) -> [ContainerSummary] {
        let names: [String]
        do throws(SystemError) {
            names = try Directory.names(in: try Directory.open(root))
        } catch {
            if error.errno == Errno.noEntry { return [] }
            throw error.failure("list \(root)")
        }
        return names.filter { (try? BundleRuntime.checkID($0)) != nil }.compactMap { try? summary($0) }
    }

    private func summary(_ id: String) throws(Failure) -> ContainerSummary {
        let path = "\(root)/\(id)"
        let state = try StateDirectory.state(in: path)
        let status = state?.status(in: path) ?? .creating
        return ContainerSummary(id: id, state, status)
    }

    func known(_ directory: borrowing StateDirectory) throws(Failure) -> (StoredState, RuntimeState.Status) {
        guard let state = try directory.state() else {
            throw Failure(
                .conflict, "container \(directory.id) was never made as a whole",
                hint: "\"ctr oci delete --force \(directory.id)\" removes it")
        }
        return (state, state.status(in: directory.path))
    }

    /// - Parameter all: every process of it, not the first alone.
    package func kill(_ id: String, signal: Int32, all: Bool) throws(Failure) {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        if all || (signal == Signal.kill && !ownsPIDNamespace(directory)) {
            if status == .stopped, !all { throw notRunning(id) }
            let processes = CgroupProcesses(state.location)
            let hasAny = !processes.pids.isEmpty
            try processes.signal(signal)
            // The first process was among them; without cgroups it alone is known.
            if hasAny || status == .stopped { return }
        }
        guard status != .stopped, status != .creating else { throw notRunning(id) }
        try during("signal \(id)") { () throws(SystemError) in
            guard let process = try state.process?.open() else { return }
            try Process.signal(signal, to: process)
        }
        // A frozen cgroup of v1 takes the signal only when it thaws.
        if status == .paused, signal == Signal.kill { try? thaw(state) }
    }

    private func notRunning(_ id: String) -> Failure { Failure(.conflict, "container not running: \(id)") }

    private func ownsPIDNamespace(_ directory: borrowing StateDirectory) -> Bool {
        guard let spec = try? directory.spec() else { return true }
        return spec.linux?.newNamespaces.contains(.pid) == true
    }

    package func pause(_ id: String) throws(Failure) {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        guard status == .running || status == .created else {
            throw Failure(.conflict, "cannot pause \(id): it is \(status.rawValue)")
        }
        guard let freezer = state.location?.freezer else {
            throw Failure(.unsupported, "cannot pause \(id): it has no cgroup that can be frozen")
        }
        try freeze(freezer.file, freezer.freeze, id)
    }

    package func resume(_ id: String) throws(Failure) {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        guard status == .paused else {
            throw Failure(.conflict, "cannot resume \(id): it is \(status.rawValue), not paused")
        }
        try thaw(state)
    }

    private func thaw(_ state: StoredState) throws(Failure) {
        guard let freezer = state.location?.freezer else { return }
        try freeze(freezer.file, freezer.thaw, "")
    }

    /// cgroup2 freezes in its own time; it is done when cgroup.events says so.
    private func freeze(_ file: String, _ word: String, _ id: String) throws(Failure) {
        try during("write \(word) to \(file)") { () throws(SystemError) in
            try FileDescriptor.open(file, [.writeOnly]).write(word)
            let isUnified = file.hasSuffix("cgroup.freeze")
            let look = isUnified ? String(file.dropLast("freeze".count)) + "events" : file
            let wanted = isUnified ? "frozen \(word)" : word
            for _ in 0..<2000 {
                let text = String(decoding: try AtomicFile.read(look) ?? [], as: UTF8.self)
                if text.split(separator: "\n").contains(where: { $0 == wanted }) { return }
                Process.sleep(microseconds: 1000)
            }
        }
    }

    /// One that was never started is killed, as other runtimes have it: engines rely on that.
    /// - Parameter force: a running one is killed first too; one that is not there is no error.
    package func delete(_ id: String, force: Bool) throws(Failure) {
        let directory: StateDirectory
        do throws(Failure) {
            directory = try StateDirectory.open(id, in: root)
        } catch {
            if force, error.code == .notFound { return }
            throw error
        }
        guard let state = try directory.state() else {
            guard force else {
                throw Failure(.conflict, "cannot delete \(id): it is creating", hint: "--force removes it")
            }
            return try directory.remove()
        }
        let status = state.status(in: directory.path)
        if status != .stopped {
            guard force || status == .created else {
                throw Failure(
                    .conflict, "cannot delete container \(id) that is not stopped: \(status.rawValue)",
                    hint: "--force kills it first")
            }
            try end(state)
        }
        try destroy(directory)
    }

    /// SIGKILL, and until nothing of it runs.
    private func end(_ state: StoredState) throws(Failure) {
        try during("kill the container") { () throws(SystemError) in
            guard let process = try state.process?.open() else { return }
            try Process.signal(Signal.kill, to: process)
            if state.isFrozen { try? thaw(state) }
            _ = try Process.waitForExit(process, milliseconds: 10_000)
        }
    }

    /// What is left of a stopped container.
    func destroy(_ directory: consuming StateDirectory) throws(Failure) {
        let hooks = try? directory.spec().hooks
        try destroy(directory, hooks: hooks)
    }

    /// - Parameter hooks: the container's, where they are known.
    func destroy(_ directory: consuming StateDirectory, hooks: RuntimeSpec.Hooks?) throws(Failure) {
        let id = directory.id
        let state = try directory.state()
        if let state {
            // Without a pid namespace of its own, others may live on.
            try? CgroupProcesses(state.location).signal(Signal.kill)
            SharedRoot.detach(state)
            state.removeCgroups()
            CacheAllocation.remove(state.classes)
        }
        try directory.remove()
        guard let state else { return }
        RuntimeHooks.enter(state.bundle, for: hooks?.poststop)
        try RuntimeHooks.runAll(
            hooks?.poststop, "poststop", state: state.runtimeState(id, .stopped),
            warn: warn)
    }
}
