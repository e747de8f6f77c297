import Foundation
import Testing

@Suite(
    "pull, push, login: Debian's registry",
    .needs(.dockerRegistry, .skopeo, .umoci, .htpasswd, .openssl, .zstd))
struct RegistryTests {
    @Test func pullRunPushPull() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            let pulled = try ctr.ctr("pull", image)
            #expect(pulled.code == 0, "\(pulled)")
            #expect(pulled.text.hasSuffix(image))
            #expect(try ctr.ok("run", "--rm", image, "cat", "/layer2") == "from the second layer")
            try ctr.prints("run", "--rm", image, "env", including: "FROM_IMAGE=yes")
            let digest = try ctr.tool(
                .skopeo, "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://\(image)"
            ).text
            #expect(
                try ctr.inspect(image, "{{index .RepoDigests 0}}") == "\(registry.address)/busybox@\(digest)")
            // The bytes go back unchanged: the digest stays.
            let copy = "\(registry.address)/copy/of:2"
            try ctr.ok("tag", image, copy)
            try ctr.prints("push", copy, including: digest)
            #expect(
                try ctr.tool(
                    .skopeo, "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://\(copy)"
                ).text
                    == digest)
            try ctr.ok("rmi", image, copy)
            #expect(try ctr.ok("images", "-q") == "")
            // By digest.
            let byDigest = "\(registry.address)/busybox@\(digest)"
            try ctr.ok("pull", "-q", byDigest)
            #expect(try ctr.ok("run", "--rm", byDigest, "echo", "by digest") == "by digest")
            let wrong = "\(registry.address)/busybox@sha256:" + String(repeating: "0", count: 64)
            try ctr.refuses("pull", wrong, says: ["sha256:0000"])
        }
    }

    @Test func runPullsWhatIsMissing() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            let outcome = try ctr.ctr("run", "--rm", image, "echo", "pulled")
            #expect(outcome.stdout == "pulled\n")
            registry.stop()
            #expect(try ctr.ok("run", "--rm", image, "echo", "kept") == "kept")
            try ctr.refuses(
                "run", "--rm", "--pull", "always", image, "true", code: 125, says: [registry.address])
        }
    }

    @Test(arguments: [ImageLayout.Compression.none, .gzip, .zstd], [false, true])
    func everyPackingAndBothFormats(_ compression: ImageLayout.Compression, _ docker: Bool) throws {
        if docker, compression == .zstd { return }  // docker's media types have no zstd
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let layout = try ImageLayout(ctr, "layout")
            var second = TarArchive()
            second.file("two", "2")
            try layout.add(
                tag: "t", layers: [Busybox.tar, second.finished], compression: compression,
                config: ["Cmd": ["cat", "/two"]])
            let image = try registry.receive(
                "oci:\(layout.directory):t", as: "packed:1", "--format", docker ? "v2s2" : "oci")
            try ctr.ok("pull", "-q", image)
            #expect(try ctr.ok("run", "--rm", image) == "2")
        }
    }

    @Test func theVariantOfThisMachineIsChosen() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let layout = try ImageLayout(ctr, "layout")
            let other = ImageLayout.architecture == "amd64" ? "arm64" : "amd64"
            var descriptors: [[String: Any]] = []
            for architecture in ["s390x", other, ImageLayout.architecture] {
                var tar = Busybox.archive
                tar.file("which", architecture)
                let digest = try layout.add(
                    tag: "t", layers: [tar.finished], config: ["Cmd": ["cat", "/which"]],
                    platform: ("linux", architecture))
                let size = try Data(
                    contentsOf: URL(
                        fileURLWithPath: "\(layout.directory)/blobs/sha256/\(digest.dropFirst(7))")
                ).count
                descriptors.append([
                    "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
                    "platform": ["os": "linux", "architecture": architecture],
                ])
            }
            func publish(_ list: [[String: Any]], _ name: String) throws -> String {
                let bytes = try JSONSerialization.data(
                    withJSONObject: [
                        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                        "manifests": list,
                    ], options: [.sortedKeys, .withoutEscapingSlashes])
                var index = try layout.blob(Array(bytes), "application/vnd.oci.image.index.v1+json")
                index["annotations"] = ["org.opencontainers.image.ref.name": name]
                try layout.writeIndex([index])
                return try registry.receive("oci:\(layout.directory):\(name)", as: "multi:\(name)", "--all")
            }
            let all = try publish(descriptors, "all")
            try ctr.ok("pull", "-q", all)
            #expect(try ctr.ok("run", "--rm", all) == ImageLayout.architecture)
            let foreign = try publish(Array(descriptors.prefix(2)), "foreign")
            try ctr.refuses("pull", foreign, says: ["linux/s390x", "linux/\(other)"])
            try ctr.ok("pull", "-q", "--platform", "linux/s390x", foreign)
            #expect(try ctr.inspect(foreign, "{{.Architecture}}") == "s390x")
        }
    }

    @Test func basicAuthenticationAndItsFile() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr, user: "someone", password: "s3cret: x")
            let image = try registry.busybox()
            try ctr.refuses("pull", image, says: [image])
            try ctr.refuses(
                "login", "-u", "someone", "--password-stdin", registry.address, says: [registry.address],
                input: "wrong")
            let login = try ctr.ctr(
                "login", "-u", "someone", "--password-stdin", registry.address, input: "s3cret: x\n")
            #expect(login.code == 0, "\(login)")
            #expect(login.stdout.contains("Login Succeeded"))
            let file = try #require(
                [ctr.home + "/.docker/config.json", ctr.home + "/.config/containers/auth.json"].first {
                    FileManager.default.fileExists(atPath: $0)
                })
            let permissions =
                try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
            #expect(permissions?.intValue == 0o600)
            #expect(ctr.contents(file).contains(Data("someone:s3cret: x".utf8).base64EncodedString()))
            try ctr.ok("pull", "-q", image)
            let copy = "\(registry.address)/pushed:1"
            try ctr.ok("tag", image, copy)
            try ctr.ok("push", copy)
            // podman's file is read too; secrets are nowhere in what ctr shows.
            let inspected = try ctr.ok("inspect", image) + (try ctr.ok("info"))
            #expect(!inspected.contains("s3cret"))
            try ctr.ok("logout", registry.address)
            #expect(!ctr.contents(file).contains(registry.address))
            try ctr.refuses("push", copy, says: [copy])
            let auth = try ctr.file(
                "auth.json",
                "{\"auths\":{\"\(registry.address)\":{\"auth\":\"\(Data("someone:s3cret: x".utf8).base64EncodedString())\"}}}"
            )
            #expect(try ctr.ctr("push", copy, environment: ["REGISTRY_AUTH_FILE": auth]).code == 0)
        }
    }

    @Test func certificatesOfCertsD() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr, certificate: true)
            let image = try registry.busybox()
            try ctr.ok("pull", "-q", image)
            #expect(try ctr.ok("run", "--rm", image, "cat", "/layer2") == "from the second layer")
        }
    }

    @Test func anUnknownAuthorityIsRefused() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr, certificate: true, trusted: false)
            let image = try registry.busybox()
            try ctr.refuses("pull", image, says: ["certificate"])
        }
    }

    @Test func unknownNamesAndTags() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            _ = try registry.busybox()
            try ctr.refuses("pull", "\(registry.address)/busybox:none", says: ["busybox:none", "404"])
            try ctr.refuses("pull", "\(registry.address)/nothing", says: ["nothing"])
            try ctr.refuses(
                "run", "--rm", "\(registry.address)/nothing", "true", code: 125, says: ["nothing"])
            registry.stop()
            try ctr.refuses("pull", "\(registry.address)/busybox:1", says: [registry.address, "refused"])
            try ctr.refuses("pull", "UPPER/case", says: ["UPPER"])
            try ctr.refuses("pull", "a b", says: ["a b"])
            #expect(try ctr.ok("images", "-q") == "")
        }
    }

    @Test func allTags() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            for tag in ["1", "2", "three"] { _ = try registry.busybox("many:\(tag)") }
            try ctr.ok("pull", "-q", "-a", "\(registry.address)/many")
            #expect(
                try ctr.ok("images", "--format", "{{.Tag}}").components(separatedBy: "\n").sorted() == [
                    "1", "2", "three",
                ])
        }
    }

    @Test func theContentStoreOfAPulledImageIsReadByOthers() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            try ctr.ok("pull", "-q", image)
            let content = ctr.root + "/content"
            let name = try #require(
                ctr.contents(content + "/index.json").firstMatch(of: /ref\.name" *: *"([^"]+)"/).map {
                    String($0.1)
                })
            try ctr.tool(
                .skopeo, "--insecure-policy", "copy", "-q", "oci:\(content):\(name)",
                "oci:\(ctr.path("copy")):x")
            try ctr.tool(.umoci, "unpack", "--image", "\(content):\(name)", ctr.path("unpacked"))
            #expect(ctr.contents(ctr.path("unpacked/rootfs/layer2")) == "from the second layer\n")
        }
    }

    @Test func eightPullsOfOneImageAtOnce() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            let pulls = try (0..<8).map { _ in try ctr.start("pull", "-q", image) }
            for pull in pulls {
                let outcome = pull.finish(timeout: 90)
                #expect(outcome.code == 0, "\(outcome)")
            }
            #expect(try ctr.ok("images", "-q").components(separatedBy: "\n").count == 1)
            #expect(try ctr.ok("run", "--rm", image, "cat", "/layer2") == "from the second layer")
            try ctr.ok("rmi", image)
            try ctr.eventually("one set of layers was there, and is gone") {
                ((try? FileManager.default.contentsOfDirectory(atPath: ctr.root + "/layers")) ?? [])
                    .filter { !$0.hasPrefix(".") }.isEmpty
            }
        }
    }

    @Test func aKilledPullIsHarmless() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let layout = try ImageLayout(ctr, "layout")
            var layers = [Busybox.tar]
            for number in 0..<4 {
                var tar = TarArchive()
                for file in 0..<300 {
                    tar.file("d\(number)/f\(file)", String(repeating: "\(number)-\(file) ", count: 700))
                }
                layers.append(tar.finished)
            }
            try layout.add(
                tag: "t", layers: layers, compression: .none,
                config: ["Cmd": ["sh", "-c", "cat /d[0-9]/f* | sha256sum"]])
            let image = try registry.receive("oci:\(layout.directory):t", as: "big:1", "--format", "oci")
            for pause in [5_000, 20_000, 50_000, 90_000, 140_000, 200_000, 300_000] {
                let pull = try ctr.start("pull", "-q", image)
                usleep(UInt32(pause))
                pull.signal(SIGKILL)
                _ = pull.finish(timeout: 10)
                // Absent or whole.
                let listed = try ctr.ok("images", "-q")
                if !listed.isEmpty {
                    #expect(try ctr.ctr("run", "--rm", "--pull", "never", image, "true").code == 0)
                }
            }
            try ctr.ok("pull", "-q", image)
            let inside = try ctr.ok("run", "--rm", image)
            try ctr.ok("rmi", image)
            try ctr.ok("pull", "-q", image)
            #expect(try ctr.ok("run", "--rm", image) == inside)
            let ingest =
                (try? FileManager.default.contentsOfDirectory(atPath: ctr.root + "/content/ingest")) ?? []
            #expect(ingest.isEmpty, "left of killed pulls: \(ingest)")
        }
    }

    @Test func noSpaceInTheMiddleOfAPull() throws {
        try withFixture { ctr in
            let registry = try DebianRegistry(ctr)
            let image = try registry.busybox()
            _ = try ctr.makeDirectory("root")
            try ctr.tool(.mount, "-t", "tmpfs", "-o", "size=1500k", "ctr-test", ctr.root)
            ctr.onCleanUp { _ = try? ctr.tool(.umount, "-l", ctr.root) }
            let outcome = try ctr.refuses("pull", image, says: ["space"])
            #expect(!outcome.stderr.contains("no such file"))
            #expect(try ctr.ok("images", "-q") == "")
            try ctr.tool(.mount, "-o", "remount,size=60m", ctr.root)
            try ctr.ok("pull", "-q", image)
            #expect(try ctr.ok("run", "--rm", image, "echo", "there is room") == "there is room")
        }
    }
}
