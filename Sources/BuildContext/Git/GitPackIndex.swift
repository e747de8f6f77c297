internal import Failure
internal import LinuxSystem

/// The index of a pack, version 2 (gitformat-pack(5)): read where it is looked at, not as a whole.
struct GitPackIndex {
    private let file: SharedFileDescriptor
    private let size: Int64
    private let count: Int64
    private let nameSize: Int64
    private static let namesStart: Int64 = 8 + 256 * 4

    /// nil for another version.
    init?(_ file: SharedFileDescriptor, nameSize: Int) throws(Failure) {
        self.file = file
        self.nameSize = Int64(nameSize)
        size = try during("look at a pack's index") { () throws(SystemError) in
            Int64(clamping: try FileDescriptor.status("", in: file.raw, emptyPath: true).size)
        }
        let head = try GitFile.exactly(8, of: file, at: 0)
        guard head == [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2] else { return nil }
        count = try GitPackIndex.word(file, 8 + 255 * 4)
        // Names, checksums, offsets; two hashes at the end.
        guard size >= GitPackIndex.namesStart + count * (self.nameSize + 8) + 2 * self.nameSize else {
            throw Failure(.dataLoss, "a pack's index is cut short")
        }
    }

    /// The object's place in the pack; nil where it has none.
    func offset(of name: GitObjectName) throws(Failure) -> Int64? {
        guard Int64(name.bytes.count) == nameSize, let first = name.bytes.first else { return nil }
        let firstPlace = 8 + Int64(first) * 4
        var low = first == 0 ? 0 : try GitPackIndex.word(file, firstPlace - 4)
        var high = try GitPackIndex.word(file, firstPlace)
        guard low <= high, high <= count else { throw Failure(.dataLoss, "a pack's index is damaged") }
        while low < high {
            let middle = (low + high) / 2
            let found = try GitFile.exactly(
                Int(nameSize), of: file, at: GitPackIndex.namesStart + middle * nameSize)
            if found == name.bytes { return try offset(at: middle) }
            if found.lexicographicallyPrecedes(name.bytes) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private func offset(at position: Int64) throws(Failure) -> Int64 {
        let small = GitPackIndex.namesStart + count * (nameSize + 4)
        let word = try GitPackIndex.word(file, small + position * 4)
        guard word & 0x8000_0000 != 0 else { return word }
        // Beyond 2 GiB: a place in the table of large offsets.
        let place = small + count * 4 + (word & 0x7fff_ffff) * 8
        guard place + 8 <= size else { throw Failure(.dataLoss, "a pack's index is damaged") }
        let high = try GitPackIndex.word(file, place)
        guard high < 0x8000_0000 else { throw Failure(.dataLoss, "a pack's index is damaged") }
        return high << 32 | (try GitPackIndex.word(file, place + 4))
    }

    private static func word(_ file: SharedFileDescriptor, _ offset: Int64) throws(Failure) -> Int64 {
        var value: Int64 = 0
        for byte in try GitFile.exactly(4, of: file, at: offset) { value = value << 8 | Int64(byte) }
        return value
    }
}
