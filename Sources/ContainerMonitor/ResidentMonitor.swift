internal import CContainerInit
internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService

/// What lives beside a container from its launch to its end: stdio, log, attached clients, restarts, the exit record.
///
/// SIGTERM, which systemd sends when the scope or the machine is stopped, stops the container as `ctr stop` would; the
/// restart policy then waits for the next start. SIGHUP says that there is a new exec to look after; SIGINT is ignored: a
/// monitor goes with its container, not before. If it is killed all the same, the container goes on and can be adopted.
final class ResidentMonitor {
    enum Token {
        static let signals: UInt64 = 1
        static let stdout: UInt64 = 2
        static let stderr: UInt64 = 3
        static let terminal: UInt64 = 4
        static let stdin: UInt64 = 5
        static let listener: UInt64 = 6
        static let process: UInt64 = 7
        static let check: UInt64 = 8
        static let memory: UInt64 = 9
        static let names: UInt64 = 10
        static let firstClient: UInt64 = 16
    }

    /// Of the current run: its launch list is dropped once the container runs.
    var plan: MonitorPlan
    let runDirectory: FileDescriptor
    let containerDirectory: FileDescriptor
    let queue: EventQueue
    let signals: FileDescriptor
    private let lock: FileLock
    /// The container's, from whoever starts it: held until the state tells what became of the start.
    private var startLock: SharedFileDescriptor?
    var listener: SharedFileDescriptor?

    // The current run.
    var process: ProcessIdentity?
    /// Set when the process has ended, by its wait status.
    var exitCode: Int32?
    /// SIGTERM came: the container is being stopped, and not started again.
    var isEnding = false
    /// Monotonic: when the patience with the container is over.
    var killDeadline: Int64?
    var cgroupTasks: [String] = []
    /// Why the exit code is not the process's own.
    var endIsUnknown = ""
    var startedAt: Int64 = 0
    /// The kernel killed a process of this run for want of memory; the kills counted so far.
    var wasOutOfMemory = false
    var killsSeen = 0
    var oomWatch: OOMWatch?
    var resolver: Resolver?
    /// Of all runs: until the ways to them are closed, nobody else is to have these ports.
    private var publishedPorts: [SharedFileDescriptor] = []
    /// Of a process that is not this one's child.
    var adopted: SharedFileDescriptor?
    var outputs: [Output] = []
    var terminal: SharedFileDescriptor?
    var input: SharedFileDescriptor?
    var pendingInput: [UInt8] = []
    /// The input is to be closed when what is pending is written.
    var inputEnds = false
    var inputIsWatched = false
    var inputWatch: SharedFileDescriptor?
    var outputIsWatched = false

    var clients: [UInt64: AttachedClient] = [:]
    var watched: [UInt64: EventQueue.Interest] = [:]
    var nextClient = Token.firstClient
    var log: (any ContainerLog)?
    /// Output that came while there was no log to be had.
    var lostBeforeLog: UInt64 = 0
    /// What `log-lost` says.
    var toldLosses: UInt64 = 0

    var health = HealthRecord()
    /// The record of an earlier monitor is gone on with.
    var isHealthAdopted = false
    var check: RunningCheck?
    /// Monotonic; nil: no check is to be run.
    var nextCheck: Int64?
    /// Who waits for the end of a check that it has asked for.
    var askers: [AttachedClient] = []
    /// An unhealthy container is started again, whatever its policy says.
    var isRestartedForHealth = false
    /// Monotonic: when the run's lifetime is over.
    var lifetimeEnd: Int64?
    var execs: [UInt64: WatchedExec] = [:]
    /// Of execs that are over, not empty yet.
    var leftCgroups: [String] = []
    var sweepDeadline: Int64?

    struct Output {
        let descriptor: SharedFileDescriptor
        let stream: LogStream
        let token: UInt64
        var isAtEnd = false
    }

    init(
        _ plan: MonitorPlan, launcher: SharedFileDescriptor?, startLock: SharedFileDescriptor? = nil
    ) throws(Failure) {
        self.plan = plan
        self.startLock = startLock
        do throws(SystemError) {
            runDirectory = try Directory.open(plan.runDirectory)
            containerDirectory = try Directory.open(plan.containerDirectory)
            guard let lock = try Self.lock(in: runDirectory.raw, waits: launcher != nil) else {
                throw SystemError(call: "flock", path: "monitor.lock", errno: Errno.busy)
            }
            self.lock = lock
            queue = try EventQueue()
            signals = try FileDescriptor.signals([
                Signal.child, Signal.terminate, Signal.hangUp, Signal.interrupt, Signal.pipe,
            ])
            try queue.add(signals.raw, .read, token: Token.signals)
            try Launching.becomeSubreaper()
        } catch {
            throw error.errno == Errno.busy
                ? Failure(.conflict, "the container runs already", cause: error)
                : error.failure("start the container's monitor")
        }
        if let launcher { add(AttachedClient(socket: launcher, isLauncher: true)) }
    }

