package import Failure

/// A network that is to be made, as it was asked for and checked.
package struct NetworkSpecification: Equatable, Sendable {
    package let name: String
    package let driver: Network.Driver
    /// Without a gateway: the subnet's first address is it.
    package let subnets: [Network.Subnet]
    package let wantsIPv6: Bool
    package let isInternal: Bool
    package let options: [Network.KeyAndValue]
    package let labels: [Network.KeyAndValue]

    /// Docker's, and ours.
    private static let bridgeNameOptions = ["com.docker.network.bridge.name", "bridge.name"]

    /// The nth gateway and the nth range belong to the subnet that they are in, whatever the order.
    ///
    /// - Throws: `.invalidArgument` for what no network can be.
    package init(
        name: String, driver: Network.Driver = .bridge, subnets: [IPPrefix] = [], gateways: [IPAddress] = [],
        ranges: [IPPrefix] = [], wantsIPv6: Bool = false, isInternal: Bool = false,
        options: [Network.KeyAndValue] = [], labels: [Network.KeyAndValue] = []
    ) throws(Failure) {
        try NetworkName.check(name)
        guard driver == .bridge || driver == .macvlan else {
            throw Failure(
                .invalidArgument, "there is one network of driver \(driver.rawValue), and it is there already"
            )
        }
        for family in [IPFamily.v4, .v6] where subnets.filter({ $0.family == family }).count > 1 {
            throw Failure(
                .unsupported, "network \(name): two subnets of \(family == .v4 ? "IPv4" : "IPv6")",
                hint: "a network has at most one subnet of each family")
        }
        self.subnets = try Self.join(subnets, gateways, ranges).sorted { $0.prefix < $1.prefix }
        self.name = name
        self.driver = driver
        self.wantsIPv6 = wantsIPv6
        self.isInternal = isInternal
        self.options = options
        self.labels = labels
        if let wanted = bridgeName { try Self.checkDevice(wanted) }
    }

    /// What the options say; nil: one is made of the network's id.
    package var bridgeName: String? {
        options.last { Self.bridgeNameOptions.contains($0.key) }?.value
    }

    private static func join(_ prefixes: [IPPrefix], _ gateways: [IPAddress], _ ranges: [IPPrefix])
        throws(Failure) -> [Network.Subnet]
    {
        for gateway in gateways where !prefixes.contains(where: { $0.contains(gateway) }) {
            throw Failure(
                .invalidArgument, "gateway \(gateway) is in no subnet of the network",
                hint: "give its subnet with --subnet")
        }
        for range in ranges where !prefixes.contains(where: { $0.contains(range) }) {
            throw Failure(
                .invalidArgument, "the range \(range) is in no subnet of the network",
                hint: "give its subnet with --subnet")
        }
        var subnets: [Network.Subnet] = []
        for prefix in prefixes {
            guard prefix.length <= prefix.family.width - 2, !prefix.first.isMulticast,
                !prefix.first.isLoopback,
                prefix.length > 0
            else { throw Failure(.invalidArgument, "\(prefix) cannot be the subnet of a network") }
            let own = gateways.filter(prefix.contains)
            let ownRanges = ranges.filter(prefix.contains)
            guard own.count <= 1, ownRanges.count <= 1 else {
                throw Failure(
                    .invalidArgument, "subnet \(prefix) has two \(own.count > 1 ? "gateways" : "ranges")")
            }
            if let gateway = own.first, !prefix.hosts.contains(gateway) {
                throw Failure(.invalidArgument, "gateway \(gateway) is no address of a host in \(prefix)")
            }
            subnets.append(Network.Subnet(prefix: prefix, gateway: own.first, range: ownRanges.first))
        }
        return subnets
    }

    /// dev_valid_name() of the kernel: at most 15 bytes, none of `/`, `:` and white space, not `.` or `..`.
    private static func checkDevice(_ name: String) throws(Failure) {
        let isValid =
            (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":")
            }
        guard isValid else {
            throw Failure(
                .invalidArgument, "\"\(name)\" cannot be the name of a bridge",
                hint: "a name is 1 to 15 letters, digits and signs, without / and :")
        }
    }
}
