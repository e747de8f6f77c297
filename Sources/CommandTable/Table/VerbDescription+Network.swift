extension VerbDescription {
    static var networkCreate: VerbDescription {
        VerbDescription(
            .networkCreate, "[OPTIONS] NETWORK", "Create a network",
            about: """
                Prints its id. Without --subnet an IPv4 subnet is chosen that neither the host's routes nor another \
                network overlaps with; --ipv6 adds an IPv6 one. The bridge itself comes with the first container. Options \
                of -o for a bridge: com.docker.network.bridge.name, com.docker.network.driver.mtu (or mtu), \
                com.docker.network.bridge.enable_ip_masquerade, com.docker.network.bridge.host_binding_ipv4; for a \
                macvlan: parent, macvlan_mode (bridge, private, vepa, passthru), mtu.
                """,
            arguments: 1...1,
            flags: [
                .value(.driver, short: "d", "string", "Kind of network (bridge, macvlan)", default: "bridge"),
                .list(.gateway, "list", "Address of the bridge, or of a macvlan's router"),
                .toggle(.`internal`, "Nothing gets out of it, and nothing in"),
                .list(.ipRange, "list", "Give addresses from this part of the subnet only"),
                .toggle(.ipv6, "Give addresses of IPv6 too"),
                .list(.label, "list", "Set a label on the network", check: .label),
                .list(.opt, short: "o", "map", "Set an option of the driver", check: .keyValue),
                .list(.subnet, "list", "Subnet of the network (10.1.0.0/24), at most one a family"),
            ])
    }

    static var networkList: VerbDescription {
        VerbDescription(
            .networkList, "[OPTIONS]", "List networks",
            arguments: 0...0,
            flags: [
                .list(
                    .filter, short: "f", "filter", "Only those that fit (driver=bridge)",
                    check: .filter(["dangling", "driver", "id", "label", "name", "scope", "type"])),
                format,
                noTrunc,
                .toggle(.quiet, short: "q", "Only IDs"),
            ])
    }

    static var networkInspect: VerbDescription {
        VerbDescription(
            .networkInspect, "[OPTIONS] NETWORK [NETWORK...]", "Show everything about networks",
            arguments: 1...unlimited, completes: .networks, flags: [inspectFormat])
    }

    static var networkRemove: VerbDescription {
        VerbDescription(
            .networkRemove, "[OPTIONS] NETWORK [NETWORK...]", "Remove networks",
            about: "A network that a container is on, running or not, is refused.",
            arguments: 1...unlimited, completes: .networks,
            flags: [.toggle(.force, short: "f", "A network that does not exist is no failure")])
    }

    static var networkPrune: VerbDescription {
        VerbDescription(
            .networkPrune, "[OPTIONS]", "Remove all networks that no container is on",
            arguments: 0...0,
            flags: [
                .list(
                    .filter, "filter", "Only those that fit (until=24h, label=KEY)",
                    check: .filter(["label", "until"])),
                .toggle(.force, short: "f", "Do not ask"),
            ])
    }

    static var networkConnect: VerbDescription {
        VerbDescription(
            .networkConnect, "[OPTIONS] NETWORK CONTAINER", "Put a container on one more network",
            about: "A running container gets an interface at once, another one at its next start.",
            arguments: 2...2, completes: .networksAndContainers,
            flags: [
                .list(.alias, "list", "Further name of the container on this network"),
                .value(.ip, "string", "IPv4 address of the container on this network"),
                .value(.ip6, "string", "IPv6 address of the container on this network"),
                .list(.linkLocalIP, "list", "Further address that only the network itself reaches"),
                .value(.macAddress, "string", "MAC address of the container on this network"),
            ])
    }

    static var networkDisconnect: VerbDescription {
        VerbDescription(
            .networkDisconnect, "[OPTIONS] NETWORK CONTAINER", "Take a container off a network",
            arguments: 2...2, completes: .networksAndContainers,
            flags: [.toggle(.force, short: "f", "Also where the network is gone")])
    }

    static var networkReload: VerbDescription {
        VerbDescription(
            .networkReload, "", "Make the rules of all networks and published ports again",
            about: """
                For when a firewall's reload has flushed them. Every other ctr command that starts or stops a container \
                does it too, where it finds them gone.
                """,
            arguments: 0...0)
    }

    static var port: VerbDescription {
        VerbDescription(
            .port, "[OPTIONS] CONTAINER [PRIVATE_PORT[/PROTO]]", "List the published ports of a container",
            about: """
                With --exposed no container is named: what the host's rules let in at this moment is shown, for all \
                containers.
                """,
            arguments: 0...2, completes: .containers,
            flags: [
                .toggle(.exposed, "Show what the world can reach, of all containers"),
                .value(
                    .format, "string", "With --exposed: print as json or by a template (table {{.Port}})"),
            ])
    }

    /// Of `run` and `create`.
    static var networkFlags: [FlagDescription] {
        [
            .value(
                .balance, "string",
                "Spread -p's ports over all healthy containers of an alias (ALIAS[:random|round-robin|source-hash])"
            ),
            .list(.dns, "list", "Ask this DNS server instead of the host's"),
            .list(.dnsOption, "list", "Set an option of resolv.conf", or: "dns-opt"),
            .list(.dnsSearch, "list", "Set a DNS search domain (. for none)"),
            .list(.expose, "list", "Tell of a port, or a range of ports, that the container listens on"),
            .value(.ip, "string", "IPv4 address of the container on its network"),
            .value(.ip6, "string", "IPv6 address of the container on its network"),
            .list(.linkLocalIP, "list", "Further address that only the network itself reaches"),
            .value(.macAddress, "string", "MAC address of the container on its network"),
            .list(
                .network, "network",
                "Network: a name or id with options (NAME,alias=...,ip=...,ip6=...,mac=...), none, host, container:NAME or ns:PATH; bridge, or CTR_NETWORK's, unless given",
                or: "net"),
            .list(.networkAlias, "list", "Further name of the container on its network", or: "net-alias"),
            .list(
                .publish, short: "p", "list",
                "Lead a port of the host to one of the container ([[ADDRESS:][HOST]:]CONTAINER[/PROTOCOL])"),
            .toggle(.publishAll, short: "P", "Lead free ports of the host to all exposed ports"),
        ]
    }
}
