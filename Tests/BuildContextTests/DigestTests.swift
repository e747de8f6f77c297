import BuildContext
import Failure
import LinuxSystem
import Testing

@Suite(.enabled(if: isRoot, "owners and devices need root")) struct DigestTests {
    /// Each change to a tree, and whether the key of a user's directory and of a stage must tell of it.
    @Test(arguments: [
        ("contents", true, true), ("mode", true, true), ("owner", false, true), ("name", true, true),
        ("time", false, false), ("target", true, true), ("attribute", true, true), ("new", true, true),
        ("gone", true, true), ("directory's mode", true, true), ("hard link", true, true),
        ("kind", true, true),
        ("guard", false, false), ("top", false, false), ("nothing", false, false),
        ("empty directory", true, true),
    ])
    func counts(_ change: String, _ localTells: Bool, _ stageTells: Bool) throws {
        let scratch = try Scratch()
        try scratch.tree(["d/a=text", "d/b=text", "d/l -> a", "d/sub/c"])
        let before = (try scratch.digest("d"), try scratch.digest("d", owners: .own))
        let raw = scratch.directory.raw
        switch change {
        case "contents": try scratch.file("context/d/a", "Text")
        case "mode": try Directory.changeMode("context/d/a", in: raw, mode: 0o600)
        case "owner": try Directory.changeOwner("context/d/a", in: raw, uid: 1, gid: 0)
        case "name": try Directory.rename("context/d/a", in: raw, to: "context/d/A", in: raw)
        case "time":
            let time = Timestamp(seconds: 5)
            try Directory.changeTimes("context/d/a", in: raw, accessed: time, modified: time)
            try Directory.changeTimes("context/d/sub", in: raw, accessed: time, modified: time)
        case "target":
            try Directory.removeFile("context/d/l", in: raw)
            try scratch.link("b", at: "context/d/l")
        case "attribute": try ExtendedAttributes.set("trusted.ctr", [1], on: "context/d/a", in: raw)
        case "new": try scratch.file("context/d/z", "")
        case "gone": try Directory.removeFile("context/d/b", in: raw)
        case "directory's mode": try Directory.changeMode("context/d/sub", in: raw, mode: 0o700)
        case "hard link":
            try Directory.removeFile("context/d/b", in: raw)
            try Directory.link("context/d/a", in: raw, to: "context/d/b", in: raw)
        case "kind":
            try Directory.removeFile("context/d/a", in: raw)
            try Directory.makeNode("context/d/a", in: raw, mode: 0o010644)
        case "guard": try ExtendedAttributes.set("trusted.overlay.x", [1], on: "context/d/a", in: raw)
        case "top":
            try Directory.changeMode("context/d", in: raw, mode: 0o700)
            try Directory.changeOwner("context/d", in: raw, uid: 3, gid: 3)
        case "empty directory": try scratch.make("context/d/e")
        default: break
        }
        #expect(try (scratch.digest("d") != before.0) == localTells)
        #expect(try (scratch.digest("d", owners: .own) != before.1) == stageTells)
    }

    @Test func whatIsLeftOutDoesNotCount() throws {
        let scratch = try Scratch()
        try scratch.tree(["a", "log/x"])
        let before = try scratch.digest(".", ignoring: ["log"])
        try scratch.file("context/log/y", "new")
        #expect(try scratch.digest(".", ignoring: ["log"]) == before)
        #expect(try scratch.digest(".") != before)
    }

    @Test func twoThreadsReadAsOne() throws {
        let scratch = try Scratch()
        var small: [String] = []
        for i in 0..<40 {
            try scratch.make("context/d\(i % 7)/s")
            try scratch.file("context/d\(i % 7)/s/f\(i)", String(repeating: "\(i) ", count: 40_000))
            small.append("d\(i % 7)/s/f\(i)")
        }
        let whole = try scratch.context().select(sources: ["."]).digest()
        var keys: [String: UInt64] = [:]
        for entry in whole.manifest.entries { keys[entry.path.shown] = entry.key }
        #expect(keys.count == 40 + 14)
        for i in 0..<7 {
            // The same files in selections too small for a second thread.
            let part = try scratch.context().select(sources: ["d\(i)"]).digest().manifest
            for entry in part.entries where entry.path.shown.contains("/f") {
                #expect(keys[entry.path.shown] != nil)
            }
        }
        #expect(try scratch.context().select(sources: ["."]).digest().digest == whole.digest)
    }

    @Test func manifestsTellWhatChanged() throws {
        let scratch = try Scratch()
        try scratch.tree(["a", "b", "c", "d/e", "new\nline"])
        let before = try scratch.context().select(sources: ["."]).digest().manifest
        #expect(before.changes(since: before).count == 0)
        try scratch.file("context/b", "B")
        try Directory.removeFile("context/c", in: scratch.directory.raw)
        try scratch.file("context/d/f", "")
        let stored = try #require(SelectionManifest(encoded: before.encoded))
        #expect(stored == before)
        let after = try scratch.context().select(sources: ["."]).digest().manifest
        let (shown, count) = after.changes(since: stored)
        #expect(
            shown == [.changed(RawPath("b")), .removed(RawPath("c")), .added(RawPath("d/f"))] && count == 3)
        #expect(after.changes(since: stored, limit: 1).shown == [.changed(RawPath("b"))])
        #expect(SelectionManifest(encoded: Array(before.encoded.dropLast())) == nil)
    }

    // MARK: the memory

    @Test func memoryTellsOfChangesBehindRestoredTimes() throws {
        let scratch = try Scratch()
        try scratch.tree(["old=1234", "other=x"])
        let path = "\(scratch.path)/memory"
        // Younger than the clock can tell: not remembered.
        let young = DigestMemory(path: path)
        _ = try scratch.digest(".", memory: young)
        try young.save()
        let again = DigestMemory(path: path)
        _ = try scratch.digest(".", memory: again)
        #expect(again.misses == 2)

        Process.sleep(microseconds: 2_100_000)
        let first = DigestMemory(path: path)
        let before = try scratch.digest(".", memory: first)
        #expect(first.misses == 2)
        try first.save()
        let second = DigestMemory(path: path)
        #expect(try scratch.digest(".", memory: second) == before)
        #expect(second.misses == 0)

        // The same size and the same modification time: only the change time tells.
        let status = try scratch.status("context/old")
        let file = try FileDescriptor.open("context/old", in: scratch.directory.raw, [.writeOnly])
        try file.write("4321")
        try file.changeTimes(accessed: status.accessed, modified: status.modified)
        try file.close()
        #expect(try scratch.status("context/old").modified == status.modified)
        let third = DigestMemory(path: path)
        let after = try scratch.digest(".", memory: third)
        #expect(third.misses == 1)
        #expect(after != before)
        let plain = try scratch.digest(".")
        #expect(plain == after)
        // What was not asked for is forgotten.
        try third.save()
        let fourth = DigestMemory(path: path)
        _ = try scratch.digest("other", memory: fourth)
        #expect(fourth.misses == 0)
        try fourth.save()
        let fifth = DigestMemory(path: path)
        _ = try scratch.digest(".", memory: fifth)
        #expect(fifth.misses == 1)
    }

    @Test func damagedMemoryIsEmpty() throws {
        let scratch = try Scratch()
        try scratch.tree(["a=1"])
        Process.sleep(microseconds: 2_100_000)
        let path = "\(scratch.path)/memory"
        let memory = DigestMemory(path: path)
        let key = try scratch.digest("a", memory: memory)
        try memory.save()
        var bytes = try #require(try AtomicFile.read("memory", in: scratch.directory.raw))
        bytes[bytes.count - 40] ^= 1
        for damaged in [bytes, Array(bytes.dropLast()), [], Array("nonsense".utf8)] {
            try AtomicFile.write(damaged, to: "memory", in: scratch.directory.raw)
            let memory = DigestMemory(path: path)
            #expect(try scratch.digest("a", memory: memory) == key)
            #expect(memory.misses == 1)
        }
    }
}
