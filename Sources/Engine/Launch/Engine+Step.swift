internal import ContainerMonitor
package import Failure
internal import LaunchPlan
package import LinuxSystem
internal import NameService
package import OCI
internal import Runtime
internal import Synchronization

/// A command of a build, run as `ctr run` would run it.
package struct StepRequest: Sendable {
    package enum Network: Sendable, Equatable {
        case host, none
        /// One of ctr's.
        case named(String)
    }

    /// Names the cgroup: 12 hexadecimal digits and more.
    package var id: String
    package var arguments: [String]
    /// NAME=value
    package var environment: [String] = []
    package var workingDirectory = "/"
    /// As USER has it: `name`, `uid:gid`; empty for root.
    package var user = ""
    package var network = Network.named("bridge")
    package var hostname = "ctr-build"
    /// `name:address`
    package var extraHosts: [String] = []
    package var mounts: [RuntimeSpec.Mount] = []
    /// Bytes; nil: docker's 64 MiB.
    package var shmSize: UInt64?
    package var ulimits: [String] = []
    /// A directory for hosts, hostname and resolv.conf, which stays until the step has ended.
    package var filesDirectory: String

    package init(id: String, arguments: [String], filesDirectory: String) {
        self.id = id
        self.arguments = arguments
        self.filesDirectory = filesDirectory
    }

    /// The places that must be there in the root before the step starts.
    package var targets: [(path: String, isDirectory: Bool)] {
        ["/proc", "/sys", "/dev"].map { ($0, true) } + NetworkFiles.names.map { ("/etc/\($0)", false) }
    }
}

/// A step that runs. It is killed when this value goes, which then waits for its monitor: keep it for as long as other work
/// can be done meanwhile.
package final class RunningStep: Sendable {
    private let socket: SharedFileDescriptor
    private let pid: Int32
    /// Removed by the monitor, and here where that was killed.
    private let cgroups: [String]
    private let networks: StepNetworks?
    private let isReaped = Atomic<Bool>(false)

    init(socket: consuming FileDescriptor, pid: Int32, cgroups: [String], networks: StepNetworks?) {
        self.networks = networks
        self.socket = SharedFileDescriptor(socket)
        self.pid = pid
        self.cgroups = cgroups
    }

    deinit {
        kill()
        if !isReaped.load(ordering: .relaxed) { _ = try? Process.reap(pid) }
    }

    /// Whether the monitor has ended too; does not wait.
    package func isOver() -> Bool {
        if isReaped.load(ordering: .relaxed) { return true }
        let wnohang: Int32 = 1
        guard ((try? Process.reap(pid, options: wnohang)) ?? nil) != nil else { return false }
        isReaped.store(true, ordering: .relaxed)
        return true
    }

    /// Waits for the command's end; its monitor may still be removing the cgroups.
    /// - Returns: the command's exit code.
    /// - Throws: where the command was never reached; the cause is a `StartFailure`.
    package func wait() throws(Failure) -> Int32 {
        var reader = AttachFrameReader()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { room.deallocate() }
        while true {
            let got = try during("wait for the command") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(socket.raw) { (socket) throws(SystemError) in
                    try socket.read(into: room)
                }
            }
            guard got > 0 else {
                CgroupRemoval.remove(cgroups) { Process.sleep(microseconds: 5000) }
                throw Failure(.interrupted, "the command was stopped")
            }
            reader.append(UnsafeRawBufferPointer(rebasing: room[..<got]))
            switch try? reader.next() {
            case .exited(let code): return code
            case .failed(let exitCode, let code, let message):
                throw Failure(
                    Failure.Code(description: code), message, cause: StartFailure(exitCode: exitCode))
            default: continue
            }
        }
    }

    /// Kills the command and what it started; `wait` then returns.
    package func kill() { try? UnixSocket.shutDownWriting(socket.raw) }
}

