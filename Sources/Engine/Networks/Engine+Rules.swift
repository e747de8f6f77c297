package import Failure
internal import LinuxSystem
internal import NameService
internal import Networks

/// The host's rules as a whole: written where somebody flushed them, and swept of what nobody knows.
extension Engine {
    /// Shared by who changes single rules, exclusive for who writes them all.
    func lockRules(_ mode: FileLock.Mode) throws(Failure) -> FileLock {
        try during("lock the rules") { () throws(SystemError) in
            try Directory.ensurePath("\(runPath)/networks")
            return try FileLock("\(runPath)/networks/.rules", mode)
        }
    }

    /// The host's network with ctr's tables in it, whole: those that somebody flushed are made anew first. Many may change
    /// single elements at once; who writes everything is alone.
    func withRules<Value>(_ body: (inout HostNetwork) throws(Failure) -> Value) throws(Failure) -> Value {
        try withHostNetwork { (host) throws(Failure) in
            var lock = try lockRules(.shared)
            while try !areIntact(&host) {
                lock.letGo()
                let alone = try lockRules(.exclusive)
                if try !areIntact(&host) { try writeRules(&host) }
                alone.letGo()
                lock = try lockRules(.shared)
            }
            defer { lock.letGo() }
            return try body(&host)
        }
    }

    private func areIntact(_ host: inout HostNetwork) throws(Failure) -> Bool {
        do throws(SystemError) { return try host.rules.areIntact() } catch {
            throw error.failure(
                "ask for the rules of nftables",
                hint: error.isMissing ? nil : "\"ctr doctor\" tells what this host lacks")
        }
    }

    /// Everything as the records and the running containers have it.
    private func writeRules(_ host: inout HostNetwork) throws(Failure) {
        var contents = HostRules.Contents()
        contents.networks = try networkStore().list().networks.compactMap(\.bridge)
        for (id, state) in try networkStates() where isAlive(id, isKept: false) {
            contents.endpoints += state.endpoints.filter { !$0.port.isEmpty }.map(\.rulesEndpoint)
            contents.published += state.publishedPorts(owner: id)
        }
        contents.balanced = try balancedPorts()
        do throws(SystemError) { try host.rules.replaceAll(contents) } catch {
            throw error.failure("write the rules of nftables")
        }
    }

    /// Mends what somebody did to bridges and rules, and takes away what nobody knows any more.
    package func reloadNetworks() throws(Failure) {
        for (id, state) in try networkStates() where !isAlive(id, isKept: false) {
            if let record = try containerStore.record(of: id) {
                sweepNetworks(of: record)
            } else {
                try giveBack(state, of: id, isRestart: false, isAbandoned: true)
            }
        }
        let store = try networkStore()
        let networks = try store.list().networks
        let alone = try lockRules(.exclusive)
        defer { alone.letGo() }
        let states = try networkStates()
        try withHostNetwork { (host) throws(Failure) in
            let used = Set(states.flatMap { $0.state.endpoints.map(\.network) })
            for network in networks where used.contains(network.name) {
                if let bridge = network.bridge { try host.ensure(bridge) }
            }
            try writeRules(&host)
            try host.sweep(
                knownBridges: Set(networks.map(\.bridgeName)),
                knownPorts: Set(states.flatMap { $0.state.endpoints.map(\.port) }))
        }
        for network in networks {
            try store.sweepAddresses(of: network.name) { id, isKept in self.isAlive(id, isKept: isKept) }
            try EndpointDirectory(existing: namesPath(of: network.name))?.sweep {
                self.isAlive($0, isKept: false)
            }
        }
        try mendWaysOut()
    }

    /// For every command that is in no hurry: what somebody flushed comes back. It does what it does where this fails,
    /// whatever the host's firewall is like.
    package func mendRules() throws(Failure) {
        guard (try? FileDescriptor.exists("\(runPath)/networks")) ?? false else { return }
        try mendWaysOut()
        // One quick question, before anything is read of containers.
        if try withHostNetwork({ (host) throws(Failure) in try areIntact(&host) }) { return }
        if try !networkStates().isEmpty { try withRules { (_) throws(Failure) in } }
    }
}
