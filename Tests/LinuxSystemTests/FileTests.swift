import Failure
import Glibc
import Testing

@testable import LinuxSystem

/// A directory of its own, gone with the value.
final class Scratch {
    let path: String
    let directory: FileDescriptor

    init() throws {
        path = "/tmp/ctr-linux-\(randomHex(bytes: 8))"
        try Directory.make(path)
        directory = try Directory.open(path)
    }

    deinit { try? Directory.removeTree(path) }

    var raw: Int32 { directory.raw }

    func names() throws -> [String] { try Directory.names(in: directory) }
}

@Suite struct AtomicFileTests {
    @Test func replacesWholeAndLeavesNothingBeside() throws {
        let scratch = try Scratch()
        try AtomicFile.write(Array("one".utf8), to: "a", in: scratch.raw)
        try AtomicFile.write(Array("two".utf8), to: "a", in: scratch.raw)
        #expect(try AtomicFile.read("a", in: scratch.raw) == Array("two".utf8))
        #expect(try scratch.names() == ["a"])
    }

    @Test func refusesToReplaceWhereAskedTo() throws {
        let scratch = try Scratch()
        try AtomicFile.write([1], to: "a", in: scratch.raw)
        #expect {
            try AtomicFile.write([2], to: "a", in: scratch.raw, replace: false)
        } throws: { ($0 as? SystemError)?.code == .alreadyExists }
        #expect(try AtomicFile.read("a", in: scratch.raw) == [1])
        #expect(try scratch.names() == ["a"])
    }

    @Test func readsNothingWhereNothingIsAndNeverMoreThanTheLimit() throws {
        let scratch = try Scratch()
        #expect(try AtomicFile.read("a", in: scratch.raw) == nil)
        try AtomicFile.write([UInt8](repeating: 7, count: 5000), to: "a", in: scratch.raw)
        #expect(try AtomicFile.read("a", in: scratch.raw, limit: 5000)?.count == 5000)
        #expect(throws: SystemError.self) { try AtomicFile.read("a", in: scratch.raw, limit: 4999) }
    }
}

@Suite struct DirectoryTests {
    @Test func removesATreeWithoutFollowingLinks() throws {
        let scratch = try Scratch()
        try Directory.make("outside", in: scratch.raw)
        try AtomicFile.write(
            [1], to: "kept", in: try Directory.open("outside", in: scratch.raw).duplicate().release())
        try Directory.make("tree", in: scratch.raw)
        let tree = try Directory.open("tree", in: scratch.raw)
        try Directory.symlink("../outside", at: "link", in: tree.raw)
        try Directory.make("deep", in: tree.raw)
        try Directory.removeTree("tree", in: scratch.raw)
        #expect(try scratch.names() == ["outside"])
        #expect(try FileDescriptor.exists("outside/kept", in: scratch.raw))
        try Directory.removeTree("tree", in: scratch.raw)
    }

    /// Deeper than descriptors or a path's length allow.
    @Test func removesATreeOfThousandsOfLevels() throws {
        let scratch = try Scratch()
        var parent = SharedFileDescriptor(try scratch.directory.duplicate())
        for _ in 0..<3000 {
            try Directory.make("d", in: parent.raw)
            parent = SharedFileDescriptor(try Directory.open("d", in: parent.raw))
        }
        try Directory.removeTree("d", in: scratch.raw)
        #expect(try scratch.names().isEmpty)
    }

    @Test func namesThatAreNotUTF8ComeBackByteForByte() throws {
        let scratch = try Scratch()
        let name = RawPath([0x66, 0xff, 0xfe, 0x0a])
        try Directory.make(name, in: scratch.raw)
        #expect(try Directory.entries(of: scratch.directory).map(\.name) == [name])
        #expect(name.shown.contains("\\x0a"))
    }

    @Test func resolvesInARootAndNotBeyondIt() throws {
        let scratch = try Scratch()
        try Directory.symlink("/etc/passwd", at: "link", in: scratch.raw)
        #expect {
            _ = try FileDescriptor.open("link", in: scratch.raw, resolve: [.inRoot])
        } throws: { ($0 as? SystemError)?.code == .notFound }
        #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open("../x", in: scratch.raw, resolve: [.beneath])
        }
    }
}

@Suite struct FileLockTests {
    @Test func oneHolderAtATimeAndTheLockGoesWithItsOwner() throws {
        let scratch = try Scratch()
        func heldElsewhere() throws -> Bool {
            guard let lock = try FileLock.attempt("lock", in: scratch.raw, .exclusive) else { return true }
            _ = lock.raw
            return false
        }
        do {
            let lock = try FileLock("lock", in: scratch.raw, .exclusive)
            #expect(try heldElsewhere())
            _ = lock.raw
        }
        #expect(try !heldElsewhere())
    }

    @Test func sharedHoldersDoNotExcludeEachOther() throws {
        let scratch = try Scratch()
        let first = try FileLock("lock", in: scratch.raw, .shared)
        let second = try FileLock("lock", in: scratch.raw, .shared)
        let third = try FileLock.attempt("lock", in: scratch.raw, .exclusive)
        let isHeld = third == nil
        #expect(isHeld)
        _ = (first.raw, second.raw)
    }
}

@Suite struct ProcessIdentityTests {
    @Test func knowsItselfAndNoOther() throws {
        let own = try #require(ProcessIdentity(running: Process.pid()))
        #expect(own.isAlive)
        #expect(!ProcessIdentity(pid: own.pid, startTime: own.startTime + 1).isAlive)
        #expect(own.parent == getppid())
        #expect(ProcessIdentity(pid: own.pid, startTime: own.startTime + 1).parent == nil)
        let pidfd = try ProcessIdentity(pid: own.pid, startTime: own.startTime + 1).open()
        let isOpen = pidfd != nil
        #expect(!isOpen)
    }
}
