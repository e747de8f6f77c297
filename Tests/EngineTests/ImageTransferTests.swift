import Transfers
import Engine
import Failure
import ImageStore
import LinuxSystem
import OCI
import ScriptedRegistry
import Testing

@Suite("Pull", .enabled(if: Process.isRoot, "needs root"))
struct ImagePullTests {
    let registry = ScriptedRegistry()
    let scratch: ScratchRoot

    init() throws {
        scratch = try ScratchRoot()
        try registry.start()
    }

    private func pull(_ name: String, platform: String? = nil) async throws -> [PulledImage] {
        let name = "\(registry.domain)/\(name)"
        return try await away { [scratch] in
            try scratch.engine.pull(name, platform: platform, allTags: false, progress: SilentProgress())
        }
    }

    private static func tar(_ fill: (inout TarBytes) -> Void) -> [UInt8] {
        var tar = TarBytes()
        fill(&tar)
        return tar.whole
    }

    private func twoLayers() throws -> (RegistryImage, Descriptor) {
        var image = RegistryImage(registry, "app")
        image.add(
            Self.tar {
                $0.directory("etc", mode: 0o750)
                $0.file("etc/hello", "hello\n")
            })
        image.add(
            Self.tar {
                $0.directory("etc", mode: 0o750)
                $0.file("etc/.wh.hello", "")
                $0.file("etc/new", "new\n")
            })
        return (image, try image.finish(tag: "1"))
    }

    @Test func layersAreUnpackedAndRecorded() async throws {
        let (image, manifest) = try twoLayers()
        let pulled = try await pull("app:1")
        #expect(pulled.map(\.digest) == [manifest.digest.description])
        #expect(pulled.first?.isNew == true)
        #expect(pulled.first?.familiarName == "\(registry.domain)/app:1")
        let top = image.diffIDs[1].hex
        #expect(scratch.read("layers/\(image.diffIDs[0].hex)/fs/etc/hello") == "hello\n")
        #expect(scratch.read("layers/\(top)/fs/etc/new") == "new\n")
        let whiteout = try FileDescriptor.status("\(scratch.path)/layers/\(top)/fs/etc/hello")
        #expect(whiteout.kind == .characterDevice)
        let listed = try scratch.engine.images(matching: nil)
        #expect(listed.count == 1)
        #expect(listed.first?.digest == manifest.digest.description)
        #expect(listed.first?.size == 10)
        #expect(scratch.leftovers == [])
        #expect(scratch.names("content/ingest") == [])
    }

    @Test func aSecondPullFetchesNoBlob() async throws {
        _ = try twoLayers()
        _ = try await pull("app:1")
        registry.forgetRequests()
        let again = try await pull("app:1")
        #expect(again.first?.isNew == false)
        #expect(!registry.requests.contains { $0.path.contains("/blobs/") })
    }

