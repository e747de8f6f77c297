import BuildContext
import Failure
import Glibc
import LinuxSystem
import Synchronization
import Testing

/// Rows 1 to 6 and 14 of the table of attacks: a context, a stage and an image may hold what they want, and what lies
/// beside them is neither read nor written.
@Suite(.enabled(if: isRoot, "owners and devices need root")) struct HostileContextTests {
    @Test(arguments: [
        ("out -> ../canary", "out/file"), ("out -> /../canary/file", "out"),
        ("a/out -> ../../canary", "a/out/file"),
        ("out -> a/../../canary/file", "out"), ("x -> /proc/self/root", "x/etc"), ("x -> /etc/passwd", "x"),
    ])
    func sourcesStayInside(_ line: String, _ source: String) throws {
        let scratch = try Scratch()
        try scratch.tree(["a/", line])
        #expect(throws: Failure.self) { try scratch.copy(source, to: "/got") }
        #expect(try scratch.listing() == [])
    }

    @Test(arguments: [
        ("app -> /", "/app/canary/file", "canary/file"), ("app -> ../../etc", "/app/x", "etc/x"),
        ("app -> /abs/dir", "/app/", "abs/dir/f"), ("app -> ../../../../..", "/app/", "f"),
        ("app -> ../canary/file", "/app", "canary/file"), ("l1 -> l2/x", "/l1/", "l2/x/f"),
        ("app -> ../canary", "/app/file", "canary/file"),
    ])
    func destinationsStayInside(_ line: String, _ destination: String, _ written: String) throws {
        let scratch = try Scratch()
        try scratch.tree(["f=new"])
        try scratch.tree([line], in: "root")
        try scratch.copy("f", to: destination)
        #expect(try scratch.text("root/\(written)") == "new")
        #expect(scratch.canaryLives)
    }

    @Test func linksOfTheDestinationsTreeAreNotFollowed() throws {
        let scratch = try Scratch()
        try scratch.tree(["d/file=dead", "d/sub/file=dead"])
        try scratch.tree(["app/file -> ../../canary/file"], in: "root")
        try scratch.copy("d/file", to: "/app/")
        #expect(try scratch.status("root/app/file").kind == .file)
        try scratch.link("../../canary", at: "root/app/sub")
        #expect(throws: Failure.self) { try scratch.copy("d", to: "/app") }
        #expect(scratch.canaryLives)
    }

    @Test func loopsEnd() throws {
        let scratch = try Scratch()
        try scratch.tree(["f", "loop -> loop", "a -> b/x", "b -> a/x"])
        try scratch.tree(["loop -> loop"], in: "root")
        #expect(throws: Failure.self) { try scratch.copy("f", to: "/loop") }
        #expect(throws: Failure.self) { try scratch.copy("a", to: "/") }
    }

    @Test func changesBetweenDigestAndCopyAreErrors() throws {
        let scratch = try Scratch()
        let raw = scratch.directory.raw
        try scratch.tree(["d/f=1", "d/l -> f", "d/s/x"])
        let changes: [() throws -> Void] = [
            { try scratch.file("context/d/f", "2") },
            {
                try Directory.removeFile("context/d/f", in: raw)
                try scratch.link("../../canary/file", at: "context/d/f")
            },
            { try Directory.removeFile("context/d/f", in: raw) },
            {
                try scratch.file("context/d/f", "3")
                try Directory.removeFile("context/d/l", in: raw)
                try scratch.link("/canary", at: "context/d/l")
            },
            {
                try Directory.removeTree("context/d/s", in: raw)
                try scratch.link("../../canary", at: "context/d/s")
            },
        ]
        for change in changes {
            let selection = try scratch.context().select(sources: ["d"])
            _ = try selection.digest()
            try change()
            let failure = #expect(throws: Failure.self) {
                try selection.copy(into: scratch.root.raw, destination: "/", CopyOptions())
            }
            #expect(
                failure?.message.hasSuffix("changed while the build read it") == true,
                "\(failure?.message ?? "")")
        }
        #expect(try scratch.listing().allSatisfy { !$0.contains("alive") })
        #expect(scratch.canaryLives)
    }

    /// A directory and a link to the canary change places all the while; what is copied never comes from outside.
    @Test func swappedLinks() throws {
        let scratch = try Scratch()
        try scratch.tree(["d/swap/file=inside"])
        try scratch.link("../../canary", at: "context/d/evil")
        let end = Atomic(false)
        let raw = scratch.directory.raw
        let thread = try Thread("swapper") {
            while !end.load(ordering: .relaxed) {
                try? Directory.rename("context/d/swap", in: raw, to: "context/d/real", in: raw)
                try? Directory.rename("context/d/evil", in: raw, to: "context/d/swap", in: raw)
                try? Directory.rename("context/d/swap", in: raw, to: "context/d/evil", in: raw)
                try? Directory.rename("context/d/real", in: raw, to: "context/d/swap", in: raw)
            }
        }
        for i in 0..<300 {
            for source in ["d", "d/swap", "d/swap/file"] {
                do {
                    _ = try scratch.digest(source)
                    try scratch.copy(source, to: "/\(i)/")
                } catch is Failure {}
            }
        }
        end.store(true, ordering: .relaxed)
        thread.join()
        #expect(try scratch.listing().allSatisfy { !$0.contains("alive") })
        #expect(scratch.canaryLives)
    }

    @Test func deepTrees() throws {
        let scratch = try Scratch()
        let depth = 1500
        var current = try FileDescriptor.open("context", in: scratch.directory.raw, [.readOnly, .directory])
        for i in 0..<depth {
            try Directory.make("deep-\(i)", in: current.raw, mode: 0o755)
            current = try Directory.open("deep-\(i)", in: current.raw)
            if i % 500 == 0 {
                try FileDescriptor.open("f", in: current.raw, [.writeOnly, .create]).write("\(i)")
            }
        }
        try FileDescriptor.open("bottom", in: current.raw, [.writeOnly, .create]).write("here")
        let selection = try scratch.context().select(sources: ["."])
        #expect(selection.count == depth + 1 + 3 + 1)
        _ = try selection.digest()
        try selection.copy(into: scratch.root.raw, destination: "/", CopyOptions())
        let copy = ContextTree(scratch.root, owners: .root)
        #expect(try copy.select(sources: ["."]).digest().digest == selection.digest().digest)
    }

    @Test func strangeNames() throws {
        let scratch = try Scratch()
        let names: [[UInt8]] = [
            Array("new\nline".utf8), [0xff, 0xfe, 0x80], Array(" lead".utf8), Array("-rf".utf8),
            Array("a\\b".utf8), Array("*".utf8), Array(".wh.x".utf8), Array(repeating: 0x61, count: 255),
        ]
        try scratch.make("context/d")
        let directory = try Directory.open("context/d", in: scratch.directory.raw)
        for name in names {
            try FileDescriptor.open(RawPath(name), in: directory.raw, [.writeOnly, .create]).write(name)
        }
        let selection = try scratch.context().select(sources: ["d"])
        _ = try selection.digest()
        try selection.copy(into: scratch.root.raw, destination: "/x", CopyOptions())
        let copied = try Directory.open("root/x", in: scratch.directory.raw)
        for name in names {
            #expect(try FileDescriptor.open(RawPath(name), in: copied.raw).readAll(limit: 1000) == name)
        }
        #expect(try Directory.entries(of: copied).count == names.count)
    }

    @Test func specialFilesAreNotOpened() throws {
        let scratch = try Scratch()
        try scratch.make("context/d")
        try Directory.makeNode("context/d/fifo", in: scratch.directory.raw, mode: 0o010644)
        // Opening it would wait for a writer.
        _ = try scratch.digest("d")
        _ = try scratch.digest("d/fifo")
        try scratch.copy("d/fifo", to: "/f") { $0.unpacksArchives = true }
        #expect(try scratch.status("root/f").kind == .fifo)
        #expect(throws: Failure.self) { try scratch.context().read("d/fifo") }
    }

    @Test func modesDoNotDependOnTheUmask() throws {
        let scratch = try Scratch()
        try scratch.tree(["d/s/f"])
        try scratch.file("context/d/open", "", mode: 0o666)
        try scratch.make("context/d/all")
        try Directory.changeMode("context/d/all", in: scratch.directory.raw, mode: 0o777)
        try Directory.changeMode("context/d/s", in: scratch.directory.raw, mode: 0o755)
        let old = umask(0o077)
        defer { umask(old) }
        try scratch.copy("d", to: "/n/d")
        #expect(try scratch.status("root/n").permissions == 0o755)
        #expect(try scratch.status("root/n/d/s").permissions == 0o755)
        #expect(try scratch.status("root/n/d/open").permissions == 0o666)
        #expect(try scratch.status("root/n/d/all").permissions == 0o777)
    }

    @Test func setGroupIdDirectories() throws {
        let scratch = try Scratch()
        try scratch.tree(["f"])
        try scratch.make("root/g")
        try Directory.changeOwner("root/g", in: scratch.directory.raw, uid: 0, gid: 99)
        try Directory.changeMode("root/g", in: scratch.directory.raw, mode: 0o2777)
        try scratch.copy("f", to: "/g/")
        #expect(try scratch.status("root/g/f").gid == 0)
    }
}
