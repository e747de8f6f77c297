import CommandTable
import Engine
import LinuxSystem
import Networks

/// A network in the shape of docker's `network inspect`.
enum NetworkInspection {
    static func value(_ network: Network, _ members: [NetworkMember]) -> TemplateValue {
        var options = Dictionary(
            network.options.map { ($0.key, TemplateValue.string($0.value)) }, uniquingKeysWith: { $1 })
        if !network.bridgeName.isEmpty { options[NetworkOption.bridgeName] = .string(network.bridgeName) }
        var containers: [String: TemplateValue] = [:]
        for member in members where member.network == network.name && member.isRunning {
            containers[member.container.id] = container(member, network)
        }
        return .object([
            .init("Name", .string(network.name)),
            .init("Id", .string(network.id)),
            .init("Created", .string(TimeText.rfc3339(network.created.nanosecondsSinceEpoch))),
            .init("Scope", "local"),
            .init("Driver", .string(network.driverName)),
            .init("EnableIPv4", .bool(network.subnets.contains { $0.prefix.family == .v4 })),
            .init("EnableIPv6", .bool(network.hasIPv6)),
            .init(
                "IPAM",
                .object([
                    .init("Driver", "default"), .init("Options", .map([:])),
                    .init("Config", .array(network.subnets.map(subnet))),
                ])),
            .init("Internal", .bool(network.isInternal)),
            .init("Attachable", false),
            .init("Ingress", false),
            .init("ConfigFrom", .object([.init("Network", "")])),
            .init("ConfigOnly", false),
            .init("Containers", .map(containers)),
            .init("Options", .map(options)),
            .init("Labels", .labels(network.labelMap)),
        ])
    }

    private static func subnet(_ subnet: Network.Subnet) -> TemplateValue {
        var fields = [TemplateValue.Field("Subnet", .string(subnet.prefix.description))]
        if let range = subnet.range { fields.append(.init("IPRange", .string(range.description))) }
        if let gateway = subnet.gateway { fields.append(.init("Gateway", .string(gateway.description))) }
        return .object(fields)
    }

    private static func container(_ member: NetworkMember, _ network: Network) -> TemplateValue {
        let addresses = member.endpoint?.addresses ?? []
        func address(_ family: IPFamily) -> TemplateValue {
            .string(addresses.first { $0.address.family == family }?.description ?? "")
        }
        return .object([
            .init("Name", .string(member.container.name)),
            .init(
                "EndpointID",
                .string(Engine.endpointID(container: member.container.id, networkID: network.id))),
            .init("MacAddress", .string(member.endpoint?.mac.description ?? "")),
            .init("IPv4Address", address(.v4)),
            .init("IPv6Address", address(.v6)),
        ])
    }
}

/// A container's networks and ports in the shape of docker's `inspect`.
struct ContainerNetworkInspection {
    let container: ContainerSummary
    let engine: Engine
    /// nil where it does not run.
    let state: NetworkState?

    init(_ container: ContainerSummary, _ engine: Engine) {
        self.container = container
        self.engine = engine
        state = engine.networkState(of: container)
    }

    var value: TemplateValue {
        let bindings = state.map { PortBinding.all($0, exposed: networking.exposed) } ?? []
        var ports: [String: TemplateValue] = [:]
        for binding in bindings {
            guard binding.hostPort != nil else {
                ports[binding.containerText] = .null
                continue
            }
            let one = TemplateValue.object([
                .init("HostIp", .string(binding.hostAddress?.description ?? "")),
                .init("HostPort", .string(binding.hostPort.map(String.init) ?? "")),
            ])
            if case .array(let others)? = ports[binding.containerText] {
                ports[binding.containerText] = .array(others + [one])
            } else {
                ports[binding.containerText] = .array([one])
            }
        }
        var networks: [String: TemplateValue] = [:]
        for attachment in networking.attachments {
            networks[attachment.network] = .object(fields(of: attachment))
        }
        let mode = container.record.settings.network
        if networks.isEmpty, mode == "host" || mode == "none" || mode.isEmpty {
            let name = mode.isEmpty ? "none" : mode
            networks[name] = .object(fields(of: NetworkAttachment(name)))
        }
        let pid = container.state.pid
        return .object(
            [
                .init("SandboxID", .string(pid > 0 ? container.record.id : "")),
                .init("SandboxKey", .string(pid > 0 ? "/proc/\(pid)/ns/net" : "")),
                .init("Ports", .map(ports)),
            ] + addresses(networking.attachments.first) + [.init("Networks", .map(networks))])
    }

