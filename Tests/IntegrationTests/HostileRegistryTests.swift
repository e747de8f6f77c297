import Foundation
import OCI
import ScriptedRegistry
import Testing

@Suite("registries that lie, cut, refuse and stall", .needs())
struct HostileRegistryTests {
    /// A registry inside the test with one honest image `i:1` of busybox.
    private func withRegistry(_ body: (Fixture, ScriptedRegistry, Parts) throws -> Void) throws {
        try withFixture { ctr in
            let registry = ScriptedRegistry()
            _ = try registry.start()
            ctr.onCleanUp { registry.stop() }
            try body(ctr, registry, try Parts(registry, layer: Busybox.tar))
        }
    }

    struct Parts {
        var layer: Digest
        var config: Digest
        var manifest: [UInt8]

        init(_ registry: ScriptedRegistry, layer tar: [UInt8], diffID: String? = nil, tag: String = "1")
            throws
        {
            let layer = registry.addBlob(tar, to: "i")
            let image =
                #"{"architecture":"\#(ImageLayout.architecture)","os":"linux","config":{"Cmd":["echo","honest"]},"rootfs":{"type":"layers","diff_ids":["\#(diffID ?? layer.description)"]}}"#
            let config = registry.addBlob(Array(image.utf8), to: "i")
            let manifest =
                #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\#(config)","size":\#(image.utf8.count)},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\#(layer)","size":\#(tar.count)}]}"#
            self.layer = layer
            self.config = config
            self.manifest = Array(manifest.utf8)
            _ = registry.addManifest(
                self.manifest, mediaType: "application/vnd.oci.image.manifest.v1+json", to: "i", tag: tag)
        }
    }

    private func expectNothingKept(_ ctr: Fixture) throws {
        #expect(try ctr.ok("images", "-a", "-q") == "")
        let layers = (try? FileManager.default.contentsOfDirectory(atPath: ctr.root + "/layers")) ?? []
        #expect(layers.filter { !$0.hasPrefix(".") }.isEmpty, "\(layers)")
    }

    @Test func honestFirst() throws {
        try withRegistry { ctr, registry, _ in
            try ctr.ok("pull", "-q", "\(registry.domain)/i:1")
            #expect(try ctr.ok("run", "--rm", "\(registry.domain)/i:1") == "honest")
        }
    }

    @Test func wrongBytesInALayer() throws {
        try withRegistry { ctr, registry, parts in
            var wrong = Busybox.tar
            wrong[700] ^= 1
            let bytes = wrong
            let path = "/v2/i/blobs/\(parts.layer)"
            registry.script {
                $0.path == path && $0.method == "GET" ? ScriptedRegistry.Response(200, body: bytes) : nil
            }
            try ctr.refuses("pull", "\(registry.domain)/i:1", says: ["digest"], timeout: 120)
            try expectNothingKept(ctr)
            registry.script(nil)
            try ctr.ok("pull", "-q", "\(registry.domain)/i:1")
            #expect(try ctr.ok("run", "--rm", "\(registry.domain)/i:1") == "honest")
        }
    }

    @Test func wrongDiffID() throws {
        try withRegistry { ctr, registry, _ in
            _ = try Parts(
                registry, layer: Busybox.tar, diffID: "sha256:" + String(repeating: "1", count: 64), tag: "2")
            try ctr.refuses("pull", "\(registry.domain)/i:2", says: ["sha256:1111"])
            try expectNothingKept(ctr)
        }
    }

