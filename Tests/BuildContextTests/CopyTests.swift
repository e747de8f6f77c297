import BuildContext
import Failure
import LinuxSystem
import Testing

@Suite(.enabled(if: isRoot, "owners and devices need root")) struct CopyTests {
    @Test(arguments: [
        ("a", "/b", ["b=1"]), ("a", "/b/", ["b/", "b/a=1"]), ("a", ".", ["w/", "w/a=1"]),
        ("a", "x/y", ["w/", "w/x/", "w/x/y=1"]), ("a", "/", ["a=1"]), ("d", "/", ["s/", "s/f=2", "t=3"]),
        ("d", "/n", ["n/", "n/s/", "n/s/f=2", "n/t=3"]), ("d", "/n/", ["n/", "n/s/", "n/s/f=2", "n/t=3"]),
        ("d/t", "../../z", ["z=3"]), ("d/s", "./q", ["w/", "w/q/", "w/q/f=2"]),
    ])
    func destinations(_ source: String, _ destination: String, _ expected: [String]) throws {
        let scratch = try Scratch()
        try scratch.tree(["a=1", "d/s/f=2", "d/t=3"])
        try scratch.copy(source, to: destination, workingDirectory: "/w")
        #expect(try scratch.listing() == expected)
    }

    @Test func intoWhatIsThere() throws {
        let scratch = try Scratch()
        try scratch.tree(["a=new", "d/s/f=new", "d/k -> nowhere"])
        try scratch.tree(
            ["a=old", "dir/a=old", "dir/s/g=kept", "real=old", "dir/k=old", "dir/lnk -> ../real"], in: "root")
        try scratch.link("real", at: "root/toFile")
        try scratch.link("dir", at: "root/toDir")
        try scratch.link("made", at: "root/dangling")
        try scratch.copy("a", to: "/a")
        try scratch.copy("a", to: "/toFile")
        try scratch.copy("a", to: "/toDir")
        try scratch.copy("d", to: "/toDir")
        try scratch.copy("a", to: "/dangling")
        #expect(
            try scratch.listing() == [
                "a=new", "dangling -> made", "dir/", "dir/a=new", "dir/k -> nowhere", "dir/lnk -> ../real",
                "dir/s/", "dir/s/f=new", "dir/s/g=kept", "made=new", "real=new", "toDir -> dir",
                "toFile -> real",
            ])
    }

    @Test(arguments: [
        ("f", "/dir/", "cannot replace to directory /dir/f with file"),
        ("d", "/file", "cannot copy to non-directory: /file"),
        ("f", "/file/", "cannot copy to non-directory: /file"),
        ("f", "/file/x", "cannot copy to non-directory: /file"),
        ("e", "/dir", "cannot copy to non-directory: /dir/sub"),
        ("g", "/dir", "cannot replace to directory /dir/deep with file"),
    ])
    func clashes(_ source: String, _ destination: String, _ message: String) throws {
        let scratch = try Scratch()
        try scratch.tree(["f", "d/x", "e/sub/x", "g/deep"])
        try scratch.tree(["file", "dir/f/", "dir/sub -> f", "dir/deep/"], in: "root")
        let failure = #expect(throws: Failure.self) { try scratch.copy(source, to: destination) }
        #expect(failure?.message == message)
    }

    @Test func attributes() throws {
        let scratch = try Scratch()
        try scratch.make("context/d/sub")
        try scratch.file("context/d/suid", "x", mode: 0o4751, uid: 12)
        try scratch.file("context/d/sub/f", "x", mode: 0o604, uid: 13)
        try Directory.changeMode("context/d/sub", in: scratch.directory.raw, mode: 0o2570)
        try Directory.changeOwner("context/d/sub", in: scratch.directory.raw, uid: 14, gid: 15)
        try Directory.changeMode("context/d", in: scratch.directory.raw, mode: 0o700)
        let time = Timestamp(seconds: 1_000_000_000, nanoseconds: 5)
        try Directory.changeTimes(
            "context/d/sub/f", in: scratch.directory.raw, accessed: time, modified: time)
        try Directory.changeTimes("context/d/sub", in: scratch.directory.raw, accessed: time, modified: time)

        try scratch.copy("d", to: "/own", owners: .own)
        try scratch.copy("d", to: "/local")
        let fixed = Timestamp(seconds: 77)
        try scratch.copy("d", to: "/p/options", owners: .own) {
            ($0.uid, $0.gid, $0.modified) = (5, 6, fixed)
            $0.mode = try ModeChange("u=rwX,go=rX")
        }
        func check(_ name: String, _ mode: UInt32, _ uid: UInt32, _ gid: UInt32, _ time: Timestamp? = nil)
            throws
        {
            let status = try scratch.status("root/\(name)")
            #expect(status.permissions == mode, "\(name) \(String(status.permissions, radix: 8))")
            #expect(status.uid == uid && status.gid == gid, "\(name) \(status.uid):\(status.gid)")
            if let time { #expect(status.modified == time, "\(name)") }
        }
        try check("own", 0o755, 0, 0)
        try check("own/suid", 0o4751, 12, 12)
        try check("own/sub", 0o2570, 14, 15, time)
        try check("own/sub/f", 0o604, 13, 13, time)
        try check("local/suid", 0o4751, 0, 0)
        try check("local/sub", 0o2570, 0, 0, time)
        try check("p", 0o755, 5, 6, fixed)
        try check("p/options", 0o755, 5, 6, fixed)
        try check("p/options/suid", 0o755, 5, 6, fixed)
        try check("p/options/sub", 0o755, 5, 6, fixed)
        try check("p/options/sub/f", 0o644, 5, 6, fixed)
    }

    @Test func existingDirectories() throws {
        let scratch = try Scratch()
        try scratch.tree(["d/sub/f", "d/only/x"])
        try scratch.make("root/t/sub", mode: 0o700)
        try scratch.make("root/t/only", mode: 0o700)
        try scratch.copy("d", to: "/t")
        #expect(try scratch.status("root/t").permissions == 0o700)
        #expect(try scratch.status("root/t/sub").permissions == 0o755)
        // What patterns leave out and is there for its contents keeps what it has.
        try Directory.changeMode("root/t/only", in: scratch.directory.raw, mode: 0o711)
        try scratch.copy("d", to: "/t", ignoring: ["**", "!d/only/x"])
        #expect(try scratch.status("root/t/only").permissions == 0o711)
    }

    @Test func kinds() throws {
        let scratch = try Scratch()
        try scratch.tree(["d/a=one", "d/l -> /etc/passwd"])
        try Directory.link(
            "context/d/a", in: scratch.directory.raw, to: "context/d/b", in: scratch.directory.raw)
        try scratch.make("context/d/s")
        try Directory.link(
            "context/d/a", in: scratch.directory.raw, to: "context/d/s/c", in: scratch.directory.raw)
        try Directory.makeNode("context/d/fifo", in: scratch.directory.raw, mode: 0o010640)
        try Directory.makeNode(
            "context/d/null", in: scratch.directory.raw, mode: 0o020666, major: 1, minor: 3)
        try Directory.changeMode("context/d/fifo", in: scratch.directory.raw, mode: 0o640)
        try Directory.changeMode("context/d/null", in: scratch.directory.raw, mode: 0o666)
        try Directory.makeNode("context/d/sock", in: scratch.directory.raw, mode: 0o140666)
        let sparse = try FileDescriptor.open(
            "context/d/sparse", in: scratch.directory.raw, [.writeOnly, .create])
        try sparse.write("head")
        try sparse.truncate(to: 8 << 20)
        try ExtendedAttributes.set("trusted.ctr", [1, 2], on: "context/d/a", in: scratch.directory.raw)
        try ExtendedAttributes.set("trusted.overlay.x", [1], on: "context/d/a", in: scratch.directory.raw)
        try scratch.copy("d", to: "/")
        #expect(try scratch.status("root/a").inode == scratch.status("root/s/c").inode)
        #expect(try scratch.status("root/a").links == 3)
        #expect(try scratch.status("root/fifo").mode == 0o010640)
        let null = try scratch.status("root/null")
        #expect(null.kind == .characterDevice && null.deviceMajor == 1 && null.deviceMinor == 3)
        #expect(null.permissions == 0o666)
        #expect(try !scratch.exists("root/sock"))
        #expect(try scratch.status("root/sparse").size == 8 << 20)
        #expect(try scratch.status("root/sparse").blocks < 100)
        #expect(try Directory.readLink("root/l", in: scratch.directory.raw).shown == "/etc/passwd")
        #expect(
            try ExtendedAttributes.value("trusted.ctr", of: "root/a", in: scratch.directory.raw) == [1, 2])
        #expect(try ExtendedAttributes.names(of: "root/a", in: scratch.directory.raw) == ["trusted.ctr"])
        let failure = #expect(throws: Failure.self) { try scratch.copy("d/sock", to: "/") }
        #expect(failure?.message == "\"/d/sock\" is a socket")
        try scratch.file("context/big", String(repeating: "0123456789abcdef", count: 40_000))
        try scratch.copy("big", to: "/big")
        #expect(try scratch.text("root/big") == scratch.text("context/big"))
    }

    @Test func overlaysMarkIsRefused() throws {
        let scratch = try Scratch()
        try scratch.make("context/d")
        try Directory.makeNode("context/d/gone", in: scratch.directory.raw, mode: 0o020000)
        let failure = #expect(throws: Failure.self) { try scratch.copy("d", to: "/") }
        #expect(failure?.message.contains("/d/gone") == true)
    }

    @Test func parentsAreKept() throws {
        let scratch = try Scratch()
        try scratch.tree(["a/b/c=1", "a/x=2", "a/b/d=3"])
        try Directory.changeMode("context/a/b", in: scratch.directory.raw, mode: 0o711)
        try scratch.copy("a/b/c", "a/./x", to: "/p", parents: true)
        #expect(try scratch.listing() == ["p/", "p/a/", "p/a/b/", "p/a/b/c=1", "p/x=2"])
        #expect(try scratch.status("root/p/a/b").permissions == 0o711)
    }

    @Test func octalModeOfParents() throws {
        let scratch = try Scratch()
        try scratch.tree(["f"])
        try scratch.copy("f", to: "/n/f") { $0.mode = try ModeChange("2750") }
        #expect(try scratch.status("root/n").permissions == 0o2750)
        #expect(try scratch.status("root/n/f").permissions == 0o2750)
    }

    @Test func heredocs() throws {
        let scratch = try Scratch()
        try scratch.make("root/dir")
        var options = CopyOptions()
        options.modified = Timestamp(seconds: 9)
        func write(_ name: String, _ destination: String) throws {
            try HeredocFile.write(
                named: name, content: Array("text\n".utf8), into: scratch.root.raw, destination: destination,
                workingDirectory: "/w", options)
        }
        try write("EOF", "/dir")
        try write("../up/EOF2", "sub/")
        try write("EOF", "/file")
        options.mode = try ModeChange("+x")
        options.uid = 7
        try write("EOF", "/run")
        #expect(
            try scratch.listing() == [
                "dir/", "dir/EOF=text\n", "file=text\n", "run=text\n", "w/", "w/sub/", "w/sub/EOF2=text\n",
            ])
        #expect(try scratch.status("root/file").permissions == 0o644)
        #expect(try scratch.status("root/run").permissions == 0o755)
        #expect(try scratch.status("root/run").uid == 7)
        #expect(try scratch.status("root/run").modified.seconds == 9)
        let failure = #expect(throws: Failure.self) {
            try scratch.make("root/q/EOF")
            try write("EOF", "/q")
        }
        #expect(failure?.message == "cannot replace to directory /q/EOF with file")
    }
}
