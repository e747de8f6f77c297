package import Networks

// What the programs are told, and the keeper of them.
extension UserModeNetwork {
    /// AppArmor's profile of Debian's pasta allows this place and no other without looking into a process. Nobody but the
    /// keeper sees a file there: it is below a mount of the keeper's own.
    static let namespacePath = "/run/user/0/netns/container"
    /// Beside it: where slirp4netns takes its orders.
    static let ordersName = "orders"

    /// Addresses of the device. The gateways are nobody: who sends there gets no answer.
    private static let address = IPv4Address(value: 0xc613_ff02)
    private static let gateway = IPv4Address(value: 0xc613_ff01)
    private static let address6 = "fd63:7472:6e65:74::2"
    private static let gateway6 = "fe80::1"
    private static let mac = MACAddress(value: 0x0263_7472_0002)
    private static let gatewayMAC = MACAddress(value: 0x0263_7472_0001)
    /// Nobody sends frames of it over a wire: the program takes the bytes out.
    private static let mtu = "65520"

    /// After `network`: the program, how many orders it gets when it is ready, the orders, and its arguments.
    package func keeperWords(_ ports: [Port], outside: Set<IPFamily>) -> [String] {
        switch kind {
        case .pasta:
            [kind.rawValue, path, Self.namespacePath, "0"] + Self.pasta(ports, outside)
        case .slirp4netns:
            [kind.rawValue, path, Self.namespacePath, String(ports.count)]
                + ports.map(Self.order) + Self.slirp(outside)
        }
    }

    private static func pasta(_ ports: [Port], _ outside: Set<IPFamily>) -> [String] {
        // It would say what it does, name its gateway the machine's loopback, forward what listens on the container's
        // loopback and the machine's to each other, and answer for the machine's name servers.
        var words = [
            "pasta", "--quiet", "--config-net", "--netns", namespacePath, "--no-netns-quit",
            "--no-map-gw", "--tcp-ns", "none", "--udp-ns", "none", "--dns", "none", "--search", "none",
            "--no-dhcp", "--no-dhcpv6", "--no-ra",
            "--ns-ifname", interface, "--ns-mac-addr", mac.description, "--mac-addr",
            gatewayMAC.description, "--mtu", mtu,
            "--address", address.description, "--netmask", String(subnet.length), "--gateway",
            gateway.description,
        ]
        if outside.contains(.v6) {
            words += ["--address", address6, "--gateway", gateway6]
        } else {
            words.append("--ipv4-only")
        }
        // It wants a device with a default route to be like, and a machine may be without a network for now.
        if !outside.contains(.v4) {
            words += outside.contains(.v6) ? ["--ipv6-only"] : ["--interface", "lo"]
        }
        for (transport, option) in [(Transport.tcp, "--tcp-ports"), (.udp, "--udp-ports")] {
            let own = ports.filter { $0.transport == transport }
            // A word for each: of several ports in one word it passes over those that it cannot have.
            words += own.isEmpty ? [option, "none"] : own.flatMap { [option, $0.pastaWord] }
        }
        return words
    }

    private static func slirp(_ outside: Set<IPFamily>) -> [String] {
        let directory = namespacePath.prefix(upTo: namespacePath.lastIndex(of: "/") ?? namespacePath.endIndex)
        // It tells that it is ready over descriptor 3.
        return [
            "slirp4netns", "--configure", "--mtu", mtu, "--disable-host-loopback", "--disable-dns",
            "--enable-seccomp", "--cidr", subnet.description, "--ready-fd", "3", "--api-socket",
            "\(directory)/\(ordersName)", "--netns-type", "path",
        ] + (outside.contains(.v6) ? ["--enable-ipv6"] : []) + [namespacePath, interface]
    }

    private static func order(_ port: Port) -> String {
        let address = port.hostAddress?.description ?? "0.0.0.0"
        return
            #"{"execute": "add_hostfwd", "arguments": {"proto": "\#(port.transport == .udp ? "udp" : "tcp")", "#
            + #""host_addr": "\#(address)", "host_port": \#(port.hostPort), "guest_port": \#(port.containerPort)}}"#
    }
}

extension UserModeNetwork.Port {
    fileprivate var pastaWord: String {
        (hostAddress.map { "\($0)/" } ?? "") + "\(hostPort):\(containerPort)"
    }
}
