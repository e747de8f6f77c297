import Engine
import Failure
import ImageStore
import LinuxSystem
import Testing

@testable import Build

/// `builder df` and `builder prune` on a store that is made by hand. The engine wants root.
@Suite(.enabled(if: Process.isRoot, "needs root")) struct PruneTests {
    private func select(_ change: (inout BuildCacheSelection) -> Void = { _ in }) -> BuildCacheSelection {
        var selection = BuildCacheSelection()
        change(&selection)
        return selection
    }

    @Test func everythingIsListed() throws {
        let store = try CacheStore()
        #expect(try store.engine.buildCacheItems().isEmpty)
        let used = try store.addStep("RUN used", layer: "a", size: 100, age: 60)
        let free = try store.addStep("RUN free", layer: "b", size: 20)
        try store.addImage("x:1", layers: ["a"])
        _ = try store.addMount("/root/.cache", bytes: 5000)
        try store.write([1], "build/files/f")
        try store.write([1], "build/cache/damaged")
        let items = try store.engine.buildCacheItems()
        let steps = Dictionary(uniqueKeysWithValues: items.filter { $0.kind == .step }.map { ($0.id, $0) })
        #expect(steps.count == 3)
        #expect(steps[used]?.isUsed == true)
        #expect(steps[used]?.description == "RUN used")
        #expect(steps[used]?.made == 1000)
        #expect(steps[free]?.isUsed == false)
        #expect(steps["damaged"]?.size == 0)
        let mount = try #require(items.first { $0.kind == .mount })
        #expect(mount.description == "/root/.cache")
        #expect(mount.size >= 5000)
        #expect(!mount.isUsed)
        #expect(items.contains { $0.kind == .memory && $0.size > 0 })
    }

    @Test func pinnedLayersAreKeptByACollection() throws {
        let store = try CacheStore()
        try store.addStep("RUN a", layer: "a", size: 1)
        try store.addLayer("b")
        _ = try store.engine.collectGarbage()
        #expect(store.names("layers") == [store.layer("a")])
    }

    @Test func withoutAllOnlyWhatNoImageIsMadeOf() throws {
        let store = try CacheStore()
        let used = try store.addStep("RUN used", layer: "a", size: 100)
        let free = try store.addStep("RUN free", layer: "b", size: 20)
        try store.addImage("x:1", layers: ["a"])
        let mount = try store.addMount("m", bytes: 10)
        try store.write([1], "build/selections/s")
        let outcome = try store.engine.pruneBuildCache(select())
        #expect(outcome.lines == [free, "memory"])
        #expect(outcome.bytes >= 20)
        #expect(store.names("build/cache") == [used])
        #expect(store.names("build/pins") == [store.layer("a")])
        #expect(store.names("layers") == [store.layer("a")])
        #expect(store.names("build/selections").isEmpty)
        #expect(store.names(mount).contains("data"))
    }

    @Test func withAllEverything() throws {
        let store = try CacheStore()
        try store.addStep("RUN used", layer: "a", size: 100)
        try store.addStep("RUN free", layer: "b", size: 20)
        try store.addImage("x:1", layers: ["a"])
        let mount = try store.addMount("m", bytes: 10)
        let outcome = try store.engine.pruneBuildCache(select { $0.all = true })
        #expect(outcome.lines.count == 3)
        #expect(store.names("build/cache").isEmpty)
        #expect(store.names("build/pins").isEmpty)
        // The image needs its own.
        #expect(store.names("layers") == [store.layer("a")])
        #expect(store.names(mount) == ["id", "lock"])
        #expect(try store.engine.buildCacheItems().isEmpty)
    }

    @Test func aMountThatAStepHasStays() throws {
        let store = try CacheStore()
        let mount = try store.addMount("m", bytes: 10)
        let lock = try FileLock("\(store.path)/\(mount)/lock", .shared)
        #expect(try store.engine.buildCacheItems().first?.isUsed == true)
        #expect(try store.engine.pruneBuildCache(select { $0.all = true }).lines.isEmpty)
        #expect(store.names(mount).contains("data"))
        _ = lock.raw
    }

    /// A build has leased the layer and written its pin, and comes to the record after the prune.
    @Test func thePinOfABuildAtWorkStays() throws {
        let store = try CacheStore()
        try store.addLayer("c")
        let lease = try Lease.take(in: store.engine.root)
        try lease.protect(layers: [store.layer("c")])
        try store.write([], "build/pins/\(store.layer("c"))")
        _ = try store.engine.pruneBuildCache(select { $0.all = true })
        #expect(store.names("build/pins") == [store.layer("c")])
        #expect(store.names("layers") == [store.layer("c")])
        lease.release()
        _ = try store.engine.pruneBuildCache(select())
        #expect(store.names("build/pins").isEmpty)
        #expect(store.names("layers").isEmpty)
    }

    @Test func aStepThatWasUsedSinceItWasListedStays() throws {
        let store = try CacheStore()
        let key = try store.addStep("RUN a", layer: "a", size: 1, age: 100)
        let items = try store.engine.buildCacheItems()
        store.cache.touch(key)
        #expect(try store.cache.remove(items).isEmpty)
        #expect(store.names("build/cache") == [key])
    }

    @Test func aSharedLayerStaysForItsOtherStep() throws {
        let store = try CacheStore()
        let old = try store.addStep("RUN old", layer: "a", size: 10, age: 7200)
        let new = try store.addStep("RUN new", layer: "a", size: 10)
        let before = Timestamp(seconds: Timestamp.now().seconds - 3600)
        let outcome = try store.engine.pruneBuildCache(select { $0.before = before })
        #expect(outcome.lines == [old])
        #expect(outcome.bytes == 0)
        #expect(store.names("build/cache") == [new])
        #expect(store.names("layers") == [store.layer("a")])
    }
}
