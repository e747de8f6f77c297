import Failure
import Networks
import Testing

@testable import Engine

@Suite struct PortTests {
    @Test(
        arguments: [
            ("80", "80/tcp"), ("80/UDP", "80/udp"), ("8080:80", "8080:80/tcp"), (":80", "80/tcp"),
            ("0:80", "80/tcp"), ("127.0.0.1:8080:80/sctp", "127.0.0.1:8080:80/sctp"),
            ("127.0.0.1::80", "127.0.0.1::80/tcp"), ("[::1]:8080:80", "[::1]:8080:80/tcp"),
            ("[::1]::80", "[::1]::80/tcp"), ("8000-8002:80-82", "8000-8002:80-82/tcp"),
            ("8000-8002:80", "8000-8002:80/tcp"), ("80-82", "80-82/tcp"), ("65535:65535", "65535:65535/tcp"),
            ("80:80~web", "80:80/tcp~web:random"),
        ])
    func whatIsPublished(_ text: String, _ shown: String) throws {
        let port = try PortRequest(parsing: text)
        #expect(port.description == shown)
        #expect(try PortRequest(parsing: shown) == port)
    }

    @Test(
        arguments: [
            "", ":", "0", "65536", "80/", "80/icmp", "a", "80:a", "a:80", "80-", "-80", "82-80",
            "80-82:90-91",
            "80:90-91", "1.2.3:80:80", "1.2.3.4.5:80:80", "::1:80:80", "[::1:80:80", "[::1]80:80",
            "[x]:80:80",
            "1:2:3:4", "+80", "8_0", " 80", "80 ", "80\n", "80/tcp/udp", "80:80~", "80:80~web:fast",
            "80:80~a b", "80:80~web:random:x", "٨٠", "80:80\u{0}",
        ])
    func whatIsNoPort(_ text: String) {
        let found = failure { _ = try PortRequest(parsing: text) }
        #expect(found?.code == .invalidArgument, "\(text)")
    }

    @Test func statesAreKept() throws {
        var state = NetworkState()
        state.endpoints = [
            NetworkState.Endpoint(
                network: "back", networkID: String(repeating: "a", count: 64), port: "ctrv0123",
                interface: "eth0", mac: MACAddress(value: 0x0242_0a01_0005),
                addresses: [
                    InterfaceAddress(try #require(IPAddress("10.1.0.5")), length: 24),
                    InterfaceAddress(try #require(IPAddress("fd00::5")), length: 64),
                ],
                gateways: [try #require(IPAddress("10.1.0.1"))],
                aliases: ["web", "two\nlines", "back\\slash"]),
            NetworkState.Endpoint(
                network: "lan", networkID: "", port: "", interface: "eth1", mac: MACAddress(value: 1),
                addresses: [], gateways: [], aliases: []),
        ]
        state.ports = [
            NetworkState.Port(.tcp, hostAddress: nil, hostPorts: 8000...8002, containerPort: 80),
            NetworkState.Port(
                .udp, hostAddress: IPAddress("::1"), hostPorts: 53...53, containerPort: 53,
                balance: Balance(alias: "web", mode: .sourceHash)),
        ]
        #expect(try NetworkState(parsing: state.bytes) == state)
        #expect(try NetworkState(parsing: NetworkState().bytes) == NetworkState())
    }

    @Test(
        arguments: [
            "", "ctr-network-state 2\n", "ctr-network-state 1\nmac 02:42:0a:01:00:05\n",
            "ctr-network-state 1\nendpoint a\nmac zz\n",
            "ctr-network-state 1\nendpoint a\naddress 10.1.0.5\n",
            "ctr-network-state 1\nendpoint a\naddress 10.1.0.5 33\n",
            "ctr-network-state 1\nendpoint a\naddress 10.1.0.5 -1\n",
            "ctr-network-state 1\nendpoint a\ngateway x\n", "ctr-network-state 1\npublished\n",
            "ctr-network-state 1\npublished 6 - 80 79 80\n",
            "ctr-network-state 1\npublished 6 - 0 99999 80\n",
            "ctr-network-state 1\npublished 7 - 80 80 80\n",
            "ctr-network-state 1\npublished 6 - 80 80 80 web fast\n",
            "ctr-network-state 1\npublished 6 - 80 80 80 web\n",
        ])
    func aDamagedStateIsTold(_ text: String) {
        let found = failure { _ = try NetworkState(parsing: Array(text.utf8)) }
        #expect(found?.code == .dataLoss)
    }

    // MARK: as they are shown

    private func state(_ ports: [NetworkState.Port], _ addresses: String...) throws -> NetworkState {
        var state = NetworkState()
        state.ports = ports
        state.endpoints = [
            NetworkState.Endpoint(
                network: "bridge", networkID: "", port: "p", interface: "eth0", mac: MACAddress(value: 1),
                addresses: try addresses.map { try InterfaceAddress($0) }, gateways: [], aliases: [])
        ]
        return state
    }

    private func shown(_ state: NetworkState, _ exposed: String...) throws -> String {
        PortBinding.text(
            PortBinding.all(state, exposed: try exposed.map { try ExposedPorts(parsing: $0) }))
    }

    @Test func aPublishedPortShowsTheFamiliesThatItHas() throws {
        let port = NetworkState.Port(.tcp, hostAddress: nil, hostPorts: 8080...8080, containerPort: 80)
        #expect(try shown(state([port], "10.1.0.5/24")) == "0.0.0.0:8080->80/tcp")
        #expect(
            try shown(state([port], "10.1.0.5/24", "fd00::5/64"))
                == "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp")
        #expect(try shown(state([port], "fd00::5/64")) == "[::]:8080->80/tcp")
        // Nothing comes in by an internal network, nor to an address of one link.
        var both = try state([port], "10.1.0.5/24", "fe80::5/64")
        var inner = both.endpoints[0]
        inner.isInternal = true
        inner.addresses = [try InterfaceAddress("fd00::5/64")]
        both.endpoints.append(inner)
        #expect(try shown(both) == "0.0.0.0:8080->80/tcp")
    }

    @Test func neighboursAreOneRange() throws {
        let same = NetworkState.Port(
            .tcp, hostAddress: IPAddress("127.0.0.1"), hostPorts: 8000...8002, containerPort: 8000)
        #expect(
            try shown(state([same], "10.1.0.5/24"), "9000-9001/udp", "8001", "9003/udp", "53", "8002/udp")
                == "8002/udp, 9000-9001/udp, 53/tcp, 127.0.0.1:8000-8002->8000-8002/tcp, 9003/udp")
        let other = NetworkState.Port(
            .tcp, hostAddress: IPAddress("127.0.0.1"), hostPorts: 8000...8001, containerPort: 80)
        #expect(
            try shown(state([other], "10.1.0.5/24")) == "127.0.0.1:8000->80/tcp, 127.0.0.1:8001->81/tcp")
        let last = NetworkState.Port(.udp, hostAddress: nil, hostPorts: 65534...65535, containerPort: 65534)
        #expect(try shown(state([last], "10.1.0.5/24"), "1") == "1/tcp, 0.0.0.0:65534-65535->65534-65535/udp")
    }

    @Test func anExposedPortStandsAlone() throws {
        #expect(try shown(state([], "10.1.0.5/24"), "80", "443", "80/tcp") == "80/tcp, 443/tcp")
        #expect(try shown(state([], "10.1.0.5/24"), "65535", "65535/tcp") == "65535/tcp")
        #expect(try shown(NetworkState()) == "")
    }
}
