import Foundation
import LinuxSystem
import Networks
import Testing

/// The network namespace that the tests are in plays the host; others that they make play the world outside.
enum TestNetwork {
    /// Bridges and tables outlive the containers of a root, as they should; those of a test would pile up.
    static func removeHostSide(root: String, run: String) {
        let hash = hash(root)
        guard access("\(run)/\(hash)/networks", F_OK) == 0, Program.hasOwnNetwork else { return }
        let names = HostNames(
            table: "ctr-\(hash.prefix(8))", bridgePrefix: "c\(hash.prefix(4))-",
            portPrefix: "c\(hash.prefix(4))v")
        do {
            let proc = try Directory.open("/proc")
            var host = try HostNetwork(names, proc: proc.raw)
            try host.sweep(knownBridges: [], knownPorts: [])
            try host.rules.removeAll()
        } catch {
            Issue.record("the host's side of \(root) is still there: \(error)")
        }
    }

    /// As ctr names the run directory of a root.
    private static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A machine outside: a network namespace with a cable to the host.
final class Outside {
    let holder: ChildProcess
    /// Of the machine outside, and of the host on that cable.
    let address: String
    let hostAddress: String
    let device: String
    private let ctr: Fixture

    private static let numbers = NSLock()
    nonisolated(unsafe) private static var next = 1

    init(_ ctr: Fixture) throws {
        self.ctr = ctr
        let number = Outside.numbers.withLock {
            defer { Outside.next += 1 }
            return Outside.next
        }
        address = "198.51.\(100 + number / 64).\(number % 64 * 4 + 2)"
        hostAddress = "198.51.\(100 + number / 64).\(number % 64 * 4 + 1)"
        device = "out\(number)"
        let unshare = try #require(Tool.unshare.path)
        holder = try ChildProcess([unshare, "--net", "sleep", "600"], environment: ctr.environment)
        let pid = holder.pid
        try ctr.eventually("the machine outside is there") {
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            let others = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
            return others != nil && others != own
        }
        try ctr.tool(
            .ip, "link", "add", device, "type", "veth", "peer", "name", "wire", "netns", String(pid))
        ctr.onCleanUp { [device, holder] in
            _ = try? ChildProcess([Tool.ip.path ?? "ip", "link", "del", device]).finish(timeout: 10)
            holder.signal(SIGKILL)
        }
        try ctr.tool(.ip, "addr", "add", "\(hostAddress)/30", "dev", device)
        try ctr.tool(.ip, "link", "set", device, "up")
        try run("ip", "addr", "add", "\(address)/30", "dev", "wire")
        try run("ip", "link", "set", "wire", "up")
        try run("ip", "link", "set", "lo", "up")
        try run("ip", "route", "add", "default", "via", hostAddress)
    }

    /// Runs a program on that machine.
    @discardableResult
    func run(_ words: String..., timeout: Double = 20) throws -> Outcome {
        try Network.inside(holder.pid, words, ctr, timeout: timeout)
    }

    /// Prints what comes to a port of that machine, from when this returns.
    func listen(udp port: Int) throws -> ChildProcess {
        let listener = try start(
            Tool.python3.path ?? "python3", "-c",
            """
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', \(port))); print('up', flush=True)
            while True: print(s.recv(4096), flush=True)
            """)
        try listener.waitFor("up")
        return listener
    }

    /// Starts a program there that goes on.
    func start(_ words: String...) throws -> ChildProcess {
        let nsenter = try #require(Tool.nsenter.path)
        return try ChildProcess(
            [nsenter, "-t", String(holder.pid), "-n"] + words, environment: ctr.environment)
    }
}

/// Programs of the machine in a container's network.
enum Network {
    static func inside(_ pid: pid_t, _ words: [String], _ ctr: Fixture, timeout: Double = 20) throws
        -> Outcome
    {
        let nsenter = try #require(Tool.nsenter.path)
        return try ChildProcess(
            [nsenter, "-t", String(pid), "-n"] + words, environment: ctr.environment
        ).finish(timeout: timeout)
    }

    static func inside(_ container: String, _ words: String..., of ctr: Fixture) throws -> Outcome {
        let pid = try #require(pid_t(try ctr.inspect(container, "{{.State.Pid}}")))
        return try inside(pid, words, ctr)
    }

    /// What a container's DNS server says: lines of `+short`.
    static func dig(_ container: String, _ question: String..., of ctr: Fixture) throws -> [String] {
        let pid = try #require(pid_t(try ctr.inspect(container, "{{.State.Pid}}")))
        return try inside(
            pid, ["dig", "@127.0.0.11", "+short", "+timeout=2", "+tries=2"] + question, ctr
        ).lines.sorted()
    }

    /// What a container gets from a URL; empty where it does not reach it within seconds.
    static func fetch(_ container: String, _ url: String, of ctr: Fixture) throws -> String {
        try inside(container, "curl", "-s", "-m", "3", url, of: ctr).text
    }

    static func address(_ container: String, _ network: String = "bridge", of ctr: Fixture) throws -> String {
        try ctr.inspect(container, "{{(index .NetworkSettings.Networks \"\(network)\").IPAddress}}")
    }

    /// A port of the host that no other test has.
    static func freePort() -> Int {
        numbers.withLock {
            defer { next += 1 }
            return next
        }
    }

    private static let numbers = NSLock()
    nonisolated(unsafe) private static var next = 20_000
}
