import Engine
import Failure
import ImageStore
import Layers
import LinuxSystem
import OCI
import OverlayFS
import ScriptedRegistry
import Testing
import Transfers

@Suite("Blobs of built images", .enabled(if: Process.isRoot, "needs root"))
struct LayerBlobTests {
    let scratch: ScratchRoot

    init() throws { scratch = try ScratchRoot() }

    private var engine: Engine { scratch.engine }

    private func withBlobs(_ image: ImageRecord, in engine: Engine? = nil) throws -> ImageRecord {
        let engine = engine ?? self.engine
        let lease = try Lease.take(in: engine.root)
        defer { lease.release() }
        return try engine.withBlobs(image, lease: lease)
    }

    private func diffID(ofLayerAt path: String) throws -> String {
        let root = try Directory.open(path)
        return try LayerMeasure(of: root.raw).diffIDHex
    }

    private func listed(_ record: ImageRecord) throws -> Bool {
        try #require(scratch.read("content/index.json")).contains(record.manifest.digest.description)
    }

    @Test func everyNameGetsTheNewManifest() throws {
        let image = try BuiltImage.usual(engine)
        let former = try image.record(["app:1", "app:2"], annotations: ["a": "b"])
        // Another image of the same layers has another manifest, and keeps it.
        let other = try image.record(["other:1"])
        #expect(former.id == other.id && former.manifest != other.manifest)
        #expect(try !listed(former))

        let whole = try withBlobs(former)
        #expect(whole.id == former.id)
        #expect(try engine.content.isWhole(whole))
        #expect(whole.layers.map(\.diffID) == former.layers.map(\.diffID))
        #expect(whole.layers.allSatisfy { $0.descriptor.mediaType == MediaType.layerGzip })
        for name in ["app:1", "app:2"] {
            let record = try engine.references.resolve(name)
            #expect(record.manifest == whole.manifest && record.target == whole.manifest)
            #expect(record.layers == whole.layers)
            #expect(record.reference?.familiar == name)
            #expect(record.size == former.size)
        }
        #expect(try engine.references.resolve("other:1") == other)
        let manifest = try Manifest(bytes: try engine.content.bytes(of: whole.manifest), mediaType: nil)
        #expect(manifest.annotations == ["a": "b"])
        #expect(manifest.config.digest == former.id)
        #expect(try listed(whole))
        #expect(try !listed(other))
        #expect(scratch.leftovers == [])

        // The second call has nothing to do, with the new record and with the old.
        let bytes = scratch.read("content/index.json")
        #expect(try withBlobs(whole) == whole)
        #expect(try withBlobs(former) == whole)
        #expect(scratch.read("content/index.json") == bytes)
        // The blobs are taken for the other image too.
        #expect(try withBlobs(other).layers.map(\.descriptor) == whole.layers.map(\.descriptor))
        #expect(try listed(try engine.references.resolve("other:1")))
    }

    @Test func anImageWithoutANameStaysOne() throws {
        let former = try BuiltImage.usual(engine).record([nil])
        let whole = try withBlobs(former)
        #expect(whole.reference == nil)
        #expect(scratch.names("refs") == ["@\(whole.manifest.digest)"])
        #expect(try engine.references.resolve(former.id.hex) == whole)
    }

    @Test func theSameLayersGiveTheSameManifestElsewhere() throws {
        let here = try withBlobs(try BuiltImage.usual(engine).record(["app:1"]))
        let other = try ScratchRoot()
        // A directory that was made anew has other times: the archive takes them over.
        let archive = "\(scratch.path)/saved.tar"
        let file = try FileDescriptor.open(archive, [.writeOnly, .create])
        try engine.save(["app:1"], to: file.raw)
        _ = try other.engine.load(from: archive)
        var loaded = try other.engine.references.resolve("app:1")
        for place in loaded.layers.indices {
            try other.engine.content.remove(loaded.layers[place].descriptor.digest)
        }
        #expect(try !other.engine.content.isWhole(loaded))
        loaded = try withBlobs(loaded, in: other.engine)
        #expect(loaded.manifest == here.manifest)
        #expect(try other.engine.content.isWhole(loaded))
    }

