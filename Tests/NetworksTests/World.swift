import Glibc
import LinuxSystem
import Networks
import Testing

/// One after the other: the kernel's table of neighbours is one for all namespaces, and 500 containers fill it.
@Suite(.enabled(if: World.canRun, "not run: needs root and network namespaces"), .serialized) enum KernelTests
{}

/// A host, what is outside of it, and containers, each a network namespace of its own; the machine's own is not touched.
///
///     outside 192.0.2.2, 2001:db8:1::2 - uplink - 192.0.2.1, 2001:db8:1::1 host - bridges - containers
final class World {
    static let canRun = geteuid() == 0 && (try? NetworkNamespace.make()) != nil
    static let names = HostNames(table: "ctrtest", bridgePrefix: "tb-", portPrefix: "tp-")

    let host: SharedFileDescriptor
    let outside: SharedFileDescriptor
    let proc: SharedFileDescriptor
    private(set) var containers: [SharedFileDescriptor] = []

    init() throws {
        host = SharedFileDescriptor(try NetworkNamespace.make())
        outside = SharedFileDescriptor(try NetworkNamespace.make())
        proc = SharedFileDescriptor(try FileDescriptor.open("/proc", [.readOnly, .directory]))
        // A wire that has been there for long: nobody waits for the detection of duplicates.
        for place in [host, outside] {
            try inside(place) { try World.write("0", "/proc/sys/net/ipv6/conf/default/accept_dad") }
        }
        let outer = outside.raw
        try inHost {
            var routes = try RouteSocket()
            try routes.setUp("lo")
            try routes.addVeth(VethEnd(name: "uplink"), peer: VethEnd(name: "wire"), in: outer)
            let index = try routes.index(of: "uplink")
            try routes.add(InterfaceAddress("192.0.2.1/24"), to: index)
            try routes.add(InterfaceAddress("2001:db8:1::1/64"), to: index)
        }
        try inside(outside) {
            var routes = try RouteSocket()
            try routes.setUp("lo")
            let index = try routes.index(of: "wire")
            try routes.add(InterfaceAddress("192.0.2.2/24"), to: index)
            try routes.add(InterfaceAddress("2001:db8:1::2/64"), to: index)
            try routes.setUp("wire")
        }
        try knowEachOther()
    }

    /// As those who have talked before. The kernel joins an address's multicast group a moment after the address is there.
    private func knowEachOther() throws {
        var macs: [MACAddress] = []
        for (place, name) in [(host, "uplink"), (outside, "wire")] {
            try inside(place) {
                var routes = try RouteSocket()
                macs.append(try #require(routes.link(named: name)?.mac))
            }
        }
        for (place, name, end, mac) in [(host, "uplink", "2", macs[1]), (outside, "wire", "1", macs[0])] {
            try inside(place) {
                var routes = try RouteSocket()
                let index = try routes.index(of: name)
                for start in ["192.0.2.", "2001:db8:1::"] {
                    try routes.add(neighbour: ip(start + end), is: mac, on: index)
                }
            }
        }
    }

    static func write(_ text: String, _ path: String) throws {
        try FileDescriptor.open(path, .writeOnly).write(text)
    }

    static func read(_ path: String) throws -> String {
        String(decoding: try FileDescriptor.open(path).readAll(limit: 4096).dropLast(), as: UTF8.self)
    }

    func inside<R>(_ namespace: SharedFileDescriptor, _ body: () throws -> R) throws -> R {
        var result: Result<R, any Error>?
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
            result = Result { try body() }
        }
        return try #require(result).get()
    }

    func inHost<R>(_ body: () throws -> R) throws -> R { try inside(host, body) }

    func onHost<R>(_ body: (inout HostNetwork) throws -> R) throws -> R {
        try inHost {
            var network = try HostNetwork(World.names, proc: proc.raw)
            return try body(&network)
        }
    }

    /// The tables, and these networks with their rules.
    func start(_ networks: BridgeNetwork...) throws {
        try onHost { host in
            try host.rules.replaceAll(HostRules.Contents(networks: networks))
            for network in networks { try host.ensure(network) }
        }
    }