extension Engine {
    /// Starts a build's step in a mounted root, with docker's default seccomp profile, capabilities and masks.
    ///
    /// - Parameters:
    ///   - root: a mount of the root; it may go when this has returned.
    ///   - output: both output streams go there.
    package func startStep(
        _ request: StepRequest, root: borrowing FileDescriptor, output: Int32
    ) throws(Failure) -> RunningStep {
        let files = try during("make \(request.filesDirectory)") { () throws(SystemError) in
            try Directory.ensurePath(request.filesDirectory)
            return try Directory.open(request.filesDirectory)
        }
        var networks: StepNetworks?
        if case .named(let name) = request.network {
            networks = try StepNetworks(self, request, network: name)
        }
        if let networks {
            try writeNetworkFiles(of: networks.record, networks.prepared, in: files)
        } else {
            try NetworkFiles(
                hostname: request.hostname, domainname: "", extraHosts: request.extraHosts,
                usesHostNetwork: request.network == .host
            ).write(in: files.raw)
        }

        let users = try UserDatabase(root: root)
        var options = SpecOptions()
        options.arguments = request.arguments
        options.environment = request.environment
        options.workingDirectory = request.workingDirectory
        options.user = try users.identity(of: request.user, addedGroups: [])
        options.hostname = request.hostname
        options.namespaces.network =
            switch request.network {
            case .host: .host
            case .none: .none
            case .named: .private
            }
        if let size = request.shmSize { options.shmSize = size }
        options.limits = try SpecOptions.limits(request.ulimits)
        let own = Set(request.mounts.map(\.destination))
        options.mounts =
            NetworkFiles.names.filter { !own.contains("/etc/\($0)") && !own.contains("/etc") }.map {
                RuntimeSpec.Mount(
                    destination: "/etc/\($0)", type: "bind", source: "\(request.filesDirectory)/\($0)",
                    options: ["rbind", "rprivate"])
            } + request.mounts
        let host = try hostFacts()
        options.defaultAppArmorProfile = try defaultAppArmorProfile(host)
        let spec = try SpecBuilder.build(options, host: host)
        let placement = try placement(request.id, spec.linux?.resources, host)
        var context = Planner.Context(
            containerID: request.id, host: host, placement: placement,
            seccompFilter: try seccompFilter(options, spec))
        context.awaitsNetwork = networks != nil
        var launch = try Planner.plan(spec, context)
        // Without its monitor nobody would end a step: its first process goes with it, and with that one all others.
        let end =
            launch.steps.lastIndex {
                if case .execute = $0 { true } else { false }
            } ?? launch.steps.endIndex
        launch.steps.insert(.parentDeathSignal(Signal.kill), at: end)
        let slots = try LaunchSlots(launch.slots, root: root)
        var plan = MonitorPlan(mode: .step, containerID: request.id, launch: launch)
        plan.cgroupDirectory = placement?.location.cgroupDirectory ?? ""
        plan.cgroupsToRemove = placement?.location.toRemove ?? []
        plan.awaitsNetwork = networks != nil
        plan.resolver = networks?.prepared.resolver?.record.bytes ?? []
        let program = try Engine.monitorProgram()
        let (socket, step) = try during("start the command") { () throws(SystemError) in
            let pair = try UnixSocket.pair(.stream)
            let pid = try Process.spawn(
                program: program, arguments: ["ctr-monitor"], environment: [], output: output, error: output,
                passed: [pair.second.raw])
            try PlanTransport.send(
                plan.encoded(), version: LaunchPlan.version, slots: slots.numbers,
                to: pair.first.raw)
            let step = RunningStep(
                socket: try pair.first.duplicate(), pid: pid, cgroups: plan.cgroupsToRemove,
                networks: networks)
            return (SharedFileDescriptor(try pair.first.duplicate()), step)
        }
        if let networks { attachNetworks(networks.prepared, of: networks.record, over: socket.raw) }
        return step
    }
}
