internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import NameService

/// In the run directory where `network connect` has changed what the plan says (`ResolverConfiguration.record`). The
/// monitor reads it at SIGHUP.
package enum ResolverFile {
    package static let name = "resolver"
}

/// In the run directory as long as the container has something of networks; `ctr` writes it.
package enum NetworkNote {
    package static let fileName = "network"
}

extension Resolver {
    /// One that answers in the network namespace of this process; nil without a configuration.
    static func answering(_ configuration: [UInt8], of pid: Int32) throws(Failure) -> Resolver? {
        guard !configuration.isEmpty else { return nil }
        let configuration = try ResolverConfiguration(parsing: configuration)
        return try during("answer names in the container's network") { () throws(SystemError) in
            let namespace = try FileDescriptor.open("/proc/\(pid)/ns/net")
            let listeners = try NameListeners.open(inside: namespace.raw)
            let resolver = try Resolver(configuration)
            try resolver.listen(on: listeners.datagram, .datagram)
            try resolver.listen(on: listeners.stream, .stream)
            return resolver
        }
    }
}

/// The container's DNS server, and what its networks are told of it.
extension ResidentMonitor {
    /// Answers in the network namespace of this process from now on.
    func openNames(of pid: Int32) throws(Failure) {
        guard let resolver = try Resolver.answering(plan.resolver, of: pid) else { return }
        try during("answer names in the container's network") { () throws(SystemError) in
            try queue.add(resolver.descriptor, .read, token: Token.names)
        }
        self.resolver = resolver
    }

    /// Its sockets would keep the network namespace there.
    func closeNames() {
        if let resolver { try? queue.remove(resolver.descriptor) }
        resolver = nil
    }

    func reloadNames() {
        guard let bytes = (try? AtomicFile.read(ResolverFile.name, in: runDirectory.raw)) ?? nil,
            bytes != plan.resolver, let configuration = try? ResolverConfiguration(parsing: bytes)
        else { return }
        plan.resolver = bytes
        savePlan()
        if let resolver {
            resolver.reload(configuration)
        } else if let process {
            try? openNames(of: process.pid)
        }
    }

    /// Takes the container out of the answers of its networks, or puts it back, and out of the ports that it is one of
    /// several behind.
    func setAway(_ absence: EndpointDirectory.Absence, _ isAway: Bool) {
        guard !plan.resolver.isEmpty, let configuration = try? ResolverConfiguration(parsing: plan.resolver)
        else { return }
        for network in configuration.networks {
            try? EndpointDirectory(existing: network.path)?.set(absence, isAway, of: plan.containerID)
        }
        _ = try? spawnEngine("__balance")
    }
}
