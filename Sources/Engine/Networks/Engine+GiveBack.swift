internal import ContainerMonitor
internal import EventJournal
package import Failure
package import LinuxSystem
internal import NameService
internal import Networks
internal import Rootless

/// The end of a run on networks, and of a container: what it had of them is anybody's again.
extension Engine {
    /// What the last run had of networks is given back: ways in, rules, names, addresses. Nothing to give back is no
    /// failure. Under the container's lock.
    ///
    /// - Parameter isAbandoned: nobody held the ports since the run's end: they may be another container's by now.
    /// - Returns: the socket of the rules, which takes its time to close (`HostRules.keepingOpen`).
    @discardableResult
    func giveNetworksBack(of id: String, isAbandoned: Bool = false) throws(Failure) -> SharedFileDescriptor? {
        guard let state = try networkState(of: id) else { return nil }
        return try giveBack(state, of: id, isRestart: false, isAbandoned: isAbandoned)
    }

    /// - Parameter isRestart: the monitor keeps the host's ports; only where they lead changes.
    @discardableResult
    func giveBack(
        _ state: NetworkState, of id: String, isRestart: Bool, isAbandoned: Bool = false
    ) throws(Failure) -> SharedFileDescriptor? {
        for endpoint in state.endpoints {
            try EndpointDirectory(existing: namesPath(of: endpoint.network))?.unregister(id)
        }
        if let keeper = state.keeper { try UserModeNetwork.stop(keeper) }
        try unbalance(state, of: id)
        var ports = state.publishedPorts(owner: id)
        if isAbandoned, !ports.isEmpty {
            let others = try networkStates().filter { $0.id != id && isAlive($0.id, isKept: false) }
                .flatMap { $0.state.publishedPorts(owner: $0.id) }
            ports.removeAll { port in others.contains { $0.meets(port) } }
        }
        // Until the note is gone: who writes all rules would write those of this container once more.
        let lock = try lockRules(.shared)
        defer { lock.letGo() }
        let rules = try withHostNetwork { (host) throws(Failure) in
            do throws(SystemError) {
                // In a restart the way leads to nobody for a moment, instead of to whoever gets the address.
                if !ports.isEmpty { try host.rules.withdraw(ports) }
                try host.rules.remove(state.endpoints.filter { !$0.port.isEmpty }.map(\.rulesEndpoint))
            } catch {
                // Flushed tables have nothing of it.
                guard error.isMissing else { throw error.failure("take the rules of \(id.prefix(12)) away") }
            }
            return try? host.rules.keepingOpen()
        }
        let store = try networkStore()
        for endpoint in state.endpoints {
            // What was asked for is kept until the container is removed.
            if let assignment = try store.assignment(of: id, on: endpoint.network), !assignment.isKept {
                try store.release(id, on: endpoint.network)
            }
        }
        failpoint("network.released")
        if !isStep(id) { tellNetworks("disconnect", state, id) }
        try? Directory.removeFile("\(runDirectory(of: id))/\(NetworkNote.fileName)")
        try? Directory.removeFile("\(runDirectory(of: id))/\(ResolverFile.name)")
        return rules
    }

    /// Of a container that has ended: its monitor was killed, and nobody gave anything back. Who has its lock does that, or
    /// is not to be waited for by a list.
    func sweepNetworks(of record: ContainerRecord) {
        guard
            (try? FileDescriptor.exists("\(runDirectory(of: record.id))/\(NetworkNote.fileName)")) ?? false,
            let lock = (try? containerStore.attemptLock(record)) ?? nil
        else { return }
        defer { lock.letGo() }
        guard let state = try? state(of: record), !state.isRunning else { return }
        _ = try? giveNetworksBack(of: record.id, isAbandoned: true)
    }

    func tellNetworks(_ action: String, _ state: NetworkState, _ id: String) {
        let now = Timestamp.now().nanosecondsSinceEpoch
        journal.append(
            state.endpoints.map { endpoint in
                Event(
                    time: now, kind: .network, action: action, id: endpoint.networkID,
                    attributes: [
                        .init("container", id), .init("name", endpoint.network),
                        .init("type", endpoint.port.isEmpty ? "macvlan" : "bridge"),
                    ])
            })
    }

    /// Addresses that were kept for a container that goes away now.
    func releaseKeptAddresses(of record: ContainerRecord) throws(Failure) {
        let attachments = record.settings.networking.attachments
        let kept = attachments.filter(\.keepsAddress)
        guard !kept.isEmpty else { return }
        let store = try networkStore()
        for attachment in kept { try store.release(record.id, on: attachment.network) }
    }

    /// Of a container that was just made: what was asked for is nobody else's from now on.
    func keepAddresses(of record: ContainerRecord) throws(Failure) {
        for attachment in record.settings.networking.attachments where attachment.keepsAddress {
            let store = try networkStore()
            _ = try assign(attachment, on: try network(of: attachment, store), of: record.id, store)
        }
    }

    /// After the end of a run, by its client or its monitor.
    /// - Returns: as `giveNetworksBack`.
    @discardableResult
    package func detachEnded(_ id: String) throws(Failure) -> SharedFileDescriptor? {
        guard let record = try containerStore.record(of: id) else { return nil }
        // A start that has the lock gives back itself what was before it, and waits for the monitor that waits for this.
        let deadline = monotonicNanoseconds() + 100_000_000
        var attempt = try containerStore.attemptLock(record)
        while attempt == nil, monotonicNanoseconds() < deadline {
            Process.sleep(microseconds: 2000)
            attempt = try containerStore.attemptLock(record)
        }
        guard let lock = attempt else { return nil }
        defer { lock.letGo() }
        if let run = try runState(of: record), run.process.isAlive { return nil }
        return try giveNetworksBack(of: id)
    }
}

extension PublishedPort {
    /// Whether both have a port of the host.
    func meets(_ other: PublishedPort) -> Bool {
        transport == other.transport && hostPorts.overlaps(other.hostPorts)
            && (hostAddress == nil || other.hostAddress == nil || hostAddress == other.hostAddress)
    }
}
