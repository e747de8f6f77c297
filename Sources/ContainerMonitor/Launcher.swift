internal import CContainerInit
package import Failure
package import LaunchPlan
package import LinuxSystem

/// The parent's half of a launch: the cgroup's steps, the clone, and listening to the child until it has executed.
package struct Launcher: ~Copyable {
    /// A child that executes its program, or waits for `start`.
    package struct Launched: ~Copyable {
        package let pid: Int32
        package let pidfd: FileDescriptor
        /// The pseudo-terminal's master, where the plan has a terminal.
        package var terminal: FileDescriptor?
    }

    /// What came of a launch, for several owners.
    package struct Shared: Sendable {
        package let pid: Int32
        package let pidfd: SharedFileDescriptor
        package let terminal: SharedFileDescriptor?
    }

    private let file: PlanFile
    private let plan: LaunchPlan
    private let map: UnsafeRawBufferPointer
    /// By slot index; -1 where nothing is.
    private var slots: [Int32]
    private var opened: [SharedFileDescriptor] = []
    private var cgroup: SharedFileDescriptor?

    /// `bytes` is the encoded plan and must outlive the launcher; `plan` its decoded form, without steps. `slots` has a
    /// number for each slot of the plan that is not made here.
    package init(_ bytes: UnsafeRawBufferPointer, _ file: PlanFile, _ plan: LaunchPlan, slots: [Int32]) {
        map = bytes
        self.file = file
        self.plan = plan
        self.slots = slots
    }

    /// Who hears of a launch while it goes on.
    package struct Witness {
        /// There is a child, and nothing of the container runs yet.
        package var made: (Int32) -> Void = { _ in }
        /// The child waits at this stage for what the plan's `parent` does not hold.
        package var awaited: (UInt32, Int32) throws(Failure) -> Void = { (_, _) throws(Failure) in }
        /// The seccomp filter's listener has come.
        package var listener: (borrowing FileDescriptor, Int32) throws(Failure) -> Void = {
            (_, _) throws(Failure) in
        }

        package init() {}
    }

    /// Makes the cgroup, then the child; returns when it has executed, or waits for `start`.
    package mutating func launch(_ witness: Witness = Witness()) throws(LaunchFailure) -> Launched {
        for step in plan.cgroup {
            if case .startScope(let name, let slice, let description, let bus) = step {
                do throws(Failure) {
                    try Launcher.enterScope(name: name, slice: slice, description: description, bus: bus)
                } catch {
                    throw LaunchFailure(error)
                }
                continue
            }
            do throws(SystemError) {
                try act(step)
            } catch {
                throw LaunchFailure(error.failure(step.description, hint: Launcher.hint(for: step, error)))
            }
        }
        // Only for this child: those that come later belong where this process is.
        defer { if plan.joinPIDNamespace != nil { Launcher.returnToOwnPIDNamespace() } }
        do throws(SystemError) {
            if let slot = plan.joinPIDNamespace {
                try Launching.join(number(slot), flags: 0x2000_0000)
            }
        } catch {
            throw LaunchFailure(
                error.errno == Errno.noProcess
                    ? Failure(.conflict, "the container is not running", cause: error)
                    : error.failure("join the container's pid namespace"))
        }
        return try clone(witness)
    }

    private static func returnToOwnPIDNamespace() {
        guard let own = try? FileDescriptor.open("/proc/self/ns/pid") else { return }
        try? Launching.join(own.raw, flags: 0x2000_0000)
    }

    private func number(_ slot: Step.Slot) -> Int32 { slots.indices.contains(slot) ? slots[slot] : -1 }

    private static func hint(for step: CgroupStep, _ error: SystemError) -> String? {
        guard case .write(_, let value, _) = step,
            error.errno == Errno.invalid || error.errno == Errno.outOfRange
        else {
            return nil
        }
        return "the kernel does not take \(value)"
    }

    private func clone(_ witness: Witness) throws(LaunchFailure) -> Launched {
        let parentEnd: SharedFileDescriptor
        var childEnd: SharedFileDescriptor?
        do throws(SystemError) {
            let ends = try UnixSocket.pair(.packet).shared()
            parentEnd = ends.first
            childEnd = ends.second
        } catch {
            throw LaunchFailure(error.failure("start the container"))
        }
        var pidfd: Int32 = -1
        let program = UnsafeRawBufferPointer(rebasing: map[file.program])
        let preparation = UnsafeRawBufferPointer(rebasing: map[file.preparation])
        let pid = slots.withUnsafeBufferPointer { slots in
            var launch = ctr_launch(
                program: program.baseAddress, size: program.count, preparation: preparation.baseAddress,
                preparation_size: preparation.count, slots: slots.baseAddress,
                slot_count: Int32(slots.count), namespaces: plan.namespaces, cgroup: cgroup?.raw ?? -1,
                status_child: childEnd?.raw ?? -1, status_parent: parentEnd.raw)
            return Int32(ctr_init_launch(&launch, &pidfd))
        }
        // The child's copy alone is left: its end is the end of the stream.
        childEnd = nil
        guard pid > 0 else { throw Launcher.cloneFailure(-pid, plan) }
        var child = Child(pid: pid, pidfd: FileDescriptor(owning: pidfd))
        do throws(LaunchFailure) {
            if !preparation.isEmpty { try child.becomeSibling(heardOf: parentEnd.raw, file, plan) }
            witness.made(child.pid)
            let terminal = try listen(to: parentEnd.raw, child.pid, witness)
            return child.launched(terminal)
        } catch {
            // Whatever state it is in: nothing of it may live on.
            child.end()
            throw error
        }
    }

    private struct Child: ~Copyable {
        private(set) var pid: Int32
        private var pidfd: FileDescriptor

        init(pid: Int32, pidfd: consuming FileDescriptor) {
            self.pid = pid
            self.pidfd = pidfd
        }

        /// The process that prepared has cloned the one that goes on, and ends.
        mutating func becomeSibling(heardOf status: Int32, _ file: PlanFile, _ plan: LaunchPlan)
            throws(LaunchFailure)
        {
            var report = ctr_report()
            var passenger: Int32 = -1
            let answer = ctr_init_next_report(status, &report, &passenger)
            guard answer > 0, ctr_report_kind(report.kind) == CTR_REPORT_MADE, passenger >= 0 else {
                if passenger >= 0 { _ = FileDescriptor(owning: passenger) }
                if answer > 0, ctr_report_kind(report.kind) == CTR_REPORT_UNPREPARED {
                    let step = (try? file.step(at: Int(report.step), ofPreparation: true)) ?? nil
                    guard let step else { throw Launcher.cloneFailure(report.error, plan) }
                    throw LaunchFailure(report, step: step, in: plan)
                }
                throw LaunchFailure(
                    Failure(.internal, "the process that prepares the container ended without a word"))
            }
            _ = try? Process.reap(pid)
            pid = Int32(bitPattern: report.step)
            pidfd = FileDescriptor(owning: passenger)
        }

        func end() {
            _ = try? Process.signal(Signal.kill, to: pidfd)
            _ = try? Process.reap(pid)
        }

        consuming func launched(_ terminal: consuming FileDescriptor?) -> Launched {
            Launched(pid: pid, pidfd: pidfd, terminal: terminal)
        }
    }

    private static func cloneFailure(_ errno: Int32, _ plan: LaunchPlan) -> LaunchFailure {
        let error = SystemError(call: "clone3", path: nil, errno: errno)
        let doing = "make \(Step.names(ofNamespaces: plan.namespaces))"
        return LaunchFailure(
            error.failure(
                plan.namespaces == 0 ? "start a process" : doing,
                hint: errno == Errno.notPermitted ? "ctr needs root, with CAP_SYS_ADMIN" : nil))
    }

    /// Until the end of the stream (the child has executed), `created` or a failure.
    private func listen(to status: Int32, _ pid: Int32, _ witness: Witness) throws(LaunchFailure)
        -> FileDescriptor?
    {
        var terminal: FileDescriptor?
        while true {
            var report = ctr_report()
            var passenger: Int32 = -1
            let answer = ctr_init_next_report(status, &report, &passenger)
            let descriptor = passenger >= 0 ? FileDescriptor(owning: passenger) : nil
            if answer == 0 { return terminal }
            guard answer > 0 else {
                throw LaunchFailure(
                    SystemError(call: "recvmsg", path: nil, errno: Int32(-answer)).failure(
                        "start the container"))
            }
            switch ctr_report_kind(report.kind) {
            case CTR_REPORT_TERMINAL: terminal = descriptor
            case CTR_REPORT_AWAITING:
                do throws(Failure) {
                    if report.detail == 0 { try ParentStep.act(plan.parent, on: pid) }
                    try witness.awaited(report.detail, pid)
                } catch {
                    throw LaunchFailure(error)
                }
                _ = [0].withUnsafeBytes { try? UnixSocket.send($0, to: status) }
            case CTR_REPORT_LISTENER:
                guard let descriptor else { continue }
                do throws(Failure) { try witness.listener(descriptor, pid) } catch {
                    throw LaunchFailure(error)
                }
            case CTR_REPORT_CREATED: return terminal
            default:
                let step = (try? file.step(at: Int(report.step))) ?? nil
                throw LaunchFailure(report, step: step, in: plan)
            }
        }
    }
}

