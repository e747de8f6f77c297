import Failure
import ImageStore
import LinuxSystem
import OCI
import Synchronization
import Testing

@Suite struct CollectionTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    private func collect(_ roots: Collection.Roots = .init(), dryRun: Bool = false) throws
        -> Collection.Result
    {
        try store.collection.collect(dryRun: dryRun) { roots }
    }

    private func layer(_ name: String) throws {
        try Directory.ensurePath("\(store.path)/layers/\(name)")
        try store.write(noise(10), to: "layers/\(name)/file")
    }

    @Test func whatNobodyRefersToGoes() throws {
        let blob = try store.content.put(noise(10), mediaType: MediaType.layer)
        let image = try store.image("a", content: "a", directories: ["kept"])
        try layer("kept")
        try layer("lost")
        try layer("new-abc")
        let dry = try collect(dryRun: true)
        #expect(dry.blobs == [blob.digest] && dry.layers == ["lost"])
        #expect(try store.content.has(blob))
        let result = try collect()
        #expect(result.blobs == [blob.digest])
        #expect(result.blobBytes == 10)
        #expect(result.layers == ["lost"])
        #expect(try store.names("layers") == ["kept", "new-abc"])
        for digest in image.digests { #expect(try store.content.size(of: digest) != nil) }
        #expect(try store.names("trash").count == 2)
        try store.collection.emptyTrash()
        #expect(try store.names("trash").isEmpty)
        #expect(try collect().blobs.isEmpty)
    }

    @Test func aRemovedImageIsFreed() throws {
        let a = try store.image("a", content: "a", directories: ["la"])
        let b = try store.image("b", content: "b", directories: ["lb"])
        try layer("la")
        try layer("lb")
        _ = try store.references.remove("a", force: false) { _ in [] }
        let result = try collect()
        #expect(Set(result.blobs) == Set(a.digests))
        #expect(result.layers == ["la"])
        #expect(try store.content.blobs().count == Set(b.digests).count)
    }

    @Test func whatContainersUseStays() throws {
        let image = try store.image(nil, content: "a", record: false)
        try layer("used")
        let result = try collect(.init(digests: [image.manifest.digest], layers: ["used"]))
        #expect(result.blobs.isEmpty && result.layers.isEmpty)
    }

    @Test func anIndexKeepsItsManifestsThatAreHere() throws {
        let image = try store.image(nil, content: "a", record: false)
        let index = ImageIndex(manifests: [
            image.manifest, try describe(noise(10), mediaType: MediaType.manifest),
        ])
        let root = try store.content.put(try JSON.encode(index), mediaType: MediaType.index)
        #expect(try collect(.init(digests: [root.digest])).blobs.isEmpty)
        #expect(try collect().blobs.count == 4)
    }

    @Test func anImageWithoutANameKeepsItsContent() throws {
        try store.image("a", content: "old")
        try store.image("a", content: "new")
        #expect(try collect().blobs.isEmpty)
    }

    @Test func aLivingLeaseIsRespected() throws {
        let blob = try store.content.put(noise(10), mediaType: MediaType.layer)
        let image = try store.image(nil, content: "a", record: false)
        try layer("leased")
        let lease = try Lease.take(in: store.root)
        try lease.protect(digests: [blob.digest, image.manifest.digest])
        try lease.protect(layers: ["leased"])
        #expect(try collect().blobs.isEmpty)
        lease.release()
        #expect(try store.names("leases").isEmpty)
        let result = try collect()
        #expect(result.blobs.count == 4 && result.layers == ["leased"])
        #expect(failure { try lease.protect(layers: ["x"]) }?.code == .internal)
    }

    @Test func aLeaseWithoutItsProcessIsVoid() throws {
        let blob = try store.content.put(noise(10), mediaType: MediaType.layer)
        try Directory.ensurePath("\(store.path)/leases")
        try store.write(Array("blob \(blob.digest)\n".utf8), to: "leases/0123")
        #expect(try collect().blobs == [blob.digest])
        #expect(try store.names("leases").isEmpty)
    }

    @Test func aLeaseGoesWithItsValue() throws {
        do { try Lease.take(in: store.root).protect(layers: ["x"]) }
        #expect(try store.names("leases").isEmpty)
    }

    @Test func nothingIsCollectedWhileARecordIsDamaged() throws {
        let blob = try store.content.put(noise(10), mediaType: MediaType.layer)
        try store.image("a", content: "a")
        try store.write([0xff], to: "refs/docker.io%2Flibrary%2Fa:latest")
        let failed = try #require(failure { _ = try collect() })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("nothing is collected"))
        #expect(try store.content.has(blob))
    }

    @Test func theSweepWaitsForWhoIsBetweenResolveAndRecord() throws {
        let blob = try store.content.put(noise(10), mediaType: MediaType.layer)
        let root = store.root
        let collection = store.collection
        let using = try root.lock(.store, .shared)
        #expect(try root.attemptLock(.store, .exclusive) == nil)
        let swept = Mutex<[Digest]?>(nil)
        let sweep = try Thread("sweep") {
            let result = try? collection.collect { Collection.Roots() }
            swept.withLock { $0 = result?.blobs }
        }
        for _ in 0..<20 {
            _ = try FileDescriptor.wait(for: -1, milliseconds: 2)
            #expect(swept.withLock { $0 } == nil)
        }
        #expect(try store.content.has(blob))
        _ = consume using
        sweep.join()
        #expect(swept.withLock { $0 } == [blob.digest])
    }

    @Test func rootsAreAskedForUnderTheLock() throws {
        let root = store.root
        _ = try store.collection.collect { () throws(Failure) in
            #expect(try root.attemptLock(.store, .shared) == nil)
            return Collection.Roots()
        }
    }

    @Test func theTrashOfAKilledRunIsEmptied() throws {
        try Directory.ensurePath("\(store.path)/trash/abc-x/deep/deeper")
        try store.write([1], to: "trash/abc-x/deep/file")
        try store.write([1], to: "trash/file")
        try store.collection.emptyTrash()
        #expect(try store.names("trash").isEmpty)
    }

    @Test func collectingAnEmptyStoreDoesNothing() throws {
        #expect(try collect().blobs.isEmpty)
        try store.collection.emptyTrash()
    }
}
