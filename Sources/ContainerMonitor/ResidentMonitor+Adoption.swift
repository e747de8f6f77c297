internal import CContainerInit
internal import Failure
internal import LaunchPlan
internal import LinuxSystem

extension ResidentMonitor {
    private static let planFile = "plan"

    /// What an adopting monitor needs to know; without the steps, which were done.
    func savePlan() {
        var kept = plan
        kept.launch = LaunchPlan(namespaces: plan.launch.namespaces, cgroup: [], steps: [], slots: [])
        // A container without this file cannot be adopted, and runs all the same.
        try? AtomicFile.write(
            kept.encoded(), to: ResidentMonitor.planFile, in: runDirectory.raw, durable: false)
    }

    /// Lives beside a container whose monitor was killed, until its end. Its terminal went with that monitor.
    ///
    /// - Throws: `notFound` where nothing runs, `conflict` where a monitor is there.
    static func adopt(runDirectory: String, containerDirectory: String) throws(Failure) {
        guard let state = try RunState.read(runDirectory), state.status == .running else {
            throw Failure(.notFound, "nothing runs in \(runDirectory)")
        }
        let process = try during("open the container's process") { () throws(SystemError) in
            try state.process.open()?.release()
        }
        guard let process else { throw Failure(.notFound, "the process of \(runDirectory) has ended") }
        let pidfd = SharedFileDescriptor(FileDescriptor(owning: process))
        let bytes = try during("read \(runDirectory)/\(planFile)") { () throws(SystemError) in
            try AtomicFile.read("\(runDirectory)/\(planFile)")
        }
        guard let bytes else { throw Failure(.notFound, "\(runDirectory) has no plan") }
        var plan = try MonitorPlan(decoding: bytes)
        plan.runDirectory = runDirectory
        plan.containerDirectory = containerDirectory
        let monitor = try ResidentMonitor(plan, launcher: nil)
        leaveCallersCgroup(to: plan.cgroupDirectory)
        try during("take over \(plan.containerID)") { () throws(SystemError) in
            try monitor.takeOver(state, pidfd)
        }
        monitor.run(nil)
    }

    /// Beside the container in its scope, where the first monitor was: a caller that ends with its unit does not take
    /// this one along.
    private static func leaveCallersCgroup(to container: String) {
        guard container.hasSuffix(".scope/container") else { return }
        let monitor = container.dropLast("container".count) + "monitor"
        // Where that is gone the container is about to be, too.
        _ = try? FileDescriptor.open("\(monitor)/cgroup.procs", [.writeOnly]).write("0")
    }

    private func takeOver(_ state: RunState, _ pidfd: SharedFileDescriptor) throws(SystemError) {
        process = state.process
        startedAt = state.startedAt
        cgroupTasks = state.cgroupTasks
        adopted = pidfd
        if !plan.terminal { try openStreams() }
        try queue.add(pidfd.raw, .read, token: Token.process)
        listen()
        writeState(.running)
        takeOverExecs()
        // Without names it is better off than without a monitor.
        try? openNames(of: state.process.pid)
        if plan.health != nil {
            // What the first monitor had begun nobody waits for.
            killLeftChecks()
            health = (try? HealthRecord.read(plan.runDirectory)) ?? HealthRecord()
            isHealthAdopted = true
        }
    }

    /// Somebody else reaps it: newer kernels tell afterwards how it ended.
    func takeAdoptedEnd() {
        guard let pidfd = adopted else { return }
        var status = ctr_init_exit_status(pidfd.raw)
        for _ in 0..<50 where status == -Int(Errno.again) || status == -Int(Errno.noProcess) {
            Process.sleep(microseconds: 2000)
            status = ctr_init_exit_status(pidfd.raw)
        }
        if status >= 0 {
            exitCode = Process.exitCode(ofStatus: Int32(status))
        } else {
            exitCode = 255
            endIsUnknown = "the container's monitor was killed: how the container ended is not known"
        }
        try? queue.remove(pidfd.raw)
        adopted = nil
    }
}