    /// A container on a network: the n-th address of each of its subnets.
    @discardableResult
    func add(_ number: UInt64, to network: BridgeNetwork, as interface: String = "eth0") throws -> Container {
        let container = Container(
            namespace: SharedFileDescriptor(try NetworkNamespace.make()),
            endpoint: try World.endpoint(number, on: network, interface))
        containers.append(container.namespace)
        let copy = try FileDescriptor.open("/proc/self/fd/\(container.namespace.raw)")
        try onHost { try $0.attach(container.endpoint, to: network, namespace: copy) }
        return container
    }

    static func endpoint(_ number: UInt64, on network: BridgeNetwork, _ interface: String = "eth0") throws
        -> Endpoint
    {
        var addresses: [InterfaceAddress] = []
        for gateway in network.gateways {
            let address = try #require(gateway.subnet.first.advanced(by: number))
            addresses.append(InterfaceAddress(address, length: gateway.length))
        }
        let bridge = network.bridge.utf8.reduce(UInt64(0)) { ($0 &* 31 &+ UInt64($1)) & 0xffff }
        return Endpoint(
            port: "tp-\(bridge)-\(number)", interface: interface,
            mac: MACAddress(value: 0x0242_0000_0000 | bridge << 16 | number), addresses: addresses,
            gateways: network.isInternal ? [] : network.gateways.map { $0.address })
    }

    static func network(
        _ bridge: String, _ gateways: [String] = ["10.11.0.1/24", "fd00:11::1/64"], isInternal: Bool = false
    ) throws -> BridgeNetwork {
        BridgeNetwork(
            bridge: bridge, gateways: try gateways.map { try InterfaceAddress($0) }, isInternal: isInternal)
    }
}

struct Container {
    let namespace: SharedFileDescriptor
    let endpoint: Endpoint

    var v4: IPAddress { address(.v4) }
    var v6: IPAddress { address(.v6) }

    func address(_ family: IPFamily) -> IPAddress {
        endpoint.addresses.first { $0.address.family == family }?.address ?? .v4(IPv4Address(value: 0))
    }
}

/// A socket of a namespace, closed with its owner.
final class Socket {
    let raw: Int32

    private init(_ raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    enum Kind { case tcp, udp }

    private static func make(_ kind: Kind, _ family: IPFamily) throws -> Socket {
        let type = kind == .tcp ? Int32(SOCK_STREAM.rawValue) : Int32(SOCK_DGRAM.rawValue)
        let raw = socket(Int32(family.rawValue), type, 0)
        try #require(raw >= 0)
        var on: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        return Socket(raw)
    }

    /// `port` 0 is any.
    static func bound(
        _ world: World, _ place: SharedFileDescriptor, _ kind: Kind, _ address: IPAddress, _ port: UInt16
    )
        throws -> Socket
    {
        try world.inside(place) {
            let made = try make(kind, address.family)
            try #require(
                withAddress(address, port) { bind(made.raw, $0, $1) } == 0, "bind \(address) \(errno)")
            if kind == .tcp { try #require(Glibc.listen(made.raw, 16) == 0) }
            return made
        }
    }

    static func listening(_ world: World, _ place: SharedFileDescriptor, _ address: IPAddress, _ port: UInt16)
        throws
        -> Socket
    { try bound(world, place, .tcp, address, port) }

    /// nil where nobody answers within the time.
    static func connected(
        _ world: World, _ place: SharedFileDescriptor, _ address: IPAddress, _ port: UInt16, wait: Int32 = 300
    ) throws -> Socket? {
        try world.inside(place) {
            let made = try make(.tcp, address.family)
            _ = fcntl(made.raw, F_SETFL, O_NONBLOCK)
            let answer = withAddress(address, port) { connect(made.raw, $0, $1) }
            if answer == 0 { return made }
            guard errno == EINPROGRESS, made.isReady(POLLOUT, wait) else { return nil }
            var failure: Int32 = 0
            var size = socklen_t(4)
            getsockopt(made.raw, SOL_SOCKET, SO_ERROR, &failure, &size)
            return failure == 0 ? made : nil
        }
    }

    static func sending(_ world: World, _ place: SharedFileDescriptor, to address: IPAddress, _ port: UInt16)
        throws
        -> Socket
    {
        try world.inside(place) {
            let made = try make(.udp, address.family)
            try #require(withAddress(address, port) { connect(made.raw, $0, $1) } == 0)
            return made
        }
    }

    func isReady(_ events: Int32, _ wait: Int32) -> Bool {
        var one = pollfd(fd: raw, events: Int16(events), revents: 0)
        return poll(&one, 1, wait) == 1
    }

    /// Who connected; nil where nobody did.
    func accepted(wait: Int32 = 400) -> (socket: Socket, peer: IPAddress)? {
        guard isReady(POLLIN, wait) else { return nil }
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let other = Socket.rebound(&storage) { accept(raw, $0, &size) }
        guard other >= 0, let peer = Socket.address(&storage)?.0 else { return nil }
        return (Socket(other), peer)
    }

    func send(_ text: String) {
        // What an earlier datagram met is told at the next one.
        for _ in 0..<2 where Glibc.send(raw, text, text.utf8.count, Int32(MSG_NOSIGNAL)) >= 0 { return }
    }

    func received(wait: Int32 = 400) -> (text: String, peer: IPAddress?, port: UInt16)? {
        guard isReady(POLLIN, wait) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 2048)
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = Socket.rebound(&storage) { recvfrom(raw, &bytes, bytes.count, 0, $0, &size) }
        guard count >= 0 else { return nil }
        let peer = Socket.address(&storage)
        return (String(decoding: bytes[..<count], as: UTF8.self), peer?.0, peer?.1 ?? 0)
    }

