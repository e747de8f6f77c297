import Foundation
import Testing

/// What of networks needs no running container.
@Suite("network verbs", .needs())
struct NetworkVerbTests {
    @Test func createListInspectRemove() throws {
        try withFixture { ctr in
            #expect(
                try ctr.ok("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")
                    == "bridge bridge local\nhost host local\nnone null local")
            let id = try ctr.ok(
                "network", "create", "--subnet", "10.5.0.0/24", "--gateway", "10.5.0.9", "--ip-range",
                "10.5.0.128/25", "--ipv6", "--label", "k=v", "-o", "mtu=1400", "--internal", "back")
            #expect(id.utf8.count == 64)
            let shown = try ctr.ok(
                "network", "inspect", "-f",
                """
                {{.Name}} {{.Driver}} {{.EnableIPv4}} {{.EnableIPv6}} {{.Internal}} {{.Labels.k}} {{.Options.mtu}} \
                {{with index .IPAM.Config 0}}{{.Subnet}} {{.Gateway}} {{.IPRange}}{{end}} {{len .Containers}}
                """, String(id.prefix(7)))
            #expect(shown == "back bridge true true true v 1400 10.5.0.0/24 10.5.0.9 10.5.0.128/25 0")
            #expect(try ctr.ok("inspect", "--type", "network", "-f", "{{.Id}}", "back") == id)
            #expect(try ctr.ok("inspect", "-f", "{{.Id}}", "back") == id)
            #expect(try ctr.ok("network", "ls", "-q", "--no-trunc", "-f", "type=custom") == id)
            #expect(try ctr.ok("network", "ls", "-q", "-f", "label=k=v") == String(id.prefix(12)))
            for filter in ["name=ack", "id=\(id.prefix(5))", "dangling=true"] {
                #expect(
                    try ctr.ok("network", "ls", "-f", filter, "--format", "{{.Name}}")
                        .components(separatedBy: "\n").contains("back"), "\(filter)")
            }
            #expect(try ctr.ok("network", "ls", "-q", "-f", "driver=macvlan") == "")
            #expect(try ctr.ok("network", "rm", "back") == "back")
            try ctr.refuses("network", "rm", "back", says: ["no such network: back"])
            #expect(try ctr.ok("network", "rm", "-f", "back") == "back")
            try ctr.refuses("network", "inspect", "back", says: ["back"])
        }
    }

    @Test func subnetsThatNobodyChoseAreAllDifferent() throws {
        try withFixture { ctr in
            for name in ["a1", "b1", "c1"] { try ctr.ok("network", "create", name) }
            let subnets = try ctr.ok("network", "ls", "--format", "{{.Subnets}}")
                .components(separatedBy: "\n").filter { !$0.isEmpty }
            #expect(subnets.count == 4 && Set(subnets).count == 4)
            #expect(try ctr.ok("network", "prune", "-f").hasPrefix("Deleted Networks:\n"))
            #expect(try ctr.ok("network", "ls", "-q", "-f", "type=custom") == "")
            #expect(try ctr.ok("network", "prune", "-f") == "")
        }
    }

    @Test func eightAtOnceGetEightSubnets() throws {
        try withFixture { ctr in
            let runs = try (0..<8).map { try ctr.start("network", "create", "n\($0)") }
            for run in runs { #expect(run.finish(timeout: 60).code == 0) }
            let subnets = try ctr.ok("network", "ls", "-f", "type=custom", "--format", "{{.Subnets}}")
            #expect(Set(subnets.components(separatedBy: "\n")).count == 8)
        }
    }

    @Test(arguments: [
        (["create"], "ctr network create"), (["create", "../x"], "../x"), (["create", "a b"], "a b"),
        (["create", "host"], "host"), (["create", "bridge"], "bridge"),
        (["create", "--subnet", "x", "n"], "--subnet"),
        (["create", "--subnet", "10.5.0.1/24", "n"], "10.5.0.0/24"),
        (["create", "--subnet", "10.5.0.0/31", "n"], "10.5.0.0/31"),
        (["create", "--subnet", "127.0.0.0/8", "n"], "127.0.0.0/8"),
        (["create", "--subnet", "10.5.0.0/24", "--subnet", "10.6.0.0/24", "n"], "two subnets"),
        (["create", "--gateway", "10.5.0.1", "n"], "10.5.0.1"),
        (["create", "--gateway", "x", "n"], "--gateway"),
        (["create", "--subnet", "10.5.0.0/24", "--gateway", "10.5.0.255", "n"], "10.5.0.255"),
        (["create", "--subnet", "10.5.0.0/24", "--ip-range", "10.6.0.0/25", "n"], "10.6.0.0/25"),
        (["create", "-o", "colour=red", "n"], "colour"), (["create", "-o", "x", "n"], "KEY=VALUE"),
        (["create", "-d", "overlay", "n"], "overlay"), (["create", "-d", "host", "n"], "host"),
        (["create", "-d", "macvlan", "n"], "parent"), (["ls", "-f", "colour=red"], "colour"),
        (["ls", "-f", "type=odd"], "odd"), (["rm", "bridge"], "bridge"), (["rm", "none"], "none"),
        (["inspect", "nobody"], "nobody"), (["prune", "--filter", "until=x"], "until"),
        (["connect", "bridge"], "ctr network connect"), (["connect", "--ip", "x", "bridge", "c"], "--ip"),
        (["connect", "--mac-address", "01:00:5e:00:00:01", "bridge", "c"], "--mac-address"),
        (["connect", "--alias", "a b", "bridge", "c"], "--alias"), (["no-such"], "no-such"),
    ])
    func badInput(_ words: [String], _ says: String) throws {
        try withFixture { ctr in
            let outcome = try ctr.ctr(["network"] + words)
            ctr.expectRefusal(outcome, code: 1, says: [says])
            #expect(try ctr.ok("network", "ls", "-q", "-f", "type=custom") == "")
        }
    }

    // MARK: flags of create

    @Test func whatWasAskedForIsInspected() throws {
        try withFixture { ctr in
            try ctr.ok(
                "import", "-c", #"CMD ["sh"]"#, "-c", "EXPOSE 80 9000-9001/udp",
                try ctr.file("b.tar", Busybox.tar),
                "exposing:1")
            try ctr.ok("network", "create", "--subnet", "10.5.0.0/24", "back")
            try ctr.ok("network", "create", "front")
            try ctr.ok(
                "create", "--name", "web", "--network", "back,alias=api", "--network", "front", "--ip",
                "10.5.0.7", "--mac-address", "02:42:0a:05:00:07", "-p8080:80", "-p", "127.0.0.1::53/udp",
                "-P",
                "--expose", "7000", "--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-opt",
                "ndots:2",
                "exposing:1")
            #expect(
                try ctr.inspect(
                    "web",
                    """
                    {{.HostConfig.NetworkMode}} {{.HostConfig.PublishAllPorts}} {{json .HostConfig.PortBindings}} \
                    {{json .HostConfig.Dns}} {{json .HostConfig.DnsSearch}} {{json .HostConfig.DnsOptions}}
                    """)
                        == """
                        back true {"53/udp":[{"HostIp":"127.0.0.1","HostPort":""}],"80/tcp":[{"HostIp":"","HostPort":"8080"}]} \
                        ["192.0.2.53"] ["example.org"] ["ndots:2"]
                        """)
            #expect(
                try ctr.inspect("web", "{{range $k, $v := .Config.ExposedPorts}}{{$k}} {{end}}")
                    == "53/udp 7000/tcp 80/tcp 9000/udp 9001/udp")
            #expect(
                try ctr.inspect(
                    "web",
                    """
                    {{with .NetworkSettings.Networks.back}}{{.IPAMConfig.IPv4Address}} {{.MacAddress}} \
                    {{json .Aliases}} {{.IPAddress}}{{end}}|{{len .NetworkSettings.Ports}}
                    """) == #"10.5.0.7 02:42:0a:05:00:07 ["api"] |0"#)
            #expect(try ctr.ok("ps", "-a", "--format", "{{.Networks}}|{{.Ports}}") == "back,front|")
            for filter in ["network=front", "network=back"] {
                #expect(try ctr.ok("ps", "-a", "-f", filter, "--format", "{{.Names}}") == "web")
            }
            let id = try ctr.ok("network", "inspect", "-f", "{{.Id}}", "front")
            #expect(try ctr.ok("ps", "-a", "-f", "network=\(id)", "--format", "{{.Names}}") == "web")
            for filter in ["network=bridge", "publish=8080", "expose=80"] {
                #expect(try ctr.ok("ps", "-a", "-f", filter, "--format", "{{.Names}}") == "", "\(filter)")
            }
            try ctr.refuses("ps", "-f", "publish=x", says: ["publish=x"])
            // It is in use by who does not run, too.
            try ctr.refuses("network", "rm", "front", says: ["front", "web"])
            #expect(try ctr.ok("network", "prune", "-f") == "")
            #expect(try ctr.ok("port", "web") == "")
            try ctr.refuses("port", "web", "80", says: ["80/tcp", "web"])
            try ctr.refuses("port", "web", "x", says: ["x"])
            try ctr.refuses("create", "--network", "back,ip=10.5.0.7", "exposing:1", code: 125, says: ["web"])
            try ctr.ok("rm", "web")
            #expect(try ctr.ok("network", "rm", "front", "back") == "front\nback")
        }
    }

    @Test func theDefaultNetworkIsTheBridgeOrTheCallers() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("network", "create", "back")
            let mode =
                "{{.HostConfig.NetworkMode}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}"
            #expect(try ctr.inspect(try ctr.ok("create", image), mode) == "bridge bridge")
            let own = try ctr.ok("create", image, environment: ["CTR_NETWORK": "back"])
            #expect(try ctr.inspect(own, mode) == "back back")
            let none = try ctr.ok("create", image, environment: ["CTR_NETWORK": "none"])
            #expect(try ctr.inspect(none, mode) == "none none")
            let empty = try ctr.ok("create", image, environment: ["CTR_NETWORK": ""])
            #expect(try ctr.inspect(empty, mode) == "bridge bridge")
            let given = try ctr.ok("create", "--net", "host", image, environment: ["CTR_NETWORK": "back"])
            #expect(try ctr.inspect(given, mode) == "host host")
            try ctr.refuses(
                "create", image, code: 125, says: ["CTR_NETWORK", "a b"], environment: ["CTR_NETWORK": "a b"])
        }
    }

    @Test func portsOfTheHostsNetworkAreDiscarded() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            for mode in ["host", "none"] {
                let outcome = try ctr.ctr("create", "--network", mode, "-p", "80:80", "-P", image)
                #expect(outcome.code == 0 && outcome.stderr.contains("Published ports are discarded"))
                #expect(
                    try ctr.inspect(
                        outcome.text, "{{len .HostConfig.PortBindings}} {{.HostConfig.PublishAllPorts}}")
                        == "0 false")
            }
        }
    }

    @Test(arguments: [
        (["-p", "x:80"], "--publish"), (["-p", "80:90-91"], "--publish"), (["-p", "80/icmp"], "icmp"),
        (["-p", "1.2.3:80:80"], "1.2.3"), (["-p", "99999:80"], "99999"),
        (["-p", "80:80", "-p", "80:81"], "same port"), (["--expose", "x"], "--expose"),
        (["--network", "nobody"], "ctr network create nobody"), (["--network", "a b"], "--network"),
        (["--network", "bridge,ip=x"], "\"x\""), (["--network", "bridge,ip=192.0.2.1"], "192.0.2.1"),
        (["--network", "bridge", "--network", "host"], "conflicting options"),
        (["--network", "bridge", "--network", "bridge"], "multiple times"), (["--ip", "::1"], "--ip"),
        (["--ip6", "1.2.3.4"], "--ip6"), (["--mac-address", "ff:ff:ff:ff:ff:ff"], "--mac-address"),
        (["--link-local-ip", "10.0.0.1"], "--link-local-ip"),
        (["--network-alias", "a b"], "--network-alias"),
        (["--dns", "nowhere"], "--dns"), (["--dns-search", "a b"], "--dns-search"),
        (["--dns-option", ""], "--dns-option"), (["--add-host", "x:nowhere"], "--add-host"),
        (["--balance", "web"], "--balance"), (["--balance", "web:odd", "-p", "80:80"], "--balance"),
        (["--network", "host", "--ip", "10.0.0.5"], "--network host"),
        (["--network", "none", "--network-alias", "a"], "--network none"),
        (["--network", "container:x", "-p", "80"], "port publishing"),
        (["--network", "container:x", "--dns", "192.0.2.1"], "dns"),
        (["--network", "container:"], "container:"), (["--network", "ns:x"], "ns:"),
        (["--network", "ns:/nowhere"], "--network ns:/nowhere"),
    ])
    func flagsThatAreRefused(_ flags: [String], _ says: String) throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let outcome = try ctr.ctr(["create"] + flags + [image])
            ctr.expectRefusal(outcome, code: 125, says: [says])
            #expect(try ctr.ok("ps", "-aq") == "")
        }
    }

    @Test func whatHappensIsTold() throws {
        try withFixture { ctr in
            let id = try ctr.ok("network", "create", "back")
            try ctr.ok("network", "rm", "back")
            #expect(
                try ctr.ok(
                    "events", "--since", "1h", "--until", "0s", "-f", "type=network", "--format",
                    "{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}")
                    == "create \(id) back bridge\ndestroy \(id) back bridge")
        }
    }

    @Test func nothingIsExposedYet() throws {
        try withFixture { ctr in
            #expect(
                try ctr.ok("port", "--exposed").components(separatedBy: .whitespaces).filter { !$0.isEmpty }
                    == ["ADDRESS", "PORT", "PROTOCOL", "CONTAINER", "TARGET"])
            #expect(try ctr.ok("port", "--exposed", "--format", "json") == "")
            try ctr.refuses("port", says: ["ctr port"])
            try ctr.refuses("port", "--exposed", "a", "b", says: ["--exposed"])
            try ctr.refuses("port", "nobody", says: ["nobody"])
            #expect(try ctr.ok("info", "--format", "{{.NetworkDrivers}}") == "bridge macvlan host none")
        }
    }
}