extension Launcher.Launched {
    package consuming func shared() -> Launcher.Shared {
        let pid = pid
        let master = terminal.take()
        let terminal: SharedFileDescriptor? =
            switch consume master {
            case .some(let master): SharedFileDescriptor(master)
            case .none: nil
            }
        return Launcher.Shared(pid: pid, pidfd: SharedFileDescriptor(pidfd), terminal: terminal)
    }
}

extension Launcher {
    /// A container that is started again has its scope already; one of an earlier monitor goes soon after that.
    private static func enterScope(
        name: String, slice: String, description: String, bus: String
    ) throws(Failure) {
        let own = (try? AtomicFile.read("/proc/self/cgroup", limit: 1 << 16)) ?? nil
        if String(decoding: own ?? [], as: UTF8.self).contains("/\(name)/monitor\n") { return }
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while true {
            do throws(Failure) {
                return try SystemdScope.start(
                    name: name, slice: slice, description: description, pid: Process.pid(), bus: bus)
            } catch {
                guard error.code == .alreadyExists, monotonicNanoseconds() < deadline else { throw error }
                Process.sleep(microseconds: 10_000)
            }
        }
    }

    private mutating func act(_ step: CgroupStep) throws(SystemError) {
        switch step {
        case .makeDirectory(let path): try Directory.ensurePath(path, mode: 0o755)
        case .write(let path, let value, let optional):
            do throws(SystemError) {
                try FileDescriptor.open(path, [.writeOnly]).write(value)
            } catch {
                let absent =
                    error.errno == Errno.noEntry || error.errno == Errno.notSupported
                    || error.errno == Errno.invalid
                guard optional, absent else { throw error }
            }
        case .moveSelf(let path): try Launcher.moveSelf(to: path)
        case .cloneInto(let path):
            cgroup = SharedFileDescriptor(try FileDescriptor.open(path, [.pathOnly, .directory]))
        case .openForChild(let path, let slot):
            let file = SharedFileDescriptor(try FileDescriptor.open(path, [.writeOnly]))
            opened.append(file)
            guard slots.indices.contains(slot) else {
                throw SystemError(call: "slot", path: path, errno: Errno.badDescriptor)
            }
            slots[slot] = file.raw
        case .attachDeviceFilter(let path, let program):
            let directory = try FileDescriptor.open(path, [.readOnly, .directory])
            try DeviceFilter.attach(try DeviceFilter.load(program), to: directory)
        case .delegate(let path, let uid): try Launcher.delegate(path, to: uid)
        case .startScope: break
        }
    }

    /// What the kernel's list names and this cgroup lacks is passed over.
    private static func delegate(_ path: String, to uid: UInt32) throws(SystemError) {
        let directory = try FileDescriptor.open(path, [.readOnly, .directory])
        try directory.changeOwner(uid: uid, gid: UInt32.max)
        let list = try AtomicFile.read("/sys/kernel/cgroup/delegate").map {
            String(decoding: $0, as: UTF8.self)
        }
        let files = (list ?? "cgroup.procs\ncgroup.subtree_control\ncgroup.threads").split(separator: "\n")
        for file in files {
            do throws(SystemError) {
                try Directory.changeOwner(String(file), in: directory.raw, uid: uid, gid: UInt32.max)
            } catch {
                guard error.errno == Errno.noEntry else { throw error }
            }
        }
    }

    /// `path` is a v1 `tasks` or a v2 `cgroup.procs` file; a thread that moves itself is moved at once.
    private static func moveSelf(to path: String) throws(SystemError) {
        try FileDescriptor.open(path, [.writeOnly]).write("0")
    }
}
