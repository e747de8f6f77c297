/// The character at the beginning of bytes, or a byte that begins none.
struct PathCharacter {
    var value: UInt32
    var width: Int

    /// `bytes` are not empty.
    init(_ bytes: ArraySlice<UInt8>) {
        let first = bytes.first ?? 0
        guard first >= 0x80 else {
            self.init(value: UInt32(first), width: 1)
            return
        }
        // What Go makes of a byte that is no UTF-8.
        self.init(value: 0xFFFD, width: 1)
        let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, bytes.count >= count else { return }
        var value = UInt32(first) & (0x7F >> UInt32(count))
        for byte in bytes.dropFirst().prefix(count - 1) {
            guard byte & 0xC0 == 0x80 else { return }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let least: UInt32 = count == 4 ? 0x10000 : count == 3 ? 0x800 : 0x80
        guard value >= least, Unicode.Scalar(value) != nil else { return }
        self.init(value: value, width: count)
    }

    private init(value: UInt32, width: Int) {
        self.value = value
        self.width = width
    }
}
