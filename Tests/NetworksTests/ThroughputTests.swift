import Glibc
import LinuxSystem
import Networks
import Testing

extension KernelTests {
    /// Not a check but a measurement, for CTR_MEASURE=networks alone: bytes through ctr's bridge and published port, beside
    /// a bridge, two veth pairs and rules made by hand with ip and nft. Runs alternate; medians are printed.
    @Suite(.enabled(if: getenv("CTR_MEASURE") != nil, "not run: CTR_MEASURE is not set"))
    struct ThroughputTests {
        private static let rounds = 7

        /// The same as ctr's in what they do, without its guard against spoofing.
        private static let byHand = """
            table inet hand {
              chain forward { type filter hook forward priority 0; policy accept;
                ct state established,related accept
                oifname "tb-h" iifname "tb-h" accept
                oifname "tb-h" ct status dnat accept
                oifname "tb-h" drop
              }
              chain prerouting { type nat hook prerouting priority -100;
                fib daddr type local tcp dport 8080 dnat ip to 10.11.0.3:5201
              }
              chain postrouting { type nat hook postrouting priority 100;
                ip saddr 10.11.0.0/24 oifname != "tb-h" masquerade
              }
            }
            """

        private func run(_ words: String) throws {
            let tool = try #require(Tool("sh", "-ec", words))
            try #require(tool.finish() != nil, "\(words)")
        }

        /// Two namespaces on a bridge of the host's, made by hand.
        private func makeByHand(_ world: World) throws -> [SharedFileDescriptor] {
            let containers = try (0..<2).map { _ in SharedFileDescriptor(try NetworkNamespace.make()) }
            try world.inHost {
                try run(
                    """
                    ip link add tb-h type bridge stp_state 0 mcast_snooping 0; ip link set tb-h up
                    ip addr add 10.11.0.1/24 dev tb-h; echo 1 > /proc/sys/net/ipv4/ip_forward
                    """)
                for (i, container) in containers.enumerated() {
                    let place = "/proc/\(getpid())/fd/\(container.raw)"
                    try run(
                        """
                        ip link add th-\(i) type veth peer name eth0 netns \(place)
                        ip link set th-\(i) master tb-h up
                        """)
                    try world.inside(container) {
                        try run(
                            """
                            ip link set lo up; ip link set eth0 up; ip addr add 10.11.0.\(i + 2)/24 dev eth0
                            ip route add default via 10.11.0.1
                            """)
                    }
                }
                try run("nft -f - <<'EOF'\n\(Self.byHand)\nEOF")
            }
            return containers
        }

        /// Gigabits a second.
        private func throughput(
            _ world: World, _ server: SharedFileDescriptor, _ client: SharedFileDescriptor, _ address: String,
            _ port: Int
        ) throws -> Double {
            let listener = try world.inside(server) { try #require(Tool("iperf3", "-s", "-1", "-p", "5201")) }
            usleep(200_000)
            let sender = try world.inside(client) {
                try #require(Tool("iperf3", "-c", address, "-p", "\(port)", "-t", "2", "-J"))
            }
            let text = try #require(sender.finish())
            _ = listener.finish()
            let received = try #require(text.split(separator: "\"sum_received\"").last)
            let number = try #require(received.split(separator: "\"bits_per_second\":").dropFirst().first)
            return try #require(
                Double(number.prefix { $0 != "," && $0 != "\n" }.drop { $0 == "\t" || $0 == " " }))
                / 1e9
        }

        private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

        @Test func besideABridgeByHand() throws {
            let ours = try World()
            let network = try World.network("tb-a", ["10.11.0.1/24"])
            try ours.start(network)
            let containers = [try ours.add(2, to: network), try ours.add(3, to: network)]
            try ours.onHost {
                try $0.rules.publish([
                    PublishedPort(.tcp, hostPorts: 8080...8080, target: ip("10.11.0.3"), targetPort: 5201)
                ])
            }
            let hand = try World()
            let byHand = try makeByHand(hand)
            var direct: (ours: [Double], hand: [Double]) = ([], [])
            var published: (ours: [Double], hand: [Double]) = ([], [])
            for _ in 0..<Self.rounds {
                direct.ours.append(
                    try throughput(ours, containers[1].namespace, containers[0].namespace, "10.11.0.3", 5201))
                direct.hand.append(try throughput(hand, byHand[1], byHand[0], "10.11.0.3", 5201))
                published.ours.append(
                    try throughput(ours, containers[1].namespace, ours.outside, "192.0.2.1", 8080))
                published.hand.append(try throughput(hand, byHand[1], hand.outside, "192.0.2.1", 8080))
            }
            for (name, pair) in [("container to container", direct), ("published port", published)] {
                let (a, b) = (median(pair.ours), median(pair.hand))
                print("\(name): ctr \(a) Gbit/s, by hand \(b) Gbit/s, ratio \(a / b)")
                print("  \(pair)")
            }
        }
    }
}
