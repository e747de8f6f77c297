import Foundation
import Glibc
import LinuxSystem
import Testing

/// Networks of an ordinary user, on a machine of the test's own with a world outside of it.
///
///     outside 192.0.2.2 - machine 192.0.2.1 ~ pasta or slirp4netns ~ containers - their bridge
@Suite("an ordinary user: networks", .needs(.ip, .setpriv))
struct RootlessNetworkTests {
    private struct Machine {
        let own: SharedFileDescriptor
        let outside: SharedFileDescriptor

        init() throws {
            own = SharedFileDescriptor(try NetworkNamespace.make())
            outside = SharedFileDescriptor(try NetworkNamespace.make())
            try run(outside, "ip link set lo up")
            try run(
                own,
                """
                ip link set lo up && ip link add uplink type veth peer name wire netns /proc/\(getpid())/fd/\(outside.raw) &&
                ip addr add 192.0.2.1/24 dev uplink && ip link set uplink up
                """)
            try run(outside, "ip addr add 192.0.2.2/24 dev wire && ip link set wire up")
            try run(own, "ip route add default via 192.0.2.2")
        }

        func inside<R>(_ namespace: SharedFileDescriptor, _ body: () throws -> R) throws -> R {
            var result: Result<R, any Error>?
            try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in
                result = Result { try body() }
            }
            return try #require(result).get()
        }

        @discardableResult
        func run(_ namespace: SharedFileDescriptor, _ script: String) throws -> Outcome {
            let outcome = try inside(namespace) {
                try ChildProcess(
                    ["/bin/sh", "-c", script], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
                ).finish(timeout: 60)
            }
            #expect(outcome.code == 0, "\(script): \(outcome)")
            return outcome
        }