    func reply(_ text: String, to address: IPAddress, _ port: UInt16) {
        _ = Socket.withAddress(address, port) {
            sendto(raw, text, text.utf8.count, 0, $0, $1)
        }
    }

    private static func rebound<R>(
        _ storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) -> R
    )
        -> R
    {
        withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }

    private static func address(_ storage: inout sockaddr_storage) -> (IPAddress, UInt16)? {
        withUnsafeBytes(of: &storage) { bytes in
            let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            let place = bytes[0] == IPFamily.v4.rawValue ? 4..<8 : 8..<24
            return IPAddress(bytes: Array(bytes[place])).map { ($0, port) }
        }
    }

    static func withAddress<R>(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        var bytes = [UInt8](repeating: 0, count: 28)
        bytes[0] = address.family.rawValue
        bytes[2] = UInt8(port >> 8)
        bytes[3] = UInt8(port & 255)
        let place = address.family == .v4 ? 4 : 8
        bytes.replaceSubrange(place..<place + address.bytes.count, with: address.bytes)
        return bytes.withUnsafeBytes {
            body(
                $0.assumingMemoryBound(to: sockaddr.self).baseAddress.unsafelyUnwrapped,
                socklen_t(address.family == .v4 ? 16 : 28))
        }
    }
}

extension World {
    /// Whether TCP gets from one place to a listener, and as whom.
    func reaches(
        _ from: SharedFileDescriptor, _ address: IPAddress, _ port: UInt16, _ listener: Socket
    ) throws -> IPAddress? {
        // The first packet to a port that has just come up may be lost before Linux 6.8, and on a busy machine.
        var made: Socket?
        for _ in 0..<3 where made == nil { made = try Socket.connected(self, from, address, port) }
        guard let client = made else { return nil }
        guard let (other, peer) = listener.accepted() else { return nil }
        client.send("ping")
        guard other.received()?.text == "ping" else { return nil }
        other.send("pong")
        return client.received()?.text == "pong" ? peer : nil
    }

    /// The same with a datagram there and one back.
    func reachesByUDP(
        _ from: SharedFileDescriptor, _ address: IPAddress, _ port: UInt16, _ listener: Socket
    ) throws -> IPAddress? {
        let client = try Socket.sending(self, from, to: address, port)
        var answer: (text: String, peer: IPAddress?, port: UInt16)?
        for _ in 0..<3 where answer == nil {
            client.send("ping")
            answer = listener.received()
        }
        guard let got = answer, got.text == "ping", let peer = got.peer else { return nil }
        while listener.received(wait: 0) != nil {}
        listener.reply("pong", to: peer, got.port)
        return client.received()?.text == "pong" ? peer : nil
    }
}

func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
