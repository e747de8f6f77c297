import Engine

/// The filters of `ps` that ask for networks and ports: of several values of one filter, one is enough.
struct NetworkFilter {
    let names: [String]
    let published: [ExposedPorts]
    let exposed: [ExposedPorts]

    init(_ names: [String], _ ports: (published: [ExposedPorts], exposed: [ExposedPorts])) {
        self.names = names
        published = ports.published
        exposed = ports.exposed
    }

    func passes(_ container: ContainerSummary, _ engine: Engine) -> Bool {
        if !names.isEmpty {
            guard NetworkFilter.networks(of: container.record).contains(where: names.contains) else {
                return false
            }
        }
        if published.isEmpty, exposed.isEmpty { return true }
        guard let state = engine.networkState(of: container) else { return false }
        let bindings = PortBinding.all(state, exposed: container.record.settings.networking.exposed)
        func has(_ wanted: [ExposedPorts], _ port: (PortBinding) -> UInt16?) -> Bool {
            wanted.isEmpty
                || bindings.contains { binding in
                    guard let port = port(binding) else { return false }
                    return wanted.contains {
                        $0.transport == binding.transport && $0.ports.contains(port)
                    }
                }
        }
        return has(published) { $0.hostPort } && has(exposed) { $0.containerPort }
    }

    /// By name; without any, the mode that stands in their place.
    static func networks(of record: ContainerRecord) -> [String] {
        let attached = record.settings.networking.attachments.map(\.network)
        if !attached.isEmpty { return attached }
        return [record.settings.network.isEmpty ? "none" : record.settings.network]
    }
}
