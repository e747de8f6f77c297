internal import ContainerMonitor
package import Failure
internal import LaunchPlan
package import LinuxSystem

/// What a foreground `run`, `start -a` and `attach` connect.
package struct Attachment: Sendable {
    package var stdin, stdout, stderr: Bool
    package var detachKeys: [UInt8]
    package var proxiesSignals: Bool

    package init(stdin: Bool, stdout: Bool, stderr: Bool, detachKeys: [UInt8], proxiesSignals: Bool) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.detachKeys = detachKeys
        self.proxiesSignals = proxiesSignals
    }
}

extension Engine {
    /// Starts the container and returns when its process runs. One that runs already is no error, as in docker.
    package func start(_ record: ContainerRecord) throws(Failure) {
        guard let socket = try launch(record) else { return }
        var client = AttachClient(
            socket: socket,
            options: AttachClient.Options(
                stdin: false, terminal: false, detachKeys: [], proxiesSignals: false))
        let end = try during("start \(record.name)") { () throws(SystemError) in try client.waitForStart() }
        if let end { _ = try exitCode(of: end, record, &client) }
    }

    /// Starts the container with this process as its first client; answers its exit code, or 0 when detached.
    package func startAttached(_ record: ContainerRecord, _ attachment: Attachment) throws(Failure) -> Int32 {
        tell("attach", record)
        guard let socket = try launch(record) else {
            return try relay(try attachSocket(record), record, attachment)
        }
        return try relay(socket, record, attachment)
    }

    package func attach(_ record: ContainerRecord, _ attachment: Attachment) throws(Failure) -> Int32 {
        let state = try state(of: record)
        guard state.isRunning else {
            throw Failure(
                .conflict, "You cannot attach to a stopped container, start it first",
                hint: "\"ctr start -a \(record.name)\" does both")
        }
        if state.isPaused {
            throw Failure(.conflict, "You cannot attach to a paused container, unpause it first")
        }
        tell("attach", record)
        return try relay(try attachSocket(record), record, attachment)
    }

    private func attachSocket(_ record: ContainerRecord) throws(Failure) -> FileDescriptor {
        try during("attach to \(record.name)") { () throws(SystemError) in
            let directory = try Directory.open(runDirectory(of: record.id))
            return try UnixSocket.connect("attach", in: directory.raw, .stream)
        }
    }

    private func relay(
        _ socket: consuming FileDescriptor, _ record: ContainerRecord, _ attachment: Attachment
    ) throws(Failure) -> Int32 {
        var client = AttachClient(
            socket: socket,
            options: AttachClient.Options(
                stdin: attachment.stdin, stdout: attachment.stdout, stderr: attachment.stderr,
                terminal: record.settings.terminal, detachKeys: attachment.detachKeys,
                proxiesSignals: attachment.proxiesSignals))
        let end = try during("attach to \(record.name)") { () throws(SystemError) in try client.run() }
        return try exitCode(of: end, record, &client)
    }

    private func exitCode(
        of end: AttachClient.End, _ record: ContainerRecord, _ client: inout AttachClient
    ) throws(Failure) -> Int32 {
        switch end {
        case .exited(let code):
            afterEnd(of: record, &client)
            return code
        case .detached:
            tell("detach", record)
            return 0
        case .failed(let exitCode, let code, let message):
            afterEnd(of: record, &client)
            throw Failure(
                Failure.Code(description: code), "run \(record.image): \(message)",
                cause: StartFailure(exitCode: exitCode))
        case .lost:
            throw Failure(
                .internal, "the monitor of \(record.name) ended without a word",
                hint: "\"ctr inspect \(record.name)\" tells whether the container still runs")
        }
    }

    /// What the monitor would do, faster.
    private func afterEnd(of record: ContainerRecord, _ client: inout AttachClient) {
        var rules: SharedFileDescriptor?
        if record.settings.autoRemove {
            rules = (try? removeEnded(record.id)) ?? nil
        } else if !record.settings.networking.attachments.isEmpty {
            rules = (try? detachEnded(record.id)) ?? nil
        }
        // Nobody waits for the monitor: the last descriptor is to be its.
        if let rules { client.leave(rules.raw) }
    }

