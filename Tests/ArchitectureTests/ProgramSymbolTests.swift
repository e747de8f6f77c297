import Foundation
import Testing

/// What lives beside every container, and what every start pays for, stay small. Read from the release builds before they
/// are stripped.
@Suite struct ProgramSymbolTests {
    static let builds: [String: String] = {
        let builds = Repository.root.appendingPathComponent(".build")
        let places = ((try? FileManager.default.contentsOfDirectory(atPath: builds.path)) ?? [])
            .filter { $0.contains("-linux-") }
        var found: [String: String] = [:]
        for program in ["ctr", "ctr-monitor"] {
            found[program] = places.map { builds.appendingPathComponent("\($0)/release/\(program)").path }
                .first { FileManager.default.isReadableFile(atPath: $0) }
        }
        return found
    }()
    static let isReadable = builds.count == 2 && FileManager.default.isExecutableFile(atPath: "/usr/bin/nm")

    // A module's symbols begin with $s and its length and name; C's by the library's prefix.
    private static let transfers = [
        "archives": ["$s7Archive", "$s12ImageArchive", "$s6Layers", "archive_read", "isal_"],
        "registries": ["$s14RegistryClient", "$s9Transfers", "$s7NIOCore", "$s15AsyncHTTPClient"],
        "names of hosts": ["getaddrinfo"],
    ]
    private static let rest = [
        "Foundation": ["$s10Foundation", "$s20FoundationEssentials", "$s22FoundationInternationalization"],
        "OCI": ["$s3OCI"],
        "the other rooms": ["$s6Engine", "$s7Runtime", "$s10ImageStore", "$s9OverlayFS"],
        "libseccomp": ["seccomp_init", "seccomp_load", "seccomp_rule_add"],
        "tasks": ["swift_task_create", "swift_task_switch", "swift_job_run"],
        "names of users": ["getpwnam"],
    ]

    @Test(.enabled(if: isReadable, "not run: no release build of ctr and ctr-monitor in .build, or no nm"))
    func theMonitorLinksNothingOfTheRest() throws {
        try expect(
            "ctr-monitor", has: "$s16ContainerMonitor", lacks: Self.transfers.merging(Self.rest) { $1 })
    }

    @Test(.enabled(if: isReadable, "not run: no release build of ctr and ctr-monitor in .build, or no nm"))
    func ctrLinksNothingOfTheTransfers() throws {
        try expect("ctr", has: "$s6Engine", lacks: Self.transfers)
    }

    /// The list only makes starts faster, and ages without a word: scripts/link-order writes it anew.
    @Test(.enabled(if: isReadable, "not run: no release build of ctr and ctr-monitor in .build, or no nm"))
    func theOrderOfFunctionsIsOfThesePrograms() throws {
        let list = Repository.root.appendingPathComponent("scripts/link-order.txt")
        let names = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").map(String.init)
        let known = try Self.builds.values.reduce(into: Set<String>()) {
            $0.formUnion(try Self.symbols(of: $1))
        }
        #expect(names.filter(known.contains).count * 4 >= names.count * 3, "run scripts/link-order")
    }

    private func expect(_ program: String, has own: String, lacks unwanted: [String: [String]]) throws {
        let symbols = try Self.symbols(of: try #require(Self.builds[program]))
        #expect(symbols.contains { $0.hasPrefix(own) }, "\(program) is stripped: it tells nothing")
        for (what, prefixes) in unwanted {
            let found = symbols.filter { symbol in prefixes.contains { symbol.hasPrefix($0) } }
            #expect(found.isEmpty, "\(program) links \(what): \(found.prefix(5).joined(separator: ", "))")
        }
    }

    private static func symbols(of program: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nm")
        process.arguments = ["--defined-only", "--format=just-symbols", program]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