    @Test func aSavedImageIsTheSameElsewhere() throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        for (words, name) in [(["app:1"], "saved.tar"), ([former.id.hex], "again.tar")] {
            let file = try FileDescriptor.open("\(scratch.path)/\(name)", [.writeOnly, .create])
            try engine.save(words, to: file.raw)
        }
        let other = try ScratchRoot()
        let loaded = try other.engine.load(from: "\(scratch.path)/saved.tar")
        #expect(loaded.map(\.id) == [former.id.description])
        for layer in former.layers {
            // The directory gives the same tar again: nothing of it was lost on the way.
            #expect(try diffID(ofLayerAt: "\(other.path)/layers/\(layer.diffID.hex)/fs") == layer.diffID.hex)
        }
        let lower = "layers/\(former.layers[0].diffID.hex)/fs"
        let upper = "layers/\(former.layers[1].diffID.hex)/fs"
        #expect(try FileDescriptor.status("\(other.path)/\(lower)/tool").links == 2)
        #expect(try FileDescriptor.status("\(other.path)/\(upper)/srv/gone").kind == .characterDevice)
        #expect(other.read("\(upper)/etc/upper") == "upper")
        let etc = try Directory.open("\(other.path)/\(upper)/etc")
        #expect(
            try ExtendedAttributes.value("trusted.overlay.opaque", of: etc) == [UInt8(ascii: "y")])
        #expect(
            try ExtendedAttributes.value("security.capability", of: "upper", in: etc.raw)
                == BuiltImage.capability)
        #expect(other.leftovers == [])
    }

    @Test func aPushGivesOneDigestAndAPullTheSameImage() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        let name = "\(registry.domain)/app:1"
        let second = "\(registry.domain)/app:2"
        let former = try BuiltImage.usual(engine).record([name, second])
        let push = { [scratch] (all: Bool) in
            try await away {
                try scratch.engine.push(
                    all ? "\(registry.domain)/app" : name, allTags: all, progress: SilentProgress())
            }
        }
        let first = try await push(false)
        registry.forgetRequests()
        let again = try await push(true)
        #expect(again.count == 2)
        #expect(Set((first + again).map(\.digest)).count == 1)
        #expect(!registry.requests.contains { $0.method == "POST" })
        let record = try engine.references.resolve(name)
        #expect(record.manifest.digest.description == first.first?.digest)
        #expect(record.layers.allSatisfy { registry.hasBlob($0.descriptor.digest, in: "app") })
        #expect(!former.layers.contains { registry.hasBlob($0.diffID, in: "app") })

        let other = try ScratchRoot()
        let pulled = try await away {
            try other.engine.pull(name, platform: nil, allTags: false, progress: SilentProgress())
        }
        #expect(pulled.first?.digest == first.first?.digest)
        #expect(try other.engine.references.resolve(name).id == former.id)
        for layer in former.layers {
            #expect(try diffID(ofLayerAt: "\(other.path)/layers/\(layer.diffID.hex)/fs") == layer.diffID.hex)
        }
    }

    @Test func twoAtOnceMakeTheSame() async throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        async let one = away { [self] in try withBlobs(former) }
        async let two = away { [self] in try withBlobs(former) }
        let (first, second) = try await (one, two)
        #expect(first == second)
        #expect(try engine.references.resolve("app:1").manifest == first.manifest)
        #expect(try engine.content.isWhole(first))
        #expect(scratch.leftovers == [])
    }

    @Test func changedFilesAreRefused() throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        try Directory.removeFile("\(scratch.path)/layers/\(former.layers[0].diffID.hex)/fs/srv/gone")
        let error = failure { _ = try withBlobs(former) }
        #expect(error?.code == .dataLoss)
        #expect(error?.message.contains("layer \(former.layers[0].diffID.short)") == true)
        #expect(error?.hint?.contains("build") == true)
        #expect(try engine.references.resolve("app:1") == former)
        #expect(scratch.leftovers == [])
        #expect(scratch.names("content/blobs/sha256").count == 2)
    }

    @Test func aLayerThatIsNowhereIsNamed() throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        try Directory.removeTree("\(scratch.path)/layers/\(former.layers[1].diffID.hex)")
        let error = failure { _ = try withBlobs(former) }
        #expect(error?.code == .notFound)
        #expect(error?.hint == "pull or build the image again")
        let run = failure {
            try engine.provide("app:1", platform: nil, pull: false, progress: SilentProgress())
        }
        #expect(run?.code == .notFound)
        #expect(run?.hint == "pull or build the image again")
        #expect(scratch.leftovers == [])
    }

    @Test func everythingElseDoesWithoutBlobs() throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        #expect(try engine.images(matching: nil).map(\.size) == [former.size])
        #expect(try engine.inspectImage("app:1").size == former.size)
        #expect(try engine.history("app:1").map(\.size).reduce(0, +) == former.size)
        try engine.provide("app:1", platform: nil, pull: false, progress: SilentProgress())
        // A collection keeps what the record names, and drops the former manifest when it has been replaced.
        #expect(try engine.pruneImages(all: false).bytes == 0)
        #expect(try engine.references.resolve("app:1") == former)
        let whole = try withBlobs(former)
        #expect(try engine.pruneImages(all: false).bytes == former.manifest.size)
        #expect(try engine.content.isWhole(whole))
        #expect(scratch.names("layers") == former.layers.map(\.diffID.hex).sorted())
    }

    @Test func progressIsTold() throws {
        let former = try BuiltImage.usual(engine).record(["app:1"])
        let progress = ToldProgress()
        let lease = try Lease.take(in: engine.root)
        defer { lease.release() }
        _ = try engine.withBlobs(former, lease: lease, progress: progress)
        #expect(progress.parts == former.layers.map(\.diffID.short))
        #expect(former.layers.allSatisfy { progress.last[$0.diffID.short] == .compressed })
    }
}
