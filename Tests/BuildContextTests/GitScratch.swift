import Failure
import LinuxSystem

@testable import BuildContext

/// A directory for repositories, made by the host's own git; it goes with its owner.
final class GitScratch {
    static let program = HelperProgram.find("git", in: Process.environmentValue("PATH"))
    static var isInstalled: Bool { program != nil }

    let path: String
    /// Seconds of the next commit.
    var time = 1_600_000_000

    init() throws {
        path = "/tmp/ctr-git-\(randomHex(bytes: 6))"
        try Directory.make(path, mode: 0o755)
    }

    deinit { try? Directory.removeTree(path) }

    struct Trouble: Error { let text: String }

    @discardableResult
    func git(_ arguments: String..., in directory: String = "repo") throws -> String {
        guard let program = GitScratch.program else { throw Trouble(text: "no git") }
        let outcome = try program.run(
            [
                "-C", "\(path)/\(directory)", "-c", "init.defaultBranch=main", "-c",
                "protocol.file.allow=always", "-c", "gc.auto=0",
            ] + arguments,
            environment: [
                "PATH=\(HelperProgram.standardPath)", "HOME=/dev/null/home", "GIT_CONFIG_NOSYSTEM=1",
                "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C",
                "GIT_COMMITTER_EMAIL=c@example.org", "GIT_AUTHOR_DATE=1000000000 +0000",
                "GIT_COMMITTER_DATE=\(time) +0200",
            ], limit: 16 << 20, keepsComplaints: true)
        guard outcome.code == 0 else {
            throw Trouble(text: "git \(arguments): \(String(decoding: outcome.complaints, as: UTF8.self))")
        }
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").joined(separator: "\n")
    }

    /// A new repository with one commit.
    func repository(_ name: String = "repo", format: String = "sha1") throws {
        try Directory.make("\(path)/\(name)", mode: 0o755)
        try git("init", "--quiet", "--object-format=\(format)", in: name)
        try commit("file", "first", in: name)
    }

    @discardableResult
    func commit(_ file: String, _ text: String, in name: String = "repo", message: String = "a change") throws
        -> String
    {
        try write("\(name)/\(file)", text)
        try git("add", "-A", in: name)
        try git("commit", "--quiet", "-m", message, in: name)
        return try git("rev-parse", "HEAD", in: name)
    }

    func write(_ name: String, _ text: String, mode: UInt32 = 0o644) throws {
        if let slash = name.lastIndex(of: "/") {
            try Directory.ensurePath("\(path)/\(name[..<slash])", mode: 0o755)
        }
        let file = try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create, .truncate])
        try file.write(text)
        try file.changeMode(mode)
    }

    func read(_ name: String) throws -> [UInt8] {
        try FileDescriptor.open("\(path)/\(name)").readAll(limit: 64 << 20)
    }

    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    /// Changes a file's bytes in place.
    func damage(_ name: String, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try read(name)
        change(&bytes)
        try Directory.removeFile("\(path)/\(name)")
        try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create]).write(bytes)
    }

    func names(_ directory: String) throws -> [String] {
        try Directory.names(in: Directory.open("\(path)/\(directory)"))
    }

    func newest(_ directory: String = "repo") throws -> Int64? {
        try GitCommitTime.newest(above: "\(path)/\(directory)")
    }
}
