internal import LinuxSystem
internal import Networks

/// Port 53 of ``NameListeners/address`` is another one, in the network namespace of a container: bound to port 53 itself the
/// resolver would keep the container's own DNS server from 0.0.0.0:53 (docs/networks.md, "Names").
///
/// Ports are rewritten on the way out of the asker and of the resolver, without connection tracking: that would be on for all
/// that the container sends.
struct PortRedirection {
    let port: UInt16

    private static let asked: UInt16 = 53
    private static let table = NftTable(.inet, "ctr-names")

    init(to port: UInt16) { self.port = port }

    /// In the namespace that the calling thread is in. What an earlier resolver left there is replaced.
    func install() throws(SystemError) {
        let table = Self.table
        let chain = "output"
        // The rules are replaced, not the table: the removal of a chain that the kernel calls waits for an RCU grace period,
        // 15 ms, in every start.
        var changes = [
            table.add(),
            // NF_IP_PRI_RAW: before all that looks at ports.
            table.add(chain: chain, "filter", .output, priority: -300, comment: "names of ctr's networks"),
            table.flush(chain: chain),
        ]
        for transport in [Transport.udp, .tcp] {
            for direction in [Direction.question, .answer] {
                changes.append(table.add(rule(transport, direction), to: chain))
            }
        }
        var socket = try NftSocket()
        try socket.commit(changes)
    }

    /// IPPROTO_UDP and IPPROTO_TCP.
    private enum Transport: UInt8 {
        case udp = 17
        case tcp = 6

        var checksum: Int { self == .udp ? 6 : 16 }
    }

    private enum Direction { case question, answer }

    private func rule(_ transport: Transport, _ direction: Direction) -> [NftExpression] {
        let isQuestion = direction == .question
        let offset = isQuestion ? 2 : 0
        let (from, to) = isQuestion ? (Self.asked, port) : (port, Self.asked)
        return [
            // NFPROTO_IPV4
            .meta(.family, to: 0), .compare(0, .equal, [2]),
            .payload(.network, offset: isQuestion ? 16 : 12, length: 4, to: 0),
            .compare(0, .equal, NameListeners.address),
            .meta(.transport, to: 0), .compare(0, .equal, [transport.rawValue]),
            .payload(.transport, offset: offset, length: 2, to: 0), .compare(0, .equal, Self.bytes(from)),
            .immediate(Self.bytes(to), to: 0),
            .writePort(from: 0, offset: offset, checksum: transport.checksum),
        ]
    }

    private static func bytes(_ port: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(network: port)
        return bytes
    }
}
