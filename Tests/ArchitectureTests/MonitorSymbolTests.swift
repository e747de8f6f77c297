import Foundation
import Testing

/// What lives beside every container stays small: nothing of these is linked into ctr-monitor. Read from the
/// release build before it is stripped.
@Suite struct MonitorSymbolTests {
    static let build: String? = {
        let builds = Repository.root.appendingPathComponent(".build")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: builds.path)) ?? []
        return names.filter { $0.contains("-linux-") }
            .map { builds.appendingPathComponent("\($0)/release/ctr-monitor").path }
            .first { FileManager.default.isReadableFile(atPath: $0) }
    }()
    static let isReadable = build != nil && FileManager.default.isExecutableFile(atPath: "/usr/bin/nm")

    @Test(.enabled(if: isReadable, "not run: no release build of ctr-monitor in .build, or no nm"))
    func theMonitorLinksNothingOfTheRest() throws {
        let symbols = try Self.symbols(of: try #require(Self.build))
        #expect(
            symbols.contains { $0.hasPrefix("$s16ContainerMonitor") },
            "the program is stripped: it tells nothing")
        // A module's symbols begin with $s and its length and name; C's by the library's prefix.
        let unwanted = [
            "Foundation": [
                "$s10Foundation", "$s20FoundationEssentials", "$s22FoundationInternationalization",
            ],
            "OCI": ["$s3OCI"],
            "the other rooms": [
                "$s6Engine", "$s7Runtime", "$s10ImageStore", "$s14RegistryClient", "$s9OverlayFS",
            ],
            "libseccomp": ["seccomp_init", "seccomp_load", "seccomp_rule_add"],
            "tasks": ["swift_task_create", "swift_task_switch", "swift_job_run"],
            "names of users and hosts": ["getaddrinfo", "getpwnam"],
        ]
        for (what, prefixes) in unwanted {
            let found = symbols.filter { symbol in prefixes.contains { symbol.hasPrefix($0) } }
            #expect(found.isEmpty, "\(what): \(found.prefix(5).joined(separator: ", "))")
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