    @Test func aManifestThatIsNotTheAskedDigest() throws {
        try withRegistry { ctr, registry, parts in
            let other = "sha256:" + String(repeating: "2", count: 64)
            let manifest = parts.manifest
            registry.script {
                $0.path == "/v2/i/manifests/\(other)"
                    ? ScriptedRegistry.Response(
                        200,
                        [
                            ("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
                            ("Docker-Content-Digest", other),
                        ],
                        body: manifest) : nil
            }
            try ctr.refuses("pull", "\(registry.domain)/i@\(other)", says: ["digest"])
            try expectNothingKept(ctr)
        }
    }

    @Test func rubbishForAManifest() throws {
        try withRegistry { ctr, registry, _ in
            for body in [
                "<html>maintenance</html>", "{", "[]", "{\"schemaVersion\":2}", "{\"schemaVersion\":1}",
            ] {
                registry.script {
                    $0.path == "/v2/i/manifests/1"
                        ? ScriptedRegistry.Response(
                            200, [("Content-Type", "application/vnd.oci.image.manifest.v1+json")], text: body)
                        : nil
                }
                try ctr.refuses("pull", "\(registry.domain)/i:1", says: ["i:1"])
            }
            registry.script { _ in ScriptedRegistry.Response.rubbish("not http at all") }
            try ctr.refuses("pull", "\(registry.domain)/i:1", says: [registry.domain], timeout: 120)
            try expectNothingKept(ctr)
        }
    }

    @Test func aManifestWithoutEnd() throws {
        try withRegistry { ctr, registry, _ in
            registry.script {
                $0.path == "/v2/i/manifests/1"
                    ? ScriptedRegistry.Response(
                        200, [("Content-Type", "application/vnd.oci.image.manifest.v1+json")],
                        body: [UInt8](repeating: 32, count: 6 << 20)) : nil
            }
            try ctr.refuses("pull", "\(registry.domain)/i:1", says: ["i:1"])
            try expectNothingKept(ctr)
        }
    }

    @Test func aBodyThatIsAlwaysCut() throws {
        try withRegistry { ctr, registry, parts in
            let path = "/v2/i/blobs/\(parts.layer)"
            registry.script {
                guard $0.path == path, $0.method == "GET" else { return nil }
                var response = ScriptedRegistry.Response(200, body: Busybox.tar)
                response.cutAfter = 1000
                return response
            }
            try ctr.refuses("pull", "\(registry.domain)/i:1", says: ["i:1"], timeout: 180)
            try expectNothingKept(ctr)
        }
    }

    @Test func aBodyThatIsCutOnceGoesOn() throws {
        try withRegistry { ctr, registry, parts in
            let path = "/v2/i/blobs/\(parts.layer)"
            registry.script {
                guard $0.path == path, $0.method == "GET", $0.count == 1 else { return nil }
                var response = ScriptedRegistry.Response(200, body: Busybox.tar)
                response.cutAfter = 500_000
                return response
            }
            try ctr.ok("pull", "-q", "\(registry.domain)/i:1", timeout: 120)
            let second = registry.requests.last { $0.path == path }
            #expect(
                second?.headers["range"]?.hasPrefix("bytes=") == true,
                "the rest is asked for, not everything again")
        }
    }

    @Test func refusalsOfAllKinds() throws {
        try withRegistry { ctr, registry, _ in
            for (status, word) in [(401, "401"), (403, "403"), (404, "404"), (500, "500"), (418, "418")] {
                registry.script { _ in .error(status, "X", "said the registry") }
                try ctr.refuses("pull", "\(registry.domain)/i:1", says: [word], timeout: 180)
            }
            try expectNothingKept(ctr)
        }
    }

    @Test func tooManyRequestsIsWaitedFor() throws {
        try withRegistry { ctr, registry, _ in
            registry.script {
                $0.path == "/v2/i/manifests/1" && $0.count <= 1
                    ? ScriptedRegistry.Response(429, [("Retry-After", "1")], text: "slow down") : nil
            }
            let before = Date()
            try ctr.ok("pull", "-q", "\(registry.domain)/i:1", timeout: 60)
            #expect(Date().timeIntervalSince(before) >= 0.9)
        }
    }

