/// What the host's interfaces and tables of one root of ctr's are called, so that several roots and tests do not meet.
package struct HostNames: Sendable, Equatable {
    /// Of the two nftables tables, `inet` and `bridge`.
    package let table: String
    /// What every bridge's name begins with that sweeping may remove.
    package let bridgePrefix: String
    /// What the host's end of every container's veth pair begins with; nothing else on the host does. Frames from such
    /// an interface pass only with the addresses of its endpoint.
    package let portPrefix: String

    package init(table: String, bridgePrefix: String, portPrefix: String) {
        self.table = table
        self.bridgePrefix = bridgePrefix
        self.portPrefix = portPrefix
    }
}

/// A network that is a bridge of the host's.
package struct BridgeNetwork: Sendable, Equatable {
    /// The bridge's interface, at most 15 bytes.
    package var bridge: String
    /// The host's own addresses on it; their subnets are the network's.
    package var gateways: [InterfaceAddress]
    /// Nothing leaves it and nothing comes in.
    package var isInternal: Bool
    /// What leaves the host goes with the host's address.
    package var masquerades: Bool
    /// nil is the kernel's default.
    package var mtu: UInt32?

    package init(
        bridge: String, gateways: [InterfaceAddress], isInternal: Bool = false, masquerades: Bool = true,
        mtu: UInt32? = nil
    ) {
        self.bridge = bridge
        self.gateways = gateways
        self.isInternal = isInternal
        self.masquerades = masquerades
        self.mtu = mtu
    }
}

/// A setting of a network namespace: `ipv4/conf/eth0/arp_notify` is /proc/sys/net/ipv4/conf/eth0/arp_notify.
package struct NetworkSysctl: Sendable, Equatable {
    package let path: String
    package let value: String

    package init(_ path: String, _ value: String) {
        self.path = path
        self.value = value
    }
}

/// A container's place in a network.
package struct Endpoint: Sendable, Equatable {
    /// The host's end, at most 15 bytes; begins with `HostNames.portPrefix`. Not used for a macvlan.
    package var port: String
    /// The container's end, e.g. eth0.
    package var interface: String
    package var mac: MACAddress
    /// With the subnet's length: what else is in it is reached directly.
    package var addresses: [InterfaceAddress]
    /// What its default routes lead through, one a family at most; none where another network has them.
    package var gateways: [IPAddress]
    /// Set before the interface is up.
    package var sysctls: [NetworkSysctl]

    package init(
        port: String, interface: String, mac: MACAddress, addresses: [InterfaceAddress],
        gateways: [IPAddress], sysctls: [NetworkSysctl] = []
    ) {
        self.port = port
        self.interface = interface
        self.mac = mac
        self.addresses = addresses
        self.gateways = gateways
        self.sysctls = sysctls
    }
}

extension MACAddress {
    /// A locally administered one that follows from an address, as 02:42:0a:0b:00:02 of 10.11.0.2: whoever gets the
    /// address later has the same, and what neighbours remember of it stays right.
    package init(derivedFrom address: IPAddress) {
        switch address {
        case .v4(let address): self.init(value: 0x0242 << 32 | UInt64(address.value))
        case .v6(let address):
            // The last bits differ within a subnet.
            self.init(value: 0x0642 << 32 | (address.low ^ address.low >> 32) & 0xffff_ffff)
        }
    }

    /// The address fe80::/64 that an interface gives itself (RFC 4291, appendix A).
    package var linkLocal: IPv6Address {
        let low = (value >> 24 ^ 0x02_0000) << 40 | 0xff_fe00_0000 | value & 0xff_ffff
        return IPv6Address(high: 0xfe80 << 48, low: low)
    }
}
