internal import Failure
internal import LinuxSystem

/// The object directories of a repository: its own, and those it borrows from (`objects/info/alternates`).
struct GitObjects {
    private let common: SharedFileDescriptor
    /// Borrowing in a circle ends here.
    private static let mostDirectories = 32

    init(_ common: SharedFileDescriptor) { self.common = common }

    func time(ofCommit name: GitObjectName) throws(Failure) -> Int64 {
        var queue: [SharedFileDescriptor] = []
        if let own = try GitFile.directory(RawPath("objects"), in: common.raw) { queue.append(own) }
        var next = 0
        while next < queue.count {
            let directory = queue[next]
            next += 1
            if let header = try loose(name, in: directory) { return try header.committerTime() }
            if let (pack, offset) = try GitPack.find(name, in: directory) {
                return try pack.commit(at: offset).committerTime()
            }
            for path in try alternates(of: directory) where queue.count < GitObjects.mostDirectories {
                if let other = try GitFile.directory(RawPath(path), in: directory.raw) { queue.append(other) }
            }
        }
        throw Failure(.dataLoss, "commit \(name.hex.prefix(12)) is not there")
    }

    private func loose(_ name: GitObjectName, in objects: SharedFileDescriptor) throws(Failure)
        -> GitCommitHeader?
    {
        let hex = name.hex
        guard let file = try GitFile.open(RawPath("\(hex.prefix(2))/\(hex.dropFirst(2))"), in: objects.raw)
        else { return nil }
        let stream = try DeflatedObject(file, at: 0)
        // `commit SIZE` and a NUL.
        let start = try stream.read(32)
        guard start.starts(with: "commit ".utf8), let end = start.firstIndex(of: 0) else {
            throw Failure(.dataLoss, "object \(hex.prefix(12)) is no commit")
        }
        return try GitCommitHeader(of: stream, after: Array(start[(end + 1)...]))
    }

    private func alternates(of objects: SharedFileDescriptor) throws(Failure) -> [[UInt8]] {
        let text = try GitFile.read(RawPath("info/alternates"), in: objects.raw, limit: 64 << 10) ?? []
        return text.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }.map(
            Array.init)
    }
}
