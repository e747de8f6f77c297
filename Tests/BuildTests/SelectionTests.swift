import LinuxSystem
import Testing

@testable import Build

@Suite struct SelectionTests {
    private func item(
        _ kind: BuildCacheItem.Kind, _ id: String, _ size: Int64, _ time: Int64, layer: String? = nil,
        used: Bool = false
    ) -> BuildCacheItem {
        BuildCacheItem(
            kind, id: id, description: "", size: size, lastUsed: Timestamp(seconds: time), layer: layer,
            isUsed: used)
    }

    private var items: [BuildCacheItem] {
        [
            item(.step, "a1", 100, 10, layer: "L1"), item(.step, "a2", 100, 40, layer: "L1"),
            item(.step, "b", 50, 20, layer: "L2"), item(.step, "u", 1000, 5, layer: "L3", used: true),
            item(.mount, "m", 30, 30), item(.mount, "busy", 30, 1, used: true),
            item(.memory, "memory", 5, 50),
        ]
    }

    private func doomed(_ change: (inout BuildCacheSelection) -> Void) -> [String] {
        var selection = BuildCacheSelection()
        change(&selection)
        return selection.doomed(of: items).map(\.id)
    }

    @Test func sharedLayersCountOnce() { #expect(items.bytes == 100 + 50 + 1000 + 30 + 30 + 5) }

    @Test func filters() {
        #expect(doomed { _ in } == ["a1", "b", "a2", "memory"])
        #expect(doomed { $0.all = true } == ["u", "a1", "b", "m", "a2", "memory"])
        #expect(doomed { $0.kinds = [.mount] } == ["m"])
        #expect(doomed { $0.ids = ["a"] } == ["a1", "a2"])
        #expect(doomed { $0.ids = [""] } == [])
        #expect(doomed { $0.before = Timestamp(seconds: 20) } == ["a1"])
    }

    /// 215 bytes are the cache's own; what an image has too is not won by a removal.
    @Test func whatWasUsedLastIsKept() {
        #expect(doomed { ($0.all, $0.keeping) = (true, 215) } == [])
        #expect(doomed { ($0.all, $0.keeping) = (true, 200) } == ["a1", "b"])
        #expect(doomed { ($0.all, $0.keeping) = (true, 0) } == ["a1", "b", "m", "a2", "memory"])
    }
}
