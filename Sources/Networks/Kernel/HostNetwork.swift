package import Failure
internal import LinuxSystem

/// The host's side of containers' networks, of the network namespace that this thread is in: bridges, their ports, and
/// the rules. Whoever keeps the records calls it; nothing is remembered here.
///
/// Each step can be killed: what is left is found by `sweep` (interfaces) and by `HostRules.replaceAll` (rules).
package struct HostNetwork: ~Copyable {
    package let names: HostNames
    package var routes: RouteSocket
    package var rules: HostRules
    private let proc: Int32

    /// - Parameter proc: an open /proc, which must stay open.
    package init(_ names: HostNames, proc: Int32) throws(Failure) {
        let routes = try networking("network") { () throws(SystemError) in try RouteSocket() }
        let rules = try networking("network") { () throws(SystemError) in try HostRules(names) }
        self.names = names
        self.proc = proc
        self.routes = routes
        self.rules = rules
    }

    // MARK: - Networks

    /// Makes the bridge, or mends it where something of it is missing: up, addresses, MTU, forwarding. The rules come with
    /// `attach`, or with `HostRules.add`.
    package mutating func ensure(_ network: BridgeNetwork) throws(Failure) {
        let name = network.bridge
        var found = try networking("bridge \(name)") { () throws(SystemError) in try routes.link(named: name)
        }
        if let found, found.kind != "bridge" {
            throw Failure(
                .conflict, "there is a network device \(name) already, and it is not a bridge",
                hint: "remove it, or choose another name for the bridge")
        }
        try networking("bridge \(name)") { () throws(SystemError) in
            if found == nil {
                do throws(SystemError) {
                    // A bridge's MAC changes with its ports unless one is set.
                    try routes.addBridge(
                        name, mac: network.gateways.first.map { MACAddress(derivedFrom: $0.address) },
                        mtu: network.mtu)
                } catch {
                    // Another process was as fast.
                    guard error.isExists else { throw error }
                }
                found = try routes.link(named: name)
            }
            guard let bridge = found else { throw SystemError.noDevice(name) }
            let hasSix = network.gateways.contains { $0.address.family == .v6 }
            // A bridge listens to no router, and has no address of its own making that nobody asked for.
            try set([
                NetworkSysctl("ipv6/conf/\(name)/accept_ra", "0"),
                NetworkSysctl("ipv6/conf/\(name)/disable_ipv6", hasSix ? "0" : "1"),
            ])
            if let mtu = network.mtu, bridge.mtu != mtu { try routes.setMTU(name, mtu) }
            if !bridge.isUp { try routes.setUp(name) }
            let present = try routes.addresses(of: bridge.index)
            for gateway in network.gateways where !present.contains(gateway) {
                try routes.add(gateway, to: bridge.index)
            }
            if !network.isInternal { try allowForwarding(hasSix: hasSix) }
        }
    }

    /// The bridge and its rules go; its ports, if there are any, stay behind without a bridge.
    package mutating func remove(_ network: BridgeNetwork) throws(Failure) {
        try networking("remove bridge \(network.bridge)") { () throws(SystemError) in
            do throws(SystemError) {
                try routes.delete(network.bridge)
            } catch {
                guard error.isNoDevice else { throw error }
            }
            // Before the first start there may be no table.
            do throws(SystemError) {
                try rules.remove(network)
            } catch {
                guard error.isMissing else { throw error }
            }
        }
    }

    // MARK: - Forwarding

    /// Switched on where it is off, and never off again: somebody else may have come to need it.
    private borrowing func allowForwarding(hasSix: Bool) throws(SystemError) {
        if try value("ipv4/ip_forward") != "1" { try set([NetworkSysctl("ipv4/ip_forward", "1")]) }
        guard hasSix, try value("ipv6/conf/all/forwarding") != "1" else { return }
        // A router does not listen to routers, unless told so (accept_ra 2): the host keeps the routes that it has.
        let interfaces = try FileDescriptor.open(
            "sys/net/ipv6/conf", in: proc, [.readOnly, .directory], resolve: [.beneath])
        for name in try Directory.names(in: interfaces) where name != "all" && name != "default" {
            guard try value("ipv6/conf/\(name)/accept_ra") == "1" else { continue }
            try set([NetworkSysctl("ipv6/conf/\(name)/accept_ra", "2")])
        }
        try set([NetworkSysctl("ipv6/conf/all/forwarding", "1")])
    }

    private borrowing func value(_ path: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            let file = try FileDescriptor.open("sys/net/\(path)", in: proc, resolve: [.beneath])
            return String(decoding: try file.readAll(limit: 4096).prefix { $0 != 10 }, as: UTF8.self)
        } catch {
            // Without IPv6, or of an interface that has just gone.
            if error.isMissing { return nil }
            throw error
        }
    }

    /// In the network namespace that this thread is in. A host without IPv6 lacks its settings.
    borrowing func set(_ settings: [NetworkSysctl]) throws(SystemError) {
        for setting in settings {
            do throws(SystemError) {
                let file = try FileDescriptor.open(
                    "sys/net/\(setting.path)", in: proc, .writeOnly, resolve: [.beneath])
                try file.write(setting.value)
            } catch {
                guard error.isMissing, setting.path.hasPrefix("ipv6/") else {
                    throw SystemError(call: "sysctl", path: "net/\(setting.path)", errno: error.errno)
                }
            }
        }
    }

    // MARK: - Sweeping

    /// Removes interfaces that have ctr's prefixes and that nobody knows: of what was killed between two steps.
    /// - Returns: the names of what went.
    @discardableResult
    package mutating func sweep(knownBridges: Set<String>, knownPorts: Set<String>) throws(Failure)
        -> [String]
    {
        try networking("sweep network devices") { () throws(SystemError) in
            var gone: [String] = []
            for link in try routes.links() {
                let isBridge =
                    link.kind == "bridge" && link.name.hasPrefix(names.bridgePrefix)
                    && !knownBridges.contains(link.name)
                let isPort =
                    link.kind == "veth" && link.name.hasPrefix(names.portPrefix)
                    && !knownPorts.contains(link.name)
                guard isBridge || isPort else { continue }
                do throws(SystemError) {
                    try routes.delete(link.name)
                    gone.append(link.name)
                } catch {
                    guard error.isNoDevice else { throw error }
                }
            }
            return gone
        }
    }
}

/// The failure says which step it was, and what the kernel said of it: `attach eth0 to bridge b: make veth p with eth0:
/// file exists`.
func networking<R: ~Copyable>(_ doing: @autoclosure () -> String, _ body: () throws(SystemError) -> R)
    throws(Failure) -> R
{
    do throws(SystemError) {
        return try body()
    } catch {
        throw Failure(error.code, "\(doing()): \(error.path ?? error.call): \(error.reason)", cause: error)
    }
}
