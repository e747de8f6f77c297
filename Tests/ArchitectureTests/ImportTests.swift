import Foundation
import Testing

/// docs/architecture.md draws who may know whom; SwiftPM itself lets an undeclared import through.
@Suite struct ImportTests {
    /// What a room may import of ours, and of others. `Glibc` is for LinuxSystem, which makes the system calls.
    static let allowed: [String: Set<String>] = [
        "Failure": [],
        "LinuxSystem": ["CLinux", "Failure", "Glibc", "Synchronization"],
        "OCI": ["Failure", "FoundationEssentials"],
        "LaunchPlan": ["LinuxSystem", "Failure"],
        "ContainerMonitor": ["LaunchPlan", "LinuxSystem", "CContainerInit", "Failure"],
        "Archive": [
            "LinuxSystem", "Failure", "CLibArchive", "CISAL", "CZlib", "CZstd", "Crypto", "Synchronization",
        ],
        "ImageStore": ["OCI", "LinuxSystem", "Archive", "Failure", "Crypto", "Synchronization"],
        "RegistryClient": [
            "OCI", "Failure", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "Synchronization",
            "FoundationEssentials",
        ],
        "OverlayFS": ["OCI", "LinuxSystem", "Archive", "Failure", "Synchronization"],
        "Runtime": ["OCI", "LaunchPlan", "LinuxSystem", "Failure", "CSeccomp"],
        "Volumes": ["LinuxSystem", "Failure"],
        "CommandTable": ["Failure"],
        "Engine": [
            "OCI", "LinuxSystem", "LaunchPlan", "ContainerMonitor", "Archive", "ImageStore", "RegistryClient",
            "OverlayFS", "Runtime", "Volumes", "CommandTable", "Failure", "Synchronization",
        ],
        "ctr": ["Engine", "OCI", "CommandTable", "LinuxSystem", "Failure"],
        "ctr-monitor": ["ContainerMonitor"],
    ]

    static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources")

    @Test(arguments: allowed.keys.sorted())
    func importsOnlyWhatTheTableNames(room: String) throws {
        let allowed = try #require(Self.allowed[room])
        var files = 0
        let walk = try #require(
            FileManager.default.enumerator(at: Self.sources.appendingPathComponent(room), includingPropertiesForKeys: nil))
        for case let file as URL in walk where file.pathExtension == "swift" {
            files += 1
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let module = importedModule(String(line)) else { continue }
                #expect(allowed.contains(module), "\(file.lastPathComponent) of \(room) imports \(module)")
            }
        }
        #expect(files > 0, "no sources of \(room) were found")
    }

    /// Every room is in the table: a new one is not free of the rule.
    @Test func everyRoomIsInTheTable() throws {
        let rooms = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path)
            .filter { !$0.hasPrefix("C") || $0 == "ContainerMonitor" || $0 == "CommandTable" }
        for room in rooms { #expect(Self.allowed[room] != nil, "\(room) is not in the table") }
    }

    private func importedModule(_ line: String) -> String? {
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first, first.hasPrefix("@") || ["package", "internal", "public", "private"].contains(first) {
            words.removeFirst()
        }
        guard words.count >= 2, words[0] == "import" else { return nil }
        let name = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) ? words[2] : words[1]
        return String(name.split(separator: ".")[0])
    }
}
