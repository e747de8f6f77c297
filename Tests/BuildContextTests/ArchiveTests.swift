import Archive
import BuildContext
import Failure
import LinuxSystem
import Testing

@Suite(.enabled(if: isRoot, "owners and devices need root")) struct ArchiveTests {
    private func tar(_ entries: [TarEntry], data: String = "data") throws -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = TarWriter { (piece) throws(Failure) in bytes += piece }
        for entry in entries { try writer.add(entry, data: entry.kind == .file ? Array(data.utf8) : []) }
        try writer.finish()
        return bytes
    }

    private func entry(_ path: String, _ kind: TarEntry.Kind = .file, mode: UInt32 = 0o640, uid: UInt32 = 7)
        -> TarEntry
    {
        TarEntry(
            path: RawPath(path), kind: kind, mode: mode, uid: uid, gid: 8, modified: Timestamp(seconds: 1000))
    }

    private func add(_ bytes: [UInt8], to scratch: Scratch, at destination: String = "/x", uid: UInt32? = nil)
        throws
    {
        try FileDescriptor.open(
            "context/archive", in: scratch.directory.raw, [.writeOnly, .create, .truncate]
        )
        .write(bytes)
        try scratch.copy("archive", to: destination) {
            $0.unpacksArchives = true
            ($0.uid, $0.gid, $0.modified) = (uid, uid, Timestamp(seconds: 5))
        }
    }

    @Test(arguments: ["none", "gzip", "bzip2", "xz", "zstd"])
    func compressions(_ program: String) throws {
        let scratch = try Scratch()
        var bytes = try tar([entry("./", .directory, mode: 0o700), entry("d/", .directory), entry("d/f")])
        if program != "none" {
            try AtomicFile.write(bytes, to: "plain", in: scratch.directory.raw)
            guard let packed = try compressed(by: program, "\(scratch.path)/plain") else { return }
            bytes = packed
        }
        try add(bytes, to: scratch)
        #expect(try scratch.listing() == ["x/", "x/d/", "x/d/f=data"])
        let status = try scratch.status("root/x/d/f")
        #expect(status.permissions == 0o640 && status.uid == 7 && status.gid == 8)
        #expect(status.modified.seconds == 1000)
        // The destination is not the archive's.
        #expect(try scratch.status("root/x").permissions == 0o755)
        #expect(try scratch.status("root/x").modified.seconds == 5)
        try add(bytes, to: scratch, at: "/y", uid: 33)
        #expect(try scratch.status("root/y/d/f").uid == 33)

        let file = SharedFileDescriptor(
            try FileDescriptor.open("context/archive", in: scratch.directory.raw))
        try Directory.make("unpacked", in: scratch.directory.raw)
        let into = SharedFileDescriptor(try Directory.open("unpacked", in: scratch.directory.raw))
        let tree = try ContextTree.unpacking(tar: file, into: into)
        #expect(try tree.read("d/f").map { String(decoding: $0, as: UTF8.self) } == "data")
        #expect(try tree.read("d/none") == nil)
        #expect(tree.owners == .own)
    }

    /// nil where this machine lacks the program.
    private func compressed(by program: String, _ path: String) throws -> [UInt8]? {
        let places = ["/usr/bin/\(program)", "/bin/\(program)"]
        guard let found = places.first(where: { (try? FileDescriptor.exists($0)) == true }) else {
            return nil
        }
        let packed = "\(path).packed"
        let status = runShell("'\(found)' -c '\(path)' > '\(packed)'")
        #expect(status == 0)
        return try AtomicFile.read(packed)
    }

    @Test func whatIsNoArchiveIsCopied() throws {
        let scratch = try Scratch()
        for text in ["", "hello", "\u{1f}\u{8b}", "BZh9 no", String(repeating: "x", count: 2000)] {
            try add(Array(text.utf8), to: scratch, at: "/file")
            #expect(try scratch.text("root/file") == text)
        }
    }

    @Test func intoWhatIsThere() throws {
        let scratch = try Scratch()
        try scratch.tree(["x/keep", "x/lib -> real", "x/real/old", "x/file=old"], in: "root")
        try scratch.link("/x", at: "root/link")
        try add(
            try tar([
                entry("lib/new"), entry("file"), entry(".wh.keep"),
                entry("h", .hardLink(target: RawPath("file"))),
                entry("s", .symlink(target: RawPath("../../../canary/file"))),
            ]), to: scratch, at: "/link/")
        #expect(
            try scratch.listing() == [
                "link -> /x", "x/", "x/.wh.keep=data", "x/file=data", "x/h=data", "x/keep=x/keep",
                "x/lib -> real", "x/real/", "x/real/new=data", "x/real/old=x/real/old",
                "x/s -> ../../../canary/file",
            ])
        #expect(try scratch.status("root/x/h").inode == scratch.status("root/x/file").inode)
    }

    @Test(arguments: [
        [("../canary/file", TarEntry.Kind.file)], [("/../../canary/file", .file)],
        [("l", .symlink(target: RawPath("../../canary"))), ("l/file", .file)],
        [("l", .symlink(target: RawPath("/canary"))), ("l/file", .file)],
        [("h", .hardLink(target: RawPath("../../canary/file")))],
        [("h", .hardLink(target: RawPath("/canary/file")))],
        [("l", .symlink(target: RawPath("../../canary"))), ("h", .hardLink(target: RawPath("l/file")))],
        [("l", .symlink(target: RawPath("../../canary/file"))), ("l", .file)],
        [("l", .symlink(target: RawPath("../../canary"))), ("l/", .directory), ("l/file", .file)],
    ])
    func staysInside(_ entries: [(String, TarEntry.Kind)]) throws {
        let scratch = try Scratch()
        do {
            try add(try tar(entries.map { entry($0.0, $0.1, mode: 0o777) }), to: scratch)
        } catch let failure as Failure {
            #expect(failure.message.hasPrefix("unpack \"/archive\" to \"/x\": "), "\(failure.message)")
        }
        #expect(scratch.canaryLives)
        #expect(try scratch.listing().allSatisfy { !$0.contains("alive") })
    }

    @Test func cutArchives() throws {
        let scratch = try Scratch()
        let whole = try tar([entry("a"), entry("b")], data: String(repeating: "data", count: 5000))
        let failure = #expect(throws: Failure.self) { try add(Array(whole[..<15_000]), to: scratch) }
        #expect(failure?.code == .dataLoss)
    }
}
