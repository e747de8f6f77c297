internal import Failure
internal import LaunchPlan
internal import LinuxSystem

extension ResidentMonitor {
    private static let newPIDNamespace: UInt64 = 0x2000_0000

    /// The stop signal, and the kill when its time is over.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        guard process != nil, exitCode == nil else { return }
        signalProcess(plan.stopTimeout == 0 ? Signal.kill : plan.stopSignal)
        thaw()
        if plan.stopTimeout >= 0 { killDeadline = monotonicNanoseconds() + plan.stopTimeout * 1_000_000_000 }
    }

    func killNow() {
        killDeadline = nil
        signalProcess(Signal.kill)
        guard !plan.cgroupDirectory.isEmpty else { return }
        _ = try? FileDescriptor.open("\(plan.cgroupDirectory)/cgroup.kill", [.writeOnly]).write("1")
    }

    private func signalProcess(_ signal: Int32) {
        guard let pidfd = (try? process?.open()) ?? nil else { return }
        _ = try? Process.signal(signal, to: pidfd)
    }

    /// A container that shares its pid namespace does not end with its first process: the rest is killed by cgroup.
    func killLeftovers() {
        guard plan.launch.namespaces & ResidentMonitor.newPIDNamespace == 0, !plan.cgroupDirectory.isEmpty
        else {
            return
        }
        let kill = "\(plan.cgroupDirectory)/cgroup.kill"
        guard (try? FileDescriptor.open(kill, [.writeOnly]).write("1")) != nil else { return }
        let deadline = monotonicNanoseconds() + 2_000_000_000
        while isPopulated, monotonicNanoseconds() < deadline { _ = serve(milliseconds: 5) }
    }

    private var isPopulated: Bool {
        let events = (try? AtomicFile.read("\(plan.cgroupDirectory)/cgroup.events", limit: 4096)) ?? nil
        return String(decoding: events ?? [], as: UTF8.self).hasPrefix("populated 1")
    }

    func record(_ code: Int32, error: String = "", started: Bool = true) {
        noticeKills()
        if started { tellEnd(code) }
        let record = ExitRecord(
            code: code, oomKilled: wasOutOfMemory, startedAt: started ? startedAt : 0,
            finishedAt: Timestamp.now().nanosecondsSinceEpoch, restartCount: plan.restartCount, error: error)
        // A full disk must not keep the clients from hearing of the end.
        try? record.write(in: containerDirectory.raw, durable: !plan.autoRemove)
    }

    /// The program has ended for good.
    func finish(_ code: Int32) {
        record(code, error: endIsUnknown)
        tellClients(.exited(code))
        removeCgroups()
        waitForClients()
        leave()
    }

    /// The program was never reached.
    func finish(_ failure: LaunchFailure) {
        record(failure.exitCode, error: failure.failure.message, started: plan.restartCount > 0)
        try? Directory.removeFile(RunState.fileName, in: runDirectory.raw)
        releaseStartLock()
        closeNames()
        plan.runLastHooks()
        tellClients(AttachFrame(failure))
        removeCgroups()
        waitForClients()
        leave()
    }

    /// Until each has taken what waits for it, or is gone, or stalls for too long.
    private func waitForClients() {
        listener = nil
        while clients.values.contains(where: { $0.hasPending && !$0.isGone }) {
            _ = serve(milliseconds: 1000)
            let now = monotonicNanoseconds()
            for client in clients.values
            where !client.isLauncher && now - client.stalledSince > ResidentMonitor.longestStall {
                client.leave()
            }
        }
    }

    private func removeCgroups() {
        let added = (try? AtomicFile.read("joined", in: runDirectory.raw, limit: 1 << 16)) ?? nil
        let joined = (added ?? []).split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        CgroupRemoval.remove(plan.cgroupsToRemove + joined) { _ = serve(milliseconds: 5) }
    }

    /// What is to be done after the end (`--rm`; addresses, rules and names of networks) the launcher that is still there
    /// does, and faster; else a `ctr` of one's own.
    private func leave() {
        guard isLeft else { return }
        let launcherIsThere = clients.values.contains { $0.isLauncher && $0.isAttached }
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while clients.values.contains(where: { $0.isLauncher && $0.isAttached }),
            monotonicNanoseconds() < deadline
        {
            _ = serve(milliseconds: 100)
        }
        clients = [:]
        // It does it after it has let go of the socket.
        let grace = monotonicNanoseconds() + (launcherIsThere ? 1_000_000_000 : 0)
        while isLeft, monotonicNanoseconds() < grace { Process.sleep(microseconds: 1000) }
        guard isLeft else { return }
        if plan.autoRemove {
            _ = try? spawnEngine("__remove")
        } else if let worker = try? spawnEngine("__detach"), let open = try? Launching.openProcess(worker) {
            // Who waits for this process to end finds the published ports free. The worker has more to wait for then: the
            // kernel, at the close of the rules' socket.
            try? FileDescriptor.withBorrowed(open.raw) { (open) throws(SystemError) in
                while isLeft, try !Process.waitForExit(open, milliseconds: 1) {}
            }
        }
    }

    private var isLeft: Bool {
        plan.autoRemove
            ? (try? FileDescriptor.exists(plan.containerDirectory)) ?? true
            : (try? FileDescriptor.exists(NetworkNote.fileName, in: runDirectory.raw)) ?? false
    }

    /// Starts `ctr … verb ID`. The first of engineArguments is the program's path.
    @discardableResult
    func spawnEngine(_ verb: String, passed: [Int32] = []) throws(SystemError) -> Int32 {
        guard let path = plan.engineArguments.first else {
            throw SystemError(call: "spawn", path: verb, errno: Errno.noEntry)
        }
        return try Process.spawn(
            program: try FileDescriptor.open(path, [.pathOnly]),
            arguments: plan.engineArguments + [verb, plan.containerID], environment: [], passed: passed)
    }
}
