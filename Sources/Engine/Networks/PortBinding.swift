package import Networks

/// A port of a running container, with the host's that leads there: a line of `ctr port`, a part of a column of `ps`.
package struct PortBinding: Sendable, Equatable {
    package let containerPort: UInt16
    package let transport: Transport
    /// nil, as the port: exposed, and not published.
    package let hostAddress: IPAddress?
    package let hostPort: UInt16?

    package init(
        _ containerPort: UInt16, _ transport: Transport, hostAddress: IPAddress? = nil,
        hostPort: UInt16? = nil
    ) {
        self.containerPort = containerPort
        self.transport = transport
        self.hostAddress = hostAddress
        self.hostPort = hostPort
    }

    /// `80/tcp`
    package var containerText: String { "\(containerPort)/\(transport.word)" }

    /// `0.0.0.0:8080`, `[::]:8080`; empty where it is not published.
    package var hostText: String {
        guard let hostAddress, let hostPort else { return "" }
        return PortBinding.joined(hostAddress, String(hostPort))
    }

    package static func joined(_ address: IPAddress, _ port: String) -> String {
        address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    /// What of the container is published, and then what is exposed only, each in docker's order.
    package static func all(_ state: NetworkState, exposed: [ExposedPorts]) -> [PortBinding] {
        let anywhere = [IPFamily.v4, .v6].filter { state.publishedTarget($0) != nil }.map(unspecified)
        var bindings: [PortBinding] = []
        var published = Set<ExposedPorts>()
        for port in state.ports {
            for (offset, hostPort) in port.hostPorts.enumerated() {
                guard let inside = UInt16(exactly: Int(port.containerPort) + offset) else { break }
                published.insert(ExposedPorts(inside...inside, port.transport))
                for address in port.hostAddress.map({ [$0] }) ?? anywhere {
                    bindings.append(
                        PortBinding(inside, port.transport, hostAddress: address, hostPort: hostPort))
                }
            }
        }
        for range in exposed {
            for port in range.ports
            where published.insert(ExposedPorts(port...port, range.transport)).inserted {
                bindings.append(PortBinding(port, range.transport))
            }
        }
        return bindings.sorted(by: precedes)
    }

    package static func unspecified(_ family: IPFamily) -> IPAddress {
        family == .v4 ? .v4(IPv4Address(value: 0)) : .v6(IPv6Address(high: 0, low: 0))
    }

    private static func precedes(_ left: PortBinding, _ right: PortBinding) -> Bool {
        if left.containerPort != right.containerPort { return left.containerPort < right.containerPort }
        let (first, second) = (left.hostAddress?.description ?? "", right.hostAddress?.description ?? "")
        if first != second { return first < second }
        if left.hostPort != right.hostPort { return left.hostPort ?? 0 < right.hostPort ?? 0 }
        return left.transport.word < right.transport.word
    }
}

extension PortBinding {
    /// docker's column PORTS: `0.0.0.0:8000-8002->8000-8002/tcp, 9000/udp, 0.0.0.0:8080->80/tcp`. Neighbours that have the
    /// same number on both sides are one range; ports of different numbers stand alone, at the end.
    package static func text(_ bindings: [PortBinding]) -> String {
        var (finished, open, single) = ([String](), [Run](), [String]())
        for binding in bindings {
            if let hostPort = binding.hostPort, hostPort != binding.containerPort {
                single.append("\(binding.hostText)->\(binding.containerText)")
                continue
            }
            let run = Run(binding)
            guard let place = open.firstIndex(where: { $0.isOfOneKind(with: run) }) else {
                open.append(run)
                continue
            }
            if Int(open[place].last) + 1 == Int(run.first) {
                open[place].last = run.first
            } else {
                finished.append(open[place].text)
                open[place] = run
            }
        }
        return (finished + open.map(\.text) + single).joined(separator: ", ")
    }

    private struct Run {
        let address: IPAddress?
        let transport: Transport
        let first: UInt16
        var last: UInt16

        init(_ binding: PortBinding) {
            address = binding.hostAddress
            transport = binding.transport
            (first, last) = (binding.containerPort, binding.containerPort)
        }

        func isOfOneKind(with other: Run) -> Bool {
            address == other.address && transport == other.transport
        }

        var text: String {
            let ports = ExposedPorts.text(first...last)
            let host = address.map { PortBinding.joined($0, ports) + "->" } ?? ""
            return "\(host)\(ports)/\(transport.word)"
        }
    }
}
