package import Failure
package import Networks

/// The flags of `network create`.
package struct NetworkCreation: Sendable {
    package var name: String
    package var driver = "bridge"
    package var subnets: [IPPrefix] = []
    package var gateways: [IPAddress] = []
    package var ranges: [IPPrefix] = []
    package var wantsIPv6 = false
    package var isInternal = false
    /// `KEY=VALUE` each.
    package var options: [String] = []
    package var labels: [String] = []

    package init(name: String) { self.name = name }

    /// - Throws: `invalidArgument` and `unsupported`, with the flag or the option that is wrong.
    package func specification() throws(Failure) -> NetworkSpecification {
        guard let driver = Network.Driver(rawValue: driver) else {
            throw Failure(
                .unsupported, "--driver \(driver): there is no such driver", hint: "it is bridge or macvlan")
        }
        guard driver == .bridge || driver == .macvlan else {
            throw Failure(
                .invalidArgument,
                "--driver \(driver.rawValue): only one network of driver \(driver.rawValue) is allowed, and it is there",
                hint: "run with --network \(driver.rawValue)")
        }
        let options = options.map(NetworkCreation.pair)
        for option in options { try NetworkOption.check(option, of: driver) }
        if driver == .macvlan {
            guard options.contains(where: { $0.key == NetworkOption.parent && !$0.value.isEmpty }) else {
                throw Failure(
                    .invalidArgument,
                    "--driver macvlan: the device of the host is missing, --opt parent=DEVICE")
            }
        }
        return try NetworkSpecification(
            name: name, driver: driver, subnets: subnets, gateways: gateways, ranges: ranges,
            wantsIPv6: wantsIPv6, isInternal: isInternal, options: options,
            labels: labels.map(NetworkCreation.pair))
    }

    private static func pair(_ text: String) -> Network.KeyAndValue {
        let key = text.prefix { $0 != "=" }
        return Network.KeyAndValue(String(key), String(text.dropFirst(key.utf8.count + 1)))
    }
}

/// What `-o` of `network create` takes: docker's keys, and podman's short ones.
package enum NetworkOption {
    package static let parent = "parent"
    package static let macvlanMode = "macvlan_mode"
    package static let mtu = ["com.docker.network.driver.mtu", "mtu"]
    package static let bridgeName = "com.docker.network.bridge.name"
    package static let masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    package static let hostBinding = "com.docker.network.bridge.host_binding_ipv4"

    private static func known(_ driver: Network.Driver) -> [String] {
        driver == .macvlan ? [parent, macvlanMode] + mtu : [bridgeName, masquerade, hostBinding] + mtu
    }

    static func check(_ option: Network.KeyAndValue, of driver: Network.Driver) throws(Failure) {
        let known = known(driver)
        guard known.contains(option.key) else {
            throw Failure(
                .invalidArgument, "--opt \(option.key): a \(driver.rawValue) has no such option",
                hint: "it has \(known.joined(separator: ", "))")
        }
        func wrong(_ what: String) -> Failure {
            Failure(.invalidArgument, "--opt \(option.key)=\(option.value): \(what)")
        }
        switch option.key {
        case masquerade:
            guard ["true", "false", "1", "0"].contains(option.value) else {
                throw wrong("it is true or false")
            }
        case hostBinding:
            guard IPAddress(option.value)?.family == .v4 else { throw wrong("it is no IPv4 address") }
        case macvlanMode:
            guard mode(option.value) != nil else { throw wrong("it is bridge, private, vepa or passthru") }
        case let key where mtu.contains(key):
            // IPv4 needs 68 (RFC 791); the kernel's most is that of a virtual device.
            guard let number = UInt32(option.value), (68...65535).contains(number) else {
                throw wrong("an MTU is 68 to 65535")
            }
        default: break
        }
    }

    /// nil for what is none.
    package static func mode(_ word: String) -> MacvlanMode? {
        switch word {
        case "", "bridge": .bridge
        case "private": .private
        case "vepa": .vepa
        case "passthru": .passthrough
        default: nil
        }
    }
}
