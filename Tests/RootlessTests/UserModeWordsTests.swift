import Failure
import LinuxSystem
import Networks
import Rootless
import Testing

@Suite struct UserModeWordsTests {
    private typealias Port = UserModeNetwork.Port

    private func words(_ kind: UserModeNetwork.Kind, _ ports: [Port], _ outside: Set<IPFamily>) -> String {
        UserModeNetwork(kind, path: "/p").keeperWords(ports, outside: outside).joined(separator: " ")
    }

    @Test func pastaForwardsNothingThatIsNotAskedFor() {
        let common =
            "pasta /p /run/user/0/netns/container 0 pasta --quiet --config-net --netns /run/user/0/netns/container --no-netns-quit --no-map-gw --tcp-ns none --udp-ns none --dns none --search none --no-dhcp --no-dhcpv6 --no-ra --ns-ifname tap0 --ns-mac-addr 02:63:74:72:00:02 --mac-addr 02:63:74:72:00:01 --mtu 65520 --address 198.19.255.2 --netmask 24 --gateway 198.19.255.1"
        #expect(
            words(.pasta, [], [.v4, .v6])
                == "\(common) --address fd63:7472:6e65:74::2 --gateway fe80::1 --tcp-ports none --udp-ports none"
        )
        #expect(words(.pasta, [], [.v4]) == "\(common) --ipv4-only --tcp-ports none --udp-ports none")
        #expect(
            words(.pasta, [], []) == "\(common) --ipv4-only --interface lo --tcp-ports none --udp-ports none")
        #expect(
            words(
                .pasta,
                [
                    Port(.tcp, hostPort: 8080, containerPort: 80),
                    Port(.udp, hostAddress: IPAddress("::1"), hostPort: 53, containerPort: 5353),
                    Port(.tcp, hostAddress: IPAddress("127.0.0.1"), hostPort: 90, containerPort: 9090),
                ], [.v4])
                == "\(common) --ipv4-only --tcp-ports 8080:80 --tcp-ports 127.0.0.1/90:9090 --udp-ports ::1/53:5353"
        )
    }

    @Test func slirpHasAnOrderForEachPort() {
        #expect(
            words(.slirp4netns, [Port(.udp, hostPort: 8080, containerPort: 80)], [.v4])
                == #"slirp4netns /p /run/user/0/netns/container 1 {"execute": "add_hostfwd", "arguments": {"proto": "udp", "host_addr": "0.0.0.0", "host_port": 8080, "guest_port": 80}} slirp4netns --configure --mtu 65520 --disable-host-loopback --disable-dns --enable-seccomp --cidr 198.19.255.0/24 --ready-fd 3 --api-socket /run/user/0/netns/orders --netns-type path /run/user/0/netns/container tap0"#
        )
        #expect(words(.slirp4netns, [], [.v4, .v6]).contains("--netns-type path --enable-ipv6 /run"))
    }

    @Test func whatAProgramCannotPublishIsRefused() throws {
        let null = try FileDescriptor.open("/dev/null")
        func refusal(_ kind: UserModeNetwork.Kind, _ ports: Port...) -> String? {
            do throws(Failure) {
                _ = try UserModeNetwork(kind, path: "/p").start(
                    in: null, beside: null, ports: ports,
                    keeper: UserModeNetwork.Keeper(FileDescriptor(owning: -1)))
                return nil
            } catch { return error.message }
        }
        #expect(
            refusal(.pasta, Port(.sctp, hostPort: 8080, containerPort: 80))
                == "publish port 8080/sctp: pasta knows tcp and udp only")
        #expect(
            refusal(
                .slirp4netns, Port(.tcp, hostAddress: IPAddress("::1"), hostPort: 8080, containerPort: 80))
                == "publish [::1]:8080/tcp: slirp4netns publishes on IPv4 addresses only")
        #expect(
            refusal(
                .pasta, Port(.tcp, hostAddress: IPAddress("127.0.0.1"), hostPort: 8080, containerPort: 80),
                Port(.tcp, hostAddress: IPAddress("::1"), hostPort: 8080, containerPort: 80))
                == "publish [::1]:8080/tcp: pasta has a port on one address or on all, and 127.0.0.1 has it already"
        )
    }

    @Test func pastaIsTakenBeforeSlirp() throws {
        let directory = try Programs()
        #expect(UserModeNetwork.find(in: directory.path) == nil)
        try directory.add("slirp4netns")
        #expect(UserModeNetwork.find(in: "/nowhere:\(directory.path)")?.kind == .slirp4netns)
        try directory.add("pasta")
        #expect(
            UserModeNetwork.find(in: directory.path)
                == UserModeNetwork(.pasta, path: "\(directory.path)/pasta"))
    }
}

private final class Programs {
    let path: String

    init() throws {
        path = "/tmp/ctr-programs-\(Process.pid())"
        try Directory.ensurePath(path)
    }

    deinit { try? Directory.removeTree(path) }

    func add(_ name: String) throws {
        _ = try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create], mode: 0o755)
    }
}
