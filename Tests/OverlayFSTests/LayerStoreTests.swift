import Archive
import Failure
import LinuxSystem
import OCI
import OverlayFS
import Testing

@Suite struct LayerStoreTests {
    private let id = try? Digest("sha256:" + String(repeating: "ab", count: 32))
    private let other = try? Digest("sha256:" + String(repeating: "cd", count: 32))

    private func store(_ scratch: Scratch) throws -> LayerStore {
        try LayerStore(path: scratch.path + "/layers", trash: scratch.path + "/trash")
    }

    private func listing(_ scratch: Scratch, _ name: String) throws -> [String] {
        try Directory.names(in: Directory.open(name, in: scratch.directory.raw))
    }

    @Test func aLayerIsThereOnceItIsCommitted() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        let id = try #require(id)
        var record = LayerRecord()
        record.size = 5
        record.entries = 1
        do {
            let new = try store.begin()
            try FileDescriptor.open("f", in: new.root.raw, [.writeOnly, .create]).write("hello")
            #expect(try !store.exists(id))
            #expect(try new.commit(id, record))
        }
        #expect(try store.exists(id))
        #expect(try store.names() == [id.hex])
        #expect(try store.record(of: id) == record)
        let root = try store.open(id)
        let text = try FileDescriptor.open("f", in: root.raw).readAll(limit: 10)
        #expect(text == Array("hello".utf8))
        #expect(try listing(scratch, "layers") == [id.hex])
        #expect(try listing(scratch, "layers/\(id.hex)") == ["fs", "record"])
        #expect(try scratch.status("layers/\(id.hex)/fs").permissions == 0o755)

        try store.remove(id)
        try store.remove(id)
        #expect(try !store.exists(id))
        #expect(try listing(scratch, "trash").count == 1)
        let failure = #expect(throws: Failure.self) { _ = try store.open(id) }
        #expect(failure?.code == .notFound && failure?.hint != nil)
        #expect(throws: Failure.self) { _ = try store.record(of: id) }
    }

    @Test func theSecondOfTwoIsGivenUp() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        let id = try #require(id)
        let first = try store.begin()
        let second = try store.begin()
        #expect(try first.commit(id, LayerRecord()))
        #expect(try !second.commit(id, LayerRecord()))
        _ = consume second
        _ = consume first
        #expect(try listing(scratch, "layers") == [id.hex])
    }

    @Test func aWriterThatFailsLeavesNothing() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        do { _ = try store.begin() }
        #expect(try listing(scratch, "layers") == [])
    }

    @Test func locksAreForOneLayer() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        let id = try #require(id)
        let other = try #require(other)
        let held = try store.lock(id)
        let second = try store.tryLock(id) == nil
        #expect(second)
        let free = try store.tryLock(other) != nil
        #expect(free)
        #expect(held.raw >= 0)
    }

    /// Whoever waits for a layer finds it: the lock's file goes with the commit, and the lock is a new one.
    @Test func aWaiterFindsTheLayer() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        let id = try #require(id)
        let held = try store.lock(id)
        let thread = try Thread("waiter") {
            guard let lock = try? store.lock(id) else { return }
            if (try? store.exists(id)) == true { try? scratch.write("found", "\(lock.raw)") }
        }
        let new = try store.begin()
        try new.commit(id, LayerRecord())
        _ = consume held
        thread.join()
        #expect(try scratch.exists("found"))
    }

    @Test func theSweepTakesWhatDeadWritersLeft() throws {
        let scratch = try Scratch()
        let store = try store(scratch)
        let id = try #require(id)
        let alive = try store.begin()
        // A writer that was killed: its directory, and a lock that nobody holds.
        let layers = try Directory.open("layers", in: scratch.directory.raw)
        try Directory.make("new-dead", in: layers.raw)
        try scratch.write("layers/new-dead.lock", "")
        try scratch.write("layers/new-gone.lock", "")
        try Directory.make("new-unlocked", in: layers.raw)
        do { _ = try store.lock(id) }
        #expect(try store.sweep() == 2)
        let left = try listing(scratch, "layers")
        #expect(left.count == 2 && left.allSatisfy { $0.hasPrefix("new-") && !$0.contains("dead") })
        #expect(try listing(scratch, "trash").count == 2)
        #expect(try alive.commit(id, LayerRecord()))
        #expect(try store.exists(id))
    }
}

extension Scratch: @unchecked Sendable {}
