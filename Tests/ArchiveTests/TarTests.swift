import Archive
import Failure
import LinuxSystem
import Testing

func source(_ bytes: [UInt8], piece: Int = 10_000) -> TarReader.Source {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    copy.copyBytes(from: bytes)
    var at = 0
    // The copy lives as long as the test's process: small, and simpler than an owner.
    return { () throws(Failure) in
        guard at < bytes.count else { return nil }
        let end = min(bytes.count, at + piece)
        defer { at = end }
        return UnsafeRawBufferPointer(rebasing: copy[at..<end])
    }
}

func readAll(_ bytes: [UInt8], piece: Int = 10_000) throws -> [(TarEntry, [UInt8])] {
    let reader = try TarReader(source: source(bytes, piece: piece))
    var all: [(TarEntry, [UInt8])] = []
    while let entry = try reader.next() {
        all.append((entry, entry.kind == .file ? try reader.readData(limit: 1 << 24) : []))
    }
    try reader.drain()
    return all
}

func writeAll(_ entries: [(TarEntry, [UInt8])]) throws -> [UInt8] {
    var out: [UInt8] = []
    let writer = TarWriter { (bytes) throws(Failure) in out += bytes }
    writer.subsecondTimes = true
    for (entry, data) in entries { try writer.add(entry, data: data) }
    try writer.finish()
    return out
}

/// A header block by hand, for what the writer would never write.
func header(
    _ name: [UInt8], type: Character = "0", size: Int = 0, link: String = "", mode: Int = 0o644
) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Sequence<UInt8>, _ at: Int) {
        for (i, b) in bytes.enumerated() { block[at + i] = b }
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }
    put(name.prefix(100), 0)
    put(octal(mode, 7), 100)
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

func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
}

func pax(_ records: [(String, [UInt8])]) -> [UInt8] {
    var body: [UInt8] = []
    for (key, value) in records {
        let rest = key.utf8.count + value.count + 3
        var length = rest + 1
        while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
        body += Array("\(length) \(key)=".utf8) + value + [10]
    }
    return header(Array("PaxHeaders/x".utf8), type: "x", size: body.count) + padded(body)
}

let tarEnd = [UInt8](repeating: 0, count: 1024)

