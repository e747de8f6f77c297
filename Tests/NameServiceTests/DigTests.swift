import Foundation
import LinuxSystem
import NameService
import Networks
import Testing

private let digProgram = "/usr/bin/dig"

/// BIND's own client reads the answers.
@Suite(
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: digProgram), "not run: no dig (bind9-dnsutils)"
    ))
struct DigTests {
    /// What dig prints, while the resolver does its work.
    private func dig(_ world: ResolverWorld, _ words: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: digProgram)
        process.arguments = ["@127.0.0.1", "-p", String(world.address.port), "+tries=1", "+time=5"] + words
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        _ = world.run(milliseconds: 10_000) { process.isRunning ? nil : true }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        #expect(!text.lowercased().contains("warning"), "\(text)")
        return text
    }

    private func world() throws -> ResolverWorld {
        let world = try ResolverWorld()
        try world.network.register(
            .numbered(1, name: "db", both: true, ports: [.init(5432, .tcp, service: "postgresql")], weight: 9)
        )
        for n in 10..<60 { try world.network.register(.numbered(n, aliases: ["many"])) }
        world.upstream[0].streamScript = { [Messages.answer(to: $0)] }
        return world
    }

    @Test func answers() throws {
        let world = try world()
        #expect(try dig(world, "+short", "db", "A") == "10.9.0.1\n")
        #expect(try dig(world, "+short", "db.backend", "AAAA") == "fd00::1\n")
        #expect(try dig(world, "+short", "-x", "10.9.0.1") == "db.backend.\n")
        #expect(try dig(world, "+short", "-x", "fd00::1") == "db.backend.\n")
        let service = try dig(world, "_postgresql._tcp.db", "SRV")
        #expect(service.contains("IN\tSRV\t0 9 5432 db.backend."))
        #expect(service.contains("db.backend.\t\t0\tIN\tA\t10.9.0.1") && service.contains("fd00::1"))
        let empty = try dig(world, "box-10", "AAAA")
        #expect(
            empty.contains("status: NOERROR") && empty.contains("ANSWER: 0")
                && empty.contains("flags: qr aa rd ra"))
        #expect(try dig(world, "99.0.9.10.in-addr.arpa", "PTR").contains("status: NXDOMAIN"))
    }

    @Test func largeAnswersAndTCP() throws {
        let world = try world()
        // Cut at 512 bytes, asked again over TCP; whole within 1232.
        #expect(try dig(world, "+short", "+noedns", "many").split(separator: "\n").count == 50)
        #expect(try dig(world, "+noedns", "+ignore", "many").contains("flags: qr aa tc rd ra"))
        let whole = try dig(world, "+bufsize=1232", "many")
        #expect(whole.contains("ANSWER: 50") && whole.contains("udp: 4096") && !whole.contains(" tc "))
        #expect(try dig(world, "+short", "+tcp", "db") == "10.9.0.1\n")
        #expect(try dig(world, "+short", "+tcp", "www.example") == "192.0.2.1\n")
    }

    @Test func whatGoesUpstream() throws {
        let world = try world()
        let signed = try dig(world, "+dnssec", "+cookie=0123456789abcdef", "www.example")
        #expect(signed.contains("status: NOERROR") && signed.contains("192.0.2.1"), "\(signed)")
        #expect(try dig(world, "+edns=1", "+noednsneg", "db").contains("status: BADVERS"))
        #expect(try dig(world, "+opcode=NOTIFY", "+noedns", "db").contains("status: NOTIMP"))
    }
}
