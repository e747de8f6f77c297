import EventJournal
import LinuxSystem
import Testing

@Suite struct JournalTests {
    private func scratch() throws -> String {
        let path = "/tmp/ctr-journal-\(randomHex(bytes: 6))"
        try Directory.ensurePath(path)
        return path
    }

    private func event(_ action: String, _ time: Int64 = 7) -> Event {
        Event(
            time: time, kind: .container, action: action, id: "c1",
            attributes: [.init("image", "a\tb\\n"), .init("label=1", "x=y\nz"), .init("empty", "")])
    }

    @Test func linesHoldAnyText() throws {
        for one in [
            event("exec_create: sh -c \"a\tb\"\n"), Event(time: -1, kind: .volume, action: "create", id: "v"),
        ] {
            var bytes: [UInt8] = []
            one.append(to: &bytes)
            #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            let read = Event(line: bytes.dropLast())
            // A key's own equals sign is where it is cut: docker's keys have none.
            #expect(read?.action == one.action)
            #expect(read?.time == one.time)
            #expect(read?.attributes.count == one.attributes.count)
            #expect(read?["image"] == one["image"])
            #expect(read?["empty"] == one["empty"])
        }
        for torn in ["", "7", "7\tcontainer\tstart", "x\tcontainer\tstart\tc1", "7\tplanet\tstart\tc1"] {
            #expect(Event(line: Array(torn.utf8)[...]) == nil)
        }
    }

    @Test func whatIsWrittenIsReadInOrderAndGoesOn() throws {
        let root = try scratch()
        defer { try? Directory.removeTree(root) }
        let journal = EventJournal(root: root)
        journal.append([event("create", 3), event("start", 1)])
        var all = try EventReader(journal, fromStart: true)
        #expect(try all.next().map(\.action) == ["start", "create"])
        var fresh = try EventReader(journal, fromStart: false)
        #expect(try fresh.next().isEmpty)
        journal.append(event("die"))
        #expect(try FileDescriptor.wait(for: fresh.raw, milliseconds: 2000))
        #expect(try fresh.next().map(\.action) == ["die"])
        #expect(try all.next().map(\.action) == ["die"])
        #expect(try all.next().isEmpty)
    }

    /// Of a place of its own, that a container's directory leads to.
    @Test func aContainersDirectoryLeadsToTheJournal() {
        #expect(EventJournal(containerDirectory: "/var/lib/ctr/containers/abc").path == "/var/lib/ctr/events")
    }

    @Test func itIsBoundedAndAFollowerMissesNothing() throws {
        let root = try scratch()
        defer { try? Directory.removeTree(root) }
        let journal = EventJournal(root: root, limit: 1000)
        var follower = try EventReader(journal, fromStart: true)
        var seen: [String] = []
        for number in 0..<200 {
            journal.append(event("e\(number)", Int64(number)))
            if number % 7 == 0 { seen += try follower.next().map(\.action) }
        }
        seen += try follower.next().map(\.action)
        #expect(seen == (0..<200).map { "e\($0)" })
        let names = try Directory.names(in: try Directory.open("\(root)/events"))
        #expect(names.filter { $0.hasPrefix("journal.") }.count == EventJournal.kept)
        var sum: UInt64 = 0
        for name in names { sum += try FileDescriptor.status("\(root)/events/\(name)").size }
        #expect(sum < 1200 * UInt64(EventJournal.kept + 1))
        // A later reader gets what is kept, the last whole.
        var late = try EventReader(journal, fromStart: true)
        let kept = try late.next().map(\.action)
        #expect(kept.last == "e199")
        #expect(kept == Array(seen.suffix(kept.count)))
    }

    @Test func aTornLineCostsItselfAlone() throws {
        let root = try scratch()
        defer { try? Directory.removeTree(root) }
        let journal = EventJournal(root: root)
        journal.append(event("one"))
        let file = try FileDescriptor.open("\(journal.path)/journal", [.writeOnly, .append])
        try file.write("17\tcontai\n")
        journal.append(event("two"))
        var reader = try EventReader(journal, fromStart: true)
        #expect(try reader.next().map(\.action) == ["one", "two"])
    }
}
