import Failure
import Glibc
import LinuxSystem
import Networks
import Rootless
import Testing

private typealias Port = UserModeNetwork.Port

@Suite(
    .enabled(
        if: Machine.canRun, "not run: needs root, network namespaces, util-linux and a built ctr-monitor"),
    .serialized)
struct UserModeNetworkTests {
    static let kinds = UserModeNetwork.Kind.allCases.filter(Machine.has)

    @Test(.enabled(if: Machine.has(.pasta), "not run: no pasta"))
    func pastaLeadsToTheWorldAndBack() throws {
        let machine = try Machine()
        let keeper = try machine.start(
            .pasta, Port(.tcp, hostPort: 8080, containerPort: 80),
            Port(.udp, hostPort: 5353, containerPort: 53),
            Port(.tcp, hostAddress: IPAddress("127.0.0.1"), hostPort: 8081, containerPort: 81))
        defer { try? UserModeNetwork.stop(keeper) }
        for (address, any) in [("192.0.2.2", "0.0.0.0"), ("2001:db8:1::2", "::")] {
            let own = address.replacingOccurrences("2.2", "2.1").replacingOccurrences("::2", "::1")
            for kind in [InternetSocket.Kind.stream, .datagram] {
                let server = try Peer.listening(in: machine.outside, kind, any, 7000)
                #expect(
                    try server.answers(from: machine.container, to: address, 7000) == own,
                    "\(address) \(kind)")
            }
            // Inwards: the outside keeps its address.
            let web = try Peer.listening(in: machine.container, .stream, any, 80)
            #expect(try web.answers(from: machine.outside, to: own, 8080) == address)
            #expect(
                try web.answers(from: machine.network, to: any == "::" ? "::1" : "127.0.0.1", 8080) != nil)
            let names = try Peer.listening(in: machine.container, .datagram, any, 53)
            #expect(try names.answers(from: machine.outside, to: own, 5353) == address)
        }
        // What is published on loopback is there alone.
        let own = try Peer.listening(in: machine.container, .stream, "0.0.0.0", 81)
        #expect(try own.answers(from: machine.network, to: "127.0.0.1", 8081) == "127.0.0.1")
        #expect(try own.answers(from: machine.outside, to: "192.0.2.1", 8081, patience: 1000) == nil)
    }

    @Test(.enabled(if: Machine.has(.slirp4netns), "not run: no slirp4netns"))
    func slirpLeadsToTheWorldAndBack() throws {
        let machine = try Machine()
        let keeper = try machine.start(
            .slirp4netns, Port(.tcp, hostPort: 8080, containerPort: 80),
            Port(.udp, hostPort: 5353, containerPort: 53),
            Port(.tcp, hostAddress: IPAddress("127.0.0.1"), hostPort: 8081, containerPort: 81))
        defer { try? UserModeNetwork.stop(keeper) }
        for kind in [InternetSocket.Kind.stream, .datagram] {
            let server = try Peer.listening(in: machine.outside, kind, "0.0.0.0", 7000)
            #expect(try server.answers(from: machine.container, to: "192.0.2.2", 7000) == "192.0.2.1")
        }
        let web = try Peer.listening(in: machine.container, .stream, "0.0.0.0", 80)
        #expect(try web.answers(from: machine.outside, to: "192.0.2.1", 8080) == "192.0.2.2")
        let names = try Peer.listening(in: machine.container, .datagram, "0.0.0.0", 53)
        #expect(try names.answers(from: machine.outside, to: "192.0.2.1", 5353) == "192.0.2.2")
        let own = try Peer.listening(in: machine.container, .stream, "0.0.0.0", 81)
        #expect(try own.answers(from: machine.network, to: "127.0.0.1", 8081) == "198.19.255.2")
        #expect(try own.answers(from: machine.outside, to: "192.0.2.1", 8081, patience: 1000) == nil)
    }

    /// docs/security.md
    @Test(arguments: kinds) func machineLoopbackIsNotReachable(_ kind: UserModeNetwork.Kind) throws {
        let machine = try Machine()
        let keeper = try machine.start(kind)
        defer { try? UserModeNetwork.stop(keeper) }
        let gateways = [
            "127.0.0.1", "::1", "198.19.255.1", "198.19.255.2", "198.19.255.3", "fd63:7472:6e65:74::1",
            "fd00::2", "fd00::3",
        ]
        for (type, port) in [(InternetSocket.Kind.stream, UInt16(7001)), (.stream, 53), (.datagram, 53)] {
            let four = try Peer.listening(in: machine.network, type, "127.0.0.1", port)
            let six = try Peer.listening(in: machine.network, type, "::1", port)
            for address in gateways {
                let server = address.contains(":") ? six : four
                #expect(
                    try server.answers(from: machine.container, to: address, port, patience: 250) == nil,
                    "\(address) \(port) \(type)")
            }
        }
        let server = try Peer.listening(in: machine.outside, .stream, "0.0.0.0", 7001)
        #expect(try server.answers(from: machine.container, to: "192.0.2.2", 7001) != nil)
        // Nor the other way: what listens on the container's loopback is not on the machine's.
        let own = try Peer.listening(in: machine.container, .stream, "127.0.0.1", 7002)
        #expect(try own.answers(from: machine.network, to: "127.0.0.1", 7002, patience: 250) == nil)
    }

    @Test(arguments: kinds) func aMachineWithoutANetworkHasContainers(_ kind: UserModeNetwork.Kind) throws {
        let machine = try Machine(hasNetwork: false)
        let keeper = try machine.start(kind, Port(.tcp, hostPort: 8080, containerPort: 80))
        defer { try? UserModeNetwork.stop(keeper) }
        let web = try Peer.listening(in: machine.container, .stream, "0.0.0.0", 80)
        #expect(try web.answers(from: machine.network, to: "127.0.0.1", 8080) != nil)
    }

    @Test(arguments: kinds) func nothingOutlivesTheContainer(_ kind: UserModeNetwork.Kind) throws {
        let machine = try Machine()
        let keeper = try machine.start(kind, Port(.tcp, hostPort: 8080, containerPort: 80))
        let all = Machine.processes(below: keeper)
        #expect(all.count >= 2)
        try machine.endContainer()
        #expect(Machine.eventually { all.allSatisfy { ProcessIdentity(running: $0) == nil } })
        _ = try Peer.listening(in: machine.network, .stream, "0.0.0.0", 8080)
    }

    @Test(arguments: kinds) func whatIsKilledComesBackOrTakesAllAlong(_ kind: UserModeNetwork.Kind) throws {
        let machine = try Machine()
        let keeper = try machine.start(kind, Port(.tcp, hostPort: 8080, containerPort: 80))
        let first = Machine.processes(below: keeper).filter { $0 != keeper.pid }
        for process in first { kill(process, SIGKILL) }
        #expect(
            Machine.eventually {
                let now = Machine.processes(below: keeper).filter { $0 != keeper.pid }
                return !now.isEmpty && now.allSatisfy { !first.contains($0) }
            })
        let web = try Peer.listening(in: machine.container, .stream, "0.0.0.0", 80)
        #expect(
            try Machine.eventually {
                try web.answers(from: machine.outside, to: "192.0.2.1", 8080, patience: 500) != nil
            })
        // The keeper itself: the kernel ends the program.
        let all = Machine.processes(below: keeper)
        kill(keeper.pid, SIGKILL)
        #expect(Machine.eventually { all.allSatisfy { ProcessIdentity(running: $0) == nil } })
    }

    /// The program's own words, where ctr could not know before: root may have the port, the user may not.
    @Test(arguments: kinds) func whatTheProgramSaysIsPassedOnAndNothingIsLeft(_ kind: UserModeNetwork.Kind)
        throws
    {
        let machine = try Machine()
        let failure = #expect(throws: Failure.self) {
            try machine.start(kind, Port(.tcp, hostPort: 81, containerPort: 80))
        }
        #expect(
            failure?.message.contains(kind == .pasta ? "-t 81:80" : "\"host_port\": 81") == true,
            "\(String(describing: failure))")
        var routes = try RouteSocket(inside: machine.container.raw)
        #expect(
            try Machine.eventually { try routes.link(named: UserModeNetwork.interface) == nil })
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        hasSuffix(old) ? dropLast(old.count) + new : self
    }
}
