import Foundation
import Testing

extension Fixture {
    /// A container that answers HTTP with its name on port 80, when this returns.
    func serve(_ name: String, _ flags: String...) throws {
        let image = try busybox()
        try ok(
            ["run", "-d", "--name", name] + flags + [
                image, "sh", "-c", "mkdir -p /w; echo \(name) > /w/index.html; exec httpd -f -p 80 -h /w",
            ])
        let pid = try inspect(name, "{{.State.Pid}}")
        try eventually("\(name) listens") {
            // LISTEN is 0A, and port 80 is 0050.
            ["tcp", "tcp6"].contains { file in
                contents("/proc/\(pid)/net/\(file)").split(separator: "\n").contains {
                    let fields = $0.split(separator: " ")
                    return fields.count > 3 && fields[1].hasSuffix(":0050") && fields[3] == "0A"
                }
            }
        }
    }

    /// What this URL has, asked from the host.
    func fetch(_ url: String) throws -> String {
        try ChildProcess(
            [Tool.curl.path ?? "curl", "-s", "-m", "3", url], environment: environment
        ).finish(timeout: 10).text
    }
}

/// Containers on networks: names, addresses, what is reached and what is not.
@Suite("networks", .needs(.ip, .nsenter, .dig, .curl, .unshare, .nft, .python3))
struct NetworkTests {
    @Test func theDefaultNetworkHasAddressRouteAndNames() throws {
        try withFixture { ctr in
            try ctr.serve("web1", "--hostname", "box")
            let address = try Network.address("web1", of: ctr)
            #expect(address.hasPrefix("10."))
            #expect(try ctr.inspect("web1", "{{.HostConfig.NetworkMode}}") == "bridge")
            let inside = try ctr.ok("exec", "web1", "ip", "-o", "-4", "addr", "show", "eth0")
            #expect(inside.contains(address + "/20"))
            #expect(try ctr.ok("exec", "web1", "ip", "route").contains("default via"))
            #expect(try ctr.ok("exec", "web1", "cat", "/etc/hosts").contains("\(address)\tbox"))
            #expect(try ctr.ok("exec", "web1", "cat", "/etc/resolv.conf").contains("nameserver 127.0.0.11\n"))
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "client", image, "sleep", "600")
            let id = try ctr.inspect("web1", "{{.Id}}")
            for name in ["web1", "box", String(id.prefix(12)), "web1.bridge", "WEB1"] {
                #expect(try Network.dig("client", name, of: ctr) == [address], "\(name)")
            }
            #expect(try ctr.ok("exec", "client", "wget", "-q", "-O", "-", "http://web1/") == "web1")
            #expect(try Network.dig("client", "-x", address, of: ctr) == ["web1.bridge."])
            // A name of IPv4 alone: empty, and not that there is no such name.
            let six = try Network.inside(
                "client", "dig", "@127.0.0.11", "web1", "AAAA", "+timeout=2", of: ctr)
            #expect(six.stdout.contains("status: NOERROR") && six.stdout.contains("ANSWER: 0"))
            #expect(try Network.dig("client", "+tcp", "web1", of: ctr) == [address])
            try ctr.ok("rename", "web1", "other")
            #expect(try Network.dig("client", "other", of: ctr) == [address])
            #expect(try Network.dig("client", "web1", of: ctr) == [])
            try ctr.ok("stop", "-t", "0", "other")
            #expect(try Network.dig("client", "other", of: ctr) == [])
        }
    }

    @Test func containersOfOneAliasAnswerInTurn() throws {
        try withFixture { ctr in
            try ctr.ok("network", "create", "back")
            for number in 1...3 {
                try ctr.serve("web\(number)", "--network", "back", "--network-alias", "web")
            }
            try ctr.ok(
                "run", "-d", "--name", "client", "--network", "back", try ctr.busybox(), "sleep", "600")
            let all = try (1...3).map { try Network.address("web\($0)", "back", of: ctr) }.sorted()
            #expect(try Network.dig("client", "web", of: ctr) == all)
            var first: Set<String> = []
            for _ in 0..<30 {
                let answer = try Network.inside("client", "dig", "@127.0.0.11", "+short", "web", of: ctr)
                if let line = answer.lines.first { first.insert(line) }
            }
            #expect(first.count == 3, "who is first changes: \(first)")
            try ctr.ok("pause", "web2")
            #expect(try Network.dig("client", "web", of: ctr).count == 2)
            try ctr.ok("unpause", "web2")
            #expect(try Network.dig("client", "web", of: ctr) == all)
        }
    }

    @Test func anUnhealthyContainerLeavesTheAnswers() throws {
        try withFixture { ctr in
            try ctr.serve(
                "web1", "--network-alias", "web", "--health-cmd", "test -e /w/index.html",
                "--health-interval",
                "200ms", "--health-retries", "1")
            try ctr.serve("web2", "--network-alias", "web")
            let good = try Network.address("web2", of: ctr)
            try ctr.eventually("both answer") { try Network.dig("web2", "web", of: ctr).count == 2 }
            try ctr.ok("exec", "web1", "mv", "/w/index.html", "/w/away")
            try ctr.eventually("the unhealthy one leaves") {
                try Network.dig("web2", "web", of: ctr) == [good]
            }
            try ctr.ok("exec", "web1", "mv", "/w/away", "/w/index.html")
            try ctr.eventually("it comes back") { try Network.dig("web2", "web", of: ctr).count == 2 }
        }
    }

    @Test func aContainerIsConnectedAndDisconnectedWhileItRuns() throws {
        try withFixture { ctr in
            try ctr.ok("network", "create", "back")
            let port = Network.freePort()
            try ctr.serve("web1", "-p", "\(port):80")
            let first = try Network.address("web1", of: ctr)
            try ctr.ok("network", "connect", "--alias", "db", "back", "web1")
            let second = try Network.address("web1", "back", of: ctr)
            #expect(try ctr.ok("exec", "web1", "ip", "-o", "-4", "addr", "show", "eth1").contains(second))
            let hosts = try ctr.ok("exec", "web1", "cat", "/etc/hosts")
            #expect(hosts.contains(first) && hosts.contains(second))
            try ctr.ok(
                "run", "-d", "--name", "client", "--network", "back", try ctr.busybox(), "sleep", "600")
            #expect(try ctr.ok("exec", "client", "wget", "-q", "-O", "-", "http://db/") == "web1")
            // Its own resolver has the new network too.
            try ctr.eventually("web1 knows client") { try Network.dig("web1", "client", of: ctr).count == 1 }
            try ctr.refuses("network", "connect", "back", "web1", says: ["already"])
            try ctr.refuses("network", "rm", "back", says: ["in use", "web1"])
            try ctr.ok("network", "disconnect", "bridge", "web1")
            #expect(!(try ctr.ok("exec", "web1", "ip", "-o", "addr").contains(first)))
            #expect(try ctr.ok("exec", "web1", "ip", "route").contains("default via"))
            // The port leads to the address that is left.
            try ctr.eventually("the port leads on") { try ctr.fetch("http://127.0.0.1:\(port)/") == "web1" }
            try ctr.ok("restart", "-t", "0", "web1")
            #expect(try ctr.ok("exec", "web1", "ls", "/sys/class/net").contains("eth0"))
            try ctr.ok("network", "disconnect", "back", "web1")
            #expect(!(try ctr.ok("exec", "web1", "ip", "-o", "link").contains("eth")))
            try ctr.ok("network", "connect", "back", "web1")
            #expect(try ctr.ok("exec", "client", "wget", "-q", "-O", "-", "http://web1/") == "web1")
        }
    }

    /// Row 18 of the security cases: networks do not reach each other, whatever way is tried.
    @Test func networksDoNotReachEachOther() throws {
        try withFixture { ctr in
            try ctr.ok("network", "create", "one")
            try ctr.ok("network", "create", "two")
            try ctr.serve("web1", "--network", "one")
            let address = try Network.address("web1", "one", of: ctr)
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "same", "--network", "one", image, "sleep", "600")
            try ctr.ok(
                "run", "-d", "--name", "other", "--network", "two", "--cap-add", "NET_ADMIN", image, "sleep",
                "600")
            #expect(
                try Network.fetch("same", "http://\(address)/", of: ctr) == "web1"
            )
            #expect(
                try Network.fetch("other", "http://\(address)/", of: ctr) == "")
            #expect(try Network.dig("other", "web1", of: ctr) == [])
            // Nor by an address of that network that it gives itself.
            let stolen = address.split(separator: ".").dropLast().joined(separator: ".") + ".250"
            try ctr.ok("exec", "other", "ip", "addr", "add", "\(stolen)/20", "dev", "eth0")
            #expect(
                try Network.fetch("other", "http://\(address)/", of: ctr) == "")
        }
    }

    /// Row 18: a neighbour's address or MAC is nobody else's.
    @Test func aNeighboursAddressCannotBeTaken() throws {
        try withFixture { ctr in
            try ctr.serve("web1")
            try ctr.serve("thief", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW")
            try ctr.ok("run", "-d", "--name", "client", try ctr.busybox(), "sleep", "600")
            let victim = try Network.address("web1", of: ctr)
            try ctr.ok("exec", "thief", "ip", "addr", "add", "\(victim)/20", "dev", "eth0")
            let own = try Network.address("client", of: ctr)
            _ = try Network.inside("thief", "ping", "-c", "2", "-W", "1", "-I", victim, own, of: ctr)
            for _ in 0..<5 {
                #expect(
                    try Network.fetch("client", "http://\(victim)/", of: ctr) == "web1")
            }
            // With a MAC of its own choice it reaches nobody.
            try ctr.ok("exec", "thief", "ip", "addr", "del", "\(victim)/20", "dev", "eth0")
            #expect(try Network.fetch("thief", "http://\(victim)/", of: ctr) == "web1")
            try ctr.ok("exec", "thief", "ip", "link", "set", "eth0", "down")
            try ctr.ok("exec", "thief", "ip", "link", "set", "eth0", "address", "02:42:00:00:00:77")
            try ctr.ok("exec", "thief", "ip", "link", "set", "eth0", "up")
            #expect(
                try Network.fetch("thief", "http://\(victim)/", of: ctr) == "")
        }
    }

    /// CVE-2024-29018: a container on internal networks alone makes no question leave the host.
    @Test func cve_2024_29018_anInternalNetworkAsksNobody() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            try ctr.ok("network", "create", "--internal", "inner")
            try ctr.ok(
                "run", "-d", "--name", "closed", "--network", "inner", "--dns", outside.address,
                try ctr.busybox(), "sleep", "600")
            try ctr.serve("web1", "--network", "inner")
            let listener = try outside.listen(udp: 53)
            defer { listener.signal(SIGKILL) }
            let answer = try Network.inside(
                "closed", "dig", "@127.0.0.11", "secret.example.org", "+timeout=2", "+tries=1", of: ctr)
            #expect(answer.stdout.contains("status: NXDOMAIN"), "\(answer)")
            #expect(try ctr.ctr("exec", "closed", "ping", "-c", "1", "-W", "1", outside.address).code != 0)
            #expect(try ctr.ok("exec", "closed", "wget", "-q", "-O", "-", "http://web1/") == "web1")
            // What was sent is there at once on such a cable.
            listener.pump(until: Date() + 0.5) { false }
            #expect(!listener.stdout.contains("secret"), "a question left the host")
            try ctr.refuses(
                "run", "--rm", "--network", "inner", "-p", "8080:80", try ctr.busybox(), "true", code: 125,
                says: ["internal"])
        }
    }

    @Test func theWorldIsReachedWithTheHostsAddress() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            let server = try outside.start(
                Tool.busybox.path ?? "busybox", "nc", "-l", "-p", "7000", "-e",
                "/bin/sh", "-c", "echo from outside")
            defer { server.signal(SIGKILL) }
            usleep(200_000)
            let said = try ctr.ok("run", "--rm", try ctr.busybox(), "nc", "-w", "3", outside.address, "7000")
            #expect(said == "from outside")
            // The way back in is nobody's without a published port.
            try ctr.serve("web1")
            let address = try Network.address("web1", of: ctr)
            #expect(try outside.run("curl", "-s", "-m", "2", "http://\(address)/").code != 0)
        }
    }

    @Test func addressesThatWereAskedForAreKept() throws {
        try withFixture { ctr in
            try ctr.ok("network", "create", "--subnet", "10.5.7.0/24", "back")
            let image = try ctr.busybox()
            try ctr.ok(
                "create", "--name", "kept", "--network", "back", "--ip", "10.5.7.40", "--mac-address",
                "02:42:00:11:22:33", image, "sleep", "600")
            try ctr.refuses(
                "run", "--rm", "--network", "back", "--ip", "10.5.7.40", image, "true", code: 125,
                says: ["10.5.7.40", "kept"])
            try ctr.refuses(
                "run", "--rm", "--network", "back", "--ip", "10.6.0.1", image, "true", code: 125,
                says: ["10.6.0.1", "no subnet"])
            try ctr.refuses(
                "run", "--rm", "--network", "back", "--ip", "10.5.7.1", image, "true", code: 125,
                says: ["gateway"])
            try ctr.refuses(
                "run", "--rm", "--network", "nowhere", image, "true", code: 125, says: ["nowhere"])
            try ctr.ok("start", "kept")
            let shown = try ctr.ok("exec", "kept", "ip", "-o", "addr", "show", "eth0")
            #expect(shown.contains("10.5.7.40/24"))
            #expect(try ctr.ok("exec", "kept", "cat", "/sys/class/net/eth0/address") == "02:42:00:11:22:33")
            try ctr.ok("rm", "-f", "kept")
            #expect(
                try ctr.ok("run", "--rm", "--network", "back", "--ip", "10.5.7.40", image, "hostname", "-i")
                    == "10.5.7.40")
        }
    }

    @Test func startsAtOnceGetDifferentAddresses() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let runs = try (0..<8).map {
                try ctr.start("run", "-d", "--name", "c\($0)0", image, "sleep", "600")
            }
            for run in runs { #expect(run.finish(timeout: 90).code == 0) }
            let addresses = try (0..<8).map { try Network.address("c\($0)0", of: ctr) }
            #expect(Set(addresses).count == 8)
            let removal = try ctr.start(
                "rm", "-f", "c00", "c10", "c20", "c30", "c40", "c50", "c60", "c70")
            #expect(removal.finish(timeout: 60).code == 0)
        }
    }

    @Test func anotherContainersNetworkIsShared() throws {
        try withFixture { ctr in
            try ctr.serve("web1")
            let image = try ctr.busybox()
            #expect(
                try ctr.ok(
                    "run", "--rm", "--network", "container:web1", image, "wget", "-q", "-O", "-",
                    "http://127.0.0.1/") == "web1")
            let hosts = try ctr.ok(
                "run", "--rm", "--network", "container:web1", image, "cat", "/etc/hosts", "/etc/resolv.conf")
            #expect(hosts.contains(try Network.address("web1", of: ctr)) && hosts.contains("127.0.0.11"))
            try ctr.refuses(
                "run", "--rm", "--network", "container:web1", "-p", "80:80", image, "true", code: 125,
                says: ["publish"])
        }
    }

    @Test func userNamespacesHaveNetworksToo() throws {
        try withFixture { ctr in
            try ctr.serve("web1", "--userns", "auto")
            #expect(try ctr.ok("exec", "web1", "cat", "/sys/class/net/eth0/operstate") == "up")
            #expect(
                try ctr.ok("run", "--rm", try ctr.busybox(), "wget", "-q", "-O", "-", "http://web1/")
                    == "web1")
        }
    }

    @Test func bothFamilies() throws {
        try withFixture { ctr in
            try ctr.ok("network", "create", "--ipv6", "six")
            let port = Network.freePort()
            try ctr.serve("web1", "--network", "six", "-p", "\(port):80")
            let six = try ctr.inspect("web1", "{{.NetworkSettings.Networks.six.GlobalIPv6Address}}")
            #expect(six.hasPrefix("fd"))
            try ctr.ok("run", "-d", "--name", "client", "--network", "six", try ctr.busybox(), "sleep", "600")
            #expect(try Network.dig("client", "web1", "AAAA", of: ctr) == [six])
            #expect(try Network.dig("client", "-x", six, of: ctr) == ["web1.six."])
            try ctr.eventually("over IPv6") {
                try Network.fetch("client", "http://[\(six)]/", of: ctr) == "web1"
            }
            try ctr.eventually("loopback of IPv6") { try ctr.fetch("http://[::1]:\(port)/") == "web1" }
            #expect(try ctr.fetch("http://127.0.0.1:\(port)/") == "web1")
        }
    }

    @Test func extraHostsAndTheHostItself() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let hosts = try ctr.ok(
                "run", "--rm", "--add-host", "db:192.0.2.9", "--add-host", "me:host-gateway", "--dns-search",
                "example.org", "--dns-option", "ndots:2", image, "cat", "/etc/hosts", "/etc/resolv.conf")
            #expect(hosts.contains("192.0.2.9\tdb"))
            #expect(!hosts.contains("host-gateway") && hosts.contains("\tme"))
            #expect(hosts.contains("search example.org") && hosts.contains("options ndots:2"))
            try ctr.ok("run", "-d", "--name", "client", "--add-host", "db:192.0.2.9", image, "sleep", "600")
            #expect(try Network.dig("client", "db", of: ctr) == ["192.0.2.9"])
        }
    }

    /// Everything else is passed to who `--dns` names; `dig` plays that server's client through the container.
    @Test func otherNamesGoUpstream() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            try ctr.serve("web1", "--dns", outside.address)
            let listener = try outside.listen(udp: 53)
            defer { listener.signal(SIGKILL) }
            try ctr.eventually("the question came to the server outside", within: 20) {
                _ = try Network.inside(
                    "web1", "dig", "@127.0.0.11", "far.example.org", "+timeout=1", "+tries=1", of: ctr)
                listener.pump(until: Date() + 0.1) { false }
                return listener.output.contains(Array("far".utf8))
            }
        }
    }

    @Test func buildsHaveTheDefaultNetwork() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.makeDirectory("context")
            try ctr.file(
                "context/Dockerfile",
                """
                FROM busybox:test
                RUN ip -o -4 addr show eth0 > /address; cat /etc/resolv.conf >> /address
                RUN --network=none ls /sys/class/net > /devices
                """)
            try ctr.ok("build", "--pull=false", "-t", "built", context)
            let text = try ctr.ok("run", "--rm", "built", "cat", "/address", "/devices")
            #expect(text.contains("inet 10.") && text.contains("127.0.0.11"))
            #expect(text.hasSuffix("lo"))
        }
    }
}
