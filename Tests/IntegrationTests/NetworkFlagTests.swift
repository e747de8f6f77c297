import Foundation
import Testing

/// What single flags and drivers of networks do.
@Suite("networks: flags and drivers", .needs(.ip, .nsenter, .dig, .curl, .unshare))
struct NetworkFlagTests {
    @Test func linkLocalAddressesAreThereBesidesTheOthers() throws {
        try withFixture { ctr in
            try ctr.serve("web1", "--link-local-ip", "169.254.7.7", "--link-local-ip", "fe80::77")
            let addresses = try ctr.ok("exec", "web1", "ip", "-o", "addr", "show", "eth0")
            #expect(addresses.contains("169.254.7.7/16") && addresses.contains("fe80::77/64"))
            #expect(
                try ctr.inspect("web1", "{{json .NetworkSettings.Networks.bridge.IPAMConfig.LinkLocalIPs}}")
                    == #"["169.254.7.7","fe80::77"]"#)
            try ctr.ok(
                "run", "-d", "--name", "client", "--link-local-ip", "169.254.7.8", try ctr.busybox(), "sleep",
                "600")
            #expect(try Network.fetch("client", "http://169.254.7.7/", of: ctr) == "web1")
            #expect(
                try Network.dig("client", "web1", of: ctr) == [try Network.address("web1", of: ctr)],
                "of no use to who is on another link")
            try ctr.refuses(
                "run", "--rm", "--link-local-ip", "10.0.0.1", try ctr.busybox(), "true",
                code: 125, says: ["link-local-ip", "10.0.0.1"])
        }
    }

    @Test func servicesHaveTheirPorts() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            try ctr.serve(
                "web1", "-p", "\(port):80", "--network-alias", "web", "--label", "ctr.balance.weight=7")
            try ctr.serve("web2", "--expose", "80", "--expose", "5353/udp", "--network-alias", "web")
            #expect(
                try Network.dig("web1", "_80._tcp.web", "SRV", of: ctr)
                    == ["0 1 80 web2.bridge.", "0 7 80 web1.bridge."])
            #expect(try Network.dig("web1", "_\(port)._tcp.web", "SRV", of: ctr) == ["0 7 80 web1.bridge."])
            #expect(try Network.dig("web1", "_5353._udp.web2", "SRV", of: ctr) == ["0 1 5353 web2.bridge."])
            #expect(try Network.dig("web1", "_80._udp.web", "SRV", of: ctr) == [])
        }
    }

    /// Containers beside the host on the network of one of its devices.
    @Test func macvlanIsTheDevicesNetwork() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            try outside.run("ip", "addr", "add", "203.0.113.1/24", "dev", "wire")
            let server = try outside.start(
                Tool.python3.path ?? "python3", "-m", "http.server", "-b", "203.0.113.1", "-d",
                try ctr.makeDirectory("served"), "8000")
            defer { server.signal(SIGKILL) }
            _ = try ctr.file("served/index.html", "outside")
            try ctr.ok(
                "network", "create", "-d", "macvlan", "--subnet", "203.0.113.0/24", "--gateway",
                "203.0.113.1",
                "--opt", "parent=\(outside.device)", "lan")
            try ctr.serve("web1", "--network", "lan")
            try ctr.serve("web2", "--network", "lan,ip=203.0.113.50")
            try ctr.eventually("the world is reached") {
                try Network.fetch("web1", "http://203.0.113.1:8000/", of: ctr) == "outside"
            }
            // As a machine of that network: at its own address, which is asked for by its name inside.
            #expect(try outside.run("curl", "-s", "-m", "3", "http://203.0.113.50/").text == "web2")
            #expect(try Network.dig("web1", "web2", of: ctr) == ["203.0.113.50"])
            #expect(try ctr.ok("exec", "web1", "wget", "-q", "-O", "-", "http://web2/") == "web2")
            try ctr.refuses(
                "run", "--rm", "--network", "lan", "-p", "8000:80", try ctr.busybox(), "true",
                code: 125, says: ["macvlan"])
            try ctr.refuses(
                "run", "--rm", "--network", "lan,ip=203.0.113.50", try ctr.busybox(), "true",
                code: 125, says: ["203.0.113.50", "web2"])
            try ctr.refuses("network", "create", "-d", "macvlan", "none", says: ["parent"])
            try ctr.refuses(
                "network", "create", "-d", "macvlan", "--opt", "parent=absent0", "no-device",
                says: ["absent0"])
            try ctr.ok("restart", "-t", "0", "web2")
            #expect(try ctr.ok("exec", "web1", "wget", "-q", "-O", "-", "http://web2/") == "web2")
        }
    }

    @Test func oneSenderStaysWithItsContainer() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            for number in 1...3 {
                try ctr.serve(
                    "web\(number)", "--network-alias", "web", "-p", "\(port):80", "--balance",
                    "web:source-hash")
            }
            let senders = try (0..<4).map { _ in try Outside(ctr) }
            func ask(_ sender: Outside) throws -> String {
                try sender.run("curl", "-s", "-m", "3", "http://\(sender.hostAddress):\(port)/").text
            }
            for sender in senders {
                try ctr.eventually("somebody answers") { try !ask(sender).isEmpty }
                #expect(Set(try (0..<6).map { _ in try ask(sender) }).count == 1)
            }
        }
    }
}
