import ImageArchive
import Archive
import Failure
import ImageStore
import LinuxSystem
import OCI
import Testing

extension TemporaryStore {
    func save(_ images: [ImageRecord]) throws -> [UInt8] {
        let file = try FileDescriptor.memory("saved")
        try ImageArchive.save(images, from: content, to: file)
        try file.seek(to: 0)
        return try file.readAll(limit: 64 << 20)
    }

    func load(
        _ file: borrowing FileDescriptor, platform: Platform = Platform(os: "linux", architecture: "amd64")
    ) throws
        -> [LoadedImage]
    {
        let lease = try Lease.take(in: root)
        return try ImageArchive.load(from: file, into: content, lease: lease, platform: platform)
    }

    /// Nothing of a failed load is left, and nothing of a good one but blobs.
    func isTidy() throws -> Bool {
        try names("content/ingest").isEmpty && names("leases").isEmpty && names("trash").isEmpty
    }
}

@Suite struct SaveTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    @Test func aSavedFileIsALayoutAndADockerArchive() throws {
        let redis = try store.image("redis:7", content: "r")
        let tag = { (name: String) in
            var copy = redis
            copy.reference = try Reference.parse(name)
            return copy
        }
        let debian = try store.image("127.0.0.1:5000/debian:12", content: "d")
        let saved = try store.save([redis, debian, try tag("127.0.0.1:5000/cache:12")])
        let all = try files(of: saved)
        #expect(
            all.map(\.path).prefix(6) == [
                "oci-layout", "index.json", "manifest.json", "repositories", "blobs/", "blobs/sha256/",
            ])
        #expect(all.dropFirst(6).map(\.path) == all.dropFirst(6).map(\.path).sorted())
        #expect(all.count == 6 + 6)
        for file in all {
            #expect(file.entry.modified == Timestamp(seconds: 0))
            #expect(file.entry.uid == 0 && file.entry.gid == 0)
        }
        let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0.data) })
        let index = try ImageIndex(bytes: try #require(byPath["index.json"]), mediaType: nil)
        #expect(index.manifests.map(\.digest) == [redis, redis, debian].map(\.manifest.digest))
        #expect(
            index.manifests.map { $0.annotations?["org.opencontainers.image.ref.name"] } == [
                "7", "127.0.0.1:5000/cache:12", "127.0.0.1:5000/debian:12",
            ])
        #expect(
            index.manifests.map { $0.annotations?["io.containerd.image.name"] } == [
                "docker.io/library/redis:7", "127.0.0.1:5000/cache:12", "127.0.0.1:5000/debian:12",
            ])
        let layer = redis.layers[0].descriptor.digest.hex
        let other = debian.layers[0].descriptor.digest.hex
        #expect(
            String(decoding: try #require(byPath["manifest.json"]), as: UTF8.self)
                == #"[{"Config":"blobs/sha256/\#(redis.id.hex)","Layers":["blobs/sha256/\#(layer)"],"#
                + #""RepoTags":["redis:7","127.0.0.1:5000/cache:12"]},"#
                + #"{"Config":"blobs/sha256/\#(debian.id.hex)","Layers":["blobs/sha256/\#(other)"],"#
                + #""RepoTags":["127.0.0.1:5000/debian:12"]}]"#)
        #expect(
            String(decoding: try #require(byPath["repositories"]), as: UTF8.self)
                == #"{"127.0.0.1:5000/cache":{"12":"\#(layer)"},"127.0.0.1:5000/debian":{"12":"\#(other)"},"redis":{"7":"\#(layer)"}}"#
        )
        #expect(try store.save([redis, debian, try tag("127.0.0.1:5000/cache:12")]) == saved)
    }

    @Test func whatWasSavedIsLoaded() throws {
        let a = try store.image("redis:7", content: "a")
        let b = try store.image("h:1/b:1", content: "b")
        let unnamed = try store.image(nil, content: "c", record: false)
        let saved = try store.save([a, b, unnamed])
        let other = try TemporaryStore()
        let loaded = try other.load(try memory(saved))
        #expect(loaded.map(\.references) == [[a.reference], [b.reference], []].map { $0.compactMap(\.self) })
        #expect(loaded.map(\.manifest.digest) == [a, b, unnamed].map(\.manifest.digest))
        #expect(loaded.map(\.document.config.digest) == [a, b, unnamed].map(\.id))
        for digest in a.digests + b.digests + unnamed.digests {
            #expect(try other.content.bytes(of: digest) == store.content.bytes(of: digest))
        }
        #expect(try other.isTidy())
        // Again, into a store that has it all.
        #expect(try other.load(try memory(saved)).count == 3)
        #expect(try other.isTidy())
    }

    @Test func dockersManifestIsSavedAsOCIs() throws {
        let image = try store.image("a", content: "a", record: false)
        var manifest = try Manifest(bytes: try store.content.bytes(of: image.manifest), mediaType: nil)
        manifest.mediaType = MediaType.dockerManifest
        manifest.config.mediaType = MediaType.dockerConfig
        manifest.layers[0].mediaType = MediaType.dockerLayerGzip
        var docker = image
        docker.manifest = try store.content.put(
            try JSON.encode(manifest), mediaType: MediaType.dockerManifest)
        let other = try TemporaryStore()
        let loaded = try #require(try other.load(try memory(try store.save([docker]))).first)
        #expect(loaded.manifest.mediaType == MediaType.manifest)
        #expect(loaded.document.config.digest == image.id)
        #expect(loaded.document.layers[0].mediaType == MediaType.layerGzip)
        #expect(loaded.references.map(\.familiar) == ["a:latest"])
    }

    @Test func aDamagedBlobFailsTheSave() throws {
        let image = try store.image("a", content: "a")
        let layer = image.layers[0].descriptor
        let name = "content/blobs/sha256/\(layer.digest.hex)"
        try Directory.removeFile("\(store.path)/\(name)")
        #expect(failure { _ = try store.save([image]) }?.code == .notFound)
        try store.write(noise(Int(layer.size)), to: name)
        #expect(failure { _ = try store.save([image]) }?.code == .dataLoss)
        try store.write(noise(3), to: name)
        #expect(failure { _ = try store.save([image]) }?.code == .dataLoss)
    }
}

