import Failure
import Foundation
import LinuxSystem
import Testing

@testable import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Root may set the attribute on a kernel without SELinux as well.
@Suite(.enabled(if: geteuid() == 0, "not run: needs root")) struct TreeLabelTests {
    private func label(_ path: String) throws -> String? {
        let slash = try #require(path.lastIndex(of: "/"))
        let parent = try Directory.open(String(path[..<slash]))
        let name = String(path[path.index(after: slash)...])
        return try ExtendedAttributes.value(TreeLabel.attribute, of: name, in: parent.raw)
            .map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private func fill(_ top: String) throws {
        for path in ["\(top)/tree/a/b", "\(top)/outside"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        for path in ["\(top)/tree/a/b/file", "\(top)/outside/file"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(top)/tree/a/link", withDestinationPath: "\(top)/outside")
        try #require(mkfifo("\(top)/tree/fifo", 0o600) == 0)
    }

    @Test func allOfATreeAndNothingBehindItsLinks() throws {
        let root = try TemporaryRoot()
        try fill(root.path)
        try TreeLabel.set("u:r:t:s0", onSource: "\(root.path)/tree", home: "/root")
        for name in ["tree", "tree/a", "tree/a/b", "tree/a/b/file", "tree/a/link", "tree/fifo"] {
            #expect(try label("\(root.path)/\(name)") == "u:r:t:s0", "\(name)")
        }
        for name in ["outside", "outside/file"] {
            #expect(try label("\(root.path)/\(name)") == nil, "\(name)")
        }
        // What is new below a top that has its label already is left alone.
        try Data().write(to: URL(fileURLWithPath: "\(root.path)/tree/new"))
        try TreeLabel.set("u:r:t:s0", on: "\(root.path)/tree")
        #expect(try label("\(root.path)/tree/new") == nil)
        try TreeLabel.set("u:r:other:s0", on: "\(root.path)/tree")
        #expect(try label("\(root.path)/tree/new") == "u:r:other:s0")
    }

    @Test func aFileAndASourceThatIsALink() throws {
        let root = try TemporaryRoot()
        try fill(root.path)
        try FileManager.default.createSymbolicLink(
            atPath: "\(root.path)/way", withDestinationPath: "outside/file")
        try TreeLabel.set("u:r:t:s0", onSource: "\(root.path)/way", home: nil)
        #expect(try label("\(root.path)/outside/file") == "u:r:t:s0")
        #expect(try label("\(root.path)/outside") == nil)
    }

    @Test(arguments: ["/", "/etc", "/usr", "/usr/../etc/", "/home", "/proc", "/root"])
    func placesOfTheHostKeepTheirLabels(_ path: String) throws {
        let failure = #expect(throws: Failure.self) {
            try TreeLabel.set("u:r:t:s0", onSource: path, home: nil)
        }
        #expect(failure?.code == .permissionDenied)
        let root = try TemporaryRoot()
        try FileManager.default.createSymbolicLink(
            atPath: "\(root.path)/way", withDestinationPath: path)
        #expect(throws: Failure.self) {
            try TreeLabel.set("u:r:t:s0", onSource: "\(root.path)/way", home: nil)
        }
        #expect(throws: Failure.self) {
            try TreeLabel.set("u:r:t:s0", onSource: root.path, home: root.path)
        }
        #expect(try label(root.path) == nil)
    }
}
