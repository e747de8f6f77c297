/// How many cells of a terminal a text takes. Where terminals disagree the larger count is taken: a line that is
/// shorter than it could be is no harm, one that wraps breaks the picture.
package enum TextWidth {
    package static func of(_ text: some StringProtocol) -> Int {
        text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    package static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        // The selector that makes the character before it an emoji, which is wide.
        if value == 0xfe0f { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return wide.contains { $0.contains(value) } ? 2 : 1
        }
    }

    /// East Asian Width W and F (UAX 11), and the emoji.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x23e9...0x23f3, 0x25fd...0x25fe, 0x2614...0x2615,
        0x2630...0x2637, 0x2648...0x2653, 0x267f...0x267f, 0x268a...0x268f, 0x2693...0x2693, 0x26a1...0x26a1,
        0x26aa...0x26ab, 0x26bd...0x26be, 0x26c4...0x26c5, 0x26ce...0x26ce, 0x26d4...0x26d4, 0x26ea...0x26ea,
        0x26f2...0x26f5, 0x26fa...0x26fd, 0x2705...0x2705, 0x270a...0x270b, 0x2728...0x2728, 0x274c...0x274e,
        0x2753...0x2757, 0x2795...0x2797, 0x27b0...0x27bf, 0x2b1b...0x2b1c, 0x2b50...0x2b55, 0x2e80...0x303e,
        0x3041...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6b,
        0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff, 0x1aff0...0x1b2fb, 0x1f004...0x1f320,
        0x1f32d...0x1faff, 0x20000...0x3fffd,
    ]

    /// As much of the text as fits.
    package static func cut(_ text: String, to columns: Int) -> String {
        var taken = String.UnicodeScalarView()
        var width = 0
        for scalar in text.unicodeScalars {
            width += of(scalar)
            if width > columns { break }
            taken.append(scalar)
        }
        return String(taken)
    }
}
