/// A character of an instruction and where it stands in the file, which continuation lines move about.
struct LocatedScalar {
    var scalar: Unicode.Scalar
    /// Both from 1.
    var line, column: Int
}

extension Unicode.Scalar {
    /// What parts the words of an instruction.
    var isBlank: Bool { value == 0x20 || value >= 0x09 && value <= 0x0D && value != 0x0A }
    var isSpace: Bool { isASCII ? isBlank || self == "\n" : properties.isWhitespace }
    var isDigit: Bool { ("0"..."9").contains(self) }
}
