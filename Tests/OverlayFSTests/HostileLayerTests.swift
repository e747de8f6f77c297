import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

/// Row 7 of the security table: whatever a tar says, nothing outside the layer's root is made, changed or removed.
/// Each test unpacks beside a canary and looks at it.
@Suite(.enabled(if: isRoot, "devices and whiteouts need root")) struct HostileLayerTests {
    private func refuses(_ reason: String, _ body: (inout Tar) throws -> Void) throws {
        let scratch = try Scratch()
        let tar = try Tar.make(body)
        let failure = #expect(throws: Failure.self) { try scratch.apply(tar) }
        #expect(failure?.message.hasPrefix("layer test: ") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("\n") == false)
        #expect(scratch.canaryLives)
    }

    private func staysInside(_ check: (Scratch) throws -> Void, _ body: (inout Tar) throws -> Void) throws {
        let scratch = try Scratch()
        try scratch.apply(try Tar.make(body))
        #expect(scratch.canaryLives)
        try check(scratch)
    }

    // CVE-2026-20613 (containerization), CVE-2025-47290 (containerd)
    @Test(arguments: [
        "../canary/file", "a/../../canary/file", "./../canary/new", "/../canary/file", "..", "a/../..",
    ])
    func CVE_2026_20613_dotDot(_ name: String) throws {
        try refuses("leads out of the layer") { tar in try tar.add(name, data: "dead") }
        try refuses("leads out of the layer") { tar in try tar.directory(name, mode: 0o777) }
    }

    @Test func dotDotInsideIsCleaned() throws {
        try staysInside({
            let text = try $0.text("fs/x"); #expect(text == "x")
        }) { tar in try tar.add("a/b/../../x", data: "x") }
    }

    @Test func absoluteNamesAreBelowTheRoot() throws {
        try staysInside({
            let text = try $0.text("fs/dev/shm/x"); #expect(text == "x")
        }) { tar in
            try tar.add("//dev//shm/x", data: "x")
        }
    }

    // Symlink, then write through it: CVE-2018-15664's and Apple's way out.
    @Test(arguments: ["../canary", "../../canary", "../../../../../../etc", "x/../../canary"])
    func writeThroughALinkThatLeaves(_ target: String) throws {
        let scratch = try Scratch()
        let tar = try Tar.make { tar in
            try tar.directory("x/")
            try tar.add("way", link(target))
            try tar.add("way/file", data: "dead")
        }
        let failure = #expect(throws: Failure.self) { try scratch.apply(tar) }
        #expect(failure?.message.contains("way/file") == true)
        #expect(scratch.canaryLives)
    }

    @Test func absoluteLinksMeanTheLayersRoot() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.add("way", link("\(scratch.path)/canary"))
                try tar.add("way/file", data: "dead")
                try tar.add("way/other/", .directory, mode: 0o777)
                try tar.add("way/.wh.file2")
            })
        #expect(scratch.canaryLives)
        #expect(try scratch.text("fs\(scratch.path)/canary/file") == "dead")
    }

    @Test func aFileOverALinkReplacesTheLink() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.add("way", link("\(scratch.path)/canary/file"))
                try tar.add("way", mode: 0o777, data: "dead")
                try tar.add("way2", link("../canary/file"))
                try tar.add("way2", .fifo)
                try tar.add("dir", link("../canary"))
                try tar.directory("dir/", mode: 0o777)
                try tar.add("dir/file", data: "dead")
            })
        #expect(scratch.canaryLives)
        #expect(try scratch.status("fs/way").kind == .file)
        #expect(try scratch.text("fs/dir/file") == "dead")
    }

    @Test func linkLoopsEnd() throws {
        try refuses("too many symbolic links") { tar in
            try tar.add("a", link("b"))
            try tar.add("b", link("a"))
            try tar.add("a/x", data: "x")
        }
        try refuses("too many symbolic links") { tar in
            try tar.add("a", link("a/a"))
            try tar.add("a/x", data: "x")
        }
    }

    @Test func hardLinksStayInside() throws {
        try refuses("leads out of the layer") { tar in try tar.add("h", hard("../canary/file")) }
        try refuses("leads out of the layer") { tar in
            try tar.directory("d/")
            try tar.add("d/l", link("../../canary"))
            try tar.add("h", hard("d/l/file"))
            try tar.add("h", data: "dead")
        }
        // An absolute target is one below the root: not there, so it waits for the parents.
        let scratch = try Scratch()
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("h", hard("\(scratch.path)/canary/file"))
                try tar.add("l", link("\(scratch.path)/canary/file"))
                // A link to a link is a link, not what it points to.
                try tar.add("hl", hard("l"))
            })
        #expect(record.pendingLinks.count == 1)
        #expect(try scratch.status("fs/hl").kind == .symlink)
        #expect(scratch.canaryLives)
        try refuses("a hard link to a directory") { tar in
            try tar.directory("d/")
            try tar.add("h", hard("d"))
        }
        try refuses("deletes") { tar in
            try tar.add(".wh.gone")
            try tar.add("h", hard("gone"))
        }
    }

    @Test func aLinkToItselfIsNothing() throws {
        try staysInside({
            let text = try $0.text("fs/a"); #expect(text == "a")
        }) { tar in
            try tar.add("a", data: "a")
            try tar.add("a", hard("./a"))
        }
    }

    // Whiteouts through a linked parent delete nothing outside (CVE-2019-14271's neighbours; umoci).
    @Test func whiteoutsThroughLinks() throws {
        try refuses("leads out of the layer") { tar in
            try tar.add("way", link("../canary"))
            try tar.add("way/.wh.file")
        }
        try refuses("leads out of the layer") { tar in
            try tar.add("way", link("../canary"))
            try tar.add("way/.wh..wh..opq")
        }
        try refuses("leads out of the layer") { tar in try tar.add("../canary/.wh.file") }
    }

    @Test(arguments: [".wh.", ".wh..", ".wh...", "d/.wh."])
    func whiteoutsOfNoName(_ name: String) throws {
        try refuses("a whiteout") { tar in try tar.add(name) }
    }

    @Test func whiteoutsAsDirectories() throws {
        try refuses("as a directory") { tar in try tar.add(".wh.a/b", data: "x") }
    }

    // CVE-2021-32760 (containerd): modes and times of what a link points to.
    @Test func CVE_2021_32760_attributesStayInside() throws {
        let scratch = try Scratch()
        let before = try scratch.status("canary")
        try scratch.apply(
            try Tar.make { tar in
                try tar.add("way", link("\(scratch.path)/canary"), mode: 0o777, uid: 77)
                // A directory whose mode and time wait for the end, and then a link in its place.
                try tar.directory("late/")
                try tar.directory("late/canary/", mode: 0o111, uid: 3, time: 99)
                try tar.directory("late2/", mode: 0o000, time: 98)
                try tar.add("late", link(scratch.path))
                try tar.add("late2", link("../canary"))
            })
        let after = try scratch.status("canary")
        #expect(before == after)
        #expect(scratch.canaryLives)
    }

    @Test func overlaysOwnMarksAreNotTaken() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.add("null", .characterDevice(major: 0, minor: 0))
                try tar.add(
                    "d/", .directory, mode: 0o755,
                    attributes: [
                        .init(name: "trusted.overlay.opaque", value: [0x79]),
                        .init(name: "trusted.overlay.redirect", value: Array("/etc".utf8)),
                        .init(name: "user.overlay.opaque", value: [0x79]),
                        .init(name: "security.selinux", value: Array("u:r:t:s0".utf8)),
                    ])
            })
        #expect(try !scratch.exists("fs/null"))
        #expect(try scratch.attribute("security.selinux", "fs/d") == nil)
        #expect(try scratch.attribute("trusted.overlay.opaque", "fs/d") == nil)
        #expect(try scratch.attribute("trusted.overlay.redirect", "fs/d") == nil)
    }

    @Test func aFileAsADirectory() throws {
        try refuses("is not a directory") { tar in
            try tar.add("f", data: "f")
            try tar.add("f/x", data: "x")
        }
        try refuses("the root is a directory") { tar in try tar.add("./", link("/etc")) }
        try refuses("the root is a directory") { tar in try tar.add(".", data: "x") }
    }

    @Test func deepTreesAreMadeOrRefused() throws {
        // As deep as a path may be …
        let deep = Array(repeating: "d", count: 1000).joined(separator: "/")
        let scratch = try Scratch()
        let record = try scratch.apply(try Tar.make { tar in try tar.add(deep + "/f", data: "x") })
        #expect(record.implicitParents.count == 1000)
        // … and 5000, which is longer than a path may be.
        try refuses("path") { tar in
            try tar.add(Array(repeating: "d", count: 5000).joined(separator: "/"), data: "x")
        }
    }

    @Test func namesWithNUL() throws {
        // pax lets a NUL in; what is before it is the name, below the root all the same.
        let value = Array("a/../../canary/file\u{0}x".utf8)
        var record = "\(value.count + 9) path="
        record = "\(record.utf8.count + value.count + 1) path="
        let body = Array(record.utf8) + value + [10]
        let scratch = try Scratch()
        let tar =
            rawHeader("x", type: "x", size: body.count) + padded(body) + rawHeader("y")
            + [UInt8](repeating: 0, count: 1024)
        _ = try? scratch.apply(tar)
        #expect(scratch.canaryLives)
    }

    @Test func limits() throws {
        let scratch = try Scratch()
        let tar = try Tar.make { tar in
            for i in 0..<100 { try tar.add("f\(i)", data: "0123456789") }
        }
        func apply(_ body: (inout LayerPipeline.Limits) -> Void) throws {
            var limits = LayerPipeline.Limits()
            body(&limits)
            let name = "fs-\(randomHex(bytes: 4))"
            let root = try scratch.make(name)
            let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer test", limits: limits)
            try pipeline.feed(tar)
            _ = try pipeline.finish()
        }
        for body: (inout LayerPipeline.Limits) -> Void in [
            { $0.layer.bytes = 999 }, { $0.layer.entries = 99 }, { $0.tar.entries = 99 },
            { $0.tarBytes = 100_000 },
        ] {
            let failure = #expect(throws: Failure.self) { try apply(body) }
            #expect(failure?.code == .resourceExhausted)
        }
        try apply {
            $0.layer.bytes = 1000
            $0.layer.entries = 100
        }
    }

    @Test func aSparseBombIsCounted() throws {
        let scratch = try Scratch()
        let body = Array("0\n".utf8)
        let map = padded(body)
        var records: [UInt8] = []
        for line in [
            "22 GNU.sparse.major=1\n", "22 GNU.sparse.minor=0\n", "24 GNU.sparse.name=hole\n",
            "43 GNU.sparse.realsize=9000000000000000000\n",
        ] { records += Array(line.utf8) }
        let tar =
            rawHeader("x", type: "x", size: records.count) + padded(records)
            + rawHeader("sparse", size: map.count) + map + [UInt8](repeating: 0, count: 1024)
        #expect(throws: Failure.self) { try scratch.apply(tar) }
    }

    /// Mutated tars: no crash, no way out.
    @Test func mutatedTarsStayInside() throws {
        let scratch = try Scratch()
        let base = try Tar.make { tar in
            try tar.directory("d/")
            try tar.add("d/f", data: "some data")
            try tar.add("d/l", link("../canary"))
            try tar.add("d/l2", link("/"))
            try tar.add("h", hard("d/f"))
            try tar.add("d/.wh.x")
            try tar.add("d/.wh..wh..opq")
            try tar.add("grüße", data: "x", attributes: [.init(name: "user.a", value: [1, 2])])
            try tar.add(
                Array(repeating: String(repeating: "long", count: 25), count: 3).joined(separator: "/"),
                data: "y")
        }
        let words = [
            "../canary/file", "..", "/", "d/l/file", "canary", ".wh.", "\u{0}", "77777777777", "-1",
            "d/l2/../../canary/file",
        ]
        var state: UInt64 = 0x1234_5678_9abc_def1
        func random(_ below: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(below))
        }
        var refused = 0
        for round in 0..<2000 {
            var tar = base
            for _ in 0...random(4) {
                let block = random(tar.count / 512) * 512
                switch random(4) {
                case 0: tar[random(tar.count)] = UInt8(random(256))
                case 1:
                    let word = Array(words[random(words.count)].utf8)
                    let at = block + [0, 157, 345, 100, 124][random(5)]
                    for (i, byte) in word.enumerated() where at + i < tar.count { tar[at + i] = byte }
                case 2:
                    tar.removeSubrange(block..<(block + 512))
                default: tar[block + 156] = Array("0123456xgLKS".utf8)[random(12)]
                }
                // A right checksum, so that more than the checksum is tried.
                if block + 512 <= tar.count, random(5) > 0 {
                    for i in 148..<156 { tar[block + i] = 0x20 }
                    let sum = String(tar[block..<(block + 512)].reduce(0) { $0 + Int($1) }, radix: 8)
                    let digits = Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20]
                    tar.replaceSubrange((block + 148)..<(block + 156), with: digits)
                }
                if tar.count < 1024 { break }
            }
            let root = try scratch.make("fs")
            do {
                try tar.withUnsafeBytes { bytes in
                    var given = false
                    let reader = try TarReader { () throws(Failure) in
                        defer { given = true }
                        return given ? nil : bytes
                    }
                    _ = try LayerApplier(root: root.raw).apply(reader)
                }
            } catch { refused += 1 }
            if round % 50 == 0 { #expect(scratch.canaryLives) }
            try Directory.removeTree("fs", in: scratch.directory.raw)
        }
        #expect(scratch.canaryLives)
        #expect(refused > 200 && refused < 1950)
        #expect(try Directory.names(in: Directory.open(scratch.path)) == ["canary"])
    }
}