    /// - Parameter waits: whoever starts the container has seen that it does not run. A monitor that still has the lock is
    ///   on its way out: its clients have heard of the end, and it removes what is left.
    private static func lock(in directory: Int32, waits: Bool) throws(SystemError) -> FileLock? {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while true {
            if let lock = try FileLock.attempt("monitor.lock", in: directory, .exclusive) { return lock }
            guard waits, monotonicNanoseconds() < deadline else { return nil }
            Process.sleep(microseconds: 2000)
        }
    }

    /// The container's life: runs until the restart policy ends. nil: the first run is going on already.
    func run(_ first: ReceivedPlan?) {
        var backOff = BackOff()
        var next = first
        while true {
            if let received = next.take() {
                plan = received.plan
                do throws(LaunchFailure) {
                    try launch(received)
                } catch {
                    finish(error)
                    return
                }
                // The lists were for the launch; what stays resident stays small.
                plan.launch = LaunchPlan(namespaces: plan.launch.namespaces, cgroup: [], steps: [], slots: [])
            }
            beginRun()
            let end = liveBeside()
            endRun()
            if wantsRestart(after: end) { next = restart(after: end, &backOff) }
            guard next != nil else {
                finish(end)
                return
            }
        }
    }

    // MARK: - the launch

    private func launch(_ received: ReceivedPlan) throws(LaunchFailure) {
        exitCode = nil
        process = nil
        startedAt = Timestamp.now().nanosecondsSinceEpoch
        var streams: StandardStreams?
        var own: [(SlotSource, Int32)] = []
        if !plan.terminal {
            do throws(SystemError) {
                let made = try StandardStreams(
                    in: runDirectory.raw, openStdin: plan.openStdin, uid: plan.uid, gid: plan.gid)
                own = [
                    (.standardInput, made.input.raw), (.standardOutput, made.output.raw),
                    (.standardError, made.error.raw),
                ]
                streams = made
                try openStreams()
            } catch {
                throw LaunchFailure(error.failure("make the container's stdio"))
            }
        }
        publishedPorts += received.publishedPorts
        let launched = try received.launch(own: own, made: childIsMade, networked: openNames)
        _ = consume streams
        if plan.terminal, let master = launched.terminal {
            openTerminal(SharedFileDescriptor(master))
        }
        do throws(Failure) { try plan.runHooks(.poststart, pid: launched.pid) } catch {
            killNow()
            _ = try? Process.reap(launched.pid)
            throw LaunchFailure(error)
        }
        tellStart()
        tellClients(.started(pid: launched.pid))
    }