@Suite struct TarTests {
    @Test func everythingComesBack() throws {
        let long = RawPath(String(repeating: "directory/", count: 40) + "file")
        let entries: [(TarEntry, [UInt8])] = [
            (TarEntry(path: RawPath("dir/"), kind: .directory, mode: 0o1755), []),
            (
                TarEntry(
                    path: RawPath("dir/file"), kind: .file, mode: 0o4755, uid: 1000, gid: 100,
                    modified: Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789), size: 5,
                    attributes: [
                        .init(name: "security.capability", value: [1, 0, 0, 2, 0, 0x20, 10, 0, 255]),
                        .init(name: "user.empty", value: []),
                    ]), Array("hello".utf8)
            ),
            (TarEntry(path: long, kind: .file, uid: 3_000_000, gid: 4_000_000_000, size: 513), noise(513)),
            (TarEntry(path: RawPath("link"), kind: .symlink(target: RawPath("../..//x")), mode: 0o777), []),
            (TarEntry(path: RawPath("longlink"), kind: .symlink(target: long), mode: 0o777), []),
            (TarEntry(path: RawPath("hard"), kind: .hardLink(target: RawPath("dir/file"))), []),
            (TarEntry(path: RawPath("null"), kind: .characterDevice(major: 1, minor: 3), mode: 0o666), []),
            (TarEntry(path: RawPath("disk"), kind: .blockDevice(major: 259, minor: 70000), mode: 0o660), []),
            (TarEntry(path: RawPath("pipe"), kind: .fifo), []),
            (TarEntry(path: RawPath("grüße/日本"), kind: .file, size: 1), [7]),
            (TarEntry(path: RawPath("bad\u{0}".utf8.dropLast() + [0xff, 0xfe]), kind: .file), []),
            (TarEntry(path: RawPath("old"), kind: .file, modified: Timestamp(seconds: -2)), []),
        ]
        let tar = try writeAll(entries)
        #expect(tar.count % 512 == 0)
        for piece in [1, 511, 512, 100_000] {
            let back = try readAll(tar, piece: piece)
            #expect(back.count == entries.count)
            for (a, b) in zip(entries, back) {
                var wanted = a.0
                wanted.attributes.sort { $0.name < $1.name }
                var got = b.0
                got.attributes.sort { $0.name < $1.name }
                #expect(wanted == got)
                #expect(a.1 == b.1)
            }
        }
        #expect(try writeAll(entries) == tar)
    }

    @Test func plainEntriesTakeOneBlock() throws {
        let tar = try writeAll([(TarEntry(path: RawPath("a"), kind: .file), Array("x".utf8))])
        #expect(tar.count == 512 + 512 + 1024)
        #expect(Array(tar[257..<265]) == Array("ustar\u{0}00".utf8))
    }

    @Test func namesKeepTheirBytes() throws {
        // Latin-1 in ustar; in pax without and with a charset; decomposed UTF-8 is not composed.
        let latin = Array("caf".utf8) + [0xe9]
        let decomposed = Array("cafe\u{301}".utf8)
        let tar =
            header(latin) + pax([("path", latin)]) + header(Array("x".utf8))
            + pax([("hdrcharset", Array("BINARY".utf8)), ("path", latin)]) + header(Array("x".utf8))
            + pax([("path", decomposed)]) + header(Array("x".utf8))
            + pax([("linkpath", decomposed)]) + header(Array("l".utf8), type: "2", link: "x") + tarEnd
        let names = try readAll(tar).map(\.0)
        #expect(names.map(\.path.bytes) == [latin, latin, latin, decomposed, Array("l".utf8)])
        #expect(names[4].kind == .symlink(target: RawPath(decomposed)))
    }

    @Test func gnuLongNames() throws {
        let name = Array(String(repeating: "n", count: 200).utf8)
        let tar =
            header(Array("././@LongLink".utf8), type: "L", size: 201) + padded(name + [0])
            + header(Array("nnn".utf8)) + tarEnd
        #expect(try readAll(tar)[0].0.path.bytes == name)
    }

    @Test func sparseFilesGiveTheirHoles() throws {
        // pax GNU.sparse 1.0: the map stands before the data.
        let map = padded(Array("1\n1048576\n5\n".utf8))
        let tar =
            pax([
                ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
                ("GNU.sparse.name", Array("hole".utf8)), ("GNU.sparse.realsize", Array("2097152".utf8)),
            ]) + header(Array("GNUSparseFile.0/hole".utf8), size: map.count + 5) + map
            + padded(Array("hello".utf8)) + tarEnd
        let reader = try TarReader(source: source(tar))
        let entry = try #require(try reader.next())
        #expect(entry.path == RawPath("hole"))
        #expect(entry.size == 2_097_152)
        let piece = try #require(try reader.nextData())
        #expect(piece.offset == 1_048_576)
        #expect(Array(piece.bytes) == Array("hello".utf8))
        // libarchive gives the file's end as an empty block there, which is no data.
        #expect(try reader.nextData() == nil)
    }

    @Test func emptyArchives() throws {
        #expect(try readAll([]).isEmpty)
        #expect(try readAll(tarEnd).isEmpty)
        #expect(try readAll(tarEnd + [UInt8](repeating: 0, count: 9216)).isEmpty)
    }

    @Test func badArchivesAreRefused() throws {
        let good = header(Array("a".utf8), size: 600) + padded(noise(600)) + tarEnd
        var flipped = good
        flipped[0] ^= 1
        let cases: [(String, [UInt8])] = [
            ("no tar", Array(String(repeating: "this is no tar ", count: 100).utf8)),
            ("cut in the data", Array(good[..<700])), ("cut in a header", Array(good[..<200])),
            ("wrong checksum", header(Array("b".utf8)) + flipped),
            (
                "path too long",
                pax([("path", [UInt8](repeating: 0x61, count: 256))]) + header([0x61]) + tarEnd
            ),
            (
                "deep",
                pax([("path", Array(String(repeating: "a/", count: 5000).utf8))]) + header([0x61])
                    + tarEnd
            ),
            (
                "huge pax",
                header([0x78], type: "x", size: 2 << 20) + [UInt8](repeating: 0x20, count: 2 << 20) + tarEnd
            ),
            (
                "broken pax",
                header([0x78], type: "x", size: 512) + [UInt8](repeating: 0x39, count: 512) + header([0x61])
                    + tarEnd
            ),
            ("uid out of range", pax([("uid", Array("4294967296".utf8))]) + header([0x61]) + tarEnd),
            ("negative uid", pax([("uid", Array("-1".utf8))]) + header([0x61]) + tarEnd),
            (
                "many pax headers",
                (0..<100).flatMap { _ in pax([("comment", [0x61])]) } + header([0x61]) + tarEnd
            ),
        ]
        for (what, tar) in cases {
            let failure = #expect(throws: Failure.self, "\(what)") { try readAll(tar) }
            #expect(failure?.message.contains("\n") == false)
        }
    }

    @Test func limits() throws {
        let tar = (0..<20).flatMap { header(Array("f\($0)".utf8)) } + tarEnd
        var limits = TarReader.Limits()
        limits.entries = 10
        let reader = try TarReader(limits: limits, source: source(tar))
        let failure = #expect(throws: Failure.self) { while try reader.next() != nil {} }
        #expect(failure?.code == .resourceExhausted)

        let attributes =
            pax([("SCHILY.xattr.user.x", [UInt8](repeating: 1, count: 5000))]) + header([0x61]) + tarEnd
        limits.attributeBytes = 4096
        let other = try TarReader(limits: limits, source: source(attributes))
        #expect(throws: Failure.self) { try other.next() }
    }

    @Test func binaryAttributes() throws {
        let value: [UInt8] = [0, 1, 0x0a, 0x3d, 0xff, 0]
        let tar =
            pax([
                ("SCHILY.xattr.security.capability", value),
                // LIBARCHIVE.xattr holds base64.
                ("LIBARCHIVE.xattr.user.b", Array("AAEC".utf8)),
            ]) + header([0x61]) + tarEnd
        let entry = try readAll(tar)[0].0
        #expect(entry.attributes.contains(.init(name: "security.capability", value: value)))
        #expect(entry.attributes.contains(.init(name: "user.b", value: [0, 1, 2])))
    }

    @Test func aFailureOfTheSourceIsTheFailure() throws {
        var calls = 0
        let first = source(header(Array("a".utf8), size: 5000))
        let reader = try TarReader { () throws(Failure) in
            calls += 1
            if let bytes = try first() { return bytes }
            throw Failure(.unavailable, "the line is dead")
        }
        let failure = #expect(throws: Failure.self) {
            while try reader.next() != nil { _ = try reader.readData(limit: 10000) }
        }
        #expect(failure?.message == "the line is dead")
        #expect(calls > 1)
    }
}
