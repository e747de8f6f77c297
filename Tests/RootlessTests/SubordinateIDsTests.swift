import Rootless
import Testing

@Suite struct SubordinateIDsTests {
    @Test func rangesOfAUserByNameOrNumber() {
        let text = Array(
            "bob:1:2\nann:100000:65536\n1000:300000:10\n# no\nann:x:1\nann:5:0\nann:4294967290:100\n".utf8)
        let ids = SubordinateIDs(text, user: "ann", uid: 1000)
        #expect(ids.ranges.map(\.start) == [100_000, 300_000])
        #expect(
            ids.mapping(of: 1000) == ["0", "1000", "1", "1", "100000", "65536", "65537", "300000", "10"])
        #expect(SubordinateIDs(text, user: nil, uid: 7).ranges.isEmpty)
        #expect(SubordinateIDs([], user: "ann", uid: 1).mapping(of: 1) == ["0", "1", "1"])
    }
}
