import Failure
import LinuxSystem
import Rootless
import Testing

@testable import Engine

@Suite struct UserNamespaceRequestTests {
    private let root = UserNamespaceRequest.Caller(
        ordinary: nil, uids: [SubordinateIDs.Range(start: 100_000, count: 200_000)],
        gids: [SubordinateIDs.Range(start: 500_000, count: 200_000)])
    /// uid 1000 with 65536 subordinate ids.
    private let ordinary = UserNamespaceRequest.Caller(
        ordinary: (1000, 1001), uids: [SubordinateIDs.Range(start: 1, count: 65536)],
        gids: [SubordinateIDs.Range(start: 1, count: 65536)], uidCount: 65537, gidCount: 65537)

    private func resolve(
        _ mode: String, uids: [String] = [], gids: [String] = [],
        as caller: UserNamespaceRequest.Caller? = nil,
        taken: [UserNamespace.Range] = []
    ) throws(Failure) -> [[String]]? {
        var settings = UserNamespaceSettings()
        settings.mode = mode
        settings.uids = uids
        settings.gids = gids
        let request = UserNamespaceRequest(caller: caller ?? root, takenUIDs: taken, takenGIDs: [])
        return try request.resolve(settings).map { [$0.uids.lines, $0.gids.lines] }
    }

    @Test func withoutAWordThereIsNone() throws {
        #expect(try resolve("") == nil)
        #expect(try resolve("host") == nil)
    }

    @Test func autoFillsWhatIsNotGiven() throws {
        #expect(
            try resolve("auto:size=1000,uidmapping=0:5000:1,uidmapping=100:200000:10,gidmapping=999:7:5") == [
                ["0 5000 1", "1 100000 99", "100 200000 10", "110 100099 890"], ["0 500000 999", "999 7 5"],
            ])
        // Of what is given nothing is handed out again.
        #expect(
            try resolve("auto:size=3,uidmapping=0:100001:1")?[0] == ["0 100001 1", "1 100002 2"])
        #expect(try resolve("auto:size=2,uidmapping=0:7:5")?[0] == ["0 7 5"])
        #expect(try resolve("auto:size=10,uidmapping=0:0:1", as: ordinary)?[0] == ["0 0 1", "1 1 9"])
    }

    @Test func autoTakesTheFirstGapThatIsWideEnough() throws {
        func range(_ start: UInt32, _ count: UInt32) -> UserNamespace.Range {
            UserNamespace.Range(inside: 0, outside: start, count: count)
        }
        #expect(try resolve("auto") == [["0 100000 65536"], ["0 500000 65536"]])
        // A gap before it is too narrow, one between two others fits.
        let taken = [range(165_536, 10), range(110_000, 10), range(90_000, 10_001)]
        #expect(try resolve("auto:size=9999", taken: taken)?[0] == ["0 100001 9999"])
        #expect(try resolve("auto:size=10000", taken: taken)?[0] == ["0 110010 10000"])
        #expect(try resolve("auto", taken: taken)?[0] == ["0 165546 65536"])
        let none = failure { _ = try resolve("auto:size=200000", taken: [range(100_000, 1)]) }
        #expect(none?.code == .resourceExhausted)
        #expect(try resolve("auto:size=200000")?[0] == ["0 100000 200000"])
    }

    @Test func anOrdinaryUsersAutoIsOfTheUsersOwnIDs() throws {
        #expect(try resolve("auto", as: ordinary)?[0] == ["0 1 1024"])
        #expect(
            try resolve(
                "auto", as: ordinary, taken: [UserNamespace.Range(inside: 0, outside: 1, count: 1024)])?[0]
                == ["0 1025 1024"])
    }

    @Test func keepIDMapsTheUserToItself() throws {
        #expect(
            try resolve("keep-id", as: ordinary) == [
                ["0 1 1000", "1000 0 1", "1001 1001 64536"], ["0 1 1001", "1001 0 1", "1002 1002 64535"],
            ])
        #expect(
            try resolve("keep-id:uid=0,gid=70000", as: ordinary) == [
                ["0 0 1", "1 1 65536"], ["0 1 65536", "70000 0 1"],
            ])
        #expect(failure { _ = try resolve("keep-id") }?.message.contains("for ordinary users") == true)
        let one = UserNamespaceRequest.Caller(ordinary: (7, 7), uids: [], gids: [], uidCount: 1, gidCount: 1)
        #expect(failure { _ = try resolve("keep-id", as: one) }?.code == .unsupported)
        #expect(failure { _ = try resolve("auto", as: one) }?.code == .resourceExhausted)
    }

    @Test func nomapLeavesTheUserOut() throws {
        #expect(try resolve("nomap", as: ordinary) == [["0 1 65536"], ["0 1 65536"]])
        #expect(failure { _ = try resolve("nomap") }?.message.contains("for ordinary users") == true)
    }

    @Test func explicitMaps() throws {
        #expect(
            try resolve("", uids: ["0:100:10", "10:5"]) == [
                ["0 100 10", "10 5 1"], ["0 100 10", "10 5 1"],
            ])
        #expect(try resolve("", uids: ["0:1:2"], gids: ["0:7:1"]) == [["0 1 2"], ["0 7 1"]])
    }

    @Test(arguments: [
        ("", ["0:1:x"], "not of the form"), ("", ["0"], "not of the form"),
        ("", ["0:1:0"], "not of the form"),
        ("", ["0:4294967295:1"], "not of the form"), ("", ["0:1:2:3"], "not of the form"),
        ("", ["0:1:2", "1:9:1"], "overlaps 0:1:2"), ("", ["0:1:2", "5:2:1"], "overlaps 0:1:2"),
        ("", ["1:1:2"], "0 of the container are not mapped"), ("auto", ["0:1:2"], "give one of them"),
        ("auto:sise=3", [], "size=NUMBER"), ("auto:size=0", [], "size=NUMBER"),
        ("auto:uidmapping=0", [], "CONTAINER:HOST[:SIZE]"),
        ("auto:gidmapping=0:1:2,gidmapping=1:9:1", [], "overlaps"), ("host:x", [], "no options"),
        ("private", [], "unknown mode"),
    ])
    func refusals(_ mode: String, _ maps: [String], _ words: String) {
        let failed = failure { _ = try resolve(mode, uids: maps) }
        #expect(failed?.code == .invalidArgument)
        #expect("\(failed?.message ?? "") \(failed?.hint ?? "")".contains(words))
    }

    @Test func anOrdinaryUserHasNoOtherIDs() {
        let failed = failure { _ = try resolve("", uids: ["0:0:65538"], as: ordinary) }
        #expect(failed?.message.contains("this user has the ids 0 to 65536") == true)
    }
}
