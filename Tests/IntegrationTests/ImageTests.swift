import Foundation
import Testing

@Suite("images in the store: import, tag, images, rmi, history, save, load", .needs(.skopeo, .umoci))
struct ImageTests {
    @Test func importedImagesAreListedTaggedAndRemoved() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let table = try ctr.ok("images").components(separatedBy: "\n")
            for column in ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"] {
                #expect(table[0].contains(column))
            }
            #expect(table.count == 2 && table[1].hasPrefix("busybox"))
            try ctr.ok("tag", image, "other/name:2")
            #expect(
                try ctr.ok("images", "--format", "{{.Repository}}:{{.Tag}}").components(separatedBy: "\n")
                    .sorted()
                    == ["busybox:test", "other/name:2"])
            let identifiers = Set(try ctr.ok("images", "-q", "--no-trunc").components(separatedBy: "\n"))
            #expect(identifiers.count == 1)
            #expect(try ctr.ok("run", "--rm", "other/name:2", "echo", "x") == "x")
            let first = try ctr.ok("rmi", image)
            #expect(first.contains("busybox:test"))
            #expect(try ctr.ok("run", "--rm", "other/name:2", "echo", "y") == "y")
            try ctr.ok("rmi", "other/name:2")
            #expect(try ctr.ok("images", "-q") == "")
            try ctr.eventually("the layers' directories are empty") {
                let layers =
                    (try? FileManager.default.contentsOfDirectory(atPath: ctr.root + "/layers")) ?? []
                return layers.filter { !$0.hasPrefix(".") }.isEmpty
            }
        }
    }

    @Test func rmiRefusesWhatAContainerUses() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            try ctr.ok("run", "-d", "--name", "box", image, "sleep", "60")
            try ctr.refuses("rmi", image, says: ["busybox:test", "box"])
            try ctr.refuses("rmi", "-f", image, says: ["running"])
            try ctr.ok("stop", "-t", "0", "box")
            try ctr.refuses("rmi", image, says: ["busybox:test"])
            try ctr.ok("rm", "box")
            try ctr.ok("rmi", image)
            try ctr.refuses("rmi", image, says: ["busybox:test"])
        }
    }

    @Test func importAppliesInstructions() throws {
        try withFixture { ctr in
            let file = try ctr.file("b.tar", Busybox.tar)
            let id = try ctr.ok(
                "import", "-m", "made for a test", "-c", "ENV A=1 B=two", "-c", "WORKDIR /etc", "-c",
                "USER app", "-c",
                "LABEL l=m", "-c", #"CMD ["sh","-c","echo $A $B; pwd; id -u"]"#, "-c", "EXPOSE 80/tcp", file,
                "made:1")
            #expect(id.hasPrefix("sha256:"))
            #expect(try ctr.ok("run", "--rm", "made:1") == "1 two\n/etc\n1000")
            #expect(
                try ctr.inspect("made:1", "{{.Config.User}} {{.Config.Labels.l}} {{.Os}}") == "app m linux")
            try ctr.prints("history", "--no-trunc", "made:1", including: "made for a test")
            try ctr.refuses("import", "-c", "RUN true", file, "bad:1", says: ["RUN"])
            try ctr.refuses("import", ctr.path("none.tar"), "bad:1", says: ["none.tar"])
            try ctr.refuses(
                "import", try ctr.file("no.tar", "this is not a tar archive"), "bad:1", says: ["no.tar"])
            #expect(try ctr.ok("images", "--format", "{{.Repository}}") == "made")
            // From a pipe, gzip and zstd recognised by themselves.
            let packed = try ctr.tool(.gzip, "-nc", input: Busybox.tar).output
            #expect(try ctr.ctr(["import", "-", "piped:1"], input: packed).code == 0)
            #expect(try ctr.ok("run", "--rm", "piped:1", "/bin/busybox", "echo", "z") == "z")
        }
    }

    @Test func skopeoAndUmociReadTheContentStore() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            _ = image
            let content = ctr.root + "/content"
            let index = ctr.contents(content + "/index.json")
            #expect(index.contains("org.opencontainers.image.ref.name"))
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(index.utf8)) as? [String: Any])
            let manifest = try #require((object["manifests"] as? [[String: Any]])?.first)
            let name = try #require(
                (manifest["annotations"] as? [String: String])?["org.opencontainers.image.ref.name"])
            let inspected = try ctr.tool(.skopeo, "inspect", "oci:\(content):\(name)").stdout
            #expect(inspected.contains("\"Layers\""))
            let rootfs = ctr.path("unpacked")
            try ctr.tool(.umoci, "unpack", "--image", "\(content):\(name)", rootfs)
            #expect(FileManager.default.fileExists(atPath: rootfs + "/rootfs/bin/busybox"))
        }
    }

    @Test func theSavedFileIsReadByAll() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            let file = ctr.path("saved.tar")
            try ctr.ok("save", "-o", file, image)
            let names = try ctr.tool(.tar, "-tf", file).lines
            for name in ["oci-layout", "index.json", "manifest.json"] {
                #expect(names.contains(name), "\(names)")
            }
            try ctr.tool(
                .skopeo, "--insecure-policy", "copy", "-q", "docker-archive:\(file)", "oci:\(ctr.path("a")):x"
            )
            try ctr.tool(
                .skopeo, "--insecure-policy", "copy", "-q", "oci-archive:\(file)", "oci:\(ctr.path("b")):x")
            let id = try ctr.inspect(image, "{{.Id}}")
            try ctr.ok("rmi", image)
            try ctr.prints("load", "-i", file, including: "busybox:test")
            #expect(try ctr.inspect(image, "{{.Id}}") == id)
            #expect(try ctr.ok("run", "--rm", image, "echo", "loaded") == "loaded")
            // To and from a pipe.
            let piped = try ctr.ctr("save", image)
            #expect(piped.code == 0)
            try ctr.ok("rmi", image)
            #expect(try ctr.ctr(["load"], input: piped.output).code == 0)
            #expect(try ctr.ok("run", "--rm", image, "echo", "again") == "again")
            try ctr.refuses("save", "-o", ctr.path("x.tar"), "nothing:here", says: ["nothing:here"])
            #expect(!FileManager.default.fileExists(atPath: ctr.path("x.tar")))
        }
    }

    @Test(arguments: ["docker-archive", "oci-archive"])
    func loadReadsWhatSkopeoWrites(_ format: String) throws {
        try withFixture { ctr in
            let layout = try ImageLayout(ctr, "layout")
            try layout.add(tag: "t", layers: [Busybox.tar], config: ["Cmd": ["echo", "by skopeo"]])
            let file = ctr.path("archive.tar")
            let name =
                format == "docker-archive" ? ":example.com/from/skopeo:9" : ":example.com/from/skopeo:9"
            try ctr.tool(
                .skopeo, "--insecure-policy", "copy", "-q", "oci:\(layout.directory):t",
                "\(format):\(file)\(name)")
            try ctr.prints("load", "-i", file, including: "example.com/from/skopeo:9")
            #expect(try ctr.ok("run", "--rm", "example.com/from/skopeo:9") == "by skopeo")
        }
    }

    @Test func loadRefusesRubbishAndKeepsNothing() throws {
        try withFixture { ctr in
            try ctr.refuses("load", "-i", try ctr.file("x.tar", "rubbish"), says: ["x.tar"])
            var tar = TarArchive()
            tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
            tar.file("index.json", "{ not json")
            try ctr.refuses("load", "-i", try ctr.file("y.tar", tar.finished), says: ["y.tar", "index"])
            try ctr.refuses("load", "-i", ctr.path("none.tar"), says: ["none.tar"])
            #expect(try ctr.ok("images", "-q") == "")
        }
    }

    @Test func whiteoutsLinksAndAttributesOfManyLayers() throws {
        try withFixture { ctr in
            var one = Busybox.archive
            one.directory("gone")
            one.file("gone/file", "1")
            one.directory("opaque", mode: 0o711, uid: 7)
            one.file("opaque/below", "1")
            one.file("kept", "one", uid: 1000, gid: 1000)
            one.file("setuid", "x", mode: 0o4755)
            var two = TarArchive()
            two.file(".wh.gone", "")
            two.directory("opaque", mode: 0o700, uid: 8)
            two.file("opaque/.wh..wh..opq", "")
            two.file("opaque/above", "2")
            two.hardLink("linked", to: "kept")  // to a lower layer
            two.file("implicit/parent/file", "2")
            two.file("etc/added", "2")
            two.symbolicLink("pointer", to: "/etc/added")
            two.add("fifo", .fifo)
            two.add("null", .characterDevice, mode: 0o666, device: (1, 3))
            two.add(
                "capable", mode: 0o755, content: [0x78],
                pax: [
                    (
                        "SCHILY.xattr.security.capability",
                        [1, 0, 0, 2, 0, 4, 0, 0] + [UInt8](repeating: 0, count: 12)
                    )
                ])
            var three = TarArchive()
            three.file("etc/.wh.added", "")
            three.file("gone", "a file now")
            let layout = try ImageLayout(ctr, "layout")
            try layout.add(
                tag: "t", layers: [one.finished, two.finished, three.finished], compression: .zstd)
            let file = ctr.path("archive.tar")
            try ctr.tool(
                .skopeo, "--insecure-policy", "copy", "-q", "oci:\(layout.directory):t",
                "oci-archive:\(file):layers:1")
            try ctr.ok("load", "-i", file)
            let script = """
                cat /gone; echo; ls /opaque; stat -c '%u %a' /opaque; cat /linked; echo; stat -c '%u %h' /linked
                ls -d /etc/added 2>/dev/null; readlink /pointer; stat -c %F /fifo /null; stat -c %t:%T /null
                stat -c '%U %a' /implicit /implicit/parent; stat -c %a /setuid; stat -c %Y /kept
                """
            #expect(
                try ctr.ok("run", "--rm", "layers:1", "/bin/sh", "-c", script) == """
                    a file now
                    above
                    8 700
                    one
                    1000 2
                    /etc/added
                    fifo
                    character special file
                    1:3
                    root 755
                    root 755
                    4755
                    1700000000
                    """)
            #expect(try ctr.ok("history", "-q", "layers:1").components(separatedBy: "\n").count == 3)
        }
    }

    @Test func manyLayers() throws {
        try withFixture { ctr in
            var layers = [Busybox.tar]
            for number in 1..<120 {
                var tar = TarArchive()
                tar.file("layer-\(number)", "\(number)")
                layers.append(tar.finished)
            }
            let layout = try ImageLayout(ctr, "layout")
            try layout.add(tag: "t", layers: layers, compression: .none)
            let file = ctr.path("archive.tar")
            try ctr.tool(.tar, "-C", layout.directory, "-cf", file, "oci-layout", "index.json", "blobs")
            let loaded = try ctr.ok("load", "-q", "-i", file)
            let name = try #require(loaded.split(separator: " ").last.map(String.init))
            #expect(
                try ctr.ok("run", "--rm", name, "/bin/sh", "-c", "ls -d /layer-* | /bin/busybox wc -l")
                    == "119")
        }
    }

    @Test func imagePrune() throws {
        try withFixture { ctr in
            let image = try ctr.busybox()
            var tar = Busybox.archive
            tar.file("second", "2")
            try ctr.ok("import", try ctr.file("second.tar", tar.finished), image)  // the first loses its name
            try ctr.ok("image", "prune", "-f")
            #expect(try ctr.ok("images", "-a", "-q").components(separatedBy: "\n").count == 1)
            try ctr.ok("image", "prune", "-a", "-f")
            #expect(try ctr.ok("images", "-a", "-q") == "")
        }
    }
}
