package import Failure

/// A size of memory or of a file as docker's flags write it: `512k`, `256m`, `1.5g`, `1GiB`, plain bytes. All units are
/// powers of 1024, with or without `b` or `iB`, in any case.
package enum ByteSize {
    /// What -1 stands for in `--memory-swap`.
    package static let unlimited: Int64 = -1

    /// The size in bytes.
    package static func parse(_ text: String, allowingUnlimited: Bool = false) throws(Failure) -> Int64 {
        if allowingUnlimited, text == "-1" { return unlimited }
        let bytes = text.utf8
        let numberEnd =
            bytes.firstIndex { !((0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")) } ?? bytes.endIndex
        var unit = bytes[numberEnd...]
        if unit.first == UInt8(ascii: " ") { unit = unit.dropFirst() }
        guard let shift = shift(of: unit.map { $0 | 0x20 }),
            let scaled = Digits.scaled(text[..<numberEnd].utf8, by: 1 << shift)
        else {
            throw Failure(.invalidArgument, "not a size such as 512k, 256m or 1.5g")
        }
        return scaled.value
    }

    private static func shift(of unit: [UInt8]) -> Int64? {
        guard let letter = unit.first else { return 0 }
        if unit.elementsEqual("b".utf8) { return 0 }
        let tail = unit.dropFirst()
        guard tail.isEmpty || tail.elementsEqual("b".utf8) || tail.elementsEqual("ib".utf8) else {
            return nil
        }
        switch letter {
        case UInt8(ascii: "k"): return 10
        case UInt8(ascii: "m"): return 20
        case UInt8(ascii: "g"): return 30
        case UInt8(ascii: "t"): return 40
        case UInt8(ascii: "p"): return 50
        default: return nil
        }
    }
}
