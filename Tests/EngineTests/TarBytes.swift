/// A small ustar writer: tests must not read what the code under test wrote.
struct TarBytes {
    private(set) var bytes: [UInt8] = []

    mutating func directory(_ name: String, mode: Int = 0o755) { header(name + "/", "5", mode: mode) }

    mutating func file(_ name: String, _ text: String, mode: Int = 0o644) {
        file(name, Array(text.utf8), mode: mode)
    }

    mutating func file(_ name: String, _ data: [UInt8], mode: Int = 0o644) {
        header(name, "0", size: data.count, mode: mode)
        bytes += data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    mutating func hardLink(_ name: String, to target: String) { header(name, "1", link: target) }

    mutating func symlink(_ name: String, to target: String) { header(name, "2", link: target) }

    /// With the end that a tar has.
    var whole: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private mutating func header(
        _ name: String, _ type: Character, size: Int = 0, mode: Int = 0o644, link: String = ""
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (i, byte) in text.utf8.enumerated() { block[offset + i] = byte }
        }
        func octal(_ number: Int, _ width: Int) -> String {
            let digits = String(number, radix: 8)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(1_700_000_000, 11), at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + "\u{0} ", at: 148)
        bytes += block
    }
}
