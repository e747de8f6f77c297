internal import Failure

/// The lines of a commit before its message, as far as the one that names the committer.
struct GitCommitHeader {
    private let bytes: [UInt8]
    /// A merge of twenty thousand parents has less before its committer.
    private static let longest = 1 << 20

    /// All of a commit, or its beginning.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads no more of an object than it takes.
    init(of stream: DeflatedObject, after start: [UInt8] = []) throws(Failure) {
        var bytes = start
        while bytes.count < GitCommitHeader.longest, GitCommitHeader.committer(bytes) == nil {
            let more = try stream.read(max(512, bytes.count))
            if more.isEmpty { break }
            bytes += more
        }
        self.bytes = bytes
    }

    /// `committer NAME <ADDRESS> SECONDS ZONE`
    func committerTime() throws(Failure) -> Int64 {
        guard let line = GitCommitHeader.committer(bytes), let close = line.lastIndex(of: UInt8(ascii: ">")),
            let word = line[(close + 1)...].split(separator: UInt8(ascii: " ")).first,
            let time = Int64(String(decoding: word, as: UTF8.self))
        else { throw Failure(.dataLoss, "a commit is damaged: it names no committer's time") }
        return time
    }

    /// nil unless all of the line is there.
    private static func committer(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        var at = 0
        while let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")), end > at {
            if bytes[at..<end].starts(with: "committer ".utf8) { return bytes[at..<end] }
            at = end + 1
        }
        return nil
    }
}