    @Test func theWrongBytesAreRefusedAndNothingStays() async throws {
        let (image, _) = try twoLayers()
        let wrong = Self.tar { $0.file("other", "x") } + [UInt8](repeating: 0, count: 1024)
        let size = Int(image.layers[1].size)
        registry.addBlob(
            Array(wrong.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - wrong.count)),
            as: image.layers[1].digest, to: "app")
        let error = await failure { _ = try await pull("app:1") }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.hasPrefix("pull \(registry.domain)/app:1: ") == true)
        #expect(error?.message.contains(image.layers[1].digest.description) == true)
        #expect(try scratch.engine.images(matching: nil).isEmpty)
        #expect(scratch.names("layers") == [])
        #expect(scratch.leftovers == [])
        // The same command succeeds once the registry is mended.
        _ = try twoLayers()
        #expect(try await pull("app:1").first?.isNew == true)
    }

    @Test func aPullThatWasCutGoesOn() async throws {
        let data = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 8) }
        var image = RegistryImage(registry, "app")
        let layer = image.add(Self.tar { $0.file("data", data) })
        try image.finish(tag: "1")
        let bytes = try #require(registry.blob(layer))
        registry.script { request in
            guard request.path.hasSuffix("/blobs/\(layer)") else { return nil }
            guard request.count == 1 else { return .error(404, "BLOB_UNKNOWN", "gone") }
            var response = ScriptedRegistry.Response(200, body: bytes)
            response.cutAfter = 1_500_000
            return response
        }
        #expect(await failure { _ = try await pull("app:1") } != nil)
        #expect(try scratch.engine.images(matching: nil).isEmpty)
        registry.script(nil)
        registry.forgetRequests()
        _ = try await pull("app:1")
        let asked = registry.requests.first { $0.path.hasSuffix("/blobs/\(layer)") }
        #expect(asked?.headers["range"]?.hasPrefix("bytes=") == true)
        let status = try FileDescriptor.status("\(scratch.path)/layers/\(layer.hex)/fs/data")
        #expect(status.size == 3_000_000)
    }

    @Test func aLayerOnParentsIsKeptByItsChainID() async throws {
        var image = RegistryImage(registry, "app")
        image.add(
            Self.tar {
                $0.directory("srv", mode: 0o700)
                $0.file("srv/a", "a")
            })
        // Neither lists srv: its mode comes from below. The link's target is in the lower layer.
        let upper = image.add(
            Self.tar {
                $0.file("srv/b", "b")
                $0.hardLink("srv/c", to: "srv/a")
            })
        try image.finish(tag: "1")
        _ = try await pull("app:1")
        #expect(!scratch.names("layers").contains(upper.hex))
        let chained = try #require(scratch.names("layers").first { $0 != image.diffIDs[0].hex })
        #expect(scratch.read("layers/\(chained)/fs/srv/c") == "a")
        let status = try FileDescriptor.status("\(scratch.path)/layers/\(chained)/fs/srv")
        #expect(status.permissions == 0o700)
        // The same layer at another image's bottom has no parents to take from.
        var alone = RegistryImage(registry, "alone")
        alone.add(Self.tar { $0.file("srv/b", "b") })
        try alone.finish(tag: "1")
        _ = try await pull("alone:1")
    }

    @Test func theSameLayerTwiceInAnImage() async throws {
        var image = RegistryImage(registry, "app")
        let tar = Self.tar { $0.file("a", "a") }
        image.add(tar)
        image.add(Self.tar { $0.file("b", "b") })
        image.add(tar)
        try image.finish(tag: "1")
        _ = try await pull("app:1")
        #expect(scratch.names("layers").count == 2)
        #expect(scratch.leftovers == [])
    }

    @Test func aPlatformThatIsNotThereIsNamed() async throws {
        var image = RegistryImage(registry, "app")
        image.add(Self.tar { $0.file("a", "a") })
        var descriptor = try image.finish(tag: nil, platform: Platform(os: "linux", architecture: "s390x"))
        descriptor.platform = Platform(os: "linux", architecture: "s390x")
        let index = try JSON.encode(ImageIndex(manifests: [descriptor]))
        registry.addManifest(index, mediaType: MediaType.index, to: "app", tag: "many")
        let error = await failure { _ = try await pull("app:many") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("linux/s390x") == true)
        // Asked for, it is pulled, and the index is what its digest names.
        let pulled = try await pull("app:many", platform: "linux/s390x")
        #expect(pulled.first?.digest == SHA256.digest(index).description)
    }

    @Test func foreignLayersAndArtifactsAreRefused() async throws {
        var image = RegistryImage(registry, "foreign")
        image.add(Self.tar { $0.file("a", "a") }, mediaType: MediaType.dockerForeignLayerGzip)
        image.layers[0].urls = ["http://127.0.0.1:9/x"]
        try image.finish(tag: "1")
        #expect(await failure { _ = try await pull("foreign:1") }?.code == .unsupported)

        let config = registry.addBlob(Array("{}".utf8), to: "chart")
        let manifest = Manifest(
            config: Descriptor(
                mediaType: "application/vnd.cncf.helm.config.v1+json", digest: config, size: 2),
            layers: [])
        registry.addManifest(try JSON.encode(manifest), to: "chart", tag: "1")
        let error = await failure { _ = try await pull("chart:1") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("helm") == true)
    }

    @Test func aLayerThatLeadsOutIsRefused() async throws {
        var image = RegistryImage(registry, "evil")
        image.add(Self.tar { $0.file("../../escape", "x") })
        try image.finish(tag: "1")
        #expect(await failure { _ = try await pull("evil:1") } != nil)
        #expect(scratch.leftovers == [])
        #expect(scratch.names("layers") == [])
    }

    @Test func anImageWithoutLayersIsAnImage() async throws {
        try RegistryImage(registry, "empty").finish(tag: "1")
        _ = try await pull("empty:1")
        #expect(try scratch.engine.images(matching: nil).first?.size == 0)
    }

    @Test func aDiffIDThatIsNotTheTarsIsRefused() async throws {
        var image = RegistryImage(registry, "app")
        image.add(Self.tar { $0.file("a", "a") })
        image.diffIDs = [SHA256.digest([1, 2, 3])]
        try image.finish(tag: "1")
        let error = await failure { _ = try await pull("app:1") }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains("diffID") == true)
        #expect(scratch.names("layers") == [])
    }

    @Test func pushKeepsTheDigestAndSendsNothingTwice() async throws {
        let (image, manifest) = try twoLayers()
        _ = try await pull("app:1")
        try scratch.engine.tag("\(registry.domain)/app:1", as: "\(registry.domain)/copy:2")
        let push = { [scratch, registry] in
            try await away {
                try scratch.engine.push(
                    "\(registry.domain)/copy:2", allTags: false, progress: SilentProgress())
            }
        }
        let pushed = try await push()
        #expect(pushed.first?.digest == manifest.digest.description)
        #expect(pushed.first?.tag == "2")
        #expect(registry.manifest("copy", "2") == registry.manifest("app", "1"))
        #expect(image.layers.allSatisfy { registry.hasBlob($0.digest, in: "copy") })
        registry.forgetRequests()
        _ = try await push()
        #expect(!registry.requests.contains { $0.method == "POST" })
    }

    @Test func theImageOfAContainerIsPulledAsThePolicySays() async throws {
        _ = try twoLayers()
        let name = "\(registry.domain)/app:1"
        let get = { [scratch] (policy: CreateRequest.PullPolicy) in
            try await away { () throws -> ImageRecord in
                var request = CreateRequest(image: name)
                request.pull = policy
                return try scratch.engine.imageForContainer(request, OwnProvider())
            }
        }
        #expect(
            await failure {
                _ = try await get(.never)
            }?.code
                == .notFound)
        let record = try await get(.missing)
        #expect(record.layerDirectories?.count == 2)
        registry.stop()
        #expect(
            try await get(.missing) == record)
        // Layers that were taken away are unpacked from the blobs.
        try Directory.removeTree("\(scratch.path)/layers/\(record.layers[1].diffID.hex)")
        let again = try await get(.missing)
        #expect(again.layerDirectories == record.layerDirectories)
        #expect(scratch.read("layers/\(record.layers[1].diffID.hex)/fs/etc/new") == "new\n")
    }
}