    /// While the child makes its mounts: what else there is to do. The state comes before the program can run, so that
    /// no program runs that nobody knows of.
    private func childIsMade(_ pid: Int32) {
        process = ProcessIdentity(running: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
        cgroupTasks = plan.launch.cgroup.compactMap {
            if case .openForChild(let path, _) = $0 { path } else { nil }
        }
        writeState(.running)
        if plan.restart != .no { StartMark(startedAt: startedAt).write(in: containerDirectory.raw) }
        releaseStartLock()
        savePlan()
        beginCountingKills()
        if listener == nil { listen() }
    }

    func releaseStartLock() { startLock = nil }

    func writeState(_ status: RunState.Status, lastExitCode: Int32 = 0) {
        let own = Process.pid()
        guard let process else { return }
        let state = RunState(
            status: status, process: process,
            monitor: ProcessIdentity(running: own) ?? ProcessIdentity(pid: own, startTime: 0),
            startedAt: startedAt, restartCount: plan.restartCount, lastExitCode: lastExitCode,
            cgroupDirectory: plan.cgroupDirectory,
            cgroupTasks: cgroupTasks)
        // Nothing better can be done here than going on: the container's own life does not hang on this file.
        try? state.write(in: runDirectory.raw)
    }

    func listen() {
        try? Directory.removeFile("attach", in: runDirectory.raw)
        do throws(SystemError) {
            let socket = SharedFileDescriptor(
                try UnixSocket.listen("attach", in: runDirectory.raw, .stream))
            try queue.add(socket.raw, .read, token: Token.listener)
            listener = socket
        } catch {
            // Without it nobody can attach; the container runs and logs all the same.
            listener = nil
        }
    }

    func openStreams() throws(SystemError) {
        outputs = [
            Output(
                descriptor: try StandardStreams.open("stdout", in: runDirectory.raw), stream: .stdout,
                token: Token.stdout),
            Output(
                descriptor: try StandardStreams.open("stderr", in: runDirectory.raw), stream: .stderr,
                token: Token.stderr),
        ]
        input = plan.openStdin ? try StandardStreams.openInput(in: runDirectory.raw) : nil
        outputIsWatched = false
        inputIsWatched = false
        pendingInput = []
    }

    private func openTerminal(_ master: SharedFileDescriptor) {
        try? Launching.setNonBlocking(master.raw)
        terminal = master
        outputs = [Output(descriptor: master, stream: .stdout, token: Token.terminal)]
        input = master
        outputIsWatched = false
        inputIsWatched = false
        pendingInput = []
    }

    // MARK: - beside it

    private func beginRun() {
        if plan.lifetime > 0 {
            let age = Timestamp.now().nanosecondsSinceEpoch - startedAt
            lifetimeEnd = monotonicNanoseconds() + max(0, plan.lifetime * 1_000_000_000 - age)
        }
        beginHealth()
    }

    private func endRun() {
        lifetimeEnd = nil
        killDeadline = nil
        cancelCheck()
        closeNames()
        plan.runLastHooks()
    }

    private func actOnDeadlines() {
        let now = monotonicNanoseconds()
        if let deadline = killDeadline, now >= deadline { killNow() }
        if let end = lifetimeEnd, now >= end {
            lifetimeEnd = nil
            killNow()
        }
        actOnHealth(now)
        if let due = resolver?.nextDeadline, now >= due { resolver?.serve() }
        if let sweep = sweepDeadline, now >= sweep { sweepExecs() }
    }

    /// The next moment at which there is something to do without an event.
    var nextDeadline: Int64? {
        [killDeadline, lifetimeEnd, check?.deadline ?? nextCheck, sweepDeadline, resolver?.nextDeadline]
            .compactMap { $0 }.min()
    }

    /// Serves until the process has ended and all that it wrote is read. Answers its exit code.
    private func liveBeside() -> Int32 {
        var isTrimmed = false
        while exitCode == nil {
            actOnDeadlines()
            // What the launch needed goes back to the kernel once the container has been up for a moment.
            let isIdle = serve(
                milliseconds: isTrimmed ? timeout() : min(100, timeout() < 0 ? 100 : timeout()))
            if isIdle, !isTrimmed {
                ctr_init_return_free_memory()
                isTrimmed = true
                watchMemory()
            }
        }
        killLeftovers()
        let deadline = monotonicNanoseconds() + 5_000_000_000
        while launcherIsUndecided, monotonicNanoseconds() < deadline { _ = serve(milliseconds: 100) }
        drain()
        log?.finish(at: Timestamp.now())
        return exitCode ?? 255
    }

    /// One round of events; answers whether there was none.
    func serve(milliseconds: Int32) -> Bool {
        updateInterest()
        let events = (try? queue.wait(milliseconds: milliseconds)) ?? []
        for event in events {
            switch event.token {
            case Token.signals: takeSignals()
            case Token.stdout, Token.stderr, Token.terminal: readOutput(event.token)
            case Token.stdin: writeInput()
            case Token.listener: acceptClients()
            case Token.process: takeAdoptedEnd()
            case Token.memory: takeMemoryEvent()
            case Token.check: readCheck()
            case Token.names: resolver?.serve()
            default:
                if execs[event.token] != nil {
                    takeExecEnd(event.token)
                } else {
                    serveClient(event.token, event.ready)
                }
            }
        }
        dropClients()
        return events.isEmpty
    }

    private func takeSignals() {
        while let signal = (try? signals.nextSignal()) ?? nil {
            if signal == Signal.terminate {
                isRestartedForHealth = false
                end()
            }
            if signal == Signal.hangUp {
                lookForExecs()
                reloadNames()
            }
            guard signal == Signal.child else { continue }
            while let child = (try? Process.reap(-1, options: Process.withoutWaiting)) ?? nil {
                if child.pid == process?.pid { exitCode = Process.exitCode(ofStatus: child.status) }
                if child.pid == check?.worker { finishCheck(status: child.status) }
            }
        }
    }
}
