internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// One build while it is at work: what its stages share.
///
/// `@unchecked Sendable`: what changes is changed inside `condition`.
final class BuildSession: @unchecked Sendable {
    let engine: Engine
    let request: BuildRequest
    let progress: any BuildProgress
    let document: DockerfileDocument
    let platform: Platform
    /// Every file's time, and the image's.
    let epoch: Timestamp
    /// Where the context is.
    let contextIdentity: String
    let layers: LayerStore
    let lease: Lease
    let cache: BuildCache
    let work: WorkDirectory
    let sources: BuildSources
    let buildArguments: BuildArguments
    /// Digests of the context's files.
    let memory: DigestMemory
    let lastBuild = LastBuild()
    let imported: ImportedCaches

    private let condition = Condition()
    private var steps = 0
    private var failure: Failure?
    private var running: [ObjectIdentifier: RunningStep] = [:]
    private var ended: [RunningStep] = []
    private var pending: [(entry: BuildCache.Entry, layer: BuiltLayer)] = []
    private var lastKept = monotonicNanoseconds()
    private var used: [(entry: BuildCache.Entry, layer: BuiltLayer)] = []
    private var builds: [Int: StageBuild] = [:]

    init(
        engine: Engine, request: BuildRequest, progress: any BuildProgress, document: DockerfileDocument,
        platform: Platform, epoch: Timestamp, contextIdentity: String, lease: Lease, work: WorkDirectory,
        sources: BuildSources,
        arguments: BuildArguments, memory: DigestMemory, imported: ImportedCaches
    ) throws(Failure) {
        self.engine = engine
        self.request = request
        self.progress = progress
        self.document = document
        self.platform = platform
        self.epoch = epoch
        self.contextIdentity = contextIdentity
        self.lease = lease
        self.work = work
        self.sources = sources
        self.memory = memory
        self.imported = imported
        buildArguments = arguments
        layers = try engine.layerStore()
        cache = BuildCache(root: engine.root)
    }

    func nextStep() -> Int {
        condition.locked {
            steps += 1
            return steps
        }
    }

    // MARK: the end

    /// The first failure ends all stages: running commands are killed, waiting stages wake up.
    func fail(_ failure: Failure) {
        let stopped: [RunningStep] = condition.locked {
            if self.failure == nil { self.failure = failure }
            condition.wakeAll()
            return Array(running.values)
        }
        for step in stopped { step.kill() }
    }

    /// Throws what another stage has failed with.
    func check() throws(Failure) {
        if let failure = condition.locked({ failure }) { throw failure }
    }

    var firstFailure: Failure? { condition.locked { failure } }

    /// Registers a command, so that the build's end is its end.
    func hold(_ step: RunningStep) {
        let isOver = condition.locked {
            running[ObjectIdentifier(step)] = step
            return failure != nil
        }
        if isOver { step.kill() }
    }

    /// The command has ended. Its monitor is waited for at the build's end.
    func letGo(_ step: RunningStep) {
        condition.locked {
            running[ObjectIdentifier(step)] = nil
            ended.removeAll { $0.isOver() }
            ended.append(step)
        }
    }

    /// Stages and trees know the session: without this none of them would ever go, nor the scratch that they hold.
    func end() {
        let (builds, steps) = condition.locked {
            defer {
                self.builds = [:]
                ended = []
            }
            return (self.builds, ended)
        }
        withExtendedLifetime((builds, steps)) {}
        sources.end()
    }

    // MARK: stages

    /// Runs the target's stages, each on a thread of its own; returns when all have ended.
    func run(_ plan: BuildPlan) throws(Failure) -> StageResult {
        for index in plan.stages { builds[index] = StageBuild(document.stages[index], plan, self) }
        var threads: [Thread] = []
        for index in plan.stages {
            guard let build = builds[index] else { continue }
            do throws(SystemError) {
                threads.append(try Thread("stage \(index)") { self.run(build) })
            } catch {
                fail(error.failure("build stage \(index)"))
            }
        }
        for thread in threads { thread.join() }
        try? keep()
        if let failure = firstFailure { throw failure }
        guard let result = builds[plan.target]?.result else {
            throw Failure(.internal, "the target stage has no result")
        }
        return result
    }

    private func run(_ build: StageBuild) {
        do throws(Failure) {
            let result = try build.run()
            condition.locked {
                build.result = result
                condition.wakeAll()
            }
        } catch {
            fail(error)
        }
    }

    /// Waits for another stage's end.
    func result(ofStage index: Int) throws(Failure) -> StageResult {
        try condition.locked { () throws(Failure) in
            while true {
                if let failure { throw failure }
                if let result = builds[index]?.result { return result }
                guard builds[index] != nil else {
                    throw Failure(.internal, "stage \(index) is needed and not built")
                }
                condition.wait()
            }
        }
    }

    // MARK: what has been made

    /// Takes a step's result into the cache: at once when the build has taken a while since the last time, else with the
    /// next ones. One sync of the file system makes all of them durable.
    func add(_ entry: BuildCache.Entry, _ layer: BuiltLayer) throws(Failure) {
        let isDue = condition.locked {
            pending.append((entry, layer))
            return monotonicNanoseconds() - lastKept > 3_000_000_000
        }
        if isDue { try keep() }
    }

    /// Every step with a layer, for `--cache-to`.
    func noteUse(_ entry: BuildCache.Entry, _ layer: BuiltLayer) {
        condition.locked { used.append((entry, layer)) }
    }

    var allUsed: [(entry: BuildCache.Entry, layer: BuiltLayer)] { condition.locked { used } }

    /// Makes what has been made so far durable and known to later builds.
    func keep() throws(Failure) {
        try condition.locked { () throws(Failure) in
            guard !pending.isEmpty else { return }
            try lease.protect(layers: pending.map(\.layer.directory))
            for made in pending {
                if let fresh = made.layer.fresh, let record = made.layer.record { try fresh.stage(record) }
            }
            try engine.content.synchronize()
            failpoint("build.synced")
            for made in pending {
                try made.layer.fresh?.name(made.layer.diffID)
                failpoint("build.layer")
            }
            try layers.synchronize()
            try cache.put(pending.map(\.entry))
            pending = []
            lastKept = monotonicNanoseconds()
        }
    }
}
