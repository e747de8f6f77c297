import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

@Suite(.enabled(if: isRoot, "owners and whiteouts need root")) struct LayerFixUpTests {
    private func fixUp(_ scratch: Scratch, _ name: String, _ record: LayerRecord, below: [String]) throws
        -> LayerRecord
    {
        let root = try Directory.open(name, in: scratch.directory.raw)
        let opened = try below.map {
            SharedFileDescriptor(try Directory.open($0, in: scratch.directory.raw))
        }
        return try LayerFixUp.run(root.raw, record, parents: opened.map(\.raw))
    }

    @Test func parentsInheritFromTheLowerLayers() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.add(
                    "srv/", .directory, mode: 0o2750, uid: 7, gid: 8, time: 55,
                    attributes: [.init(name: "trusted.mine", value: [1])])
                try tar.directory("srv/old/", mode: 0o700)
                try tar.directory("gone/", mode: 0o700)
            }, to: "bottom")
        try scratch.apply(
            try Tar.make { tar in
                try tar.add(".wh.gone")
                try tar.directory("srv/", mode: 0o1777, uid: 9, time: 66)
            }, to: "middle")
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("srv/old/x", data: "x")
                try tar.add("gone/y", data: "y")
                try tar.add("new/z", data: "z")
            }, to: "top")
        #expect(record.implicitParents.count == 4)
        let fixed = try fixUp(scratch, "top", record, below: ["middle", "bottom"])
        #expect(!fixed.needsParents)
        let srv = try scratch.status("top/srv")
        #expect(srv.permissions == 0o1777 && srv.uid == 9 && srv.modified.seconds == 66)
        #expect(try scratch.status("top/srv/old").permissions == 0o700)
        #expect(try scratch.status("top/gone").permissions == 0o755)
        #expect(try scratch.status("top/new").permissions == 0o755)
        // Without the middle one the bottom's counts, attributes too.
        let again = try scratch.apply(try Tar.make { tar in try tar.add("srv/a", data: "a") }, to: "top2")
        _ = try fixUp(scratch, "top2", again, below: ["bottom"])
        let other = try scratch.status("top2/srv")
        #expect(other.permissions == 0o2750 && other.uid == 7 && other.gid == 8)
        #expect(try scratch.attribute("trusted.mine", "top2/srv") == [1])
    }

    @Test func hardLinksDownwardsGetACopy() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.directory("bin/", mode: 0o711)
                try tar.add("bin/busybox", mode: 0o4755, uid: 3, data: "program", time: 77)
                try tar.add("sbin", link("bin"))
            }, to: "bottom")
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("bin/sh", hard("bin/busybox"))
                try tar.add("ls", hard("sbin/busybox"))
            }, to: "top")
        #expect(record.pendingLinks.count == 2)
        _ = try fixUp(scratch, "top", record, below: ["bottom"])
        let sh = try scratch.status("top/bin/sh")
        #expect(sh.permissions == 0o4755 && sh.uid == 3 && sh.modified.seconds == 77 && sh.links == 3)
        #expect(try scratch.status("top/bin/busybox").inode == sh.inode)
        #expect(try scratch.status("top/ls").inode == sh.inode)
        #expect(try scratch.status("top/bin").permissions == 0o711)
        #expect(try scratch.text("top/ls") == "program")
        #expect(try !scratch.exists("top/sbin"))
        #expect(scratch.canaryLives)
    }

    @Test func aLinkToNothingIsAnError() throws {
        let scratch = try Scratch()
        try scratch.apply(try Tar.make { tar in try tar.add("a", data: "a") }, to: "bottom")
        try scratch.apply(try Tar.make { tar in try tar.add(".wh.a") }, to: "middle")
        for target in ["a", "never", "../canary/file"] {
            let top = "top-\(randomHex(bytes: 4))"
            let failure = #expect(throws: Failure.self) {
                let record = try scratch.apply(
                    try Tar.make { tar in try tar.add("b", hard(target)) }, to: top)
                _ = try fixUp(scratch, top, record, below: ["middle", "bottom"])
            }
            #expect(failure?.code == .invalidArgument)
        }
    }

    @Test func writingThroughALowerLinkFollowsIt() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.directory("usr/", mode: 0o711)
                try tar.directory("usr/lib/", mode: 0o701)
                try tar.add("lib", link("usr/lib"))
            }, to: "bottom")
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("lib/deep/so", data: "so")
                try tar.add("lib/b", data: "b")
            }, to: "top")
        _ = try fixUp(scratch, "top", record, below: ["bottom"])
        #expect(try !scratch.exists("top/lib"))
        #expect(try scratch.text("top/usr/lib/deep/so") == "so")
        #expect(try scratch.text("top/usr/lib/b") == "b")
        #expect(try scratch.status("top/usr").permissions == 0o711)
        #expect(try scratch.status("top/usr/lib").permissions == 0o701)
    }

    // A lower layer's links lead nowhere but its own root.
    @Test func lowerLinksStayInside() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.add("way", link("../canary"))
                try tar.add("abs", link("\(scratch.path)/canary"))
            }, to: "bottom")
        let record = try scratch.apply(
            try Tar.make { tar in
                try tar.add("way/file", data: "dead")
                try tar.add("abs/file", data: "dead")
            }, to: "top")
        _ = try fixUp(scratch, "top", record, below: ["bottom"])
        #expect(scratch.canaryLives)
    }
}