    /// What was asked for: docker's HostConfig.PortBindings.
    static func requestedPorts(_ record: ContainerRecord) -> TemplateValue {
        var ports: [String: [TemplateValue]] = [:]
        for request in record.settings.networking.ports {
            let isOneToOne = request.hostPorts?.count == request.containerPorts.count
            for (offset, port) in request.containerPorts.enumerated() {
                let host = request.hostPorts.map { range in
                    isOneToOne
                        ? String(Int(range.lowerBound) + offset) : "\(range.lowerBound)-\(range.upperBound)"
                }
                ports["\(port)/\(request.transport.word)", default: []].append(
                    .object([
                        .init("HostIp", .string(request.hostAddress?.description ?? "")),
                        .init("HostPort", .string(host ?? "")),
                    ]))
            }
        }
        return .map(ports.mapValues { .array($0) })
    }

    /// The image's, `--expose`'s and those that are published: docker's Config.ExposedPorts.
    static func exposedPorts(_ record: ContainerRecord) -> TemplateValue {
        let networking = record.settings.networking
        let ranges =
            networking.exposed + networking.ports.map { ExposedPorts($0.containerPorts, $0.transport) }
        var ports: [String: TemplateValue] = [:]
        for range in ranges {
            for port in range.ports { ports["\(port)/\(range.transport.word)"] = .object([]) }
        }
        return .map(ports)
    }

    private var networking: NetworkSettings { container.record.settings.networking }

    private func endpoint(_ attachment: NetworkAttachment?) -> NetworkState.Endpoint? {
        state?.endpoints.first { $0.network == attachment?.network }
    }

    private func fields(of attachment: NetworkAttachment) -> [TemplateValue.Field] {
        let record = container.record
        let networkID =
            endpoint(attachment)?.networkID ?? (try? engine.network(attachment.network).id) ?? ""
        var configuration: [TemplateValue.Field] = []
        for address in attachment.addresses {
            let name = address.family == .v4 ? "IPv4Address" : "IPv6Address"
            configuration.append(.init(name, .string(address.description)))
        }
        if !attachment.linkLocal.isEmpty {
            configuration.append(
                .init("LinkLocalIPs", .strings(attachment.linkLocal.map(\.description))))
        }
        let names = [record.name] + attachment.aliases + [record.shortID]
        return [
            .init("IPAMConfig", configuration.isEmpty ? .null : .object(configuration)),
            .init("Links", .null),
            .init("Aliases", attachment.aliases.isEmpty ? .null : .strings(attachment.aliases)),
            .init("DriverOpts", .null),
            .init("NetworkID", .string(networkID)),
        ] + addresses(attachment) + [
            .init(
                "DNSNames", networking.attachments.isEmpty ? .null : .strings(names))
        ]
    }

    /// Of the endpoint, or empty ones.
    private func addresses(_ attachment: NetworkAttachment?) -> [TemplateValue.Field] {
        let endpoint = endpoint(attachment)
        func own(_ family: IPFamily) -> InterfaceAddress? {
            endpoint?.addresses.first { $0.address.family == family }
        }
        func gateway(_ family: IPFamily) -> TemplateValue {
            .string(endpoint?.gateways.first { $0.family == family }?.description ?? "")
        }
        func text(_ address: InterfaceAddress?) -> TemplateValue {
            .string(address?.address.description ?? "")
        }
        let id = endpoint.map { endpoint in
            Engine.endpointID(container: container.record.id, networkID: endpoint.networkID)
        }
        let wanted = attachment?.mac?.description ?? ""
        return [
            .init("EndpointID", .string(id ?? "")),
            .init("Gateway", gateway(.v4)),
            .init("IPAddress", text(own(.v4))),
            .init("MacAddress", .string(endpoint?.mac.description ?? wanted)),
            .init("IPPrefixLen", .integer(Int64(own(.v4)?.length ?? 0))),
            .init("IPv6Gateway", gateway(.v6)),
            .init("GlobalIPv6Address", text(own(.v6))),
            .init("GlobalIPv6PrefixLen", .integer(Int64(own(.v6)?.length ?? 0))),
        ]
    }
}

extension Engine {
    /// nil where it does not run, or is on no network of ctr's. What cannot be read is not shown: a listing goes on.
    func networkState(of container: ContainerSummary) -> NetworkState? {
        guard container.state.isRunning, !container.record.settings.networking.attachments.isEmpty else {
            return nil
        }
        return (try? networkState(of: container.record.id)) ?? nil
    }
}
