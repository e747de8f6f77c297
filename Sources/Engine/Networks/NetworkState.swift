package import Failure
package import LinuxSystem
package import Networks

/// What a running container has of networks: `network` in its run directory, written before anything of it is made, so that
/// whoever comes after a kill knows what to take away. By it the rules are made again where somebody flushed them.
package struct NetworkState: Sendable, Equatable {
    package struct Endpoint: Sendable, Equatable {
        package var network: String
        package var networkID: String
        /// The host's end of the pair; empty for a macvlan.
        package var port: String
        /// The container's end.
        package var interface: String
        package var mac: MACAddress
        package var addresses: [InterfaceAddress]
        /// The network's, whether or not a default route leads there.
        package var gateways: [IPAddress]
        package var aliases: [String]
        /// Nothing comes in from the world.
        package var isInternal: Bool

        package init(
            network: String, networkID: String, port: String, interface: String, mac: MACAddress,
            addresses: [InterfaceAddress], gateways: [IPAddress], aliases: [String], isInternal: Bool = false
        ) {
            self.isInternal = isInternal
            self.network = network
            self.networkID = networkID
            self.port = port
            self.interface = interface
            self.mac = mac
            self.addresses = addresses
            self.gateways = gateways
            self.aliases = aliases
        }
    }

    /// A range of the host's ports and where it leads: of the container's addresses, or to all of an alias.
    package struct Port: Sendable, Equatable {
        package var transport: Transport
        /// nil: every address of the host.
        package var hostAddress: IPAddress?
        package var hostPorts: ClosedRange<UInt16>
        /// Of the first; the others follow.
        package var containerPort: UInt16
        package var balance: Balance?

        package init(
            _ transport: Transport, hostAddress: IPAddress?, hostPorts: ClosedRange<UInt16>,
            containerPort: UInt16, balance: Balance? = nil
        ) {
            self.transport = transport
            self.hostAddress = hostAddress
            self.hostPorts = hostPorts
            self.containerPort = containerPort
            self.balance = balance
        }
    }

    package var endpoints: [Endpoint] = []
    package var ports: [Port] = []
    /// Of an ordinary user's container: who keeps the program that is its way to the world.
    package var keeper: ProcessIdentity?

    package init() {}
}

extension NetworkState {
    private static let kind = "ctr-network-state 1"

    package var bytes: [UInt8] {
        var record = FlatRecord(kind: Self.kind)
        for endpoint in endpoints {
            record.add("endpoint", endpoint.network)
            record.add("network-id", endpoint.networkID)
            record.add("port", endpoint.port)
            record.add("interface", endpoint.interface)
            record.add("mac", endpoint.mac.description)
            record.add("address", all: endpoint.addresses.map { "\($0.address) \($0.length)" })
            record.add("gateway", all: endpoint.gateways.map(\.description))
            record.add("alias", all: endpoint.aliases)
            if endpoint.isInternal { record.add("internal", "1") }
        }
        for port in ports { record.add("published", port.line) }
        if let keeper { record.add("keeper", "\(keeper.pid) \(keeper.startTime)") }
        return record.bytes
    }

    package init(parsing bytes: [UInt8]) throws(Failure) {
        let record = try FlatRecord(kind: Self.kind, parsing: bytes, name: "a container's network state")
        let damaged = Failure(.dataLoss, "a container's network state is damaged")
        for entry in record.entries {
            if entry.key == "endpoint" {
                endpoints.append(
                    Endpoint(
                        network: entry.value, networkID: "", port: "", interface: "",
                        mac: MACAddress(value: 0),
                        addresses: [], gateways: [], aliases: []))
                continue
            }
            if entry.key == "published" {
                guard let port = Port(line: entry.value) else { throw damaged }
                ports.append(port)
                continue
            }
            if entry.key == "keeper" {
                let words = entry.value.split(separator: " ")
                guard words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]) else {
                    throw damaged
                }
                keeper = ProcessIdentity(pid: pid, startTime: start)
                continue
            }
            guard let last = endpoints.indices.last else { throw damaged }
            switch entry.key {
            case "network-id": endpoints[last].networkID = entry.value
            case "port": endpoints[last].port = entry.value
            case "interface": endpoints[last].interface = entry.value
            case "mac":
                guard let mac = MACAddress(entry.value) else { throw damaged }
                endpoints[last].mac = mac
            case "address":
                let words = entry.value.split(separator: " ")
                guard words.count == 2, let address = IPAddress(String(words[0])), let length = Int(words[1]),
                    length >= 0, length <= address.family.width
                else { throw damaged }
                endpoints[last].addresses.append(InterfaceAddress(address, length: length))
            case "gateway":
                guard let address = IPAddress(entry.value) else { throw damaged }
                endpoints[last].gateways.append(address)
            case "alias": endpoints[last].aliases.append(entry.value)
            case "internal": endpoints[last].isInternal = true
            default: break
            }
        }
    }
}

extension NetworkState.Port {
    /// `6 - 8080 8080 80`, and `ALIAS MODE` where it is balanced.
    fileprivate var line: String {
        let address = hostAddress.map(\.description) ?? "-"
        let way = balance.map { " \($0.alias) \($0.mode.rawValue)" } ?? ""
        return
            "\(transport.rawValue) \(address) \(hostPorts.lowerBound) \(hostPorts.upperBound) \(containerPort)\(way)"
    }

    fileprivate init?(line: String) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 5 || words.count == 7, let number = UInt8(words[0]),
            let transport = Transport(rawValue: number), let first = UInt16(words[2]),
            let last = UInt16(words[3]), first <= last, let inside = UInt16(words[4])
        else { return nil }
        var balance: Balance?
        if words.count == 7 {
            guard let mode = Balance.Mode(rawValue: words[6]) else { return nil }
            balance = Balance(alias: words[5], mode: mode)
        }
        self.init(
            transport, hostAddress: IPAddress(words[1]), hostPorts: first...last, containerPort: inside,
            balance: balance)
    }
}
