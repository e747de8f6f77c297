import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

@Suite(.enabled(if: isRoot, "owners and devices need root")) struct LayerApplierTests {
    @Test func filesAreWhatTheTarSays() throws {
        let scratch = try Scratch()
        let odd = RawPath([0x64, 0x2f, 0xff, 0xfe])
        let tar = try Tar.make { tar in
            try tar.directory("d/", mode: 0o1750, uid: 5, time: 7)
            try tar.add("./d/file", mode: 0o4755, uid: 1000, gid: 100, data: "hello", time: 1234)
            try tar.add("/d/absolute", data: "x")
            try tar.add(odd, data: "odd")
            try tar.add("d/link", link("../../canary/file"), mode: 0o777, uid: 9)
            try tar.add("d/hard", hard("./d/file"))
            try tar.add("d/pipe", .fifo, mode: 0o600)
            try tar.add("d/null", .characterDevice(major: 1, minor: 3), mode: 0o666)
            try tar.add("d/disk", .blockDevice(major: 8, minor: 17), mode: 0o660, gid: 6)
            try tar.add(
                "d/ping", mode: 0o755, data: "p",
                attributes: [
                    .init(
                        name: "security.capability",
                        value: [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                    .init(name: "trusted.overlay.opaque", value: [0x79]),
                    .init(name: "user.overlay.whiteout", value: [0x79]),
                ])
            try tar.add("d/sub/", .directory, mode: 0o555)
            try tar.add("d/sub/inside", data: "i")
        }
        let record = try scratch.apply(tar)
        #expect(!record.needsParents)
        #expect(record.entries == 12)
        let d = try scratch.status("fs/d")
        #expect(d.permissions == 0o1750 && d.uid == 5 && d.modified.seconds == 7)
        let file = try scratch.status("fs/d/file")
        #expect(file.permissions == 0o4755 && file.uid == 1000 && file.gid == 100 && file.links == 2)
        #expect(file.modified.seconds == 1234 && file.size == 5)
        #expect(try scratch.status("fs/d/hard").inode == file.inode)
        #expect(try scratch.text("fs/d/absolute") == "x")
        #expect(try scratch.exists(RawPath(Array("fs/".utf8) + odd.bytes)))
        let made = try scratch.status("fs/d/link")
        #expect(made.kind == .symlink && made.uid == 9)
        #expect(try scratch.status("fs/d/pipe").kind == .fifo)
        let null = try scratch.status("fs/d/null")
        #expect(null.kind == .characterDevice && null.deviceMajor == 1 && null.deviceMinor == 3)
        #expect(null.permissions == 0o666)
        #expect(try scratch.status("fs/d/disk").deviceMinor == 17)
        #expect(try scratch.attribute("security.capability", "fs/d/ping")?.count == 20)
        #expect(try scratch.attribute("trusted.overlay.opaque", "fs/d/ping") == nil)
        #expect(try scratch.status("fs/d/sub").permissions == 0o555)
        #expect(scratch.canaryLives)
    }

    @Test(arguments: [false, true])
    func whiteoutsAndOpaque(_ markFirst: Bool) throws {
        let scratch = try Scratch()
        let tar = try Tar.make { tar in
            try tar.directory("d/")
            try tar.add("d/.wh.gone")
            try tar.directory("o/")
            if markFirst { try tar.add("o/.wh..wh..opq") }
            try tar.add("o/own", data: "own")
            if !markFirst { try tar.add("o/.wh..wh..opq") }
            // Deleted and made again in one layer.
            if markFirst { try tar.add("d/.wh.again") }
            try tar.add("d/again", data: "new")
            if !markFirst { try tar.add("d/.wh.again") }
            if markFirst { try tar.add("d/.wh.dir") }
            try tar.directory("d/dir/", mode: 0o711)
            if !markFirst { try tar.add("d/.wh.dir") }
            try tar.add("d/dir/kept", data: "kept")
            try tar.add(".wh..wh.aufs")
            try tar.directory(".wh..wh.plnk/")
            try tar.add(".wh..wh.plnk/1.2", data: "x")
        }
        let record = try scratch.apply(tar)
        #expect(!record.needsParents && !record.isRootOpaque)
        let gone = try scratch.status("fs/d/gone")
        #expect(gone.kind == .characterDevice && gone.deviceMajor == 0 && gone.deviceMinor == 0)
        #expect(try scratch.attribute("trusted.overlay.opaque", "fs/o") == [0x79])
        #expect(try scratch.attribute("trusted.overlay.opaque", "fs/d") == nil)
        #expect(try scratch.text("fs/o/own") == "own")
        #expect(try scratch.text("fs/d/again") == "new")
        #expect(try scratch.attribute("trusted.overlay.opaque", "fs/d/dir") == [0x79])
        #expect(try scratch.text("fs/d/dir/kept") == "kept")
        #expect(try scratch.status("fs/d/dir").permissions == 0o711)
        #expect(try Directory.names(in: Directory.open("fs", in: scratch.directory.raw)) == ["d", "o"])
    }

    @Test func opaqueRootIsToldToTheMount() throws {
        let scratch = try Scratch()
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.directory("./", mode: 0o750)
                try tar.add(".wh..wh..opq")
            })
        #expect(record.isRootOpaque && record.hasRootEntry)
        #expect(try scratch.status("fs").permissions == 0o750)
    }

    @Test func laterEntriesReplaceEarlierOnes() throws {
        let scratch = try Scratch()
        _ = try scratch.apply(
            try Tar.make { tar in
                try tar.directory("a/", mode: 0o700)
                try tar.add("a/x", data: "1")
                try tar.add("a/x", data: "two")
                try tar.directory("a/", mode: 0o755)
                try tar.add("b", data: "file first")
                try tar.directory("b/")
                try tar.add("b/in", data: "in")
                try tar.directory("c/")
                try tar.directory("c/deep/")
                try tar.add("c/deep/er", data: "x")
                try tar.add("c", data: "now a file")
                try tar.add("l", link("canary"))
                try tar.add("l", data: "no link any more")
            })
        #expect(try scratch.text("fs/a/x") == "two")
        #expect(try scratch.status("fs/a").permissions == 0o755)
        #expect(try scratch.text("fs/b/in") == "in")
        #expect(try scratch.text("fs/c") == "now a file")
        #expect(try scratch.text("fs/l") == "no link any more")
    }

    @Test func parentsThatTheTarLeavesOutAreNoted() throws {
        let scratch = try Scratch()
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("usr/share/doc/x", data: "x")
                try tar.directory("usr/share/", mode: 0o700)
                try tar.add("etc/.wh.passwd")
                try tar.add("etc/hosts", hard("etc/hosts.lower"))
            })
        #expect(record.implicitParents == [RawPath("etc"), RawPath("usr"), RawPath("usr/share/doc")])
        #expect(record.pendingLinks.map(\.path) == [RawPath("etc/hosts")])
        #expect(record.pendingLinks.map(\.target) == [RawPath("etc/hosts.lower")])
        #expect(record.needsParents)
        #expect(try LayerRecord(text: record.text) == record)
    }

    @Test func aLinkBeforeItsTargetIsMadeAtTheEnd() throws {
        let scratch = try Scratch()
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("b", hard("a"))
                try tar.add("a", data: "a")
            })
        #expect(!record.needsParents)
        #expect(try scratch.status("fs/a").inode == scratch.status("fs/b").inode)
    }

    @Test func recordsKeepOddNames() throws {
        var record = LayerRecord()
        record.size = 12
        record.hasRootEntry = true
        record.implicitParents = [RawPath([0xff, 0x20, 0x25, 0x0a]), RawPath("plain")]
        #expect(try LayerRecord(text: record.text) == record)
        #expect(throws: Failure.self) { try LayerRecord(text: "ctr-layer 2\n") }
        #expect(throws: Failure.self) { try LayerRecord(text: "ctr-layer 1\nwhat\n") }
    }

    @Test func linkedParentsAreFollowedInsideTheLayer() throws {
        let scratch = try Scratch()
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.directory("usr/")
                try tar.directory("usr/lib/")
                try tar.add("lib", link("usr/lib"))
                try tar.add("lib/so", data: "relative")
                try tar.add("abs", link("/usr/lib"))
                try tar.add("abs/so2", data: "absolute")
                try tar.directory("usr/x/")
                try tar.add("usr/x/up", link("../lib"))
                try tar.add("usr/x/up/so3", data: "up")
                try tar.add("lib/.wh.old")
                try tar.add("copy", hard("lib/so"))
            })
        #expect(!record.needsParents)
        #expect(try scratch.text("fs/usr/lib/so") == "relative")
        #expect(try scratch.text("fs/usr/lib/so2") == "absolute")
        #expect(try scratch.text("fs/usr/lib/so3") == "up")
        #expect(try scratch.text("fs/copy") == "relative")
        #expect(try scratch.status("fs/usr/lib/old").kind == .characterDevice)
        #expect(try scratch.status("fs/lib").kind == .symlink)
    }

    @Test func sparseFilesStaySparse() throws {
        let scratch = try Scratch()
        let body = Array("1\n1048576\n5\n".utf8)
        let map = body + [UInt8](repeating: 0, count: 512 - body.count)
        var records: [UInt8] = []
        for line in [
            "22 GNU.sparse.major=1\n", "22 GNU.sparse.minor=0\n", "24 GNU.sparse.name=hole\n",
            "31 GNU.sparse.realsize=2097152\n",
        ] { records += Array(line.utf8) }
        let tar =
            rawHeader("x", type: "x", size: records.count) + padded(records)
            + rawHeader("sparse", size: 517) + map + padded(Array("hello".utf8))
            + [UInt8](repeating: 0, count: 1024)
        let record = try scratch.apply(tar)
        #expect(record.size == 2_097_152)
        let status = try scratch.status("fs/hole")
        #expect(status.size == 2_097_152)
        #expect(status.blocks < 100)
    }
}

func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
}

func rawHeader(_ name: String, type: Character = "0", size: Int = 0, link: String = "") -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Sequence<UInt8>, _ at: Int) {
        for (i, b) in bytes.enumerated() { block[at + i] = b }
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
    put(name.utf8.prefix(100), 0)
    put(octal(0o644, 7), 100)
    put(octal(0, 7), 108)
    put(octal(0, 7), 116)
    put(octal(size, 11), 124)
    put(octal(0, 11), 136)
    block[156] = type.asciiValue ?? 0
    put(link.utf8.prefix(100), 157)
    put("ustar\u{0}00".utf8, 257)
    put("        ".utf8, 148)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], 148)
    return block
}