    /// Spawns the container's monitor with its plan. nil where the container runs already.
    ///
    /// The monitor inherits the container's lock and lets go of it when the state tells that the container runs: who
    /// waits for the lock never takes a container for a stopped one whose monitor is about to start it, not even when
    /// this process is killed in between.
    private func launch(_ record: ContainerRecord) throws(Failure) -> FileDescriptor? {
        let lock = try containerStore.lock(record)
        let state = try state(of: record)
        if state.isPaused {
            throw Failure(.conflict, "cannot start a paused container, try unpause instead")
        }
        guard !state.isRunning else { return nil }
        do throws(Failure) {
            for id in record.settings.life.requires { try startRequired(id, by: record) }
            return try spawnMonitor(record, lock: lock.raw)
        } catch {
            // No monitor lives that would do it.
            _ = try? giveNetworksBack(of: record.id)
            if record.settings.autoRemove {
                _ = consume lock
                _ = try? removeEnded(record.id)
            }
            throw error
        }
    }

    /// `--requires`. Whatever requires each other was made in some order, so that there is no circle.
    private func startRequired(_ id: String, by record: ContainerRecord) throws(Failure) {
        do throws(Failure) {
            guard let other = try containerStore.record(of: id) else {
                throw Failure(.notFound, "No such container: \(id.prefix(12))")
            }
            try start(other)
        } catch {
            throw error.within("start what \(record.name) requires")
        }
    }

    private func spawnMonitor(_ record: ContainerRecord, lock: Int32) throws(Failure) -> FileDescriptor {
        let directory = try containerStore.directory(of: record.id)
        try? Directory.removeFile("stopped", in: directory.raw)
        let prepared = try prepareLaunch(record, restartCount: 0)
        let program = try Engine.monitorProgram()
        let socket = try during("start the monitor of \(record.name)") { () throws(SystemError) in
            let pair = try UnixSocket.pair(.stream)
            _ = try Process.spawn(
                program: program, arguments: ["ctr-monitor"], environment: [],
                passed: [pair.second.raw, lock])
            try PlanTransport.send(
                prepared.plan.encoded(), version: LaunchPlan.version, slots: prepared.slots.numbers,
                to: pair.first.raw)
            return try pair.first.duplicate()
        }
        if let networks = prepared.networks { attachNetworks(networks, of: record, over: socket.raw) }
        return socket
    }

    /// For the monitor of a container with a restart policy: sends it the plan of the next run over descriptor 3.
    package func relaunch(_ id: String) throws(Failure) {
        guard let record = try containerStore.record(of: id) else {
            throw Failure(.notFound, "No such container: \(id)")
        }
        let lock = try containerStore.lock(record)
        defer { _ = lock.raw }
        let run = try runState(of: record)
        do throws(Failure) {
            let prepared = try prepareLaunch(record, restartCount: (run?.restartCount ?? 0) + 1)
            try during("send the plan of \(record.name)") { () throws(SystemError) in
                try PlanTransport.send(
                    prepared.plan.encoded(), version: LaunchPlan.version, slots: prepared.slots.numbers,
                    to: 3)
            }
            if let networks = prepared.networks { attachNetworks(networks, of: record, over: 3) }
        } catch {
            _ = try? giveNetworksBack(of: id)
            throw error
        }
    }

    /// The monitor's file as a read-only detached bind of itself: /proc/self/exe of what it starts cannot be written
    /// (CVE-2019-5736).
    static func monitorProgram() throws(Failure) -> FileDescriptor {
        let file = try programBeside("ctr-monitor")
        return try during("start ctr-monitor") { () throws(SystemError) in
            let mount = try DetachedMount(bind: "", in: file.raw, recursive: false)
            try mount.set([.readOnly])
            return try mount.descriptor.duplicate()
        }
    }

    /// Another program of ctr's: beside this one or in ../libexec/ctr, never looked for in PATH.
    package static func programBeside(_ name: String) throws(Failure) -> FileDescriptor {
        var failure: SystemError?
        for place in [name, "../libexec/ctr/\(name)"] {
            do throws(SystemError) {
                return try Process.openSibling(place)
            } catch {
                failure = failure ?? error
            }
        }
        throw Failure(
            .notFound, "\(name) is not beside ctr: \(failure?.reason ?? "unknown")",
            hint: "install ctr's programs in one directory")
    }
}
