internal import LinuxSystem

/// Who has an address, as the text of a link: a container, and for how long.
package struct AddressOwner: Equatable, Sendable {
    package let containerID: String
    /// It was asked for: it stays the container's while that is stopped, and over reboots. Others are given anew at each
    /// start, and are void after a reboot.
    package let isKept: Bool

    /// Whether the container of this id is there, for what is kept, or runs or is being started, for what is not.
    package typealias Check = (_ id: String, _ isKept: Bool) -> Bool

    package init(containerID: String, isKept: Bool) {
        self.containerID = containerID
        self.isKept = isKept
    }

    private static let kept = "kept"

    /// `<id> kept`, or `<id> <boot's id>`.
    var link: String { "\(containerID) \(isKept ? Self.kept : Process.bootID())" }

    /// What was written by an earlier boot; nobody's any more.
    static func isVoid(_ link: String) -> Bool {
        !link.hasSuffix(" " + kept) && !link.hasSuffix(" " + Process.bootID())
    }

    init(link: String) {
        containerID = String(link.prefix { $0 != " " })
        isKept = link.hasSuffix(" " + Self.kept)
    }

    static func isAlive(_ link: String, _ check: Check) -> Bool {
        let owner = AddressOwner(link: link)
        return !isVoid(link) && check(owner.containerID, owner.isKept)
    }
}

/// What a container wants of a network.
package struct AddressRequest: Equatable, Sendable {
    package var containerID: String
    /// `--ip` and `--ip6`.
    package var wanted: [IPAddress]
    package var mac: MACAddress?
    /// Of what was asked for: to be kept while the container is there.
    package var isKept: Bool

    package init(
        containerID: String, wanted: [IPAddress] = [], mac: MACAddress? = nil, isKept: Bool = false
    ) {
        self.containerID = containerID
        self.wanted = wanted
        self.mac = mac
        self.isKept = isKept
    }
}

/// What a container has of a network: one address of each of its subnets, in their order.
package struct AddressAssignment: Equatable, Sendable {
    package let containerID: String
    package let addresses: [InterfaceAddress]
    package let mac: MACAddress
    package let isKept: Bool
}

extension MACAddress {
    /// Locally administered and of one host; of an IPv4 address, which has it alone in its network, so that neighbours who
    /// remember it are right when the address comes back: 02:42 and the address's bytes.
    package init(of address: IPv4Address) { self.init(value: 0x0242 << 32 | UInt64(address.value)) }

    /// Locally administered and of one host, by chance.
    package static func random() -> MACAddress {
        MACAddress(value: UInt64.random(in: 0..<1 << 48) & ~(1 << 40) | 1 << 41)
    }
}
