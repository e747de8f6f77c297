internal import Failure
internal import LinuxSystem

/// A pack and its index; commits are read from it, whole or as deltas of others (gitformat-pack(5)).
struct GitPack {
    private let index: GitPackIndex
    private let file: SharedFileDescriptor
    private let nameSize: Int

    /// git itself makes chains of 50, and refuses to make longer ones than this.
    private static let longestChain = 4095
    /// A commit whose message is larger is no history of work.
    private static let largestObject = 16 << 20
    /// All bytes unpacked for one commit.
    private static let mostWork = 128 << 20

    /// The pack of an object directory that has the object.
    static func find(_ name: GitObjectName, in objects: SharedFileDescriptor) throws(Failure) -> (
        pack: GitPack, offset: Int64
    )? {
        guard let directory = try GitFile.directory(RawPath("pack"), in: objects.raw) else { return nil }
        let entries = try during("list packs") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(directory.raw) { (directory) throws(SystemError) in
                try Directory.entries(of: directory)
            }
        }
        for entry in entries where entry.name.bytes.suffix(4).elementsEqual(".idx".utf8) {
            let nameSize = name.bytes.count
            guard let file = try GitFile.open(entry.name, in: directory.raw),
                let index = try GitPackIndex(file, nameSize: nameSize),
                let offset = try index.offset(of: name)
            else { continue }
            let pack = RawPath(Array(entry.name.bytes.dropLast(4)) + Array(".pack".utf8))
            // A repack of this moment may have removed it; then another has the object.
            guard let bytes = try GitFile.open(pack, in: directory.raw) else { continue }
            return (try GitPack(index, bytes, nameSize: nameSize), offset)
        }
        return nil
    }

    private init(_ index: GitPackIndex, _ file: SharedFileDescriptor, nameSize: Int) throws(Failure) {
        let head = try GitFile.exactly(8, of: file, at: 0)
        guard head[..<4].elementsEqual("PACK".utf8), head[4..<7].elementsEqual([0, 0, 0]),
            head[7] == 2 || head[7] == 3
        else { throw Failure(.dataLoss, "a pack is damaged, or of an unknown version") }
        self.index = index
        self.file = file
        self.nameSize = nameSize
    }

    func commit(at start: Int64) throws(Failure) -> GitCommitHeader {
        var deltas: [Entry] = []
        var entry = try entry(at: start)
        while entry.kind != .commit {
            deltas.append(entry)
            guard let base = entry.base, deltas.count <= GitPack.longestChain else {
                throw Failure(.dataLoss, "a pack is damaged: deltas without an end")
            }
            entry = try self.entry(at: base)
        }
        if deltas.isEmpty { return try GitCommitHeader(of: DeflatedObject(file, at: entry.data)) }
        var work = 0
        var bytes = try content(entry, &work)
        while let delta = deltas.popLast() {
            bytes = try GitDelta(try content(delta, &work)).applied(
                to: bytes, longest: GitPack.largestObject)
            work += bytes.count
        }
        return GitCommitHeader(bytes)
    }

    private func content(_ entry: Entry, _ work: inout Int) throws(Failure) -> [UInt8] {
        guard entry.size <= UInt64(GitPack.largestObject) else {
            throw Failure(.resourceExhausted, "a commit is larger than \(GitPack.largestObject >> 20) MiB")
        }
        work += Int(entry.size)
        guard work <= GitPack.mostWork else {
            throw Failure(.resourceExhausted, "a commit takes too much work to unpack")
        }
        // One byte more than it says shows a lie, and brings zlib to its checksum.
        let bytes = try DeflatedObject(file, at: entry.data).read(Int(entry.size) + 1)
        guard bytes.count == Int(entry.size) else {
            throw Failure(.dataLoss, "a pack is damaged: an object has another size than it says")
        }
        return bytes
    }

    private struct Entry {
        enum Kind { case commit, delta }

        var kind: Kind
        var size: UInt64
        /// Where its zlib stream begins.
        var data: Int64
        /// Where the object is that a delta changes.
        var base: Int64?
    }

    private func entry(at offset: Int64) throws(Failure) -> Entry {
        let damaged = Failure(.dataLoss, "a pack is damaged")
        guard offset >= 12 else { throw damaged }
        // Ten bytes of a size, and ten of an offset or a name.
        let head = try GitFile.bytes(of: file, at: offset, count: 20 + nameSize)
        guard var byte = head.first else { throw damaged }
        var at = 1
        let type = byte >> 4 & 7
        var size = UInt64(byte & 15)
        var shift: UInt64 = 4
        while byte & 0x80 != 0 {
            guard at < head.count, shift < 60 else { throw damaged }
            byte = head[at]
            size |= UInt64(byte & 0x7f) << shift
            shift += 7
            at += 1
        }
        switch type {
        case 1: return Entry(kind: .commit, size: size, data: offset + Int64(at))
        case 6:
            var distance: Int64 = 0
            var isFirst = true
            repeat {
                guard at < head.count, distance < 1 << 55 else { throw damaged }
                byte = head[at]
                distance = (isFirst ? 0 : distance + 1) << 7 | Int64(byte & 0x7f)
                isFirst = false
                at += 1
            } while byte & 0x80 != 0
            guard distance > 0, distance < offset else { throw damaged }
            return Entry(kind: .delta, size: size, data: offset + Int64(at), base: offset - distance)
        case 7:
            guard at + nameSize <= head.count else { throw damaged }
            let name = GitObjectName(bytes: Array(head[at..<(at + nameSize)]))
            return Entry(
                kind: .delta, size: size, data: offset + Int64(at + nameSize),
                base: try index.offset(of: name))
        default: throw Failure(.dataLoss, "an object is no commit")
        }
    }
}
