import Failure
import LinuxSystem
import Testing

@Suite struct IDMapTests {
    private let map = IDMap(lines: ["0 100000 1000", "1000 0 1", "1001 101000 64535"]) ?? IDMap([])

    @Test(
        arguments: [
            (0, 100_000), (999, 100_999), (1000, 0), (1001, 101_000), (65535, 165_534), (65536, nil),
            (UInt32.max, nil),
        ] as [(UInt32, UInt32?)])
    func bothWays(_ inside: UInt32, _ outside: UInt32?) {
        #expect(map.outside(inside) == outside)
        if let outside { #expect(map.inside(outside) == inside) }
    }

    @Test func whatNobodyHasIsNobody() {
        let maps = UserMaps(uids: map, gids: IDMap(lines: ["0 7 1"]) ?? IDMap([]))
        #expect(maps.inside(uid: 5, gid: 7) == (65534, 0))
        #expect(throws: Failure.self) { try maps.outside(uid: 0, gid: 1) }
        #expect(throws: Failure.self) { try maps.outside(uid: 65536, gid: 0) }
    }

    @Test(arguments: ["", "1 2", "a b c", "1 2 3 4", "-1 0 1"])
    func aLineThatIsNone(_ line: String) { #expect(IDMap(lines: [line]) == nil) }

    @Test func theEndOfTheNumbers() {
        let all = IDMap(lines: ["0 0 4294967295"])
        #expect(all?.outside(4_294_967_294) == 4_294_967_294)
        #expect(all?.outside(4_294_967_295) == nil)
    }
}
