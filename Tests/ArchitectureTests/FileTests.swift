import Foundation
import Testing

@Suite struct FileTests {
    static let mostLines = 550

    @Test func noSourceIsAGodFile() throws {
        let files = try Repository.files(below: Repository.sources, ["swift", "c", "h"])
        #expect(files.count > 100)
        for file in files {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false
            ).count
            #expect(
                lines <= Self.mostLines,
                "\(file.lastPathComponent) has \(lines) lines: it wants to be two files")
        }
    }

    /// A link of a document leads to a file that is there.
    @Test func linksOfTheDocumentsLeadSomewhere() throws {
        var documents = try Repository.files(below: Repository.root.appendingPathComponent("docs"), ["md"])
        documents.append(Repository.root.appendingPathComponent("README.md"))
        for document in documents {
            let text = try String(contentsOf: document, encoding: .utf8)
            for match in text.matches(of: /\]\(([^)#]+)(#[^)]*)?\)/) where !match.1.contains("://") {
                let target = document.deletingLastPathComponent().appendingPathComponent(String(match.1))
                #expect(
                    FileManager.default.fileExists(atPath: target.path),
                    "\(document.lastPathComponent) leads to \(match.1)")
            }
        }
    }

    /// A file that a document names by its path is there.
    @Test func pathsInTheDocumentsAreThere() throws {
        for document in try Repository.files(below: Repository.root.appendingPathComponent("docs"), ["md"]) {
            let text = try String(contentsOf: document, encoding: .utf8)
            for match in text.matches(of: /`((Sources|Tests|scripts|testdata|docs)\/[A-Za-z0-9_+.\/-]+)`/) {
                let target = Repository.root.appendingPathComponent(String(match.1))
                #expect(
                    FileManager.default.fileExists(atPath: target.path),
                    "\(document.lastPathComponent) names \(match.1)")
            }
        }
    }

    /// docs/security.md names a test for each defence: `Suite/test`, as it stands in Tests.
    @Test func testsThatTheSecurityTableNamesExist() throws {
        var functions: Set<String> = []
        for file in try Repository.files(below: Repository.root.appendingPathComponent("Tests"), ["swift"]) {
            let name = file.deletingPathExtension().lastPathComponent
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /func\s+([A-Za-z0-9_]+)\(/)
            {
                functions.insert("\(name)/\(match.1)")
            }
        }
        let named = try Repository.text("docs/security.md").matches(of: /`([A-Za-z]+Tests\/[A-Za-z0-9_]+)`/)
        #expect(named.count > 20)
        for match in named { #expect(functions.contains(String(match.1)), "there is no test \(match.1)") }
    }
}
