internal import Failure
internal import LinuxSystem
internal import Networks

extension Engine {
    /// The settings with each network by its name, once it is sure that a container can be on it as it was asked for.
    ///
    /// - Throws: `notFound` for a network, `invalidArgument` and `conflict` for an address, with who has it.
    func resolved(_ settings: ContainerSettings) throws(Failure) -> ContainerSettings {
        guard !settings.networking.attachments.isEmpty else { return settings }
        var settings = settings
        let asked = settings.networking.attachments
        var networks: [Network] = []
        for (i, attachment) in asked.enumerated() {
            // The default network may still have to be made, which is the start's business.
            let isPlain = attachment.addresses.isEmpty && attachment.mac == nil
            if attachment.network == NetworkStore.defaultName, isPlain { continue }
            let network = try self.network(of: attachment)
            guard network.driver == .bridge || network.driver == .macvlan else {
                guard asked.count == 1, attachment == NetworkAttachment(attachment.network) else {
                    throw Failure(
                        .invalidArgument,
                        "--network \(attachment.network): network \(network.name) stands alone, and takes no options"
                    )
                }
                settings.network = network.name
                settings.networking.attachments = []
                return settings
            }
            settings.networking.attachments[i].network = network.name
            try check(attachment, on: network)
            networks.append(network)
        }
        let names = settings.networking.attachments.map(\.network)
        for (i, name) in names.enumerated() where names[..<i].contains(name) {
            throw Failure(.invalidArgument, "network \"\(name)\" is specified multiple times")
        }
        settings.network = names[0]
        try checkPublishing(settings.networking, networks)
        return settings
    }

    private func network(of attachment: NetworkAttachment) throws(Failure) -> Network {
        do throws(Failure) {
            return try network(attachment.network)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .notFound, "no such network: \(attachment.network)",
                hint: "make it with \"ctr network create \(attachment.network)\"")
        }
    }

    /// Whether a container that is not there yet can have what is asked for.
    ///
    /// - Parameter id: of a container whose own addresses are in nobody's way.
    func check(
        _ attachment: NetworkAttachment, on network: Network, besides id: String? = nil
    ) throws(Failure) {
        guard !attachment.addresses.isEmpty || attachment.mac != nil else { return }
        let store = try networkStore()
        try store.check(attachment.addresses, attachment.mac, on: network)
        for record in try containerStore.all() where record.id != id {
            for other in record.settings.networking.attachments where other.network == network.name {
                if let address = attachment.addresses.first(where: other.addresses.contains) {
                    throw Self.taken(address.description, on: network, by: record.name)
                }
                if let mac = attachment.mac, other.mac == mac {
                    throw Self.taken(mac.description, on: network, by: record.name)
                }
            }
        }
        for address in attachment.addresses {
            let owner = try store.owner(of: address, on: network.name) { (id, isKept) in
                guard let record = try? self.containerStore.record(of: id) else { return false }
                return isKept || (try? self.state(of: record).isRunning) ?? true
            }
            guard let owner, owner.containerID != id else { continue }
            let name = try containerStore.record(of: owner.containerID)?.name
            throw Self.taken(address.description, on: network, by: name ?? owner.containerID)
        }
    }

    private static func taken(_ address: String, on network: Network, by container: String) -> Failure {
        Failure(
            .conflict, "\(address) on network \(network.name) is taken by container \(container)",
            hint: "choose another, or leave it to ctr")
    }

    /// A port can be published where one of the networks has a way to the host.
    private func checkPublishing(_ networking: NetworkSettings, _ networks: [Network]) throws(Failure) {
        guard !networking.ports.isEmpty, networks.count == networking.attachments.count,
            networks.allSatisfy({ $0.isInternal || $0.driver == .macvlan }), let network = networks.first
        else { return }
        throw network.driver == .macvlan
            ? Failure(
                .invalidArgument,
                "--publish: network \(network.name) is a macvlan, whose containers are reached at their own addresses",
                hint: "leave out --publish")
            : Failure(
                .invalidArgument, "--publish: network \(network.name) is internal: nothing comes in",
                hint: "put the container on a network that is not internal too")
    }
}
