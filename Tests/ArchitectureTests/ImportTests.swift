import Foundation
import Testing

/// SwiftPM itself lets an import through that a target has not declared.
@Suite struct ImportTests {
    @Test(arguments: Rooms.ours.keys.sorted())
    func importsOnlyWhatTheTableNames(room: String) throws {
        let files = try Repository.files(below: Repository.sources.appendingPathComponent(room), ["swift"])
        #expect(!files.isEmpty, "no sources of \(room) were found")
        for file in files {
            let path = file.path.dropFirst(Repository.sources.path.count + 1)
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let module = Self.importedModule(String(line)) else { continue }
                #expect(Rooms.allows(module, in: room, file: String(path)), "\(path) imports \(module)")
            }
        }
    }

    /// A new room is not free of the rule.
    @Test func everyRoomIsInTheTable() throws {
        #expect(try Repository.rooms() == Rooms.ours.keys.sorted())
    }

    @Test func thePackageDeclaresTheSame() throws {
        let manifest = try Repository.text("Package.swift")
        for (room, wanted) in Rooms.ours {
            let declared = try #require(Self.dependencies(of: room, in: manifest), "\(room) in Package.swift")
            #expect(declared == wanted, "\(room) in Package.swift")
        }
    }

    @Test func theDocumentDrawsTheSame() throws {
        var drawn: [String: Set<String>] = [:]
        for line in try Repository.text("docs/architecture.md").split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("| `"), cells.count == 4 else { continue }
            let room = cells[0].trimmingCharacters(in: ["`"])
            guard Rooms.ours[room] != nil else { continue }
            drawn[room] = Set(cells[1].matches(of: /`([^`]+)`/).map { String($0.1) })
        }
        #expect(drawn == Rooms.ours)
    }

    /// The quoted names of the first list after the target's name: an `http` or `crypto` is no target of ours.
    private static func dependencies(of room: String, in manifest: String) -> Set<String>? {
        guard
            let declared = manifest.firstRange(of: "room(\"\(room)\"") ?? manifest.firstRange(
                of: "room(\n        \"\(room)\"")
                ?? manifest.firstRange(of: "name: \"\(room)\", dependencies:")
                ?? manifest.firstRange(of: "name: \"\(room)\",\n        dependencies:")
        else { return nil }
        let rest = manifest[declared.upperBound...]
        if rest.first == ")" { return [] }
        guard let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]") else {
            return nil
        }
        return Set(rest[open..<close].matches(of: /"([^"]+)"/).map { String($0.1) })
    }

    private static func importedModule(_ line: String) -> String? {
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first,
            first.hasPrefix("@") || ["package", "internal", "public", "private"].contains(first)
        {
            words.removeFirst()
        }
        guard words.count >= 2, words[0] == "import" else { return nil }
        let name = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) ? words[2] : words[1]
        return String(name.split(separator: ".")[0])
    }
}
