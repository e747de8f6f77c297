import Transfers
import Engine
import Failure
import LinuxSystem
import Testing

@Suite("The ends of cp")
struct CopyEndpointTests {
    @Test(arguments: [
        ("c:/etc", CopyEndpoint.container("c", path: "/etc")), ("c:etc", .container("c", path: "etc")),
        ("c:", .container("c", path: "/")), ("c:a:b", .container("c", path: "a:b")), ("/a:b", .host("/a:b")),
        ("./a:b", .host("./a:b")), ("../a:b", .host("../a:b")), ("-", .host("-")), ("file", .host("file")),
        (":a", .host(":a")),
    ])
    func areReadAsDockerReadsThem(_ word: String, _ expected: CopyEndpoint) {
        #expect(CopyEndpoint(word) == expected)
    }
}

@Suite("cp of stopped containers", .enabled(if: Process.isRoot, "needs root"))
struct CopyTests {
    let fixture: CopyFixture
    let engine: Engine

    init() throws {
        fixture = try CopyFixture()
        engine = fixture.scratch.engine
    }

    @Test func aFileComesOut() throws {
        let record = try fixture.create()
        try engine.copy(from: record, "/etc/motd", to: "\(fixture.host)/new", CopyRequest())
        #expect(fixture.text("new") == "hello\n")
        let status = try FileDescriptor.status("\(fixture.host)/new")
        #expect(status.permissions == 0o640)
        #expect(status.modified.seconds == 1_700_000_000)
        try engine.copy(from: record, "/etc/motd", to: fixture.host, CopyRequest())
        #expect(fixture.text("motd") == "hello\n")
    }

    @Test func setIDBitsComeOutOnlyWithArchive() throws {
        let record = try fixture.create()
        try engine.copy(from: record, "/etc/suid", to: "\(fixture.host)/a", CopyRequest())
        #expect(try FileDescriptor.status("\(fixture.host)/a").permissions == 0o755)
        try engine.copy(from: record, "/etc/suid", to: "\(fixture.host)/b", .keepingOwners)
        #expect(try FileDescriptor.status("\(fixture.host)/b").permissions == 0o4755)
    }

    @Test func directoriesFollowDockersRules() throws {
        let record = try fixture.create()
        try Directory.make("\(fixture.host)/there", mode: 0o755)
        try engine.copy(from: record, "/etc", to: "\(fixture.host)/there", CopyRequest())
        #expect(fixture.text("there/etc/motd") == "hello\n")
        try engine.copy(from: record, "/etc/.", to: "\(fixture.host)/there", CopyRequest())
        #expect(fixture.text("there/motd") == "hello\n")
        try engine.copy(from: record, "/etc", to: "\(fixture.host)/fresh", CopyRequest())
        #expect(fixture.text("fresh/motd") == "hello\n")
        try engine.copy(from: record, "/etc/.", to: "\(fixture.host)/fresh2/", CopyRequest())
        #expect(fixture.text("fresh2/motd") == "hello\n")
    }