        /// What the address answers, asked as a web server is; nil: nobody does.
        func fetch(_ place: SharedFileDescriptor, _ url: String) throws -> String? {
            let outcome = try inside(place) {
                try ChildProcess([Tool.busybox.path ?? "", "wget", "-qO-", url]).finish(
                    timeout: 60)
            }
            return outcome.code == 0 ? outcome.stdout.trimmingCharacters(in: .newlines) : nil
        }
    }

    private static let hasProgram = ["/usr/bin/pasta", "/usr/bin/slirp4netns"].contains {
        access($0 as String, X_OK) == 0
    }

    @Test(.enabled(if: hasProgram, "not run: neither pasta nor slirp4netns is installed"))
    func namesPortsAndTheWorld() throws {
        let machine = try Machine()
        try withOrdinaryUser { user in
            func ok(_ words: String...) throws -> String {
                try machine.inside(machine.own) { try user.ok(words) }
            }
            let web = "echo hello >/tmp/x && exec httpd -f -p 80 -h /tmp"
            _ = try ok("run", "-d", "--name", "box", "-p", "8080:80", "busybox:test", "sh", "-c", web)
            #expect(try ok("run", "--rm", "busybox:test", "wget", "-qO-", "http://box/x") == "hello")
            #expect(try machine.fetch(machine.own, "http://127.0.0.1:8080/x") == "hello")
            #expect(try machine.fetch(machine.outside, "http://192.0.2.1:8080/x") == "hello")
            // Outwards.
            let directory = try user.fixture.makeDirectory("served")
            try "out there\n".write(toFile: directory + "/y", atomically: true, encoding: .utf8)
            let server = try machine.inside(machine.outside) {
                try ChildProcess([Tool.busybox.path ?? "", "httpd", "-f", "-p", "7000", "-h", directory])
            }
            defer {
                server.signal(SIGKILL)
                _ = server.finish(timeout: 10)
            }
            #expect(
                try ok(
                    "run", "--rm", "busybox:test", "sh", "-c",
                    "for i in 1 2 3 4 5; do wget -qO- http://192.0.2.2:7000/y && exit; sleep 1; done")
                    == "out there")
            // A port that is taken.
            let taken = try machine.inside(machine.own) {
                try user.ctr(["run", "--rm", "-p", "8080:80", "busybox:test", "true"])
            }
            #expect(
                taken.code == 125 && taken.stderr.contains("8080") && taken.stderr.contains("box"), "\(taken)"
            )
            let low = try machine.inside(machine.own) {
                try user.ctr(["run", "--rm", "-p", "81:80", "busybox:test", "true"])
            }
            #expect(low.code == 125 && low.stderr.contains("ip_unprivileged_port_start"), "\(low)")
            // The port is free as soon as the container is gone.
            _ = try ok("rm", "-f", "box")
            _ = try ok("run", "-d", "--name", "box", "-p", "8080:80", "busybox:test", "sh", "-c", web)
            #expect(try machine.fetch(machine.outside, "http://192.0.2.1:8080/x") == "hello")
            _ = try ok("restart", "-t", "0", "box")
            #expect(try machine.fetch(machine.outside, "http://192.0.2.1:8080/x") == "hello")
            _ = try ok("rm", "-f", "box")
        }
    }

    @Test(.enabled(if: hasProgram, "not run: neither pasta nor slirp4netns is installed"))
    func connectedWhileItRunsAndMendedAfterAKill() throws {
        let machine = try Machine()
        try withOrdinaryUser { user in
            func ok(_ words: String...) throws -> String {
                try machine.inside(machine.own) { try user.ok(words) }
            }
            let web = "echo hello >/tmp/x && exec httpd -f -p 80 -h /tmp"
            _ = try ok("network", "create", "back")
            _ = try ok("run", "-d", "--name", "box", "-p", "8080:80", "busybox:test", "sh", "-c", web)
            _ = try ok("network", "connect", "--alias", "db", "back", "box")
            #expect(
                try ok("run", "--rm", "--network", "back", "busybox:test", "wget", "-qO-", "http://db/x")
                    == "hello")
            #expect(try ok("exec", "box", "ls", "/sys/class/net").contains("eth1"))
            _ = try ok("network", "disconnect", "back", "box")
            #expect(!(try ok("exec", "box", "ls", "/sys/class/net").contains("eth1")))
            #expect(try machine.fetch(machine.outside, "http://192.0.2.1:8080/x") == "hello")
            // The keeper of its way to the world is killed: the next command that looks at networks starts another.
            let keepers = try keepers(of: machine)
            try #require(keepers.count == 1, "\(keepers)")
            for keeper in keepers { kill(keeper, SIGKILL) }
            // The kernel ends what the keeper kept before it is gone itself.
            try user.fixture.eventually("the port leads in again") {
                _ = try ok("network", "ls")
                return try machine.fetch(machine.outside, "http://192.0.2.1:8080/x") == "hello"
            }
            #expect(try self.keepers(of: machine).count == 1)
            _ = try ok("rm", "-f", "box")
            try user.fixture.eventually("nothing of it runs on") { try self.keepers(of: machine).isEmpty }
        }
    }

    /// Processes `ctr-monitor network` on this machine.
    private func keepers(of machine: Machine) throws -> [pid_t] {
        let files = FileManager.default
        func namespace(_ process: String) throws -> String {
            try files.destinationOfSymbolicLink(atPath: "/proc/\(process)/ns/net")
        }
        let own = try machine.inside(machine.own) { try namespace("thread-self") }
        return try files.contentsOfDirectory(atPath: "/proc").filter { process in
            let line = files.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return pid_t(process) != nil && line.starts(with: Data("ctr-monitor\0network\0".utf8))
                && (try? namespace(process)) == own
        }.compactMap { pid_t($0) }
    }

    @Test(.enabled(if: hasProgram, "not run: neither pasta nor slirp4netns is installed"))
    func anInternalNetworkHasNoWayOut() throws {
        let machine = try Machine()
        try withOrdinaryUser { user in
            func ok(_ words: String...) throws -> String {
                try machine.inside(machine.own) { try user.ok(words) }
            }
            _ = try ok("network", "create", "--internal", "back")
            #expect(
                try ok("run", "--rm", "--network", "back", "busybox:test", "ls", "/sys/class/net")
                    == "eth0\nlo")
            #expect(
                try ok("run", "--rm", "busybox:test", "ls", "/sys/class/net").contains("tap0"))
            #expect(
                try ok("run", "--rm", "--network", "none", "busybox:test", "ls", "/sys/class/net") == "lo")
        }
    }
}
