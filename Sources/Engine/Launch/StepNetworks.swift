internal import Failure
internal import LinuxSystem
internal import Synchronization

/// The networks of a build's step, which is no container: it has no record and no name, but addresses and rules. They are
/// given back when this value goes; of a builder that was killed, by the next one.
final class StepNetworks: Sendable {
    let prepared: PreparedNetworks
    let record: ContainerRecord
    private let engine: Engine
    /// Says that the step is there: `Engine.isAlive`.
    private let lock: SharedFileDescriptor

    static let lockName = "step.lock"

    init(_ engine: Engine, _ request: StepRequest, network: String) throws(Failure) {
        try engine.sweepSteps()
        self.engine = engine
        let id = request.id
        var settings = ContainerSettings()
        settings.network = network
        settings.hostname = request.hostname
        settings.extraHosts = request.extraHosts
        settings.networking.attachments = [NetworkAttachment(network)]
        record = ContainerRecord(
            id: id, created: 0, image: "", imageID: "", manifestDigest: "", layers: [], platform: "",
            settings: settings)
        let directory = engine.runDirectory(of: id)
        lock = try during("make \(directory)") { () throws(SystemError) in
            // Nobody sweeps between the file and its lock.
            let making = try FileLock(engine.stepsLock, .shared)
            defer { making.letGo() }
            try Directory.ensurePath(directory)
            let lock = try FileLock("\(directory)/\(StepNetworks.lockName)", .exclusive)
            return try Launching.duplicate(lock.raw)
        }
        do throws(Failure) {
            guard var prepared = try engine.prepareNetworks(of: record, isRestart: false) else {
                throw Failure(.internal, "the step has no network")
            }
            prepared.names = []
            self.prepared = prepared
        } catch {
            try? Directory.removeTree(directory)
            throw error
        }
    }

    deinit {
        let rules = (try? engine.giveNetworksBack(of: record.id)) ?? nil
        engine.rulesOfLastStep.withLock { $0 = rules }
        try? Directory.removeTree(engine.runDirectory(of: record.id))
    }
}

extension Engine {
    fileprivate var stepsLock: String { "\(runPath)/networks/.steps" }

    /// What builders left that were killed.
    func sweepSteps() throws(Failure) {
        let attempt = try during("lock the networks of builds") { () throws(SystemError) in
            try Directory.ensurePath("\(runPath)/networks")
            return try FileLock.attempt(stepsLock, .exclusive)
        }
        // Another builder sweeps, or makes its own.
        guard let lock = attempt else { return }
        defer { lock.letGo() }
        let names = try during("list \(runPath)") { () throws(SystemError) -> [String] in
            do throws(SystemError) {
                return try Directory.names(in: try Directory.open(runPath))
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
        for id in names where id.utf8.count == 64 {
            let path = runDirectory(of: id)
            guard (try? FileDescriptor.exists("\(path)/\(StepNetworks.lockName)")) ?? false,
                !isAlive(id, isKept: false)
            else { continue }
            try giveNetworksBack(of: id, isAbandoned: true)
            try? Directory.removeTree(path)
        }
    }
}