    @Test func badPlacesAreRefusedInOneLine() throws {
        let record = try fixture.create { $0.name = "box" }
        try fixture.put("file", "old")
        func message(_ source: String, _ target: String) -> String? {
            failure { try engine.copy(from: record, source, to: target, CopyRequest()) }?.message
        }
        #expect(message("/nope", fixture.host) == "Could not find the file /nope in container box")
        #expect(message("/etc/motd/", fixture.host) == "copy /etc/motd/: not a directory")
        #expect(
            message("/etc", "\(fixture.host)/file")
                == "copy to \(fixture.host)/file: cannot copy a directory onto a file")
        #expect(
            message("/etc/motd", "\(fixture.host)/no/such")
                == "invalid output path: directory \"\(fixture.host)/no/\" does not exist")
        #expect(
            message("/etc/motd", "\(fixture.host)/no/") == "copy to \(fixture.host)/no/: no such directory")
        #expect(
            message("/etc/motd", "\(fixture.host)/file/") == "copy to \(fixture.host)/file/: not a directory")
        #expect(fixture.text("file") == "old")
        let missing = failure {
            try engine.copy(from: "\(fixture.host)/absent", to: record, "/etc", CopyRequest())
        }
        #expect(missing?.message == "lstat \(fixture.host)/absent: no such file or directory")
        let parent = failure {
            try engine.copy(from: "\(fixture.host)/file", to: record, "/no/such/x", CopyRequest())
        }
        #expect(parent?.message == "Could not find the file /no/such/ in container box")
    }

    @Test func linksStayLinksUnlessFollowed() throws {
        let record = try fixture.create()
        try engine.copy(from: record, "/link", to: "\(fixture.host)/as-link", CopyRequest())
        #expect(try Directory.readLink("\(fixture.host)/as-link").shown == "etc/motd")
        try engine.copy(from: record, "/link", to: fixture.host, .followingLinks)
        #expect(fixture.text("link") == "hello\n")
        #expect(try FileDescriptor.status("\(fixture.host)/link").kind == .file)
    }

    @Test func aLinkOfTheContainerLeadsNowhereOnTheHost() throws {
        let record = try fixture.create()
        try fixture.put("secret", "host\n")
        let out = failure {
            try engine.copy(from: record, "/escape/secret", to: "\(fixture.host)/got", CopyRequest())
        }
        #expect(out?.code == .notFound)
        let into = failure {
            try engine.copy(from: "\(fixture.host)/secret", to: record, "/escape/planted", CopyRequest())
        }
        #expect(into?.code == .notFound)
        #expect(fixture.text("planted") == nil)
        // `..` above the root is the root: /out is the container's own /etc.
        try engine.copy(from: record, "/out/motd", to: "\(fixture.host)/motd", CopyRequest())
        #expect(fixture.text("motd") == "hello\n")
    }

    @Test func aFileGoesInAsRootsOrAsItIs() throws {
        let record = try fixture.create()
        try fixture.put("mine", "data", mode: 0o600)
        try Directory.changeOwner("\(fixture.host)/mine", uid: 1234, gid: 4321)
        try engine.copy(from: "\(fixture.host)/mine", to: record, "/etc", CopyRequest())
        try engine.copy(from: "\(fixture.host)/mine", to: record, "/kept", .keepingOwners)
        let plain = try FileDescriptor.status(fixture.upper(record, "etc/mine"))
        #expect((plain.uid, plain.gid, plain.permissions) == (0, 0, 0o600))
        let kept = try FileDescriptor.status(fixture.upper(record, "kept"))
        #expect((kept.uid, kept.gid) == (1234, 4321))
        // Over a file that is there, through the image's link.
        try engine.copy(from: "\(fixture.host)/mine", to: record, "/link", CopyRequest())
        #expect(fixture.text(fixture.upper(record, "etc/motd")) == "data")
        #expect(
            try engine.diff(record).map { "\($0.letter) \($0.path)" } == [
                "C /etc", "A /etc/mine", "C /etc/motd", "A /kept",
            ])
    }

    @Test func volumesAreSeenAndReadOnlyOnesRefused() throws {
        let record = try fixture.create {
            $0.settings.readOnly = true
            $0.volumes = ["data:/data", "fixed:/fixed:ro"]
        }
        try fixture.put("file", "v")
        try engine.copy(from: "\(fixture.host)/file", to: record, "/data/in", CopyRequest())
        #expect(fixture.scratch.read("volumes/data/data/in") == "v")
        try engine.copy(from: record, "/data/in", to: "\(fixture.host)/back", CopyRequest())
        #expect(fixture.text("back") == "v")
        let root = failure {
            try engine.copy(from: "\(fixture.host)/file", to: record, "/etc/x", CopyRequest())
        }
        #expect(root?.message == "container rootfs is marked read-only")
        let volume = failure {
            try engine.copy(from: "\(fixture.host)/file", to: record, "/fixed/x", CopyRequest())
        }
        #expect(volume?.message == "mounted volume is marked read-only")
    }

    @Test func aDirectoryIsNotCopiedIntoItself() throws {
        try Directory.make("\(fixture.host)/shared", mode: 0o755)
        try fixture.put("shared/file", "x")
        let record = try fixture.create { $0.volumes = ["\(fixture.host)/shared:/shared"] }
        try engine.copy(from: record, "/shared", to: "\(fixture.host)/shared", CopyRequest())
        #expect(fixture.text("shared/shared/file") == "x")
        #expect(fixture.text("shared/shared/shared/file") == nil)
    }

    @Test func whatTheContainerHidesIsNotLost() throws {
        let record = try fixture.create()
        try Directory.make("\(fixture.host)/tree", mode: 0o750)
        try fixture.put("tree/a", "one")
        try Directory.link("\(fixture.host)/tree/a", to: "\(fixture.host)/tree/b")
        try Directory.symlink("/nowhere", at: "\(fixture.host)/tree/dangling")
        try engine.copy(from: "\(fixture.host)/tree", to: record, "/", CopyRequest())
        try engine.copy(from: record, "/tree", to: "\(fixture.host)/again", CopyRequest())
        let a = try FileDescriptor.status("\(fixture.host)/again/a")
        let b = try FileDescriptor.status("\(fixture.host)/again/b")
        #expect(a.inode == b.inode)
        #expect(try Directory.readLink("\(fixture.host)/again/dangling").shown == "/nowhere")
        #expect(try FileDescriptor.status("\(fixture.host)/again").permissions == 0o750)
    }

    @Test func exportIsTheSameTwiceAndLeavesVolumesOut() throws {
        let record = try fixture.create { $0.volumes = ["data:/data"] }
        try fixture.put("file", "v")
        try engine.copy(from: "\(fixture.host)/file", to: record, "/data/in", CopyRequest())
        func export(_ name: String) throws -> [UInt8] {
            let path = "\(fixture.host)/\(name)"
            let file = try FileDescriptor.open(path, [.readWrite, .create, .exclusive])
            try engine.export(record, to: file.raw)
            return try AtomicFile.read(path) ?? []
        }
        let first = try export("1.tar")
        #expect(first.count % 512 == 0 && first.count > 1024)
        #expect(try export("2.tar") == first)
        let text = String(decoding: first, as: UTF8.self)
        #expect(text.contains("etc/motd"))
        #expect(!text.contains("data/in"))
    }

    @Test func sizesCountTheLayers() throws {
        let record = try fixture.create()
        #expect(try engine.sizes(of: record).image == 7)
        #expect(try engine.diff(record).isEmpty)
    }

    @Test func aBundleIsWholeOrNotThere() throws {
        let target = "\(fixture.host)/bundle"
        try engine.bundle("test:1", at: target, images: OwnProvider())
        #expect(fixture.text("bundle/rootfs/etc/motd") == "hello\n")
        let config = try #require(fixture.text("bundle/config.json"))
        #expect(config.contains("\"rootfs\""))
        #expect(config.contains("SCMP_ACT_ERRNO"))
        #expect(!config.contains("cgroupsPath"))
        #expect(!config.contains("\"type\" : \"time\""))
        #expect(!config.contains(fixture.scratch.path))
        let again = failure { try engine.bundle("test:1", at: target, images: OwnProvider()) }
        #expect(again?.message.hasPrefix("make the bundle \(target): ") == true)
        let unknown = failure {
            try engine.bundle("nope:1", at: "\(fixture.host)/none", images: OwnProvider())
        }
        #expect(unknown?.code == .notFound)
        let left = try Directory.names(in: try Directory.open(fixture.host))
        #expect(left == ["bundle"])
    }
}
