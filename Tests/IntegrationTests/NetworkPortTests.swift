import Foundation
import Testing

/// Published ports: from the host, from containers, from outside; who has them, and what becomes of them.
@Suite("published ports", .needs(.ip, .nsenter, .dig, .curl, .unshare, .nft, .python3))
struct NetworkPortTests {
    @Test func fromEverywhereWithTheSendersAddress() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            let port = Network.freePort()
            let image = try ctr.busybox()
            // A CGI program tells who asks.
            try ctr.ok(
                "run", "-d", "--name", "web1", "-p", "\(port):80", image, "sh", "-c",
                "mkdir -p /w/cgi-bin; printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' > /w/cgi-bin/who; chmod 755 /w/cgi-bin/who; exec httpd -f -p 80 -h /w"
            )
            let own = try Network.address("web1", of: ctr)
            try ctr.eventually("the port answers") {
                try !ctr.fetch("http://127.0.0.1:\(port)/cgi-bin/who").isEmpty
            }
            let seen = try outside.run(
                "curl", "-s", "-m", "5", "http://\(outside.hostAddress):\(port)/cgi-bin/who")
            #expect(seen.text.contains(outside.address), "the sender's own address is seen: \(seen)")
            // A neighbour by the host's address, and the container itself: hairpin.
            try ctr.ok("run", "-d", "--name", "client", image, "sleep", "600")
            for name in ["client", "web1"] {
                let gateway = try ctr.inspect(name, "{{.NetworkSettings.Gateway}}")
                let answer = try Network.fetch(name, "http://\(gateway):\(port)/cgi-bin/who", of: ctr)
                #expect(!answer.isEmpty, "\(name) by \(gateway)")
            }
            #expect(try ctr.ok("port", "web1") == "80/tcp -> 0.0.0.0:\(port)")
            #expect(try ctr.ok("port", "web1", "80") == "0.0.0.0:\(port)")
            #expect(try ctr.ok("port", "--exposed").contains("\(own):80"))
            #expect(
                try ctr.ok("ps", "--format", "{{.Ports}}", "-f", "name=web1") == "0.0.0.0:\(port)->80/tcp")
            try ctr.ok("stop", "-t", "0", "web1")
            #expect(
                try outside.run("curl", "-s", "-m", "2", "http://\(outside.hostAddress):\(port)/").code != 0)
            #expect(!(try ctr.ok("port", "--exposed").contains("\(port)")))
        }
    }

    @Test func oneOfTheHostsAddressesAlone() throws {
        try withFixture { ctr in
            let outside = try Outside(ctr)
            let port = Network.freePort()
            try ctr.serve("web1", "-p", "127.0.0.1:\(port):80")
            try ctr.eventually("loopback") { try ctr.fetch("http://127.0.0.1:\(port)/") == "web1" }
            #expect(
                try outside.run("curl", "-s", "-m", "2", "http://\(outside.hostAddress):\(port)/").code != 0)
            // Another address of the host has the same port free.
            try ctr.serve("web2", "-p", "\(outside.hostAddress):\(port):80")
            #expect(
                try outside.run("curl", "-s", "-m", "5", "http://\(outside.hostAddress):\(port)/").text
                    == "web2")
            #expect(try ctr.fetch("http://127.0.0.1:\(port)/") == "web1")
            // What a variable says where nothing else does.
            let other = Network.freePort()
            try ctr.ok(
                ["run", "-d", "--name", "web3", "-p", "\(other):80", try ctr.busybox(), "sleep", "600"],
                environment: ["CTR_PUBLISH_ADDRESS": "127.0.0.1"])
            #expect(try ctr.ok("port", "web3") == "80/tcp -> 127.0.0.1:\(other)")
        }
    }

    @Test func rangesFreePortsAndUDP() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let first = (0..<3).map { _ in Network.freePort() }[0]
            try ctr.ok(
                "run", "-d", "--name", "many", "-p", "\(first)-\(first + 2):7000-7002", "-p", "9000",
                "-P", "--expose", "6000/udp", image, "sh", "-c",
                "mkdir -p /w; echo third > /w/third; httpd -p 7002 -h /w; exec httpd -f -p 9000 -h /w")
            let lines = try ctr.ok("port", "many").components(separatedBy: "\n")
            #expect(lines.contains("7002/tcp -> 0.0.0.0:\(first + 2)"))
            let free = try #require(lines.first { $0.hasPrefix("9000/tcp") }?.split(separator: ":").last)
            #expect(lines.contains { $0.hasPrefix("6000/udp -> 0.0.0.0:") })
            try ctr.eventually("the third of the range") {
                try ctr.fetch("http://127.0.0.1:\(first + 2)/third") == "third"
            }
            try ctr.eventually("the free one") {
                try ctr.fetch("http://127.0.0.1:\(free)/third") == "third"
            }
        }
    }

    @Test func aPortThatIsTaken() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            let image = try ctr.busybox()
            try ctr.serve("web1", "-p", "\(port):80")
            try ctr.refuses(
                "run", "-d", "--name", "web2", "-p", "\(port):80", image, "sleep", "600", code: 125,
                says: ["\(port)/tcp", "container web1"])
            // docker too leaves what was created.
            #expect(try ctr.inspect("web2", "{{.State.Status}}") == "created")
            let other = Network.freePort()
            let python = try ChildProcess(
                [
                    Tool.python3.path ?? "python3", "-c",
                    "import socket,time;s=socket.socket();s.bind(('0.0.0.0',\(other)));s.listen();print('up',flush=True);time.sleep(600)",
                ], environment: ctr.environment)
            defer { python.signal(SIGKILL) }
            try python.waitFor("up")
            try ctr.refuses(
                "run", "--rm", "-p", "\(other):80", image, "true", code: 125,
                says: ["\(other)/tcp is taken by", "python3"])
            // And nobody of the host gets one that is published.
            let late = try ChildProcess(
                [
                    Tool.python3.path ?? "python3", "-c",
                    "import socket;s=socket.socket();s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1);s.bind(('0.0.0.0',\(port)))",
                ], environment: ctr.environment
            ).finish()
            #expect(late.code != 0 && late.stderr.contains("in use"), "\(late)")
            try ctr.refuses(
                "run", "--rm", "-p", "203.0.113.9:\(other):80", image, "true", code: 125,
                says: ["203.0.113.9", "no such address"])
        }
    }

    @Test func aPortSurvivesRestartsAndFlushedRules() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            let image = try ctr.busybox()
            try ctr.ok(
                "run", "-d", "--name", "web1", "--restart", "always", "-p", "\(port):80", "-p", "80", image,
                "sh", "-c",
                "mkdir -p /w; echo web1 > /w/index.html; exec httpd -f -p 80 -h /w")
            let before = try ctr.ok("port", "web1")
            let first = try Network.address("web1", of: ctr)
            try ctr.eventually("the port answers") { try ctr.fetch("http://127.0.0.1:\(port)/") == "web1" }
            let pid = try ctr.inspect("web1", "{{.State.Pid}}")
            #expect(kill(try #require(pid_t(pid)), SIGKILL) == 0)
            try ctr.eventually("it was started again") {
                try ctr.inspect("web1", "{{.RestartCount}} {{.State.Running}}") == "1 true"
            }
            try ctr.eventually("the port leads there") {
                try ctr.fetch("http://127.0.0.1:\(port)/") == "web1"
            }
            #expect(try ctr.ok("port", "web1") == before, "free ports stay too")
            #expect(try Network.address("web1", of: ctr) != first)
            // Other tests' tables are not this one's.
            let table = try ctr.table()
            for words in [
                ["ps"], ["inspect", "web1"], ["logs", "web1"], ["top", "web1"], ["network", "ls"],
                ["network", "inspect", "bridge"], ["port", "--exposed"], ["network", "reload"],
            ] {
                for family in ["inet", "bridge"] { try ctr.tool(.nft, "delete", "table", family, table) }
                #expect(try ctr.fetch("http://127.0.0.1:\(port)/") == "")
                try ctr.ok(words)
                #expect(try ctr.fetch("http://127.0.0.1:\(port)/") == "web1", "\(words)")
            }
        }
    }

    /// The monitor of the run before still gives its networks back, and has the port.
    @Test func aStartAtOnceAfterTheEnd() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            try ctr.ok("run", "-d", "--name", "box", "-p", "\(port):80", try ctr.busybox(), "true")
            for _ in 0..<15 {
                try ctr.ok("wait", "box")
                let begin = Date()
                try ctr.ok("start", "box")
                #expect(Date().timeIntervalSince(begin) < 5)
            }
        }
    }

    /// A list waits for nobody, whoever holds the container's lock.
    @Test func aListDoesNotWaitForAStart() throws {
        try withFixture { ctr in
            try ctr.serve("box")
            let id = try ctr.inspect("box", "{{.Id}}")
            try ctr.ok("stop", "-t", "0", "box")
            let run = try #require(
                try FileManager.default.contentsOfDirectory(atPath: ctr.runRoot).first.map {
                    "\(ctr.runRoot)/\($0)"
                })
            try FileManager.default.createDirectory(atPath: "\(run)/\(id)", withIntermediateDirectories: true)
            try "ctr-network-state 1\n".write(
                toFile: "\(run)/\(id)/network", atomically: true, encoding: .utf8)
            let lock = open("\(ctr.root)/containers/\(id)/lock", O_RDWR)
            defer { close(lock) }
            #expect(lock >= 0 && flock(lock, LOCK_EX) == 0)
            #expect(try ctr.ctr("ps", "-a", timeout: 5).text.contains("box"))
            flock(lock, LOCK_UN)
            try ctr.ok("ps", "-a")
            #expect(access("\(run)/\(id)/network", F_OK) != 0, "then it was swept")
        }
    }

    /// Monitor and program are killed: rules, addresses and names are left, and the next command takes them away.
    @Test func whatAKillLeavesIsSwept() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            try ctr.serve("web1", "-p", "\(port):80")
            try ctr.ok("run", "-d", "--name", "client", try ctr.busybox(), "sleep", "600")
            let address = try Network.address("web1", of: ctr)
            let id = try ctr.inspect("web1", "{{.Id}}")
            let pid = try #require(pid_t(try ctr.inspect("web1", "{{.State.Pid}}")))
            let status = ctr.contents("/proc/\(pid)/status")
            let parent = try #require(
                status.components(separatedBy: "\n").first { $0.hasPrefix("PPid:") }.flatMap {
                    pid_t($0.dropFirst(5).trimmingCharacters(in: .whitespaces))
                })
            #expect(kill(parent, SIGKILL) == 0 && kill(pid, SIGKILL) == 0)
            try ctr.eventually("it is seen to have ended") {
                try ctr.inspect("web1", "{{.State.Running}}") == "false"
            }
            try ctr.ok("ps", "-a")
            #expect(try Network.dig("client", "web1", of: ctr) == [])
            let rules = try ctr.tool(.nft, "list", "table", "inet", try ctr.table()).stdout
            #expect(!rules.contains(address), "no rule has the address")
            let files = try FileManager.default.subpathsOfDirectory(atPath: ctr.runRoot)
            #expect(!files.contains { $0.contains(id) && $0.hasSuffix("/network") })
            #expect(!files.contains { $0.hasSuffix("addresses/\(address)") })
            try ctr.serve("web2", "-p", "\(port):80")
            try ctr.eventually("the port is free") { try ctr.fetch("http://127.0.0.1:\(port)/") == "web2" }
        }
    }

    @Test func onePortForAllOfAnAlias() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            for number in 1...3 {
                try ctr.serve(
                    "web\(number)", "--network-alias", "web", "-p", "\(port):80", "--balance", "web",
                    "--health-cmd", "test -e /w/index.html", "--health-interval", "200ms", "--health-retries",
                    "1")
            }
            func answers(_ times: Int = 40) throws -> Set<String> {
                Set(try (0..<times).map { _ in try ctr.fetch("http://127.0.0.1:\(port)/") })
            }
            try ctr.eventually("all three answer", within: 20) { try answers() == ["web1", "web2", "web3"] }
            try ctr.ok("exec", "web2", "rm", "/w/index.html")
            try ctr.eventually("the unhealthy one leaves", within: 20) {
                try answers() == ["web1", "web3"]
            }
            try ctr.ok("stop", "-t", "0", "web1")
            #expect(try answers(10) == ["web3"])
            try ctr.ok("rm", "-f", "web1", "web2", "web3")
            #expect(try ctr.fetch("http://127.0.0.1:\(port)/") == "")
        }
    }

    @Test func weightsAndSenders() throws {
        try withFixture { ctr in
            let port = Network.freePort()
            try ctr.serve(
                "web1", "--network-alias", "web", "-p", "\(port):80", "--balance", "web:round-robin",
                "--label",
                "ctr.balance.weight=3")
            try ctr.serve("web2", "--network-alias", "web")
            var counts: [String: Int] = [:]
            try ctr.eventually("both are up") {
                Set(try (0..<8).map { _ in try ctr.fetch("http://127.0.0.1:\(port)/") }) == ["web1", "web2"]
            }
            for _ in 0..<40 { counts[try ctr.fetch("http://127.0.0.1:\(port)/"), default: 0] += 1 }
            #expect(counts == ["web1": 30, "web2": 10], "\(counts)")
        }
    }
}

extension Fixture {
    /// The name of this root's tables.
    func table() throws -> String {
        let bridge = try ok(
            "network", "inspect", "-f", #"{{index .Options "com.docker.network.bridge.name"}}"#, "bridge")
        let tables = try tool(.nft, "list", "tables").lines.compactMap {
            $0.split(separator: " ").last.map(String.init)
        }
        // `c48df-0` is that of `ctr-48df2f1b`.
        let hash = bridge.dropFirst().prefix { $0 != "-" }
        return try #require(tables.first { $0.hasPrefix("ctr-\(hash)") }, "\(bridge): \(tables)")
    }
}