@Suite struct LoadTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    private let platform = Platform(os: "linux", architecture: "amd64")

    /// docker's older form, in docker's order, with its links and legacy files.
    private func dockerArchive(
        layers: [[UInt8]], tags: [String]? = ["app:1", "app:2"], compressedLayers: Bool = false
    ) throws -> (TarFile, ImageConfig, [UInt8]) {
        var tar = TarFile()
        var names: [String] = []
        for (i, layer) in layers.enumerated() {
            let id = String(repeating: "\(i)", count: 64)
            tar.add("\(id)/VERSION", "1.0")
            tar.add("\(id)/json", "{}")
            if let first = layers.firstIndex(of: layer), first < i {
                tar.link("\(id)/layer.tar", to: "../\(String(repeating: "\(first)", count: 64))/layer.tar")
            } else {
                tar.add("\(id)/layer.tar", compressedLayers ? try compressed(layer, .gzip) : layer)
            }
            names.append("\(id)/layer.tar")
        }
        let config = ImageConfig(
            platform: platform, diffIDs: try layers.map { try ContentHash.digest(of: $0) })
        let bytes = try JSON.encode(config)
        let name = "\(try ContentHash.digest(of: bytes).hex).json"
        tar.add(name, bytes)
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        let repoTags = tags.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ",") + "]" } ?? "null"
        tar.add("manifest.json", #"[{"Config":"\#(name)","RepoTags":\#(repoTags),"Layers":[\#(list)]}]"#)
        tar.add("repositories", "{}")
        return (tar, config, bytes)
    }

    @Test(arguments: [Compression.uncompressed, .gzip, .zstd])
    func dockersOlderFormIsRead(_ outer: Compression) throws {
        let layers = [noise(100_000, seed: 1), noise(100, seed: 2), noise(100_000, seed: 1)]
        let (tar, config, bytes) = try dockerArchive(layers: layers)
        let loaded = try store.load(try tar.file(outer))
        let image = try #require(loaded.first)
        #expect(loaded.count == 1)
        #expect(image.references.map(\.familiar) == ["app:1", "app:2"])
        #expect(image.config == config)
        #expect(try image.document.config.digest == ContentHash.digest(of: bytes))
        #expect(image.document.layers.map(\.mediaType) == Array(repeating: MediaType.layer, count: 3))
        #expect(image.document.layers.map(\.digest) == config.rootfs.diffIDs)
        #expect(image.target == image.manifest)
        #expect(
            try Manifest(bytes: try store.content.bytes(of: image.manifest), mediaType: nil) == image.document
        )
        #expect(try store.content.bytes(of: image.document.layers[0].digest) == layers[0])
        #expect(try store.content.blobs().count == 4)
        #expect(try store.isTidy())
    }

    @Test func compressedLayersOfADockerArchiveStayAsTheyAre() throws {
        let layer = noise(1000)
        let (tar, config, _) = try dockerArchive(layers: [layer], tags: nil, compressedLayers: true)
        let image = try #require(try store.load(try tar.file()).first)
        #expect(image.references.isEmpty)
        #expect(image.document.layers[0].mediaType == MediaType.layerGzip)
        #expect(try store.content.bytes(of: image.document.layers[0]) == compressed(layer, .gzip))
        #expect(image.config == config)
    }

    @Test func aPipeIsReadToo() throws {
        // Small enough for the pipe to hold it all.
        let (tar, _, _) = try dockerArchive(layers: [noise(20_000)])
        var pipe = try FileDescriptor.pipe()
        try pipe.second.write(try tar.bytes())
        pipe.second = try FileDescriptor.memory("closed")
        #expect(try store.load(pipe.first).count == 1)
    }

    @Test func layoutsNamesComeFromWhatTheyHave() throws {
        let image = try store.image(nil, content: "x", record: false)
        func tar(_ annotations: String) throws -> TarFile {
            var tar = TarFile()
            tar.add("./oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
            for digest in Set(image.digests) {
                tar.add("./blobs/sha256/\(digest.hex)", try store.content.bytes(of: digest))
            }
            tar.add(
                "./index.json",
                #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.manifest)","digest":"\#(image.manifest.digest)","size":\#(image.manifest.size),"annotations":{\#(annotations)}}]}"#
            )
            return tar
        }
        for (annotations, expected) in [
            (#""org.opencontainers.image.ref.name":"docker.io/library/x:1""#, ["x:1"]),
            (#""org.opencontainers.image.ref.name":"latest""#, []),
            (
                #""org.opencontainers.image.ref.name":"latest","io.containerd.image.name":"docker.io/library/y:latest""#,
                ["y:latest"]
            ),
            ("", []),
        ] {
            let other = try TemporaryStore()
            let loaded = try other.load(try tar(annotations).file())
            #expect(loaded.first?.references.map(\.familiar) == expected)
            #expect(loaded.first?.manifest.digest == image.manifest.digest)
        }
        // docker writes both forms, the bare tag in one and the whole name in the other.
        var both = try tar(#""org.opencontainers.image.ref.name":"1""#)
        both.add(
            "manifest.json",
            #"[{"Config":"blobs/sha256/\#(image.id.hex)","RepoTags":["z:1"],"Layers":[]}]"#)
        #expect(try TemporaryStore().load(try both.file()).first?.references.map(\.familiar) == ["z:1"])
    }

    @Test func theImageOfThePlatformIsChosenAmongThoseThatAreThere() throws {
        let image = try store.image(nil, content: "x", record: false)
        var mine = image.manifest
        mine.platform = platform
        var missing = try describe(noise(9), mediaType: MediaType.manifest)
        missing.platform = Platform(os: "linux", architecture: "arm64")
        let index = try JSON.encode(ImageIndex(manifests: [missing, mine]))
        let digest = try ContentHash.digest(of: index)
        var tar = TarFile()
        tar.add("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        tar.add("blobs/sha256/\(digest.hex)", index)
        for digest in Set(image.digests) {
            tar.add("blobs/sha256/\(digest.hex)", try store.content.bytes(of: digest))
        }
        tar.add(
            "index.json",
            #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.index)","digest":"\#(digest)","size":\#(index.count)}]}"#
        )
        let other = try TemporaryStore()
        let loaded = try #require(try other.load(try tar.file()).first)
        #expect(loaded.target.digest == digest)
        #expect(loaded.manifest.digest == image.manifest.digest)
        #expect(try other.content.size(of: digest) != nil)
        let failed = failure {
            _ = try TemporaryStore().load(
                try tar.file(), platform: Platform(os: "linux", architecture: "arm64"))
        }
        #expect(failed?.code == .notFound)
        #expect(failed?.message.contains("linux/amd64") == true)
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../../x"])
    func namesThatLeadOutAreRefused(_ name: String) throws {
        var (tar, _, _) = try dockerArchive(layers: [noise(10)])
        tar.add(name, "evil")
        let failed = try #require(failure { _ = try store.load(try tar.file()) })
        #expect(failed.code == .invalidArgument)
        #expect(failed.message.contains("leads out of it"))
        #expect(try store.isTidy())
        #expect(try store.content.blobs().isEmpty)
    }

    @Test(arguments: ["/etc/passwd", "../../etc/passwd", "../../../layer.tar"])
    func linksThatLeadOutAreRefused(_ target: String) throws {
        let layer = noise(10)
        let config = try JSON.encode(
            ImageConfig(platform: platform, diffIDs: [try ContentHash.digest(of: layer)]))
        var tar = TarFile()
        tar.link("a/layer.tar", to: target)
        tar.add("c.json", config)
        tar.add("manifest.json", #"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar"]}]"#)
        let failed = try #require(failure { _ = try store.load(try tar.file()) })
        #expect(failed.code == .invalidArgument)
        #expect(failed.message.contains("leads out of it"))
        #expect(try store.isTidy())
    }

    @Test func aCircleOfLinksEnds() throws {
        var tar = TarFile()
        tar.link("a", to: "b")
        tar.link("b", to: "a")
        tar.add("manifest.json", #"[{"Config":"a","RepoTags":null,"Layers":[]}]"#)
        #expect(failure { _ = try store.load(try tar.file()) }?.code == .invalidArgument)
    }

    @Test func aMissingLayerIsNamed() throws {
        var (tar, _, _) = try dockerArchive(layers: [noise(10)])
        tar.entries.removeAll { $0.0.path.shown.hasSuffix("layer.tar") }
        let failed = try #require(failure { _ = try store.load(try tar.file()) })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("layer.tar"))
        #expect(try store.isTidy())
    }

    @Test func aLayerWithOtherBytesThanItsDiffIDIsRefused() throws {
        var (tar, _, _) = try dockerArchive(layers: [noise(10)])
        let at = try #require(tar.entries.firstIndex { $0.0.path.shown.hasSuffix("layer.tar") })
        tar.entries[at].1 = noise(10, seed: 5)
        #expect(failure { _ = try store.load(try tar.file()) }?.code == .dataLoss)
        #expect(try store.content.blobs().isEmpty)
    }

    @Test func aBlobWithOtherBytesThanItsNameIsRefused() throws {
        var tar = TarFile()
        tar.add("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        tar.add("blobs/sha256/\(String(repeating: "a", count: 64))", "evil")
        tar.add("index.json", #"{"schemaVersion":2,"manifests":[]}"#)
        let failed = try #require(failure { _ = try store.load(try tar.file()) })
        #expect(failed.code == .dataLoss)
        #expect(try store.content.blobs().isEmpty)
    }

    @Test func differentNumbersOfLayersAreRefused() throws {
        var tar = TarFile()
        tar.add("c.json", try JSON.encode(ImageConfig(platform: platform, diffIDs: [])))
        tar.add("l.tar", noise(10))
        tar.add("manifest.json", #"[{"Config":"c.json","RepoTags":null,"Layers":["l.tar"]}]"#)
        #expect(failure { _ = try store.load(try tar.file()) }?.code == .invalidArgument)
    }

    @Test func aHugeManifestIsRefused() throws {
        var tar = TarFile()
        tar.add("manifest.json", [UInt8](repeating: 0x20, count: 5 << 20))
        #expect(failure { _ = try store.load(try tar.file(.gzip)) }?.code == .resourceExhausted)
        #expect(try store.isTidy())
    }

    @Test func whatIsNoImageArchiveIsSaid() throws {
        var tar = TarFile()
        tar.add("bin/sh", "x")
        let failed = try #require(failure { _ = try store.load(try tar.file()) })
        #expect(failed.message.contains("no image archive"))
        #expect(failed.hint?.contains("import") == true)
        #expect(failure { _ = try store.load(try memory(noise(5000))) }?.code == .invalidArgument)
        #expect(failure { _ = try store.load(try memory([])) } != nil)
        let (whole, _, _) = try dockerArchive(layers: [noise(100_000)])
        let cut = Array(try whole.bytes().prefix(60_000))
        #expect(failure { _ = try store.load(try memory(cut)) }?.code == .dataLoss)
        let packed = try compressed(try whole.bytes(), .gzip)
        #expect(failure { _ = try store.load(try memory(Array(packed.dropLast(1000)))) }?.code == .dataLoss)
        #expect(try store.isTidy())
        #expect(try store.content.blobs().isEmpty)
    }

    @Test func rubbishNeverTraps() throws {
        let (tar, _, _) = try dockerArchive(layers: [noise(2000), noise(20)])
        let good = try tar.bytes()
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<150 {
            var bytes = good
            for _ in 0..<4 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes[Int(state % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 32)
            }
            _ = failure { _ = try store.load(try memory(bytes)) }
        }
        #expect(try store.isTidy())
    }

    @Test func anotherCollectionLeavesAloneWhatIsBeingLoaded() throws {
        let (tar, _, _) = try dockerArchive(layers: [noise(100)])
        let lease = try Lease.take(in: store.root)
        let loaded = try ImageArchive.load(
            from: try tar.file(), into: store.content, lease: lease, platform: platform)
        #expect(try store.collection.collect { Collection.Roots() }.blobs.isEmpty)
        lease.release()
        #expect(try store.collection.collect { Collection.Roots() }.blobs.count == 3)
        #expect(loaded.count == 1)
    }

    @Test func whatAKilledLoadLeftIsSwept() throws {
        try Directory.ensurePath("\(store.path)/content/ingest/load.0011")
        try store.write(noise(10), to: "content/ingest/load.0011/1")
        _ = try store.content.sweepIngests()
        #expect(try store.names("content/ingest").isEmpty)
    }
}

@Suite struct LayoutSourceTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    @Test func theContentDirectoryIsALayoutThatCanBeLoaded() throws {
        let image = try store.image("redis:7", content: "a")
        let other = try TemporaryStore()
        let source = try LayoutSource(path: "\(store.path)/content")
        let lease = try Lease.take(in: other.root)
        let loaded = try source.load(into: other.content, lease: lease)
        #expect(loaded.count == 1)
        #expect(loaded[0].references == [image.reference])
        for digest in image.digests { #expect(try other.content.size(of: digest) != nil) }
        // The layout itself is the source: nothing is copied twice.
        let own = try Lease.take(in: store.root)
        #expect(try source.load(into: store.content, lease: own).count == 1)
    }

    @Test func aLinkOutOfTheLayoutIsNotFollowed() throws {
        let image = try store.image("a", content: "a")
        let name = "\(store.path)/content/blobs/sha256/\(image.layers[0].descriptor.digest.hex)"
        try Directory.rename(name, to: "\(store.path)/outside")
        try Directory.symlink("\(store.path)/outside", at: name)
        let other = try TemporaryStore()
        let lease = try Lease.take(in: other.root)
        let source = try LayoutSource(path: "\(store.path)/content")
        #expect(failure { _ = try source.load(into: other.content, lease: lease) } != nil)
        #expect(try other.names("content/ingest").isEmpty)
    }

    @Test func whatIsNoLayoutIsSaid() throws {
        #expect(failure { _ = try LayoutSource(path: store.path) }?.code == .invalidArgument)
        #expect(failure { _ = try LayoutSource(path: "\(store.path)/none") }?.code == .notFound)
        try store.write(Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8), to: "oci-layout")
        #expect(failure { _ = try LayoutSource(path: store.path) }?.code == .unsupported)
    }

    @Test func contentGoesFromSourceToSink() async throws {
        let bytes = noise(2_500_000)
        let descriptor = try store.content.put(bytes, mediaType: MediaType.layer)
        let other = try TemporaryStore()
        let sink = StoreSink(other.content)
        #expect(try await !sink.hasBlob(descriptor))
        let source = StoreSource(store.content)
        try await sink.putBlob(descriptor, try await source.openBlob(descriptor, from: 0))
        #expect(try await sink.hasBlob(descriptor))
        #expect(try other.content.bytes(of: descriptor) == bytes)
        var tail: [UInt8] = []
        let rest = try await source.openBlob(descriptor, from: 2_400_000)
        while let piece = try await rest.next() { tail += piece }
        #expect(tail == Array(bytes[2_400_000...]))
        try await sink.putManifest(Array("{}".utf8), mediaType: MediaType.manifest, as: "latest")
        await #expect(throws: Failure.self) {
            try await sink.putManifest(
                Array("{}".utf8), mediaType: MediaType.manifest, as: "\(descriptor.digest)")
        }
    }

    @Test func anImportedImageIsDecidedByItsArguments() throws {
        let layer = try describe(noise(10))
        var settings = ImageConfig.Settings()
        settings.cmd = ["/bin/sh"]
        func make() throws -> ImageDocuments {
            try ImageDocuments.imported(
                layer: layer, diffID: layer.digest, settings: settings,
                platform: Platform(os: "linux", architecture: "amd64"), created: "2026-01-02T03:04:05Z",
                message: "Imported from -")
        }
        let image = try make()
        #expect(try make().manifestBytes == image.manifestBytes)
        #expect(
            String(decoding: image.configBytes, as: UTF8.self)
                == #"{"architecture":"amd64","config":{"Cmd":["/bin/sh"]},"created":"2026-01-02T03:04:05Z","#
                + #""history":[{"comment":"Imported from -","created":"2026-01-02T03:04:05Z"}],"#
                + #""os":"linux","rootfs":{"diff_ids":["\#(layer.digest)"],"type":"layers"}}"#)
        try store.content.publish(try image.stage(in: store.content))
        #expect(try store.content.bytes(of: image.manifestDescriptor) == image.manifestBytes)
        #expect(
            failure { _ = try ImageDocuments(config: image.config, layers: []) }?.code == .invalidArgument)
    }
}
