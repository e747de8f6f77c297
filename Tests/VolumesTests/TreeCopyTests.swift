import Failure
import Foundation
import LinuxSystem
import Testing
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct TreeCopyTests {
    private static let isRoot = geteuid() == 0

    private func copy(_ root: TemporaryRoot) throws {
        try FileManager.default.createDirectory(atPath: "\(root.path)/to", withIntermediateDirectories: false)
        let from = try Directory.open("\(root.path)/from")
        let to = try Directory.open("\(root.path)/to")
        try TreeCopy.copy(from: from.raw, to: to.raw)
    }

    private func source(_ root: TemporaryRoot) throws -> FileDescriptor {
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/from", withIntermediateDirectories: false)
        return try Directory.open("\(root.path)/from")
    }

    private func status(_ root: TemporaryRoot, _ name: String) throws -> FileStatus {
        try FileDescriptor.status("\(root.path)/\(name)")
    }

    private func write(
        _ text: String, _ name: String, _ directory: borrowing FileDescriptor, mode: UInt32 = 0o644
    ) throws {
        let file = try FileDescriptor.open(name, in: directory.raw, [.writeOnly, .create, .exclusive])
        try file.write(text)
        try file.changeMode(mode)
    }

    @Test func `bytes, modes, times, links and the directory's own attributes`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try write("one", "a", from, mode: 0o640)
        try write("", "empty", from, mode: 0o4755)
        try Directory.make("d", in: from.raw)
        let inner = try Directory.open("d", in: from.raw)
        try write("two", "b", inner)
        try Directory.link("a", in: from.raw, to: "same", in: inner.raw)
        try Directory.symlink("../../../etc/passwd", at: "away", in: inner.raw)
        try Directory.symlink("nowhere", at: "dangling", in: from.raw)
        let old = Timestamp(seconds: 1_000_000_000, nanoseconds: 123_456_789)
        for name in ["away", "b"] {
            try Directory.changeTimes(name, in: inner.raw, accessed: old, modified: old)
        }
        try inner.changeMode(0o1777)
        try Directory.changeTimes("d", in: from.raw, accessed: old, modified: old)
        try Directory.changeTimes("a", in: from.raw, accessed: old, modified: old)
        try from.changeMode(0o711)
        try Directory.changeTimes("\(root.path)/from", accessed: old, modified: old)
        try copy(root)
        #expect(try root.read("to/a") == "one" && root.read("to/d/b") == "two")
        #expect(try root.names(in: "to") == ["a", "d", "dangling", "empty"])
        for name in ["", "/a", "/empty", "/d", "/d/b", "/d/same"] {
            let (wanted, got) = (try status(root, "from\(name)"), try status(root, "to\(name)"))
            #expect(got.mode == wanted.mode && got.modified == wanted.modified, "\(name)")
            #expect(got.uid == wanted.uid && got.gid == wanted.gid)
        }
        #expect(try status(root, "to/a").inode == status(root, "to/d/same").inode)
        #expect(try status(root, "to/a").links == 2)
        #expect(try status(root, "to/d/away").modified == old)
        let away = try Directory.open("\(root.path)/to/d")
        #expect(try Directory.readLink("away", in: away.raw).shown == "../../../etc/passwd")
    }

    @Test func `a symbolic link to a directory is not entered`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/outside", withIntermediateDirectories: false)
        try root.write("secret", to: "outside/x")
        try Directory.symlink("\(root.path)/outside", at: "d", in: from.raw)
        try copy(root)
        #expect(try status(root, "to/d").kind == .symlink)
        #expect(try root.names(in: "outside") == ["x"])
    }

    @Test func `holes stay holes`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        let file = try FileDescriptor.open("sparse", in: from.raw, [.readWrite, .create, .exclusive])
        try file.seek(to: 64 << 20)
        try file.write("middle")
        try file.truncate(to: 128 << 20)
        try copy(root)
        let got = try status(root, "to/sparse")
        #expect(got.size == 128 << 20)
        #expect(got.blocks * 512 < 4 << 20)
        let target = try FileDescriptor.open("\(root.path)/to/sparse")
        try target.seek(to: 64 << 20)
        var bytes = [UInt8](repeating: 1, count: 8)
        let count = try bytes.withUnsafeMutableBytes { try target.read(into: $0) }
        #expect(count == 8 && bytes == Array("middle".utf8) + [0, 0])
    }

    @Test func `contents larger than one piece`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        let text = String(repeating: "0123456789abcdef", count: 100_000)
        try write(text, "large", from)
        try copy(root)
        #expect(try root.read("to/large") == text)
    }

    @Test func `names that are no text, and deep trees`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        let odd = RawPath([0xff, 0x0a, 0x20])
        _ = try FileDescriptor.open(odd, in: from.raw, [.writeOnly, .create, .exclusive])
        var path = "\(root.path)/from"
        for _ in 0..<300 { path += "/d" }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try copy(root)
        let to = try Directory.open("\(root.path)/to")
        #expect(try FileDescriptor.exists(odd, in: to.raw))
        #expect(FileManager.default.fileExists(atPath: path.replacingOccurrences(of: "/from/", with: "/to/")))
    }

    @Test func `a target that is not empty is refused`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try write("new", "a", from)
        try FileManager.default.createDirectory(atPath: "\(root.path)/to", withIntermediateDirectories: false)
        try root.write("old", to: "to/a")
        let to = try Directory.open("\(root.path)/to")
        #expect(throws: Failure.self) { try TreeCopy.copy(from: from.raw, to: to.raw) }
        #expect(try root.read("to/a") == "old")
    }

    @Test(.enabled(if: isRoot, "needs root"))
    func `a copy for a user namespace, and owners that it lacks`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try write("x", "owned", from, mode: 0o4755)
        try Directory.changeOwner("owned", in: from.raw, uid: 5, gid: 6)
        try Directory.changeMode("owned", in: from.raw, mode: 0o4755)
        try Directory.symlink(RawPath("nowhere"), at: "link", in: from.raw)
        let map = try #require(IDMap(lines: ["0 1000 10"]))
        for name in ["to", "again"] {
            try FileManager.default.createDirectory(
                atPath: "\(root.path)/\(name)", withIntermediateDirectories: false)
        }
        let to = try Directory.open("\(root.path)/to")
        try TreeCopy.copy(from: from.raw, to: to.raw, owners: UserMaps(uids: map, gids: map))
        let copied = try status(root, "to/owned")
        #expect((copied.uid, copied.gid, copied.permissions) == (1005, 1006, 0o4755))
        #expect(try status(root, "to/link").uid == 1000)
        #expect(try status(root, "to").gid == 1000)
        #expect(try status(root, "from/owned").uid == 5)
        try Directory.changeOwner("owned", in: from.raw, uid: 10, gid: 6)
        let again = try Directory.open("\(root.path)/again")
        let failure = #expect(throws: Failure.self) {
            try TreeCopy.copy(from: from.raw, to: again.raw, owners: UserMaps(uids: map, gids: map))
        }
        #expect(failure?.message == "owned: user 10 is not in the container's user namespace")
    }

    @Test(.enabled(if: isRoot, "needs root"))
    func `a tree is given to somebody, and no link is followed`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try write("x", "a", from)
        try root.write("outside", to: "canary")
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/from/d/e", withIntermediateDirectories: true)
        try root.write("y", to: "from/d/e/f")
        try Directory.symlink(RawPath("../canary"), at: "link", in: from.raw)
        try TreeOwner.change(from.raw, uid: 77, gid: 88)
        for name in ["from", "from/a", "from/d", "from/d/e", "from/d/e/f", "from/link"] {
            let status = try status(root, name)
            #expect((status.uid, status.gid) == (77, 88), "\(name)")
        }
        #expect(try status(root, "canary").uid == 0)
    }

    @Test(.enabled(if: isRoot, "needs root"))
    func `owners, devices, FIFOs and extended attributes`() throws {
        let root = try TemporaryRoot()
        let from = try source(root)
        try write("x", "owned", from, mode: 0o6755)
        try Directory.changeOwner("owned", in: from.raw, uid: 1234, gid: 5678)
        let file = try FileDescriptor.open("owned", in: from.raw, [.readWrite])
        try file.changeMode(0o6755)
        // VFS_CAP_REVISION_2 with CAP_NET_BIND_SERVICE permitted and effective.
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try ExtendedAttributes.set("security.capability", capability, on: file)
        try ExtendedAttributes.set("trusted.note", Array("t".utf8), on: file)
        try ExtendedAttributes.set("trusted.overlay.opaque", Array("y".utf8), on: from)
        try Directory.symlink("owned", at: "link", in: from.raw)
        try Directory.changeOwner("link", in: from.raw, uid: 11, gid: 12)
        try ExtendedAttributes.set("trusted.note", Array("l".utf8), on: "link", in: from.raw)
        try Directory.makeNode("null", in: from.raw, mode: 0o020666, major: 1, minor: 3)
        try Directory.makeNode("pipe", in: from.raw, mode: 0o010622)
        try Directory.changeModeNoFollow("pipe", in: from.raw, 0o622)
        try Directory.changeOwner("pipe", in: from.raw, uid: 7, gid: 8)
        try from.changeOwner(uid: 99, gid: 98)
        try copy(root)
        let owned = try status(root, "to/owned")
        #expect(owned.uid == 1234 && owned.gid == 5678 && owned.permissions == 0o6755)
        let to = try Directory.open("\(root.path)/to")
        let got = try FileDescriptor.open("owned", in: to.raw)
        #expect(try ExtendedAttributes.value("security.capability", of: got) == capability)
        #expect(try ExtendedAttributes.value("trusted.note", of: got) == Array("t".utf8))
        #expect(try ExtendedAttributes.value("trusted.overlay.opaque", of: to) == nil)
        #expect(try ExtendedAttributes.value("trusted.note", of: "link", in: to.raw) == Array("l".utf8))
        let link = try status(root, "to/link")
        #expect(link.uid == 11 && link.gid == 12)
        let null = try status(root, "to/null")
        #expect(null.kind == .characterDevice && null.deviceMajor == 1 && null.deviceMinor == 3)
        #expect(null.mode == (try status(root, "from/null").mode))
        let pipe = try status(root, "to/pipe")
        #expect(pipe.kind == .fifo && pipe.permissions == 0o622 && pipe.uid == 7)
        #expect(try status(root, "to").uid == 99)
    }
}
