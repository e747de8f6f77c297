import Foundation
import Testing

/// Programs that people run in containers, on ctr's networks.
@Suite("networks: programs of others", .needs(.ip, .nsenter, .curl, .unshare))
struct NetworkPeerTests {
    /// An image of programs of the machine, beside busybox's shell.
    private func image(
        _ name: String, _ programs: [Tool], _ ctr: Fixture, files: [(path: String, text: String)] = [],
        more: String = ""
    ) throws {
        let context = try ctr.makeDirectory(name)
        let paths = programs.compactMap(\.path)
        try #require(try ctr.copyPrograms(paths, into: context + "/root"))
        for (path, text) in files { _ = try ctr.file("\(name)/\(path)", text) }
        _ = try ctr.file("\(name)/Dockerfile", "FROM \(try ctr.busybox())\nCOPY root /\n" + more)
        try ctr.ok("build", "-q", "-t", name, context)
    }

    /// nginx asks for names by itself, of the server that resolv.conf tells: what it leads to changes while it runs.
    @Test(.needs(.nginx)) func nginxLeadsToWhatANameMeans() throws {
        try withFixture { ctr in
            let settings = """
                worker_processes 1; daemon off; pid /tmp/pid; error_log stderr;
                events { worker_connections 64; }
                http {
                  access_log /dev/stdout; resolver 127.0.0.11 valid=1s;
                  server {
                    listen 80; listen [::]:80;
                    location /front { return 200 "front\\n"; }
                    location / { set $app app; proxy_pass http://$app:80; }
                  }
                }
                """
            try image(
                "front", [.nginx], ctr, files: [("nginx.conf", settings)],
                more: """
                    COPY nginx.conf /etc/nginx/nginx.conf
                    RUN mkdir -p /var/log/nginx /var/lib/nginx /run && echo 'root:x:0:0::/:/bin/sh' >/etc/passwd \\
                        && echo 'root:x:0:' >/etc/group && echo 'nogroup:x:65534:' >>/etc/group \\
                        && echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
                    EXPOSE 80
                    CMD ["/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"]

                    """)
            let outside = try Outside(ctr)
            let port = Network.freePort()
            try ctr.ok("network", "create", "--ipv6", "shop")
            try ctr.ok("run", "-d", "--name", "front", "--network", "shop", "-p", "\(port):80", "front")
            func ask(_ path: String = "/") throws -> String {
                try outside.run("curl", "-s", "-m", "3", "http://\(outside.hostAddress):\(port)\(path)").text
            }
            try ctr.eventually("nginx answers") { try ask("/front") == "front" }
            #expect(try ctr.ok("logs", "front").contains(outside.address), "the visitor's address")
            #expect(try ask().contains("502"), "nobody has the name yet")
            try ctr.serve("one", "--network", "shop", "--network-alias", "app")
            try ctr.eventually("the name leads to one") { try ask() == "one" }
            try ctr.serve("two", "--network", "shop", "--network-alias", "app")
            // nginx keeps an answer for a second or two.
            try ctr.eventually("to both in turn", within: 40) {
                Set(try (0..<6).map { _ in try ask() }) == ["one", "two"]
            }
            try ctr.ok("rm", "-f", "one")
            try ctr.eventually("to two alone", within: 40) {
                Set(try (0..<4).map { _ in try ask() }) == ["two"]
            }
        }
    }

    @Test(.needs(.redisCLI, .redisServer)) func redisIsReachedByItsNameAlone() throws {
        try withFixture { ctr in
            try image("redis", [.redisServer, .redisCLI], ctr, more: "VOLUME /data\nEXPOSE 6379\n")
            try ctr.ok("network", "create", "--internal", "back")
            try ctr.ok("network", "create", "other")
            let server = [
                "/usr/bin/redis-server", "--dir", "/data", "--protected-mode", "no", "--save", "",
                "--appendonly", "yes",
            ]
            try ctr.ok(
                ["run", "-d", "--name", "db", "--network", "back", "-v", "kept:/data", "redis"] + server)
            func redis(_ network: String, _ words: String...) throws -> Outcome {
                try ctr.ctr(
                    ["run", "--rm", "--network", network, "redis", "/usr/bin/redis-cli", "-h", "db"] + words)
            }
            try ctr.eventually("redis answers") { try redis("back", "ping").text == "PONG" }
            #expect(try redis("back", "set", "colour", "blue").text == "OK")
            #expect(try redis("back", "get", "colour").text == "blue")
            #expect(try redis("other", "ping").code != 0)
            // A new container with another address: the name is the same, and so is the data.
            try ctr.ok("rm", "-f", "db")
            try ctr.ok("run", "-d", "--name", "taken", "--network", "back", try ctr.busybox(), "sleep", "600")
            try ctr.ok(
                ["run", "-d", "--name", "db", "--network", "back", "-v", "kept:/data", "redis"] + server)
            try ctr.eventually("redis answers again") { try redis("back", "get", "colour").text == "blue" }
        }
    }

    /// Much at once, both ways, through a published port.
    @Test(.needs(.iperf3)) func aPublishedPortCarriesStreamsAndDatagrams() throws {
        try withFixture { ctr in
            try image("iperf", [.iperf3], ctr)
            let outside = try Outside(ctr)
            let port = Network.freePort()
            try ctr.ok(
                "run", "-d", "--name", "server", "-p", "\(port):5201", "-p", "\(port):5201/udp", "iperf",
                "/usr/bin/iperf3", "-s")
            func carries(_ flags: String...) throws -> Bool {
                let outcome = try Network.inside(
                    outside.holder.pid,
                    ["iperf3", "-c", outside.hostAddress, "-p", "\(port)", "-n", "8M", "-J"] + flags, ctr)
                let answer = try? JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8))
                let end = (answer as? [String: Any])?["end"] as? [String: Any]
                let sum = (end?["sum_received"] ?? end?["sum"]) as? [String: Any]
                return outcome.code == 0 && (sum?["bytes"] as? Double ?? 0) >= 4 * 1024 * 1024
            }
            try ctr.eventually("eight streams in") { try carries("-P", "8") }
            #expect(try carries("-R"), "outwards")
            #expect(try carries("-u", "-b", "400M"), "datagrams")
        }
    }
}