    @Test func aTokenThatEndsInTheMiddle() throws {
        try withRegistry { ctr, registry, parts in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 60))
            let path = "/v2/i/blobs/\(parts.layer)"
            registry.script {
                if $0.path == path, $0.count == 1 { registry.forgetTokens() }
                return nil
            }
            try ctr.ok("pull", "-q", "\(registry.domain)/i:1", timeout: 60)
        }
    }

    @Test func aLoopOf401Ends() throws {
        try withRegistry { ctr, registry, _ in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 60))
            registry.script {
                $0.path == "/token"
                    ? nil
                    : .error(
                        401, "UNAUTHORIZED", "no",
                        [
                            (
                                "WWW-Authenticate",
                                "Bearer realm=\"http://\(registry.domain)/token\",service=\"s\""
                            )
                        ])
            }
            try ctr.refuses("pull", "\(registry.domain)/i:1", says: ["i:1"], timeout: 60)
            #expect(registry.requests.count < 20)
        }
    }

    // MARK: layers of an enemy

    /// Pulls an image of one hostile layer; true when it was refused, in which case nothing may be kept.
    @discardableResult
    private func pull(_ tar: [UInt8], _ ctr: Fixture, _ registry: ScriptedRegistry, refused: Bool) throws
        -> Bool
    {
        _ = try Parts(registry, layer: tar, tag: "evil")
        let outcome = try ctr.ctr("pull", "-q", "\(registry.domain)/i:evil", timeout: 120)
        if refused {
            ctr.expectRefusal(outcome, code: 1, says: ["i:evil"])
            try expectNothingKept(ctr)
        }
        return outcome.code != 0
    }

    @Test(arguments: [
        "../escaped", "/../../escaped", "a/../../escaped",
        "a/../../../../../../../../dev/shm/escaped-by-ctr-test",
    ])
    func namesThatClimbOut(_ name: String) throws {
        try withRegistry { ctr, registry, _ in
            var tar = TarArchive()
            tar.file(name, "out")
            try pull(tar.finished, ctr, registry, refused: true)
            #expect(!FileManager.default.fileExists(atPath: "/dev/shm/escaped-by-ctr-test"))
            #expect(!FileManager.default.fileExists(atPath: ctr.path("escaped")))
        }
    }

    @Test func aFileBehindASymbolicLink() throws {
        try withRegistry { ctr, registry, _ in
            for target in [ctr.directory, "../../../../../../../../../..\(ctr.directory)"] {
                var tar = Busybox.archive
                tar.symbolicLink("way", to: target)
                tar.file("way/planted", "out")
                tar.file("way/.wh.victim", "")
                try ctr.file("victim", "stays")
                let refused = try pull(tar.finished, ctr, registry, refused: false)
                #expect(!FileManager.default.fileExists(atPath: ctr.path("planted")))
                #expect(ctr.contents(ctr.path("victim")) == "stays")
                if !refused { try ctr.ok("rmi", "-f", "\(registry.domain)/i:evil") }
            }
        }
    }

    @Test func hardLinksToTheHost() throws {
        try withRegistry { ctr, registry, _ in
            try ctr.file("victim", "secret of the host")
            for target in [ctr.path("victim"), "../../../../../../../..\(ctr.path("victim"))"] {
                var tar = Busybox.archive
                tar.hardLink("stolen", to: target)
                try pull(tar.finished, ctr, registry, refused: true)
            }
        }
    }

    @Test func overlaysOwnMarksAreNotWritten() throws {
        try withRegistry { ctr, registry, _ in
            var tar = Busybox.archive
            tar.add(
                "marked/", .directory, mode: 0o755,
                pax: [("SCHILY.xattr.trusted.overlay.opaque", Array("y".utf8))])
            tar.add(
                "redirected/", .directory, mode: 0o755,
                pax: [("SCHILY.xattr.trusted.overlay.redirect", Array("/etc".utf8))])
            tar.add("whiteout", .characterDevice, device: (0, 0))
            if try !pull(tar.finished, ctr, registry, refused: false) {
                #expect(
                    try ctr.ok(
                        "run", "--rm", "\(registry.domain)/i:evil", "sh", "-c",
                        "ls /redirected; ls /whiteout 2>/dev/null; echo end")
                        == "end")
            }
        }
    }

    @Test func theArchiveEndsTooEarly() throws {
        try withRegistry { ctr, registry, _ in
            try pull(Array(Busybox.tar.prefix(700_000)), ctr, registry, refused: true)
            var tar = TarArchive()
            tar.add("short", content: [1, 2, 3], declaredSize: 5_000_000)
            try pull(tar.bytes, ctr, registry, refused: true)
        }
    }

    @Test func aBombOfZeros() throws {
        try withRegistry { ctr, registry, _ in
            // 10 GB of a sparse-looking file in 10 MB of gzip would fill the disk: the entry's size is the lie to catch first.
            var tar = TarArchive()
            tar.add("huge", content: [0], declaredSize: 0o77777777777)
            try pull(tar.finished, ctr, registry, refused: true)
        }
    }
}
